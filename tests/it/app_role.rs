//! Roles on apps as a blueprint can set them otherwise than event apps do: slots, one's own binding, the last holder, ceilings.

use serde_json::{Value, json};
use uuid::Uuid;

use gatehouse::graphql::node::NodeType;

use crate::support::{
    gateway::{Answer, Engines, Gateway, Person, Tenant},
    people::{app_id, count, fields, member_id, remedies},
};

pub(crate) const HALLS: &str = include_str!("cases/halls.toml");

/// A house with two halls: alice is the head, bob keeps the north hall, carol and dave are members.
pub(crate) struct House {
    pub(crate) gateway: Gateway,
    pub(crate) acme: Tenant,
    pub(crate) alice: Person,
    pub(crate) bob: Person,
    pub(crate) carol: Person,
    pub(crate) dave: Person,
    pub(crate) north: Uuid,
    pub(crate) south: Uuid,
}

pub(crate) async fn house_on(engines: Engines) -> House {
    house_by(engines, HALLS, "halls").await
}

pub(crate) async fn house_by(engines: Engines, rules: &str, blueprint: &str) -> House {
    let gateway = Gateway::on(engines).await;
    gateway.service.install_blueprint(rules).await.unwrap();
    let acme = gateway.organization("acme", blueprint, "open").await;
    let alice = gateway.member(&acme, "alice", "head").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    let carol = gateway.member(&acme, "carol", "member").await;
    let dave = gateway.member(&acme, "dave", "member").await;
    let north = gateway.app(&acme, "hall", "north").await;
    let south = gateway.app(&acme, "hall", "south").await;
    gateway.settle().await;
    give(&alice, &bob, (north, "keeper")).await.ok();
    House { gateway, acme, alice, bob, carol, dave, north, south }
}

async fn house() -> House {
    house_on(Engines::Embedded).await
}

pub(crate) async fn give(by: &Person, who: &Person, (app, role): (Uuid, &str)) -> Answer {
    let gives = json!({ "role": role });
    let input = json!({ "grantee": { "member": member_id(who.member.unwrap()) }, "gives": gives, "app": app_id(app) });
    by.call("grantAccess", input, "grant { id role { key } }").await
}

pub(crate) async fn switch(by: &Person, who: &Person, (app, role, on): (Uuid, &str, bool)) -> Answer {
    let input = json!({ "app": app_id(app), "member": member_id(who.member.unwrap()), "role": role, "on": on });
    by.call("setAppRole", input, "isHolder").await
}

