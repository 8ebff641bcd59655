//! A product that is not in the box: `cases/seventh.toml`, written from the guide (`docs/blueprints.md`) alone. Every knob it
//! turns is seen to hold over HTTP, allowed and refused, without a word of it in the program.

use std::fs;

use serde_json::{Value, json};

use crate::{
    cli::gatehouse,
    role::permissions,
    support::{
        gateway::{Answer, Gateway, Person},
        metered,
        people::{invite_with, join, member_id},
    },
};

const SCHOOL: &str = include_str!("cases/seventh.toml");

/// A school: hanna heads it, sue is its secretary, tom and vera teach, nils learns to.
struct School {
    gateway: Gateway,
    hanna: Person,
    sue: Person,
    tom: Person,
    vera: Person,
    nils: Person,
}

fn named(name: &'static str, roles: &[&str]) -> (&'static str, Value) {
    (name, json!({ "name": name, "roles": roles }))
}

async fn school() -> School {
    let gateway = Gateway::sqlite().await;
    gateway.service.install_blueprint(SCHOOL).await.unwrap();
    let founder = gateway.person("hanna").await;
    let input = json!({ "name": "School", "slug": "school", "blueprint": "school", "switch": true });
    let made = founder.call("createOrganization", input, "accessToken").await.ok();
    let mut hanna = founder.with_token(made.at("createOrganization.accessToken").as_str().unwrap());
    let sql = "SELECT id FROM member WHERE email = $1";
    let rows = gateway.database.rows(sql, [hanna.email.clone().into()]).await;
    hanna.member = Some(rows[0].try_get_by_index(0).unwrap());
    let sue = join(&gateway, &hanna, named("sue", &["secretary", "full"])).await;
    // The secretary is bounded, and gives `organizer` by delegation: it holds `apps.create`, which the secretary does not.
    let tom = join(&gateway, &sue, named("tom", &["techer", "full"])).await;
    let vera = join(&gateway, &sue, named("vera", &["teacher", "volunteer", "organizer"])).await;
    let nils = join(&gateway, &sue, named("nils", &["student_teacher", "hourly"])).await;
    School { gateway, hanna, sue, tom, vera, nils }
}

/// Makes an app; its global id, or why not.
async fn app(by: &Person, kind: &str, slug: &str, parent: Option<&str>) -> Result<String, String> {
    let input = json!({ "kind": kind, "slug": slug, "name": slug, "parent": parent });
    let answer = by.call("createApp", input, "app { id }").await;
    refused(&answer, "createApp").map_or_else(|| Ok(answer.at("createApp.app.id").as_str().unwrap().to_owned()), Err)
}

/// The first refusal or error.
fn refused(answer: &Answer, mutation: &str) -> Option<String> {
    answer.codes().first().or(answer.refusals(mutation).first()).map(|code| (*code).to_owned())
}

async fn tick(
    by: &Person,
    who: &Person,
    app: &str,
    (kind, feature, level): (&str, &str, Option<&str>),
) -> Option<String> {
    let gives = json!({ "feature": { "kind": kind, "feature": feature, "level": level } });
    let input = json!({ "grantee": { "member": member_id(who.member.unwrap()) }, "gives": gives, "app": app });
    refused(&by.call("grantAccess", input, "grant { id }").await, "grantAccess")
}

async fn give(by: &Person, who: &Person, app: &str, role: &str) -> Option<String> {
    let input = json!({ "app": app, "member": member_id(who.member.unwrap()), "role": role, "on": true });
    refused(&by.call("setAppRole", input, "isHolder").await, "setAppRole")
}

async fn may(who: &Person, app: &str, feature: &str, action: &str) -> bool {
    let ask = "query($app: ID!, $feature: String!, $action: String!) {
        node(id: $app) { ... on App { viewerCan(feature: $feature, action: $action) } } }";
    let answer = who.send(ask, json!({ "app": app, "feature": feature, "action": action })).await.ok();
    answer.at("node.viewerCan") == &json!(true)
}

async fn invited(by: &Person, email: &str, roles: &[&str]) -> Option<String> {
    refused(&invite_with(by, json!({ "email": email, "name": "New", "roles": roles })).await, "inviteMember")
}

