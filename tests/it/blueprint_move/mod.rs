//! Versions of a blueprint, and moving an organization to another one.

mod strays;

use serde_json::{Value, json};

use crate::{
    app_role::{HALLS, House, give, house_on},
    role::{DESK, Desk, become_role, create, desk, desk_on, may, permissions, role},
    support::{
        gateway::{Answer, Engines, Person},
        people::{app_id, count, member_id},
    },
};

/// The desk's second version: a role has another name and less, another gains and loses a permission, a level has another
/// name, an action is gone.
fn second() -> String {
    edit(
        &renamed(2),
        &[
            ("{ key = \"write\", label = \"Write\"", "{ key = \"edit\", label = \"Edit\""),
            ("\"board.cards:write\", \"board.reports.view\"", "\"board.cards:edit\", \"board.reports.view\""),
            (", export = { label = \"Export reports\" }", ""),
            (
                "\"members.read\", \"members.invite\", \"roles.assign\"",
                "\"members.read\", \"activity.read\", \"roles.assign\"",
            ),
        ],
    )
}

/// A version in which only a role has another name.
fn renamed(version: u32) -> String {
    let number = format!("version = {version}");
    edit(
        DESK,
        &[("version = 1", &number), ("[roles.helper]\nlabel = \"Helper\"", "[roles.assistant]\nlabel = \"Assistant\"")],
    )
}

fn edit(source: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(source.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

const PREVIEW: &str = "query($version: Int!, $roles: [RoleMappingInput!], $first: Int, $after: String) {
    organization(slug: \"acme\") { blueprintMove(version: $version, roles: $roles) {
        from version { version title isCurrent } gained lost token
        problems { code message remedy } roles { role label holders becomes } gone { kind feature level count }
        narrowed { role lost }
        changes(first: $first, after: $after) {
            totalCount pageInfo { hasNextPage endCursor }
            edges { node { holderKind holder app permission action assigns unbounded change } } } } } }";

async fn preview(who: &Person, version: u32, roles: &Value) -> Answer {
    who.send(PREVIEW, json!({ "version": version, "roles": roles, "first": 50 })).await
}

async fn token(who: &Person, version: u32, roles: &Value) -> String {
    let shown = preview(who, version, roles).await.ok();
    shown.at("organization.blueprintMove.token").as_str().unwrap().to_owned()
}

async fn move_to(who: &Person, version: u32, roles: &Value, token: &str, accept: bool) -> Answer {
    let input = json!({ "version": version, "roles": roles, "token": token, "acceptGains": accept });
    who.call("moveBlueprint", input, "blueprint { version }").await
}

fn helper_to(role: &str) -> Value {
    json!([{ "from": "helper", "to": role }])
}

/// What changes, as `holder place right direction`.
fn told(shown: &Answer) -> Vec<String> {
    let edges = shown.at("organization.blueprintMove.changes.edges").as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let tell = |edge: &Value| {
        let node = &edge["node"];
        let right = ["permission", "action", "assigns"].map(|key| text(&node[key])).join(" ");
        format!("{} {} {} {right}", text(&node["change"]), text(&node["holder"]), text(&node["app"])).replace(" -", "")
    };
    edges.iter().map(tell).collect()
}

struct Moved {
    desk: Desk,
    bob: Person,
    carol: Person,
    dave: Person,
    erin: Person,
}

/// A desk in which everything that the second version changes is held by somebody.
async fn people(engines: Engines) -> Moved {
    let desk = desk_on(engines).await;
    desk.gateway.service.install_blueprint(&second()).await.unwrap();
    let rights = json!([{ "kind": "board", "feature": "reports", "actions": ["view", "export"] }]);
    create(&desk.alice, role("press", "chief", &["members.read"], rights)).await.ok();
    let (gateway, tenant) = (&desk.gateway, &desk.tenant);
    let bob = gateway.member(tenant, "bob", "lead").await;
    let carol = gateway.member(tenant, "carol", "helper").await;
    let dave = gateway.member(tenant, "dave", "member").await;
    gateway.tick(tenant, &dave, desk.board, "cards", Some("write")).await;
    let erin = gateway.member(tenant, "erin", "custom:press").await;
    gateway.settle().await;
    Moved { desk, bob, carol, dave, erin }
}

