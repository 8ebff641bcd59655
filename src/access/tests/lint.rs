//! Grants at the wrong level, on the rules of event apps (S1.28, S1.31).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;

use gatehouse_access::{
    Blueprint, Grant, Grantee, Held, Place,
    lint::{AppFact, WarningCode, guidance, warnings},
};
use uuid::Uuid;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn blueprint() -> Blueprint {
    Blueprint::parse(include_str!("../../../blueprints/event-apps.toml")).unwrap()
}

fn apps() -> HashMap<Uuid, AppFact> {
    let app = |number, name: &str| {
        (id(number), AppFact { name: name.to_owned(), kind: "event_app".to_owned(), ancestors: Vec::new() })
    };
    HashMap::from([app(100, "Fair"), app(101, "Gala")])
}

/// A role of member 1, on an app or in the organization.
fn role(number: u128, role: &str, app: Option<u128>) -> Grant {
    let place = app.map_or(Place::Organization, |app| Place::App { id: id(app), kind: "event_app".to_owned() });
    let held = Held::Role(role.to_owned());
    Grant { id: id(number), grantee: Grantee::Member(id(1)), path: Vec::new(), held, place, expires_at: None }
}

fn found(grants: &[Grant]) -> Vec<(WarningCode, Vec<Uuid>)> {
    let found = warnings(&blueprint(), grants, &apps());
    found.into_iter().map(|warning| (warning.code, warning.grants)).collect()
}

#[test]
fn s1_31_what_a_wider_grant_gives_already_is_too_low() {
    let owner_and = |narrow| found(&[role(1, "owner", None), narrow]);
    assert_eq!(owner_and(role(2, "editor", Some(100))), [(WarningCode::Redundant, vec![id(2), id(1)])]);
    // Another's grants are another matter, and so is a wider one that ends earlier.
    let other = Grant { grantee: Grantee::Member(id(2)), ..role(2, "editor", Some(100)) };
    assert_eq!(owner_and(other), []);
    let ends = Grant { expires_at: chrono::DateTime::from_timestamp(1_900_000_000, 0), ..role(1, "owner", None) };
    assert_eq!(found(&[ends, role(2, "editor", Some(100))]), []);
    // What a member is in the organization is more than what it may do.
    assert_eq!(found(&[role(1, "owner", None), role(2, "admin", None)]), []);
}

#[test]
fn s1_31_a_manager_who_only_checks_in_is_too_high() {
    let both = [role(1, "app_manager", Some(100)), role(2, "verifier", Some(100))];
    assert_eq!(found(&both), [(WarningCode::WiderThanNeeded, vec![id(1), id(2)])]);
    assert_eq!(found(&[role(1, "app_manager", Some(100)), role(2, "verifier", Some(101))]), []);
}

#[test]
fn s1_31_on_every_app_one_by_one_is_too_low_unless_it_comes_with_a_role() {
    let everywhere = [role(1, "app_manager", Some(100)), role(2, "app_manager", Some(101))];
    assert_eq!(found(&everywhere), [(WarningCode::Everywhere, vec![id(1), id(2)])]);
    let [one, other] = everywhere;
    assert_eq!(found(&[role(3, "admin", None), one.clone(), other]), []);
    assert_eq!(found(&[one]), []);
}

/// A module role, or a feature, on every app of its kind is as low as an app role is.
#[test]
fn s1_31_a_module_role_on_every_app_is_too_low() {
    let editors = [role(1, "editor", Some(100)), role(2, "editor", Some(101))];
    assert_eq!(found(&editors), [(WarningCode::Everywhere, vec![id(1), id(2)])]);
    assert_eq!(found(&[role(1, "editor", Some(100)), role(2, "verifier", Some(101))]), []);
    // What is not needed at all is told as that, and only so.
    let [one, other] = editors;
    let codes: Vec<WarningCode> =
        found(&[role(3, "owner", None), one, other]).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, [WarningCode::Redundant, WarningCode::Redundant]);
}

