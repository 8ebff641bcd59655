//! What an organization has and another version has no place for, or would show to more people.

use serde_json::{Value, json};

use super::{edit, move_to, preview, token};
use crate::support::{
    gateway::{Answer, Engines, Gateway, Person, Tenant},
    people::{app_id, count, member_id},
};

/// What is in the way, with its remedy.
fn said(shown: &Answer) -> Vec<String> {
    let problems = shown.at("organization.blueprintMove.problems").as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    problems.map(|problem| format!("{} {}", text(&problem["message"]), text(&problem["remedy"]))).collect()
}

async fn in_the_way(alice: &Person, version: u32) -> Vec<String> {
    said(&preview(alice, version, &json!([])).await.ok())
}

async fn refused(alice: &Person, version: u32) -> Vec<String> {
    let seen = token(alice, version, &json!([])).await;
    let answer = move_to(alice, version, &json!([]), &seen, true).await;
    answer.refusals("moveBlueprint").into_iter().map(str::to_owned).collect()
}

const STALLS: &str = include_str!("../cases/stalls.toml");

/// Apps of a kind and teams that the version has no more are in the way, one or several, until they are deleted.
#[tokio::test]
async fn what_the_version_has_no_place_for_is_in_the_way() {
    let gateway = Gateway::on(Engines::Embedded).await;
    gateway.service.install_blueprint(STALLS).await.unwrap();
    let (_, from) = STALLS.split_once("[app_kinds.stall]").unwrap();
    let (stall, _) = from.split_once("[roles.chief]").unwrap();
    let bare = edit(STALLS, &[("version = 1", "version = 2"), ("[teams]\nenabled = true\n", "")])
        .replace(&format!("[app_kinds.stall]{stall}"), "");
    let tenant = gateway.organization("acme", "stalls", "open").await;
    gateway.service.install_blueprint(&bare).await.unwrap();
    let alice = gateway.member(&tenant, "alice", "chief").await;
    let stall = gateway.app(&tenant, "stall", "stall").await;
    gateway.settle().await;
    let team = |answer: &Answer| answer.at("createTeam.team.id").clone();
    let create = |slug: &'static str| alice.call("createTeam", json!({ "slug": slug, "name": slug }), "team { id }");
    let app = "there is one app of the kind `stall`, which the version does not have Delete it first.";
    let first = team(&create("north").await.ok());
    let shown = preview(&alice, 2, &json!([])).await.ok();
    assert_eq!(said(&shown), [app, "there is one team, and version 2 has none Delete it first."]);
    let second = team(&create("south").await.ok());
    let shown = preview(&alice, 2, &json!([])).await.ok();
    assert_eq!(said(&shown), [app, "there are 2 teams, and version 2 has none Delete them first."]);
    let seen = token(&alice, 2, &json!([])).await;
    let refused = move_to(&alice, 2, &json!([]), &seen, true).await;
    assert_eq!(refused.refusals("moveBlueprint"), ["NOT_IN_BLUEPRINT", "NOT_IN_BLUEPRINT"]);
    for team in [first, second] {
        alice.call("deleteTeam", json!({ "team": team }), "deletedTeam").await.ok();
    }
    let gone = json!({ "app": app_id(stall), "confirm": "stall" });
    alice.call("deleteApp", gone, "deletedApp").await.ok();
    let seen = token(&alice, 2, &json!([])).await;
    move_to(&alice, 2, &json!([]), &seen, true).await.ok();
}

const YARD: &str = include_str!("../cases/yard.toml");

struct Yard {
    gateway: Gateway,
    tenant: Tenant,
    alice: Person,
    bob: Person,
}

/// A yard of the first version, with the versions from the second on that these edits make of it.
async fn yard(engines: Engines, versions: &[&[(&str, &str)]]) -> Yard {
    let gateway = Gateway::on(engines).await;
    gateway.service.install_blueprint(YARD).await.unwrap();
    let tenant = gateway.organization("acme", "yard", "open").await;
    for (version, edits) in (2..).zip(versions) {
        let number = format!("version = {version}");
        let source = edit(&edit(YARD, &[("version = 1", &number)]), edits);
        gateway.service.install_blueprint(&source).await.unwrap();
    }
    let alice = gateway.member(&tenant, "alice", "chief").await;
    let bob = gateway.member(&tenant, "bob", "hand").await;
    gateway.settle().await;
    Yard { gateway, tenant, alice, bob }
}