/// The preview names every right that anybody gains or loses, the roles that need another in their place, the grants that go and
/// the roles that give less; page by page, with the number of all. The move does exactly that, at once for everyone.
#[tokio::test]
async fn a_move_is_previewed_whole_and_does_what_was_shown() {
    for engines in Engines::DATABASES {
        let Moved { desk, bob, carol, dave, erin } = people(engines).await;
        let alice = &desk.alice;
        let versions = "{ organization(slug: \"acme\") { blueprintVersions { totalCount edges { node { version isCurrent } } } } }";
        let listed = carol.ask(versions).await.ok();
        let edges = json!([
            { "node": { "version": 1, "isCurrent": true } }, { "node": { "version": 2, "isCurrent": false } },
        ]);
        assert_eq!(listed.at("organization.blueprintVersions.edges"), &edges);

        let bare = preview(alice, 2, &json!([])).await.ok();
        let problems = bare.at("organization.blueprintMove.problems").as_array().unwrap().clone();
        assert!(problems.iter().any(|problem| problem["remedy"] == "Name the role that takes the place of `helper`."));
        let helper = json!({ "role": "helper", "label": "Helper", "holders": 1, "becomes": null });
        assert!(bare.at("organization.blueprintMove.roles").as_array().unwrap().contains(&helper));

        let shown = preview(alice, 2, &helper_to("assistant")).await.ok();
        let mut named = told(&shown);
        named.sort();
        let expected = [
            "GAINED bob activity.read",
            "LOST alice board board.reports.export",
            "LOST bob members.invite",
            "LOST carol board board.reports.export",
            "LOST dave board board.cards.edit",
            "LOST erin board board.reports.export",
        ];
        assert_eq!(named, expected);
        let plan = shown.at("organization.blueprintMove");
        assert_eq!((&plan["gained"], &plan["lost"], &plan["from"]), (&json!(1), &json!(5), &json!(1)));
        assert_eq!(plan["problems"], json!([]));
        assert_eq!(plan["changes"]["totalCount"], 6);
        assert_eq!(plan["gone"], json!([{ "kind": "board", "feature": "cards", "level": "write", "count": 1 }]));
        assert_eq!(plan["narrowed"], json!([{ "role": "custom:press", "lost": ["board.reports.export"] }]));
        let helper = json!({ "role": "helper", "label": "Helper", "holders": 1, "becomes": "assistant" });
        assert!(plan["roles"].as_array().unwrap().contains(&helper));
        let mut paged = Vec::new();
        let mut after = Value::Null;
        loop {
            let variables = json!({ "version": 2, "roles": helper_to("assistant"), "first": 4, "after": after });
            let page = alice.send(PREVIEW, variables).await.ok();
            paged.extend(told(&page));
            let info = page.at("organization.blueprintMove.changes.pageInfo").clone();
            if info["hasNextPage"] == false {
                break;
            }
            after = info["endCursor"].clone();
        }
        assert_eq!(paged, told(&shown));

        let token = plan["token"].as_str().unwrap();
        let moved = move_to(alice, 2, &helper_to("assistant"), token, true).await.ok();
        assert_eq!(moved.at("moveBlueprint.blueprint.version"), 2);
        let held = permissions(&bob).await;
        assert!(held.contains(&"activity.read".to_owned()) && !held.contains(&"members.invite".to_owned()));
        assert!(may(&dave, desk.board, "cards", "view").await && !may(&dave, desk.board, "cards", "edit").await);
        assert!(may(&erin, desk.board, "reports", "view").await);
        let roles = carol.ask("{ viewer { organization { blueprint { version } } } }").await;
        let version = roles.at("viewer.organization.blueprint.version");
        assert_eq!(version, 2, "{}", roles.text);
        let of = "access_grant WHERE role = 'assistant'";
        assert_eq!(
            (count(&desk.gateway, of).await, count(&desk.gateway, "access_grant WHERE level = 'write'").await),
            (1, 0)
        );
        let entries = "activity_entry WHERE action = 'organization.blueprint_moved'";
        assert_eq!(count(&desk.gateway, entries).await, 1);
        let again = move_to(alice, 2, &json!([]), token, true).await;
        assert_eq!(again.refusals("moveBlueprint"), ["NOT_IN_BLUEPRINT"]);
    }
}