/// The roles somebody holds on an app.
async fn on(gateway: &Gateway, who: &Person, app: Uuid) -> Vec<String> {
    let sql = "SELECT role FROM access_grant WHERE grantee_id = $1 AND app_id = $2 AND role IS NOT NULL ORDER BY role";
    let rows = gateway.database.rows(sql, [who.member.unwrap().into(), app.into()]).await;
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// S4.R4: one role of a slot on an app: giving another replaces it; and nobody takes or changes their own.
#[tokio::test]
async fn s4_r4_one_role_of_a_slot_and_nobody_changes_their_own() {
    for engines in Engines::DATABASES {
        let House { gateway, alice, bob, carol, north, south, .. } = house_on(engines).await;
        give(&bob, &carol, (north, "visitor")).await.ok();
        give(&bob, &carol, (north, "keeper")).await.ok();
        assert_eq!(on(&gateway, &carol, north).await, ["keeper"], "{engines:?}");
        give(&alice, &carol, (south, "visitor")).await.ok();
        assert_eq!(on(&gateway, &carol, north).await, ["keeper"], "another app is another place");
        switch(&bob, &carol, (north, "visitor", true)).await.ok();
        assert_eq!(on(&gateway, &carol, north).await, ["visitor"], "{engines:?}");
        give(&bob, &carol, (north, "keeper")).await.ok();
        for refused in [
            switch(&carol, &carol, (north, "keeper", false)).await,
            switch(&carol, &carol, (north, "visitor", true)).await,
        ] {
            assert_eq!(refused.refusals("setAppRole"), ["NOT_GRANTABLE"], "{engines:?}");
            assert_eq!(remedies(&refused, "setAppRole"), ["Ask somebody else who may."]);
            assert_eq!(fields(&refused, "setAppRole"), ["role"], "an input of it");
        }
        assert_eq!(on(&gateway, &carol, north).await, ["keeper"], "{engines:?}");
        // Somebody else may.
        switch(&bob, &carol, (north, "keeper", false)).await.ok();
        assert!(on(&gateway, &carol, north).await.is_empty());
    }
}

/// The halls, where keepers give nothing to anybody.
pub(crate) fn halls_of_heads() -> String {
    HALLS
        .replace("permissions = [\"access.grant\", \"rights.read\"]", "permissions = [\"rights.read\"]")
        .replace("assigns = [\"keeper\", \"visitor\"]\n", "")
}

/// S4.R5: the last holder on an app who does not give its role is told to have it given, and who gives it; who gives it is told to.
#[tokio::test]
async fn s4_r5_the_last_holder_on_an_app_is_told_what_that_one_can_do() {
    let House { gateway: _open, alice, bob, .. } = house_by(Engines::Embedded, &halls_of_heads(), "halls").await;
    let passive = "Have someone else made Keeper of it first. Ask somebody with the role Head.";
    let refused = bob.call("leaveOrganization", json!({ "confirm": true }), "left").await;
    assert_eq!(refused.refusals("leaveOrganization"), ["LAST_HOLDER"], "{}", refused.text);
    assert_eq!(remedies(&refused, "leaveOrganization"), [passive]);
    let told = bob.ask("{ organization(slug: \"acme\") { viewerCannotLeaveReasons { remedy } } }").await.ok();
    assert_eq!(told.at("organization.viewerCannotLeaveReasons"), &json!([{ "remedy": passive }]));
    let active = "Make someone else Keeper of it first.";
    let id = member_id(bob.member.unwrap());
    let refused = alice.call("removeMember", json!({ "member": id, "confirm": true }), "removed").await;
    assert_eq!(remedies(&refused, "removeMember"), [active], "{}", refused.text);
    let ask = "query($id: ID!) { node(id: $id) { ... on Member { viewerCannotRemoveReasons { remedy } } } }";
    let told = alice.send(ask, json!({ "id": id })).await.ok();
    assert_eq!(told.at("node.viewerCannotRemoveReasons"), &json!([{ "remedy": active }]));
}

/// S4.R5, Q13: the last keeper of a hall stays, whichever way it is to go.
#[tokio::test]
async fn s4_r5_the_last_holder_on_an_app_stays() {
    for engines in Engines::DATABASES {
        let House { gateway, acme, alice, bob, carol, north, south, .. } = house_on(engines).await;
        let bob_id = member_id(bob.member.unwrap());
        let gone = json!({ "member": bob_id, "confirm": true });
        let sql = "SELECT id FROM access_grant WHERE role = 'keeper' AND app_id = $1";
        let grant: Uuid = gateway.database.rows(sql, [north.into()]).await[0].try_get_by_index(0).unwrap();
        let taken = json!({ "grant": NodeType::Grant.id(grant) });
        let away = json!({ "member": bob_id });
        for (answer, mutation, field) in [
            (switch(&alice, &bob, (north, "keeper", false)).await, "setAppRole", "role"),
            (switch(&alice, &bob, (north, "visitor", true)).await, "setAppRole", "role"),
            (give(&alice, &bob, (north, "visitor")).await, "grantAccess", "gives.role"),
            (alice.call("revokeAccess", taken, "revokedGrant").await, "revokeAccess", "grant"),
            (alice.call("suspendMember", away, "member { id }").await, "suspendMember", "member"),
            (alice.call("removeMember", gone, "removed").await, "removeMember", "member"),
            // It has no field that names anybody.
            (bob.call("leaveOrganization", json!({ "confirm": true }), "left").await, "leaveOrganization", ""),
        ] {
            assert_eq!(answer.refusals(mutation), ["LAST_HOLDER"], "{engines:?} {mutation}");
            assert_eq!(fields(&answer, mutation), [field], "{engines:?} {mutation}");
            assert_eq!(remedies(&answer, mutation), ["Make someone else Keeper of it first."]);
        }
        assert_eq!(on(&gateway, &bob, north).await, ["keeper"]);
        let reasons = "query { organization(slug: \"acme\") { app(slug: \"north\") { roleCandidates(role: \"keeper\") {
            edges { node { isHolder viewerCanToggle viewerCannotToggleReasons { code } } } } } } }";
        let list = alice.ask(reasons).await.ok();
        let edges = list.at("organization.app.roleCandidates.edges").as_array().unwrap().clone();
        let last = edges.iter().find(|edge| edge["node"]["isHolder"] == true).unwrap();
        assert_eq!(last["node"]["viewerCannotToggleReasons"][0]["code"], "LAST_HOLDER");
        // A hall that never had one is nobody's to keep, and a second keeper lets the first go.
        give(&alice, &carol, (south, "visitor")).await.ok();
        switch(&alice, &carol, (south, "visitor", false)).await.ok();
        give(&alice, &carol, (north, "keeper")).await.ok();
        switch(&alice, &bob, (north, "keeper", false)).await.ok();
        // By a team: the place in it is what keeps the hall.
        let team = alice.call("createTeam", json!({ "name": "Crew", "slug": "crew" }), "team { id }").await.ok();
        let team = team.at("createTeam.team.id").clone();
        alice.call("addTeamMember", json!({ "team": team, "member": bob_id }), "team { id }").await.ok();
        let grant = json!({ "grantee": { "team": team }, "gives": { "role": "keeper" }, "app": app_id(north) });
        alice.call("grantAccess", grant, "grant { id }").await.ok();
        switch(&alice, &carol, (north, "keeper", false)).await.ok();
        let out = json!({ "team": team, "member": bob_id });
        let refused = alice.call("removeTeamMember", out, "team { id }").await;
        assert_eq!(refused.refusals("removeTeamMember"), ["LAST_HOLDER"], "{engines:?}");
        assert_eq!(fields(&refused, "removeTeamMember"), ["member"]);
        let refused = alice.call("deleteTeam", json!({ "team": team }), "deletedTeam").await;
        assert_eq!(refused.refusals("deleteTeam"), ["LAST_HOLDER"], "{engines:?}");
        assert_eq!(fields(&refused, "deleteTeam"), ["team"]);
        // The hall itself may go, with everything on it.
        let deletion = json!({ "app": app_id(north), "confirm": "north" });
        alice.call("deleteApp", deletion, "deletedApp").await.ok();
        let _ = acme;
    }
}