/// The rules of code hosting, and the warnings about what member 1 has there, by feature of three repositories.
fn found_in_code(grants: &[(u128, &str, Option<u128>)]) -> Vec<(WarningCode, Vec<Uuid>, String)> {
    let rules = Blueprint::parse(include_str!("../../../blueprints/code-hosting.toml")).unwrap();
    let kind = "repository";
    let app =
        |number| (id(number), AppFact { name: format!("Repo {number}"), kind: kind.to_owned(), ancestors: Vec::new() });
    let grant = |(number, level, app): &(u128, &str, Option<u128>)| Grant {
        id: id(*number),
        grantee: Grantee::Member(id(1)),
        path: Vec::new(),
        held: Held::Feature { kind: kind.to_owned(), feature: "code".to_owned(), level: Some((*level).to_owned()) },
        place: app.map_or(Place::Organization, |app| Place::App { id: id(app), kind: kind.to_owned() }),
        expires_at: None,
    };
    let grants: Vec<Grant> = grants.iter().map(grant).collect();
    let found = warnings(&rules, &grants, &HashMap::from([app(100), app(101), app(102)]));
    found.into_iter().map(|warning| (warning.code, warning.grants, warning.remedy)).collect()
}

#[test]
fn s1_31_the_same_feature_on_every_app_is_too_low() {
    let everywhere = [(1, "read", Some(100)), (2, "read", Some(101)), (3, "read", Some(102))];
    let told = found_in_code(&everywhere);
    assert_eq!(told.len(), 1, "{told:?}");
    let (code, grants, remedy) = &told[0];
    assert_eq!((*code, grants), (WarningCode::Everywhere, &vec![id(1), id(2), id(3)]));
    assert!(remedy.starts_with("Give it in the whole organization instead"), "{remedy}");
    // Not on every app, or not the same.
    assert_eq!(found_in_code(&everywhere[..2]), []);
    assert_eq!(found_in_code(&[everywhere[0], everywhere[1], (3, "write", Some(102))]), []);
}

/// Too high and too low are two sides of one pair: what is held everywhere, and less of it on one app.
#[test]
fn s1_31_a_feature_everywhere_and_less_of_it_on_one_app() {
    let told = found_in_code(&[(1, "write", None), (2, "read", Some(100))]);
    assert_eq!(told.len(), 1, "{told:?}");
    let (code, grants, remedy) = &told[0];
    assert_eq!((*code, grants), (WarningCode::Redundant, &vec![id(2), id(1)]));
    let both = "Take Code (read) on `Repo 100` away; or, if that is all that is needed, take Code (write) of Repository in \
                the whole organization away.";
    assert_eq!(remedy, both);
    // More on one app is what single apps are for.
    assert_eq!(found_in_code(&[(1, "read", None), (2, "write", Some(100))]), []);
}

/// A role of the organization for which the blueprint recommends narrower ones on single apps, and one of those.
#[test]
fn s1_31_a_role_of_the_organization_is_too_high_where_one_of_an_app_does() {
    let source = include_str!("../../../blueprints/event-apps.toml")
        .replace("assigns = [\"*\"]\n", "assigns = [\"*\"]\ninstead = [\"editor\", \"verifier\"]\n");
    let rules = Blueprint::parse(&source).unwrap();
    let grants = [role(1, "owner", None), role(2, "editor", Some(100)), role(3, "editor", Some(101))];
    let found = warnings(&rules, &grants, &apps());
    let told: Vec<_> = found.iter().map(|warning| (warning.code, warning.grants.clone())).collect();
    assert_eq!(told, [(WarningCode::WiderThanNeeded, vec![id(1), id(2), id(3)])]);
    let message = "Owner in the organization is held together with Editor in News Feed on `Fair`, Editor in News Feed on \
                   `Gala`, which do for a single task";
    assert_eq!(found[0].message, message);
    // Some must hold the wide one.
    assert_eq!(found[0].remedy, "Take Editor in News Feed on `Fair`, Editor in News Feed on `Gala` away.");
    // Another member's narrow role says nothing of this one.
    let other = Grant { grantee: Grantee::Member(id(2)), ..role(2, "editor", Some(100)) };
    assert_eq!(warnings(&rules, &[role(1, "owner", None), other], &apps()), []);
}