/// A move is refused that would come to something else than what was shown.
#[tokio::test]
async fn a_move_is_refused_when_things_have_changed_since() {
    let Moved { desk, dave, .. } = people(Engines::Embedded).await;
    let seen = token(&desk.alice, 2, &helper_to("assistant")).await;
    let other = move_to(&desk.alice, 2, &helper_to("member"), &seen, true).await;
    assert_eq!(other.refusals("moveBlueprint"), ["STATE_CHANGED"]);
    become_role(&desk.alice, &dave, "lead").await.ok();
    let late = move_to(&desk.alice, 2, &helper_to("assistant"), &seen, true).await;
    assert_eq!(late.refusals("moveBlueprint"), ["STATE_CHANGED"]);
    let seen = token(&desk.alice, 2, &helper_to("assistant")).await;
    move_to(&desk.alice, 2, &helper_to("assistant"), &seen, true).await.ok();
}

/// A role that somebody holds is never dropped silently: another takes its place, or nothing is moved.
#[tokio::test]
async fn a_move_is_refused_while_a_role_in_use_has_no_successor() {
    let Moved { desk, carol, .. } = people(Engines::Embedded).await;
    let seen = token(&desk.alice, 2, &json!([])).await;
    let refused = move_to(&desk.alice, 2, &json!([]), &seen, true).await;
    assert!(refused.refusals("moveBlueprint").contains(&"MISSING"), "{}", refused.text);
    assert!(may(&carol, desk.board, "reports", "export").await);
    // One that fits neither level nor holder takes no place.
    let seen = token(&desk.alice, 2, &helper_to("keeper")).await;
    let refused = move_to(&desk.alice, 2, &helper_to("keeper"), &seen, true).await;
    assert!(refused.refusals("moveBlueprint").contains(&"MISSING"), "{}", refused.text);
}

/// A move never widens silently.
#[tokio::test]
async fn a_move_that_gives_more_is_refused_until_that_is_meant() {
    let Moved { desk, bob, .. } = people(Engines::Embedded).await;
    let seen = token(&desk.alice, 2, &helper_to("assistant")).await;
    let refused = move_to(&desk.alice, 2, &helper_to("assistant"), &seen, false).await;
    assert_eq!(refused.refusals("moveBlueprint"), ["GAINS"]);
    assert!(!permissions(&bob).await.contains(&"activity.read".to_owned()));
    move_to(&desk.alice, 2, &helper_to("assistant"), &seen, true).await.ok();
}

/// C1: whoever would gain by a move does not make it.
#[tokio::test]
async fn nobody_raises_themselves_by_a_move() {
    let Moved { desk, bob, .. } = people(Engines::Embedded).await;
    let shown = preview(&bob, 2, &json!([])).await.ok();
    let problems = shown.at("organization.blueprintMove.problems").as_array().unwrap().clone();
    assert!(problems.iter().any(|problem| problem["message"] == "nobody raises themselves"), "{}", shown.text);
    desk.gateway.database.run("DELETE FROM access_grant WHERE role = 'helper'", []).await.unwrap();
    desk.gateway.database.run("DELETE FROM member WHERE name = 'carol'", []).await.unwrap();
    desk.gateway.settle().await;
    let seen = token(&bob, 2, &json!([])).await;
    assert_eq!(move_to(&bob, 2, &json!([]), &seen, true).await.refusals("moveBlueprint"), ["NOT_GRANTABLE"]);
}