/// Teams under others, secret and closed ones, and maintainers are in the way of a version that has none such: they would stay what
/// nobody could make there, and give what they gave. A version that has all of them is not refused.
#[tokio::test]
async fn teams_that_the_version_does_not_have_so_are_in_the_way() {
    let secret = "privacies = [\"closed\", \"secret\"]";
    let versions: [&[(&str, &str)]; 4] = [
        &[("nested = true\n", "")],
        &[(secret, "privacies = [\"closed\"]")],
        &[("maintainers = true\n", "")],
        &[(secret, "privacies = [\"secret\"]")],
    ];
    let Yard { gateway: _open, alice, bob, .. } = yard(Engines::Embedded, &versions).await;
    let make = async |slug: &str, parent: Option<&Value>, privacy: &str| {
        let input = json!({ "slug": slug, "name": slug, "parent": parent, "privacy": privacy });
        alice.call("createTeam", input, "team { id }").await.ok().at("createTeam.team.id").clone()
    };
    let north = make("north", None, "CLOSED").await;
    let cellar = make("cellar", Some(&north), "SECRET").await;
    let east = make("east", Some(&north), "CLOSED").await;
    let place =
        |maintainer: bool| json!({ "team": east, "member": member_id(bob.member.unwrap()), "maintainer": maintainer });
    alice.call("addTeamMember", place(true), "team { id }").await.ok();

    let expected = [
        "there are 2 teams under others, as east, and version 2 has teams under no others \
         Let no team stand under another first.",
        "there is one secret team, and version 3 has no secret teams \
         Make each of them closed first, for everyone who sees teams to see, or delete it.",
        "there is one maintainer, bob of east, and teams of version 4 have none \
         Make every maintainer a plain member of the team first.",
        "there are 2 closed teams, as north, and version 5 has no closed teams \
         Make each of them secret first, or delete it.",
    ];
    for (version, problem) in (2..).zip(expected) {
        assert_eq!(in_the_way(&alice, version).await, [problem]);
        assert_eq!(refused(&alice, version).await, ["NOT_IN_BLUEPRINT"]);
    }
    for team in [&cellar, &east] {
        let input = json!({ "team": team, "parent": null, "privacy": "CLOSED" });
        alice.call("updateTeam", input, "team { id }").await.ok();
    }
    alice.call("addTeamMember", place(false), "team { id }").await.ok();
    for version in [4, 3, 2] {
        assert_eq!(in_the_way(&alice, version).await, [""; 0]);
        assert_eq!(refused(&alice, version).await, [""; 0]);
    }
}