#[test]
fn the_document_is_checked_explained_and_installed() {
    let folder = tempfile::tempdir().unwrap();
    let run = |command: &str, source: &str| {
        fs::write(folder.path().join("school.toml"), source).unwrap();
        let output = gatehouse(folder.path(), &["blueprint", command, "school.toml"]);
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(
        run("check", SCHOOL),
        (true, "school version 1: 5 app kinds, 7 features, 14 roles, 2 plans\n".to_owned())
    );
    let breaks = [
        ("ceiling = [\"members.read\"", "ceiling = [\"members.fly\"", "members.fly"),
        ("slot = \"contract\"\nseats", "slot = \"contrakt\"\nseats", "contrakt"),
        ("creator_roles = [\"head\", \"full\"]", "creator_roles = [\"head\"]", "organization.creator_roles"),
        ("role = \"observer\", app_kind", "role = \"form_teacher\", app_kind", "automatic"),
        ("requires = [\"lessons\"]", "requires = [\"lesson\"]", "lesson"),
        ("seats = { staff = 3 }", "seats = { stuff = 3 }", "stuff"),
        ("default = \"#336699\"", "default = \"blue\"", "blue"),
        ("actions = [\"give\"]", "actions = [\"gift\"]", "gift"),
        ("transfer = \"teacher\"", "transfer = \"tutor\"", "tutor"),
    ];
    for (from, to, named) in breaks {
        assert!(SCHOOL.contains(from), "the case replaces nothing: {from}");
        let (good, said) = run("check", &SCHOOL.replacen(from, to, 1));
        assert!(!good && said.contains(named), "{to}: {said}");
        assert!(said.lines().all(|line| line.starts_with("school.toml:") && line.contains("(fix: ")), "{said}");
    }
    assert!(run("add", SCHOOL).1.starts_with("Installed school version 1"));
}

#[tokio::test]
async fn posts_and_contracts_are_chosen_apart_on_seats_and_below_limits() {
    let School { gateway: _serving, hanna, sue, .. } = school().await;
    let roles = "{ viewer { organization { members(first: 9) { edges { node { name roles { key } } } } } } }";
    let listed = sue.ask(roles).await.ok();
    for (name, held) in [("tom", ["teacher", "full"]), ("nils", ["student_teacher", "hourly"])] {
        let edges = listed.at("viewer.organization.members.edges").as_array().unwrap();
        let node = edges.iter().find(|edge| edge["node"]["name"] == name).unwrap();
        assert_eq!(node["node"]["roles"], json!([{ "key": held[0] }, { "key": held[1] }]), "the alias is the role");
    }
    // One of each slot; a post is preselected, a contract is not.
    assert_eq!(invited(&sue, "a@example.org", &["teacher"]).await, Some("MISSING".to_owned()));
    assert_eq!(
        invited(&sue, "a@example.org", &["teacher", "secretary", "volunteer"]).await,
        Some("INVALID".to_owned())
    );
    assert_eq!(invited(&sue, "a@example.org", &["volunteer"]).await, None);
    // Three full contracts, one by the hour.
    assert_eq!(invited(&sue, "b@example.org", &["teacher", "full"]).await, Some("SEAT_LIMIT".to_owned()));
    assert_eq!(invited(&sue, "b@example.org", &["teacher", "hourly"]).await, Some("TOO_MANY_HOLDERS".to_owned()));
    // What the form asks for.
    assert_eq!(invited(&sue, "b+c@example.org", &["volunteer"]).await, Some("SUBADDRESS_NOT_ALLOWED".to_owned()));
    let nameless = invite_with(&sue, json!({ "email": "c@example.org", "roles": ["volunteer"] })).await;
    assert_eq!(refused(&nameless, "inviteMember"), Some("MISSING".to_owned()));
    // What the secretary does not assign.
    assert_eq!(invited(&sue, "d@example.org", &["secretary", "volunteer"]).await, Some("NOT_GRANTABLE".to_owned()));
    assert_eq!(invited(&hanna, "d@example.org", &["secretary", "volunteer"]).await, None);
}

#[tokio::test]
async fn apps_stand_in_one_another_and_open_as_their_kind_says() {
    let School { gateway, hanna, tom, vera, nils, .. } = school().await;
    let year = app(&hanna, "year", "year-7", None).await.unwrap();
    assert!(app(&hanna, "class", "loose", None).await.is_err(), "a class stands in a year");
    assert_eq!(give(&hanna, &tom, &year, "year_lead").await, None);
    let class = app(&tom, "class", "7a", Some(&year)).await.unwrap();
    assert!(app(&tom, "exam", "maths", Some(&year)).await.is_err(), "central");
    assert!(app(&hanna, "exam", "maths", Some(&year)).await.is_ok());
    // Whoever makes a class is its form teacher, with the actions of that role; a tick of lessons gives reading alone.
    assert!(may(&tom, &class, "files", "view").await);
    assert_eq!(tick(&hanna, &vera, &class, ("class", "lessons", None)).await, None);
    assert!(may(&vera, &class, "lessons", "view").await && !may(&vera, &class, "lessons", "write").await);
    // Another role of the slot takes its place, there.
    assert_eq!(give(&hanna, &tom, &year, "year_deputy").await, None);
    assert!(app(&tom, "class", "7b", Some(&year)).await.is_err());
    // Whoever makes a club holds its meetings.
    let club = app(&vera, "club", "chess", None).await.unwrap();
    assert!(may(&vera, &club, "meetings", "call").await && !may(&nils, &club, "meetings", "call").await);
    // A board is private, with people of its own, until it is made public: everybody's to read, and nobody's own.
    let board = app(&hanna, "board", "hall", None).await.unwrap();
    let notices = ("board", "notices", None);
    assert!(!may(&tom, &board, "notices", "view").await);
    assert_eq!(tick(&hanna, &tom, &board, notices).await, None);
    let public = json!({ "app": board, "visibility": "PUBLIC" });
    let early = hanna.call("updateApp", public.clone(), "app { id }").await;
    assert_eq!(early.refusals("updateApp"), ["STATE_CHANGED"]);
    let sql = "DELETE FROM access_grant WHERE grantee_id = $1 AND feature = 'notices'";
    gateway.database.run(sql, [tom.member.unwrap().into()]).await.unwrap();
    gateway.settle().await;
    hanna.call("updateApp", public, "app { id }").await.ok();
    assert!(may(&vera, &board, "notices", "view").await && !may(&vera, &board, "notices", "post").await);
    assert!(!may(&nils, &board, "notices", "view").await, "past the ceiling");
    assert!(tick(&hanna, &tom, &board, notices).await.is_some());
}

#[tokio::test]
async fn features_have_levels_prerequisites_and_roles_of_their_own() {
    let School { gateway: _serving, hanna, tom, vera, nils, .. } = school().await;
    let year = app(&hanna, "year", "year-7", None).await.unwrap();
    let class = app(&hanna, "class", "7a", Some(&year)).await.unwrap();
    let other = app(&hanna, "class", "7b", Some(&year)).await.unwrap();
    let marks = |level| ("class", "marks", Some(level));
    assert_eq!(tick(&hanna, &vera, &class, marks("grade")).await, Some("MISSING".to_owned()));
    assert_eq!(tick(&hanna, &vera, &class, ("class", "lessons", None)).await, None);
    assert_eq!(tick(&hanna, &vera, &class, marks("grade")).await, None);
    for (action, is) in [("view", true), ("give", true), ("sign", false)] {
        assert_eq!(may(&vera, &class, "marks", action).await, is, "{action}");
    }
    assert!(tick(&hanna, &vera, &class, ("class", "files", None)).await.is_some(), "by roles alone");
    // A form teacher is a teacher, and gives the markers of that class alone.
    assert_eq!(give(&hanna, &nils, &class, "form_teacher").await, Some("PREREQUISITE".to_owned()));
    assert_eq!(give(&hanna, &tom, &class, "form_teacher").await, None);
    assert!(give(&hanna, &tom, &year, "form_teacher").await.is_some(), "on classes alone");
    assert_eq!(give(&tom, &vera, &class, "marker").await, None);
    assert!(give(&tom, &vera, &other, "marker").await.is_some());
    // Who learns to teach reads lessons, and has nothing to do with marks, whoever gives them.
    assert_eq!(tick(&hanna, &nils, &class, ("class", "lessons", None)).await, None);
    assert!(tick(&hanna, &nils, &class, marks("read")).await.is_some(), "the ceiling");
    assert!(may(&nils, &class, "lessons", "view").await);
    // Everyone may be let to read plans, and no more.
    let everyone = |level: &str| {
        let gives = json!({ "feature": { "kind": "year", "feature": "plan", "level": level } });
        json!({ "grantee": { "everyone": true }, "gives": gives })
    };
    assert!(refused(&hanna.call("grantAccess", everyone("write"), "grant { id }").await, "grantAccess").is_some());
    hanna.call("grantAccess", everyone("read"), "grant { id }").await.ok();
    assert!(may(&tom, &year, "plan", "view").await && !may(&nils, &year, "plan", "view").await);
    // Who is let in nowhere sees that it stands there.
    let apps = nils
        .ask(
            "{ viewer { organization { apps(first: 9) { edges { node { slug viewerCapabilities { feature } } } } } } }",
        )
        .await
        .ok();
    let edges = apps.at("viewer.organization.apps.edges").as_array().unwrap();
    assert!(
        edges.iter().any(|edge| edge["node"] == json!({ "slug": "year-7", "viewerCapabilities": [] })),
        "{edges:?}"
    );
}

#[tokio::test]
async fn teachers_look_into_every_club_until_they_teach_no_more() {
    let School { gateway: _serving, hanna, tom, nils, .. } = school().await;
    let club = app(&hanna, "club", "chess", None).await.unwrap();
    assert!(may(&tom, &club, "meetings", "view").await && !may(&tom, &club, "meetings", "call").await);
    assert!(!may(&nils, &club, "meetings", "view").await);
    let input = json!({ "app": club, "member": member_id(tom.member.unwrap()), "role": "observer", "on": false });
    hanna.call("setAppRole", input, "isHolder").await.ok();
    assert!(!may(&tom, &club, "meetings", "view").await);
    let later = app(&hanna, "club", "choir", None).await.unwrap();
    assert!(may(&tom, &later, "meetings", "view").await && !may(&tom, &club, "meetings", "view").await);
}

#[tokio::test]
async fn meters_profile_menus_and_records_hold() {
    let School { gateway, hanna, sue, tom, .. } = school().await;
    let program = metered::program(&gateway, "school").await;
    metered::count(&program, &[("prints", json!(8), "a"), ("storage", json!(80), "b")]).await.ok();
    let over = metered::count(&program, &[("prints", json!(5), "c")]).await;
    assert_eq!(over.refusals("recordUsage"), ["METER_LIMIT"]);
    let warned = metered::count(&program, &[("storage", json!(30), "d")]).await.ok();
    assert_eq!(warned.at("recordUsage.warnings.0.meter"), "storage");
    assert_eq!(metered::usage(&sue, "prints").await["used"], "8");
    assert!(!tom.ask("{ viewer { organization { usage { meter } } } }").await.codes().is_empty());

    let set = |section: &'static str, key: &'static str, value: Value| json!({ "section": section, "values": [{ "key": key, "value": value }] });
    let profile = "{ viewer { organization { profile { key } menus { key } } } }";
    sue.call("updateProfile", set("address", "street", json!("Main Street 1")), "organization { id }").await.ok();
    for (values, code) in [
        (set("address", "street", Value::Null), "MISSING"),
        (set("address", "state", json!("Texas")), "INVALID"),
        (set("look", "accent", json!("blue")), "INVALID"),
    ] {
        let answer = sue.call("updateProfile", values, "organization { id }").await;
        assert_eq!(answer.refusals("updateProfile"), [code]);
    }
    let not_his = tom.call("updateProfile", set("look", "accent", json!("#000000")), "organization { id }").await;
    assert_eq!(not_his.codes(), ["FORBIDDEN"]);
    let seen = sue.ask(profile).await.ok();
    assert_eq!(seen.at("viewer.organization.profile"), &json!([{ "key": "address" }, { "key": "look" }]));
    assert_eq!(seen.at("viewer.organization.menus"), &json!([{ "key": "people" }]));
    let seen = tom.ask(profile).await.ok();
    assert_eq!(seen.at("viewer.organization.profile"), &json!([{ "key": "look" }]));
    assert_eq!(seen.at("viewer.organization.menus"), &json!([]));
    // A permission of the product's own, and what it may record.
    assert!(permissions(&sue).await.contains(&"timetable.publish".to_owned()));
    assert!(!permissions(&tom).await.contains(&"timetable.publish".to_owned()));
    let year = app(&hanna, "year", "year-7", None).await.unwrap();
    let class = app(&hanna, "class", "7a", Some(&year)).await.unwrap();
    let entry = |action: &str| {
        let target = json!({ "kind": "report", "name": "Spring" });
        json!({ "entries": [{ "app": class, "target": target, "action": action }] })
    };
    hanna.call("recordActivity", entry("signed"), "recorded").await.ok();
    let burnt = hanna.call("recordActivity", entry("burnt"), "recorded").await;
    assert_eq!(burnt.refusals("recordActivity"), ["NOT_IN_BLUEPRINT"]);
}

#[tokio::test]
async fn people_go_come_back_and_hand_over_as_it_says() {
    let School { gateway, hanna, sue, tom, vera, .. } = school().await;
    // Nobody leaves by themselves; who is removed is archived, and comes back.
    let left = tom.call("leaveOrganization", json!({ "confirm": true }), "left").await;
    assert_eq!(refused(&left, "leaveOrganization"), Some("MAY_NOT_LEAVE".to_owned()));
    let gone = json!({ "member": member_id(vera.member.unwrap()), "confirm": true });
    hanna.call("removeMember", gone, "removed").await.ok();
    let back = json!({ "member": member_id(vera.member.unwrap()), "roles": ["teacher", "volunteer"] });
    let back = hanna.call("restoreMember", back, "member { state }").await.ok();
    assert_eq!(back.at("restoreMember.member.state"), "ACTIVE");
    // A role of the school's own, made after one that may be: with less, never with more.
    let custom = |permissions: Value| json!({ "key": "clerk", "base": "secretary", "label": "Clerk", "permissions": permissions, "access": [] });
    let more = hanna.call("createRole", custom(json!(["members.read", "activity.read"])), "role { key }").await;
    assert!(refused(&more, "createRole").is_some());
    hanna.call("createRole", custom(json!(["members.read"])), "role { key }").await.ok();
    let plain = json!({ "key": "x", "base": "teacher", "label": "X", "permissions": [], "access": [] });
    assert!(refused(&hanna.call("createRole", plain, "role { key }").await, "createRole").is_some());
    // Schools below this one, and nothing else.
    let below =
        |blueprint: &str| json!({ "name": "Branch", "slug": "branch", "blueprint": blueprint, "parent": "school" });
    let other = hanna.call("createOrganization", below("support-hub"), "organization { slug }").await;
    assert!(refused(&other, "createOrganization").is_some());
    hanna.call("createOrganization", below("school"), "organization { slug }").await.ok();
    // Teams, side by side alone.
    let team = |slug: &str, parent: Option<&str>| json!({ "slug": slug, "name": slug, "parent": parent });
    let made = hanna.call("createTeam", team("maths", None), "team { id }").await.ok();
    let parent = made.at("createTeam.team.id").as_str();
    let nested = hanna.call("createTeam", team("algebra", parent), "team { id }").await;
    assert!(refused(&nested, "createTeam").is_some());
    // There is always a head, who can hand over, and takes a teacher's place.
    let me = json!({ "member": member_id(hanna.member.unwrap()), "role": "teacher" });
    assert!(refused(&hanna.call("changeMemberRole", me, "member { id }").await, "changeMemberRole").is_some());
    let to = json!({ "member": member_id(sue.member.unwrap()), "role": "head", "confirm": true });
    hanna.call("transferRole", to, "to { id }").await.ok();
    let sql = "SELECT role FROM access_grant WHERE grantee_id = $1 AND app_id IS NULL ORDER BY role";
    let rows = gateway.database.rows(sql, [hanna.member.unwrap().into()]).await;
    let held: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    assert_eq!(held, ["full", "teacher"]);
}