/// S1.31: each warning says of what it is about where it stands, in the organization, on an app or in a module of one.
#[test]
fn s1_31_warnings_name_the_place_of_each_grant() {
    let told = |grants: &[Grant]| warnings(&blueprint(), grants, &apps()).pop().unwrap();
    let both = told(&[role(1, "app_manager", Some(100)), role(2, "verifier", Some(100))]);
    let message =
        "App Manager on `Fair` is held together with Verifier in Events on `Fair`, which does for a single task";
    assert_eq!(both.message, message);
    let remedy = "If Verifier in Events on `Fair` is all that is needed, take App Manager on `Fair` away; else take Verifier \
                  in Events on `Fair` away.";
    assert_eq!(both.remedy, remedy);
    let below = told(&[role(1, "owner", None), role(2, "editor", Some(101))]);
    let message = "Editor in News Feed on `Gala` gives nothing that Owner in the organization does not give already";
    assert_eq!(below.message, message);
}

/// Nobody is told to take away a role that some must hold, nor a main role, which is changed and never taken.
#[test]
fn s1_31_no_warning_takes_away_a_role_that_must_be_held() {
    let remedy = |rules: &Blueprint, wide: &str| {
        let grants = [role(1, wide, None), role(2, "editor", Some(100))];
        warnings(rules, &grants, &apps()).pop().unwrap().remedy
    };
    assert_eq!(remedy(&blueprint(), "owner"), "Take Editor in News Feed on `Fair` away.");
    let source = include_str!("../../../blueprints/event-apps.toml")
        .replace("label = \"Admin\"\n", "label = \"Admin\"\naccess = [\"event_app.*.*\"]\n");
    let changed = "Take Editor in News Feed on `Fair` away; or, if that is all that is needed, give a narrower role than \
                   Admin in the organization.";
    assert_eq!(remedy(&Blueprint::parse(&source).unwrap(), "admin"), changed);
}

/// The roles of the organization that open the same on every app are named; where none does, none is advised.
#[test]
fn s1_31_a_wider_role_is_advised_where_there_is_one() {
    let remedy = |rules: &Blueprint, key: &str| {
        let grants = [role(1, key, Some(100)), role(2, key, Some(101))];
        let found = warnings(rules, &grants, &apps()).pop().unwrap();
        assert!(found.message.ends_with("is held one by one on every app of the kind Event app"), "{}", found.message);
        found.remedy
    };
    let alone = "Take it away where it is not needed: no role of the organization gives this alone.";
    assert_eq!(remedy(&blueprint(), "editor"), alone);
    let wider = |roles: &str| {
        format!(
            "Give the role {roles} in the organization instead, if this is meant for apps to come too; else take it away \
             where it is not needed."
        )
    };
    // It brings App Manager with it.
    assert_eq!(remedy(&blueprint(), "app_manager"), wider("Admin"));
    let press =
        "[roles.press]\nlabel = \"Press\"\nflag = true\naccess = [\"event_app.news_feed\"]\n\n[roles.integration]";
    let source = include_str!("../../../blueprints/event-apps.toml").replace("[roles.integration]", press);
    assert_eq!(remedy(&Blueprint::parse(&source).unwrap(), "editor"), wider("Press"));
}

#[test]
fn s1_28_guidance_names_the_narrower_roles() {
    let advice = guidance(&blueprint(), "app_manager").unwrap();
    assert!(advice.remedy.contains("Verifier (Check-in management)"), "{}", advice.remedy);
    assert_eq!(guidance(&blueprint(), "verifier"), None);
}