/// Apps that stand, are visible or are granted as none may be in the version are in its way.
#[tokio::test]
async fn apps_that_the_version_does_not_have_so_are_in_the_way() {
    let public = "public = { to = \"organization\", access = [\"stall.goods.view\"] }\n";
    let alone = "public = { to = \"organization\", access = [\"stall.goods.view\"], grants = false }\n";
    let offered = "visibilities = [\"private\", \"public\"]\n";
    let versions: [&[(&str, &str)]; 4] = [
        &[("parents = [\"organization\", \"hall\"]\n", "parents = [\"organization\"]\n")],
        &[(public, ""), (offered, "")],
        &[(offered, "visibilities = [\"public\"]\n")],
        &[(public, alone)],
    ];
    let Yard { gateway, tenant, alice, bob } = yard(Engines::Embedded, &versions).await;
    let hall = gateway.app(&tenant, "hall", "hall").await;
    let north = gateway.app(&tenant, "stall", "north").await;
    let south = gateway.app(&tenant, "stall", "south").await;
    let (database, up) = (&gateway.database, "UPDATE app SET parent_id = $1 WHERE id = $2");
    database.run(up, [hall.into(), north.into()]).await.unwrap();
    let visible = "UPDATE app SET visibility = $1 WHERE id = $2";
    database.run(visible, ["public".into(), south.into()]).await.unwrap();
    gateway.tick(&tenant, &bob, south, "goods", None).await;

    let expected = [
        "there is one app of the kind `stall`, north, and version 2 has none where it stands \
         Move each of them first to where both versions have it, or delete it.",
        "there is one public app of the kind `stall`, south, and version 3 has no public ones \
         Make each of them private first, or delete it.",
        "there is one private app of the kind `stall`, north, and version 4 has no private ones \
         Make each of them public first, or delete it.",
        "there is one public app of the kind `stall`, south, on which people hold something, \
         and on public ones of version 5 nobody does Take their access away first, or make each of the apps private.",
    ];
    for (version, problem) in (2..).zip(expected) {
        assert_eq!(in_the_way(&alice, version).await, [problem]);
        assert_eq!(refused(&alice, version).await, ["NOT_IN_BLUEPRINT"]);
    }
    database.run("DELETE FROM access_grant WHERE feature = 'goods'", []).await.unwrap();
    gateway.settle().await;
    assert_eq!(in_the_way(&alice, 5).await, [""; 0], "public, and open to nobody besides");
    database.run("UPDATE app SET parent_id = NULL", []).await.unwrap();
    database.run(visible, ["private".into(), south.into()]).await.unwrap();
    gateway.settle().await;
    for version in [2, 3] {
        assert_eq!(in_the_way(&alice, version).await, [""; 0]);
        assert_eq!(refused(&alice, version).await, [""; 0]);
    }
}

/// Organizations below are in the way of a version below which none of their blueprint may stand; deleted ones are not.
#[tokio::test]
async fn organizations_below_that_the_version_does_not_have_are_in_the_way() {
    for engines in Engines::DATABASES {
        let versions: [&[(&str, &str)]; 2] =
            [&[("blueprints = [\"yard\"]", "blueprints = []")], &[("title = \"Yard\"", "title = \"Court\"")]];
        let Yard { gateway, tenant, alice, .. } = yard(engines, &versions).await;
        let below = gateway.organization("below", "yard", "open").await;
        let under = "UPDATE organization SET parent_id = $1 WHERE id = $2";
        gateway.database.run(under, [tenant.id.into(), below.id.into()]).await.unwrap();
        gateway.settle().await;
        let problem = "organizations of `yard` stand below this one, and version 2 has none there \
                       Have them deleted first.";
        assert_eq!(in_the_way(&alice, 2).await, [problem], "{engines:?}");
        assert_eq!(refused(&alice, 2).await, ["NOT_IN_BLUEPRINT"]);
        assert_eq!(in_the_way(&alice, 3).await, [""; 0], "it has them too");
        let delete = "UPDATE organization SET state = 'deleted' WHERE id = $1";
        gateway.database.run(delete, [below.id.into()]).await.unwrap();
        gateway.settle().await;
        assert_eq!(in_the_way(&alice, 2).await, [""; 0], "{engines:?}");
        assert_eq!(refused(&alice, 2).await, [""; 0]);
    }
}

/// S3.19, S3.20: no move lets addresses be invited that could not be, until the organization says for itself what it wants.
#[tokio::test]
async fn a_move_opens_invitations_to_nobody_new_by_itself() {
    let (domains, blocked) = ("allowed_domains = [\"example.org\"]\n", "block_subaddress = true\n");
    let versions: [&[(&str, &str)]; 4] = [
        &[(domains, "")],
        &[(domains, "allowed_domains = [\"example.org\", \"xn--bcher-kva.example\"]\n")],
        &[(blocked, "")],
        &[("title = \"Yard\"", "title = \"Court\"")],
    ];
    let Yard { gateway: _open, alice, .. } = yard(Engines::Embedded, &versions).await;
    let expected = [
        "version 2 lets addresses at every domain be invited, and now only example.org may be \
         Set the organization's allowed domains first, to these or to others.",
        "version 3 lets addresses at b\u{fc}cher.example (xn--bcher-kva.example) be invited, and now only example.org may be \
         Set the organization's allowed domains first, to these or to others.",
        "version 4 lets addresses with a `+` be invited, which may not be now \
         Set first whether the organization refuses them.",
    ];
    for (version, problem) in (2..).zip(expected) {
        assert_eq!(in_the_way(&alice, version).await, [problem]);
        assert_eq!(refused(&alice, version).await, ["MISSING"]);
    }
    assert_eq!(in_the_way(&alice, 5).await, [""; 0]);
    let settings = json!({ "allowedDomains": [], "blockSubaddress": true });
    alice.call("updateOrganization", json!({ "settings": settings }), "organization { id }").await.ok();
    for version in [2, 3, 4] {
        assert_eq!(in_the_way(&alice, version).await, [""; 0]);
        assert_eq!(refused(&alice, version).await, [""; 0]);
    }
}