/// S4.R6: a role that a team gives is not switched off on one member, who would keep it; the refusal names the team.
#[tokio::test]
async fn s4_r6_a_role_of_a_team_is_not_switched_off_on_one_of_its_members() {
    let House { gateway: _open, alice, carol, south, .. } = house().await;
    let team = alice.call("createTeam", json!({ "name": "Crew", "slug": "crew" }), "team { id }").await.ok();
    let team = team.at("createTeam.team.id").clone();
    let place = json!({ "team": team, "member": member_id(carol.member.unwrap()) });
    alice.call("addTeamMember", place, "team { id }").await.ok();
    let grant = json!({ "grantee": { "team": team }, "gives": { "role": "visitor" }, "app": app_id(south) });
    alice.call("grantAccess", grant, "grant { id }").await.ok();
    give(&alice, &carol, (south, "visitor")).await.ok();
    switch(&alice, &carol, (south, "visitor", false)).await.ok();
    let refused = switch(&alice, &carol, (south, "visitor", false)).await;
    assert_eq!(refused.refusals("setAppRole"), ["STATE_CHANGED"]);
    assert_eq!(refused.at("setAppRole.userErrors.0.message"), "this comes from the team Crew");
    assert_eq!(remedies(&refused, "setAppRole"), ["Take the member out of it, or revoke it from the team."]);
}

/// S4.18, S4.19: `access.grant` held on one app gives there, and nowhere else.
#[tokio::test]
async fn access_is_given_on_the_app_where_the_right_is_held() {
    let House { gateway, alice, bob, carol, dave, north, south, .. } = house().await;
    give(&bob, &carol, (north, "keeper")).await.ok();
    give(&carol, &dave, (north, "visitor")).await.ok();
    assert_eq!(give(&bob, &dave, (south, "visitor")).await.codes(), ["NOT_FOUND"]);
    give(&alice, &bob, (south, "visitor")).await.ok();
    assert_eq!(give(&bob, &dave, (south, "visitor")).await.codes(), ["FORBIDDEN"], "seen, and another's to give");
    // Who gives nowhere learns nothing, not even what there is.
    assert_eq!(give(&dave, &carol, (south, "visitor")).await.codes(), ["FORBIDDEN"]);
    assert_eq!(give(&dave, &carol, (Uuid::nil(), "visitor")).await.codes(), ["FORBIDDEN"]);
    // Nothing of the organization is theirs.
    let all = json!({ "grantee": { "member": member_id(dave.member.unwrap()) },
                      "gives": { "feature": { "kind": "hall", "feature": "desk" } } });
    assert_eq!(bob.call("grantAccess", all.clone(), "grant { id }").await.codes(), ["FORBIDDEN"]);
    let held = alice.call("grantAccess", all, "grant { id }").await.ok();
    let grant = held.at("grantAccess.grant.id");
    let taken = bob.call("revokeAccess", json!({ "grant": grant }), "revokedGrant").await;
    assert_eq!(taken.codes(), ["NOT_FOUND"]);
    assert_eq!(count(&gateway, "access_grant WHERE app_id IS NOT NULL").await, 4);
}