/// S2.31: who gives only what it holds moves nothing that gives others more, and names only successors that it gives itself.
#[tokio::test]
async fn a_bounded_mover_gives_nothing_beyond_itself() {
    let desk = desk().await;
    desk.gateway.service.install_blueprint(&renamed(3)).await.unwrap();
    let rights = ["blueprint.move", "members.read", "roles.assign"];
    create(&desk.alice, role("mover", "lead", &rights, json!([]))).await.ok();
    let bob = desk.gateway.member(&desk.tenant, "bob", "custom:mover").await;
    let carol = desk.gateway.member(&desk.tenant, "carol", "helper").await;
    desk.gateway.settle().await;
    // It gives the role of members, but not what that role has and it has not.
    let seen = token(&bob, 3, &helper_to("member")).await;
    let beyond = move_to(&bob, 3, &helper_to("member"), &seen, true).await;
    assert_eq!(beyond.refusals("moveBlueprint"), ["NOT_GRANTABLE"]);
    let seen = token(&bob, 3, &helper_to("assistant")).await;
    let foreign = move_to(&bob, 3, &helper_to("assistant"), &seen, true).await;
    assert_eq!(foreign.at("moveBlueprint.userErrors.0.field"), &json!(["roles"]));
    assert_eq!(preview(&carol, 3, &json!([])).await.codes(), ["FORBIDDEN"]);
    assert_eq!(move_to(&carol, 3, &json!([]), "none", true).await.codes(), ["FORBIDDEN"]);
    let seen = token(&desk.alice, 3, &helper_to("assistant")).await;
    move_to(&desk.alice, 3, &helper_to("assistant"), &seen, false).await.ok();
}

/// Roles of the organization's own move too: one whose base is gone, or not customizable any more, is in the way and named; one
/// whose base another role takes the place of is made after that.
#[tokio::test]
async fn roles_of_its_own_move_with_their_bases() {
    let desk = desk().await;
    let without =
        edit(DESK, &[("version = 1", "version = 2"), ("label = \"Chief\"\ncustomizable = true", "label = \"Chief\"")]);
    desk.gateway.service.install_blueprint(&without).await.unwrap();
    create(&desk.alice, role("clerk", "chief", &["members.read", "billing.read"], json!([]))).await.ok();
    let bob = desk.gateway.member(&desk.tenant, "bob", "custom:clerk").await;
    desk.gateway.settle().await;
    let seen = token(&desk.alice, 2, &json!([])).await;
    let refused = move_to(&desk.alice, 2, &json!([]), &seen, true).await;
    let message = refused.at("moveBlueprint.userErrors.0.message").as_str().unwrap();
    assert!(message.contains("clerk"), "{}", refused.text);
    let after_lead = json!([{ "from": "chief", "to": "lead" }]);
    let shown = preview(&desk.alice, 2, &after_lead).await.ok();
    let narrowed = json!([{ "role": "custom:clerk", "lost": ["billing.read"] }]);
    assert_eq!(shown.at("organization.blueprintMove.narrowed"), &narrowed);
    assert_eq!(told(&shown), ["LOST bob billing.read"]);
    let seen = token(&desk.alice, 2, &after_lead).await;
    move_to(&desk.alice, 2, &after_lead, &seen, false).await.ok();
    assert_eq!(permissions(&bob).await, ["members.read"]);
    let list = "{ organization(slug: \"acme\") { roles { key base } } }";
    let roles = desk.alice.ask(list).await.ok();
    assert!(
        roles.at("organization.roles").as_array().unwrap().contains(&json!({ "key": "custom:clerk", "base": "lead" }))
    );
}