/// Seeing that an app exists is a right like others: a version that shows locked what is hidden now gives it to everyone who holds
/// nothing there, and is refused until that is meant; the way back takes it. Where an action is told, it goes without saying.
#[tokio::test]
async fn a_version_that_shows_hidden_apps_gives_something() {
    let shown: &[(&str, &str)] =
        &[("[app_kinds.hall]", "[levels.app]\nlabel = \"App\"\ndeny = \"show_locked\"\n\n[app_kinds.hall]")];
    let rights = "permissions = [\"members.read\"]\n";
    let given = format!("{rights}access = [\"hall\"]\n");
    let versions: [&[(&str, &str)]; 2] = [shown, &[(rights, &given)]];
    let Yard { gateway, tenant, alice, bob } = yard(Engines::Embedded, &versions).await;
    gateway.app(&tenant, "hall", "hall").await;
    gateway.settle().await;
    let changes = async |version: u32| {
        let ask = "query($version: Int!) { organization(slug: \"acme\") { blueprintMove(version: $version) {
            changes(first: 50) { edges { node { change holder app sees action } } } } } }";
        let shown = alice.send(ask, json!({ "version": version })).await.ok();
        let edges = shown.at("organization.blueprintMove.changes.edges").as_array().unwrap().clone();
        let tell = |edge: &Value| {
            let node = &edge["node"];
            format!("{} {} {} {} {}", node["change"], node["holder"], node["app"], node["sees"], node["action"])
        };
        edges.iter().map(|edge| tell(edge).replace('"', "")).collect::<Vec<_>>()
    };
    let apps = async || {
        let seen = bob.ask("{ viewer { organization { apps { totalCount } } } }").await.ok();
        seen.at("viewer.organization.apps.totalCount").clone()
    };
    assert_eq!(changes(2).await, ["GAINED bob hall true null", "GAINED acme hall true null"], "Alice sees it anyway");
    assert_eq!(changes(3).await, ["GAINED bob hall false hall.entry.view"]);
    let seen = token(&alice, 2, &json!([])).await;
    let unmeant = move_to(&alice, 2, &json!([]), &seen, false).await;
    assert_eq!(unmeant.refusals("moveBlueprint"), ["GAINS"]);
    assert_eq!(apps().await, 0);
    move_to(&alice, 2, &json!([]), &seen, true).await.ok();
    assert_eq!(apps().await, 1);
    assert_eq!(changes(1).await, ["LOST bob hall true null", "LOST acme hall true null"]);
    let seen = token(&alice, 1, &json!([])).await;
    move_to(&alice, 1, &json!([]), &seen, false).await.ok();
    assert_eq!(apps().await, 0);
    assert_eq!(count(&gateway, "activity_entry WHERE action = 'organization.blueprint_moved'").await, 2);
}