/// Q14: a role's ceiling holds against every grant, and giving beyond it is refused at once.
#[tokio::test]
async fn q14_nothing_is_given_beyond_a_ceiling() {
    let House { gateway, acme, alice, north, south, .. } = house().await;
    let erin = gateway.member(&acme, "erin", "porter").await;
    gateway.settle().await;
    let refused = give(&alice, &erin, (north, "keeper")).await;
    assert_eq!(refused.refusals("grantAccess"), ["NOT_GRANTABLE"]);
    assert_eq!(refused.at("grantAccess.userErrors.0.message"), "the role `Porter` cannot go as far as this");
    let serve = json!({ "grantee": { "member": member_id(erin.member.unwrap()) }, "app": app_id(south),
                        "gives": { "feature": { "kind": "hall", "feature": "desk" } } });
    assert_eq!(alice.call("grantAccess", serve, "grant { id }").await.refusals("grantAccess"), ["NOT_GRANTABLE"]);
    give(&alice, &erin, (north, "visitor")).await.ok();
}

/// S1.20, S1.34: a flag that builds on a main role comes and goes with it.
#[tokio::test]
async fn a_flag_that_builds_on_a_main_role_goes_with_it() {
    let House { gateway, alice, bob, carol, .. } = house().await;
    let flag = |who: &Person| json!({ "member": member_id(who.member.unwrap()), "role": "buyer" });
    alice.call("addMemberRole", flag(&carol), "member { id }").await.ok();
    let porter = json!({ "member": member_id(carol.member.unwrap()), "role": "porter" });
    let changed = alice.call("changeMemberRole", porter, "member { roles { key } }").await.ok();
    assert_eq!(changed.at("changeMemberRole.member.roles"), &json!([{ "key": "porter" }]));
    let refused = alice.call("addMemberRole", flag(&carol), "member { id }").await;
    assert_eq!(refused.refusals("addMemberRole"), ["PREREQUISITE"]);
    alice.call("addMemberRole", flag(&bob), "member { id }").await.ok();
    let both = json!({ "email": "erin@example.org", "role": "porter", "flags": ["buyer"] });
    assert_eq!(alice.call("inviteMember", both, "member { id }").await.refusals("inviteMember"), ["PREREQUISITE"]);
    assert_eq!(count(&gateway, "access_grant WHERE role = 'buyer'").await, 1);
}

/// S4.R10: a public hall is open to everyone as it is, and granted to nobody besides.
#[tokio::test]
async fn s4_r10_a_public_app_is_not_granted() {
    // Whoever makes a hall would be in the way of its becoming public.
    let closed = HALLS
        .replace("name = \"halls\"", "name = \"closed-halls\"")
        .replace("creator_role = \"keeper\"\n", "")
        .replace("to = \"organization\"\n", "to = \"organization\"\ngrants = false\n");
    assert!(closed.contains("grants = false") && !closed.contains("creator_role = "));
    let House { gateway, alice, carol, south, .. } = house_by(Engines::Embedded, &closed, "closed-halls").await;
    gateway.database.run("UPDATE app SET visibility = 'public' WHERE id = $1", [south.into()]).await.unwrap();
    gateway.settle().await;
    assert_eq!(give(&alice, &carol, (south, "visitor")).await.refusals("grantAccess"), ["NOT_GRANTABLE"]);
    gateway.database.run("UPDATE app SET visibility = 'private' WHERE id = $1", [south.into()]).await.unwrap();
    gateway.settle().await;
    give(&alice, &carol, (south, "visitor")).await.ok();
}

/// Whoever makes an app is given on it what its kind says, and so sees it.
#[tokio::test]
async fn whoever_makes_an_app_holds_the_role_of_its_maker() {
    let House { gateway, carol, dave, .. } = house().await;
    let new = json!({ "kind": "hall", "slug": "west", "name": "West" });
    carol.call("createApp", new, "app { id }").await.ok();
    let seen = carol.ask("{ organization(slug: \"acme\") { app(slug: \"west\") { name } } }").await.ok();
    assert_eq!(seen.at("organization.app.name"), "West");
    let hidden: Answer = dave.ask("{ organization(slug: \"acme\") { app(slug: \"west\") { name } } }").await.ok();
    assert_eq!(hidden.at("organization.app"), &Value::Null);
    let sql = "SELECT id FROM app WHERE slug = 'west'";
    let west: Uuid = gateway.database.rows(sql, []).await[0].try_get_by_index(0).unwrap();
    assert_eq!(on(&gateway, &carol, west).await, ["keeper"]);
    assert!(!NodeType::App.id(west).is_empty());
}
