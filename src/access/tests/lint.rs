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
    let app = |number| (id(number), AppFact { kind: "event_app".to_owned(), ancestors: Vec::new() });
    HashMap::from([app(100), app(101)])
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

#[test]
fn s1_28_guidance_names_the_narrower_roles() {
    let advice = guidance(&blueprint(), "app_manager").unwrap();
    assert!(advice.remedy.contains("Verifier (Check-in management)"), "{}", advice.remedy);
    assert_eq!(guidance(&blueprint(), "verifier"), None);
}