/// S0.39: a bounded role that comes to hand another one on gives more than before.
#[tokio::test]
async fn a_version_that_lets_a_role_hand_on_gives_something() {
    let hand = "permissions = [\"members.read\"]\n";
    let assigning = "permissions = [\"members.read\", \"roles.assign\"]\nassigns = [\"hand\"]\n";
    let handing = format!("{assigning}delegates = [\"hand\"]\n");
    let free = "bounded = false\nmin_holders = 1\n";
    let bound = "bounded = true\ndelegates = [\"hand\"]\nmin_holders = 1\n";
    let versions: [&[(&str, &str)]; 3] = [&[(hand, assigning)], &[(hand, &handing)], &[(free, bound)]];
    let Yard { gateway: _open, alice, .. } = yard(Engines::Embedded, &versions).await;
    let changes = async |version: u32| {
        let ask = "query($version: Int!) { organization(slug: \"acme\") { blueprintMove(version: $version) {
            changes(first: 50) { edges { node { change holder assigns handsOn } } } } } }";
        let shown = alice.send(ask, json!({ "version": version })).await.ok();
        let edges = shown.at("organization.blueprintMove.changes.edges").as_array().unwrap().clone();
        let of_roles = |node: &Value| node["handsOn"] != Value::Null || node["assigns"] != Value::Null;
        edges.iter().map(|edge| edge["node"].clone()).filter(of_roles).collect::<Vec<_>>()
    };
    let assigns = json!({ "change": "GAINED", "holder": "bob", "assigns": "hand", "handsOn": null });
    let hands_on = json!({ "change": "GAINED", "holder": "bob", "assigns": null, "handsOn": "hand" });
    assert_eq!(changes(2).await, std::slice::from_ref(&assigns));
    assert_eq!(changes(3).await, [assigns, hands_on]);
    // Whoever was not bound at all gains nothing by what is left of that.
    let ask = "{ organization(slug: \"acme\") { blueprintMove(version: 4) { gained problems { code }
        changes(first: 50) { edges { node { change holder handsOn unbounded } } } } } }";
    let shown = alice.ask(ask).await.ok();
    let less = json!([{ "node": { "change": "LOST", "holder": "alice", "handsOn": null, "unbounded": true } }]);
    assert_eq!(shown.at("organization.blueprintMove.changes.edges"), &less, "{}", shown.text);
    assert_eq!(shown.at("organization.blueprintMove.problems"), &json!([]));
}

/// So is reading a section of the profile, which a version opens to everyone; who may read all of them reads it anyway.
#[tokio::test]
async fn a_version_that_opens_a_section_of_the_profile_gives_something() {
    let closed = "label = \"House\"\n";
    let chief = "permissions = [\"*\"]\n";
    let versions: [&[(&str, &str)]; 2] = [
        &[(closed, "label = \"House\"\nopen = true\n")],
        &[(chief, "permissions = [\"*\"]\nexcept = [\"profile.read\"]\n")],
    ];
    let Yard { gateway: _open, alice, bob, .. } = yard(Engines::Embedded, &versions).await;
    let changes = async |version: u32| {
        let ask = "query($version: Int!) { organization(slug: \"acme\") { blueprintMove(version: $version) {
            changes(first: 50) { edges { node { change holder section permission } } } } } }";
        let shown = alice.send(ask, json!({ "version": version })).await.ok();
        let edges = shown.at("organization.blueprintMove.changes.edges").as_array().unwrap().clone();
        let tell = |edge: &Value| {
            let node = &edge["node"];
            format!("{} {} {} {}", node["change"], node["holder"], node["section"], node["permission"])
        };
        edges.iter().map(|edge| tell(edge).replace('"', "")).collect::<Vec<_>>()
    };
    let sections = async || {
        let shown = bob.ask("{ organization(slug: \"acme\") { profile { key } } }").await.ok();
        shown.at("organization.profile").clone()
    };
    assert_eq!(changes(3).await, ["LOST alice null profile.read"]);
    assert_eq!(changes(2).await, ["GAINED bob house null", "GAINED acme house null"]);
    assert_eq!(sections().await, json!([]));
    let seen = token(&alice, 2, &json!([])).await;
    let unmeant = move_to(&alice, 2, &json!([]), &seen, false).await;
    assert_eq!(unmeant.refusals("moveBlueprint"), ["GAINS"]);
    move_to(&alice, 2, &json!([]), &seen, true).await.ok();
    assert_eq!(sections().await, json!([{ "key": "house" }]));
}