/// Two roles that become one are held once; nobody keeps two main roles or none; a member who is invited counts.
#[tokio::test]
async fn whoever_would_not_fit_the_version_is_in_the_way() {
    let desk = desk().await;
    let (gateway, tenant) = (&desk.gateway, &desk.tenant);
    // The flag becomes a main role, the helper is gone, and two must hold the role of owners.
    let third = edit(
        &renamed(2),
        &[
            ("label = \"Free hand\"\nflag = true", "label = \"Free hand\""),
            ("bounded = false\nmin_holders = 1", "bounded = false\nmin_holders = 2"),
            ("seats = { people = 20 }", "seats = { people = 1 }"),
            ("label = \"Assistant\"", "label = \"Assistant\"\nseats = [\"people\"]"),
        ],
    );
    gateway.service.install_blueprint(&third).await.unwrap();
    let bob = gateway.member(tenant, "bob", "member").await;
    gateway.grant_role(tenant, "member", bob.member, "free_hand").await;
    gateway.pending(tenant, "carol", "helper", chrono::TimeDelta::days(7)).await;
    gateway.settle().await;
    let shown = preview(&desk.alice, 2, &helper_to("assistant")).await.ok();
    let problems = shown.at("organization.blueprintMove.problems").as_array().unwrap();
    let codes: Vec<&str> = problems.iter().map(|problem| problem["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["MISSING", "LAST_HOLDER", "SEAT_LIMIT"], "{}", shown.text);
    let seen = token(&desk.alice, 2, &helper_to("assistant")).await;
    let refused = move_to(&desk.alice, 2, &helper_to("assistant"), &seen, true).await;
    assert_eq!(refused.refusals("moveBlueprint"), ["MISSING", "LAST_HOLDER", "SEAT_LIMIT"]);
    let input = json!({ "member": member_id(bob.member.unwrap()), "role": "free_hand" });
    desk.alice.call("removeMemberRole", input, "member { id }").await.ok();
    let shown = preview(&desk.alice, 2, &helper_to("assistant")).await.ok();
    assert_eq!(shown.at("organization.blueprintMove.problems.0.code"), "LAST_HOLDER");
}

/// S4.R5, Q13: a move leaves no app with fewer holders of a role than must hold it there, whether the role goes over into another
/// or more must hold it; an app on which nobody does is in nobody's way.
#[tokio::test]
async fn s4_r5_q13_a_move_leaves_no_app_without_its_last_holder() {
    for engines in Engines::DATABASES {
        let House { gateway, alice, bob, carol, north, .. } = house_on(engines).await;
        let second = edit(HALLS, &[("version = 1", "version = 2")]);
        let third =
            edit(HALLS, &[("version = 1", "version = 3"), ("min_holders = 1\nholders", "min_holders = 2\nholders")]);
        for version in [second, third] {
            gateway.service.install_blueprint(&version).await.unwrap();
        }
        let to_visitor = json!([{ "from": "keeper", "to": "visitor" }]);
        let shown = preview(&alice, 2, &to_visitor).await.ok();
        let problems = shown.at("organization.blueprintMove.problems").as_array().unwrap().clone();
        assert_eq!(problems.len(), 1, "{engines:?} {}", shown.text);
        let problem = json!({
            "code": "LAST_HOLDER", "message": "of the role Keeper there must be one on north, and there would be fewer",
            "remedy": "Leave Keeper to those who hold it, or make enough others Keeper first, then move.",
        });
        assert_eq!(problems[0], problem);
        let seen = token(&alice, 2, &to_visitor).await;
        assert_eq!(move_to(&alice, 2, &to_visitor, &seen, true).await.refusals("moveBlueprint"), ["LAST_HOLDER"]);
        assert_eq!(count(&gateway, "access_grant WHERE role = 'keeper'").await, 1, "bob's");

        let shown = preview(&alice, 3, &json!([])).await.ok();
        assert_eq!(shown.at("organization.blueprintMove.problems.0.code"), "LAST_HOLDER", "{}", shown.text);
        // By a team, as ever.
        let team = alice.call("createTeam", json!({ "name": "Crew", "slug": "crew" }), "team { id }").await.ok();
        let team = team.at("createTeam.team.id").clone();
        let carols = member_id(carol.member.unwrap());
        alice.call("addTeamMember", json!({ "team": team, "member": carols }), "team { id }").await.ok();
        let grant = json!({ "grantee": { "team": team }, "gives": { "role": "keeper" }, "app": app_id(north) });
        alice.call("grantAccess", grant, "grant { id }").await.ok();
        let seen = token(&alice, 3, &json!([])).await;
        move_to(&alice, 3, &json!([]), &seen, false).await.ok();
        let refused = give(&alice, &bob, (north, "visitor")).await;
        assert_eq!(refused.refusals("grantAccess"), ["LAST_HOLDER"], "two must keep it now");
    }
}
