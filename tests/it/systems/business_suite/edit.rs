//! Edit: the same form, one save (S2.17, S2.22 to S2.26, S2.30 to S2.32).

use serde_json::json;

use super::suite::{Suite, everywhere, held, id_of, invited, may, save_access, step, suite, suite_on, tree, update};
use crate::support::{
    gateway::{Engines, Person},
    people::{accept, app_id, count, fields, member_id, newest_token, remedies},
};

/// S2.22: what a row's menu offers, and to whom.
#[tokio::test]
async fn s2_22_a_rows_menu_offers_edit_and_archive() {
    let Suite { gateway: _serving, alice, carol, bob, .. } = suite().await;
    let ask = "query($id: ID!) { organization(slug: \"acme\") { member(id: $id) { viewerCanEditAccess viewerCanChangeRole viewerCanRemove
        viewerCanSuspend viewerCanReactivate viewerCanRestore viewerCannotRemoveReasons { code } viewerCannotSuspendReasons { code }
        viewerCannotEditAccessReasons { code } } } }";
    let menu = async |by: &Person, who: &Person| {
        by.send(ask, json!({ "id": id_of(who) })).await.ok().at("organization.member").clone()
    };
    for by in [&alice, &carol] {
        let offered = menu(by, &bob).await;
        for action in ["viewerCanEditAccess", "viewerCanChangeRole", "viewerCanRemove", "viewerCanSuspend"] {
            assert_eq!(offered[action], true, "{action}");
        }
        assert_eq!((&offered["viewerCanRestore"], &offered["viewerCanReactivate"]), (&json!(false), &json!(false)));
    }
    let owner = menu(&carol, &alice).await;
    assert_eq!(owner["viewerCanRemove"], false);
    assert_eq!(owner["viewerCannotRemoveReasons"][0]["code"], "NOT_GRANTABLE");
    assert_eq!(owner["viewerCannotSuspendReasons"][0]["code"], "NOT_GRANTABLE");
    assert_eq!(owner["viewerCanEditAccess"], false);
    assert_eq!(owner["viewerCannotEditAccessReasons"][0]["code"], "NOT_GRANTABLE");
    let own = menu(&bob, &bob).await;
    assert_eq!((&own["viewerCanEditAccess"], &own["viewerCanRemove"]), (&json!(false), &json!(false)));
}

/// S2.24: the form for somebody who is there comes filled in.
#[tokio::test]
async fn s2_24_the_edit_form_is_the_invite_form_filled_in() {
    let suite = suite().await;
    let access = tree(&[(suite.crm, &["contacts"])]);
    let input = json!({ "firstName": "Dora", "lastName": "Ito", "role": "user", "access": access });
    let member = invited(&suite.alice, "dora", input).await;
    let form = crate::operations::run(
        &suite.alice,
        "business-suite/edit-form",
        json!({ "organization": "acme", "member": member_id(member) }),
    )
    .await;
    let filled = form.at("organization.member");
    assert_eq!((&filled["firstName"], &filled["lastName"]), (&json!("Dora"), &json!("Ito")));
    assert_eq!((&filled["email"], &filled["roles"][0]["key"]), (&json!("dora@example.org"), &json!("user")));
    assert_eq!(filled["accessMode"], "CUSTOM");
    let ticked: Vec<_> = filled["grants"]["edges"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|edge| edge["node"]["feature"].as_str())
        .collect();
    assert_eq!(ticked, ["contacts"]);
    assert_eq!(form.at("organization.invitationForm.required"), &json!(["FIRST_NAME", "LAST_NAME"]));
}

/// S2.25, S2.26: names, role and permissions in one save; where one part is refused, nothing is changed, and every mistake is
/// told.
#[tokio::test]
async fn s2_25_s2_26_one_save_changes_all_of_it_or_nothing() {
    let suite = suite().await;
    let Suite { gateway, alice, bob, crm, billing, .. } = &suite;
    let bob_id = bob.member.unwrap();
    let all = json!({ "firstName": "Bo", "lastName": "Builder", "name": "Bo Builder", "role": "admin", "flags": ["auditor"],
        "access": tree(&[(*crm, &["contacts", "deals"])]) });
    let saved = update(alice, bob_id, all).await.ok();
    assert_eq!(saved.at("updateMember.member.name"), "Bo Builder");
    assert_eq!(saved.at("updateMember.member.roles").as_array().unwrap().len(), 2);
    assert_eq!(held(gateway, bob_id).await, ["crm crm.contacts", "crm crm.deals"]);
    assert_eq!(may(bob, *crm).await.len(), 2);
    let entries = count(gateway, "activity_entry").await;
    let bad = json!({ "name": "", "role": "nonsense", "access": tree(&[(*billing, &["contacts"])]) });
    let refused = update(alice, bob_id, bad).await;
    assert_eq!(fields(&refused, "updateMember"), ["name", "role", "access.0.features.0.feature"]);
    let half = json!({ "name": "Somebody Else", "access": tree(&[(*billing, &["contacts"])]) });
    assert_eq!(update(alice, bob_id, half).await.refusals("updateMember"), ["NOT_IN_BLUEPRINT"]);
    let now = update(alice, bob_id, json!({})).await.ok();
    assert_eq!(now.at("updateMember.member.name"), "Bo Builder");
    assert_eq!(held(gateway, bob_id).await, ["crm crm.contacts", "crm crm.deals"]);
    assert_eq!(count(gateway, "activity_entry").await, entries, "a refused save leaves no trace");
    // The name as shown follows its parts; flags that are left out of the list go.
    let saved = update(alice, bob_id, json!({ "lastName": "Baker", "flags": [] })).await.ok();
    assert_eq!(saved.at("updateMember.member.name"), "Bo Baker");
    assert_eq!(saved.at("updateMember.member.roles").as_array().unwrap().len(), 1);
    // Each part asks for its own permission.
    assert_eq!(update(bob, bob_id, json!({ "flags": ["auditor"] })).await.refusals("updateMember"), ["NOT_GRANTABLE"]);
    let erin = gateway.member(&suite.acme, "erin", "user").await;
    for part in [
        json!({ "name": "X" }),
        json!({ "role": "user" }),
        json!({ "access": [] }),
        json!({ "email": "x@example.org" }),
        json!({}),
    ] {
        assert_eq!(update(&erin, bob_id, part).await.codes(), ["FORBIDDEN"]);
    }
}

/// S2.25: the address of somebody invited can be changed, which kills the old link; that of somebody who has joined is its
/// owner's.
#[tokio::test]
async fn s2_25_an_address_is_changed_only_while_nobody_has_taken_it() {
    let suite = suite().await;
    let Suite { gateway, alice, bob, .. } = &suite;
    let refused = update(alice, bob.member.unwrap(), json!({ "email": "mallory@example.org" })).await;
    assert_eq!(refused.refusals("updateMember"), ["INVALID"]);
    assert!(remedies(&refused, "updateMember")[0].contains("Ask the person"));
    update(alice, bob.member.unwrap(), json!({ "email": bob.email })).await.ok();
    let member = invited(alice, "daev", json!({})).await;
    let old = newest_token(gateway);
    let moved = update(alice, member, json!({ "email": "dave@example.org" })).await.ok();
    assert_eq!(moved.at("updateMember.mailSent"), true);
    assert_eq!(moved.at("updateMember.member.email"), "dave@example.org");
    let mallory = gateway.person("daev").await;
    assert_eq!(accept(&mallory, &old).await.refusals("acceptInvitation"), ["INVITATION_NOT_PENDING"]);
    let dave = gateway.person("dave").await;
    accept(&dave, &newest_token(gateway)).await.ok();
    let taken = invited(alice, "erin", json!({})).await;
    let refused = update(alice, taken, json!({ "email": "bob@example.org" })).await;
    assert_eq!(refused.refusals("updateMember"), ["ALREADY_MEMBER"]);
}

/// S2.17, S2.30: an admin customizes the permissions of other admins and of users.
#[tokio::test]
async fn s2_17_s2_30_admins_customize_admins_and_users() {
    let suite = suite().await;
    let Suite { gateway, acme, carol, bob, crm, .. } = &suite;
    let frank = gateway.member(acme, "frank", "admin").await;
    everywhere(&suite, carol, ("crm", "contacts", None)).await;
    for other in [&frank, bob] {
        let id = other.member.unwrap();
        update(carol, id, json!({ "access": tree(&[(*crm, &["contacts"])]) })).await.ok();
        assert_eq!(may(other, *crm).await, ["contacts: view edit delete export"]);
        update(carol, id, json!({ "accessMode": "ALL" })).await.ok();
        assert_eq!(held(gateway, id).await, ["* crm.contacts"]);
        update(carol, id, json!({ "accessMode": "CUSTOM", "access": [] })).await.ok();
        assert_eq!(may(other, *crm).await, Vec::<String>::new());
    }
    let self_raise = update(carol, carol.member.unwrap(), json!({ "access": tree(&[(*crm, &["deals"])]) })).await;
    assert_eq!(self_raise.refusals("updateMember"), ["NOT_GRANTABLE"]);
}

/// S2.31: an admin gives nothing it does not hold, and does not touch what it does not hold, on any path.
#[tokio::test]
async fn s2_31_admins_are_bounded_by_what_they_hold() {
    let suite = suite().await;
    let Suite { gateway, acme, carol, bob, crm, billing, .. } = &suite;
    let bob_id = bob.member.unwrap();
    gateway.tick(acme, carol, *crm, "contacts", None).await;
    let beyond = update(carol, bob_id, json!({ "access": tree(&[(*crm, &["deals"])]) })).await;
    assert_eq!(beyond.refusals("updateMember"), ["NOT_GRANTABLE"]);
    let unseen = update(carol, bob_id, json!({ "access": tree(&[(*billing, &["invoices"])]) })).await;
    assert_eq!(unseen.codes(), ["NOT_FOUND"]);
    let invite = super::suite::try_invite(carol, "dave", json!({ "access": tree(&[(*crm, &["deals"])]) })).await;
    assert_eq!(invite.refusals("inviteMember"), ["NOT_GRANTABLE"]);
    let flag = update(carol, bob_id, json!({ "flags": ["auditor"] })).await;
    assert_eq!(flag.refusals("updateMember"), ["NOT_GRANTABLE"]);
}

/// S2.31, S2.20: a save that would take what the owner gave everywhere, which the admin does not hold, is refused whole; one that
/// takes nothing of it leaves it as it is.
#[tokio::test]
async fn s2_31_s2_20_an_admin_takes_nothing_it_does_not_hold() {
    for engines in Engines::DATABASES {
        let suite = suite_on(engines, "agency").await;
        let Suite { gateway, acme, alice, carol, bob, crm, .. } = &suite;
        let bob_id = bob.member.unwrap();
        gateway.tick(acme, carol, *crm, "contacts", None).await;
        update(alice, bob_id, json!({ "accessMode": "ALL" })).await.ok();
        let before = held(gateway, bob_id).await;
        assert!(before.iter().all(|grant| grant.starts_with("* ")), "{before:?}");
        let contacts = tree(&[(*crm, &["contacts"])]);
        let custom = json!({ "accessMode": "CUSTOM", "access": contacts.clone() });
        let all = json!({ "accessMode": "ALL" });
        let of_crm =
            |label: &&str| format!("you cannot take {label} of CRM in the whole organization away: you do not hold it");
        for (answer, mutation, taken) in [
            (update(carol, bob_id, custom).await, "updateMember", &["Calls", "Deals"][..]),
            (update(carol, bob_id, all).await, "updateMember", &["Calls", "Deals"]),
            (save_access(carol, bob_id, contacts).await, "updateMemberAccess", &["Calls", "Deals"]),
            (save_access(carol, bob_id, json!([])).await, "updateMemberAccess", &["Calls", "Contacts", "Deals"]),
        ] {
            let told = answer.at(mutation)["userErrors"].as_array().unwrap().clone();
            let mut messages: Vec<&str> = told.iter().map(|error| error["message"].as_str().unwrap()).collect();
            messages.sort_unstable();
            assert_eq!(messages, taken.iter().map(of_crm).collect::<Vec<_>>(), "{engines:?} {}", answer.text);
            for error in &told {
                assert_eq!((&error["code"], &error["field"]), (&json!("NOT_GRANTABLE"), &json!(["access"])));
                assert_eq!(error["remedy"], "Ask somebody who holds what is to be taken.");
            }
            assert_eq!(held(gateway, bob_id).await, before, "{engines:?}: nothing was changed");
        }
        save_access(carol, bob_id, tree(&[(*crm, &["contacts", "deals", "calls"])])).await.ok();
        assert_eq!(held(gateway, bob_id).await, before, "{engines:?}: all of it stays ticked");
    }
}

/// S2.20: the toggle to Custom comes with what is to stay ticked; by itself it takes nothing away.
#[tokio::test]
async fn s2_20_custom_alone_is_no_save() {
    let Suite { gateway, alice, bob, .. } = suite().await;
    let bob = bob.member.unwrap();
    update(&alice, bob, json!({ "accessMode": "ALL" })).await.ok();
    let before = held(&gateway, bob).await;
    let answer = update(&alice, bob, json!({ "accessMode": "CUSTOM" })).await;
    assert_eq!(
        (answer.refusals("updateMember"), fields(&answer, "updateMember")),
        (vec!["MISSING"], vec!["access".to_owned()])
    );
    assert!(!before.is_empty());
    assert_eq!(held(&gateway, bob).await, before);
    update(&alice, bob, json!({ "accessMode": "CUSTOM", "access": [] })).await.ok();
    assert!(held(&gateway, bob).await.is_empty());
}

/// S1.31, S2.20: an owner who gives herself everything is told that it is needless, and never to give up being the owner.
#[tokio::test]
async fn s1_31_s2_20_everything_given_to_the_owner_is_needless() {
    let Suite { gateway: _serving, alice, .. } = suite().await;
    update(&alice, alice.member.unwrap(), json!({ "accessMode": "ALL" })).await.ok();
    let ask =
        "{ organization(slug: \"acme\") { accessWarnings(first: 50) { edges { node { code message remedy } } } } }";
    let found = alice.ask(ask).await.ok();
    let edges = found.at("organization.accessWarnings.edges").as_array().unwrap();
    assert!(!edges.is_empty());
    for edge in edges {
        let node = &edge["node"];
        assert_eq!(node["code"], "REDUNDANT", "{}", found.text);
        let message = node["message"].as_str().unwrap();
        let needless = " in the whole organization gives nothing that Owner in the organization does not give already";
        let what = message.strip_suffix(needless).unwrap_or_else(|| panic!("{message}"));
        assert_eq!(node["remedy"], format!("Take {what} in the whole organization away."));
    }
}

/// S2.31: of many things that a saved tree takes on one app, each refusal says which, and where.
#[tokio::test]
async fn s2_31_each_thing_that_is_not_taken_is_named_with_its_app() {
    let suite = suite().await;
    let Suite { gateway, acme, alice, carol, bob, crm, .. } = &suite;
    let bob_id = bob.member.unwrap();
    gateway.tick(acme, carol, *crm, "contacts", None).await;
    save_access(alice, bob_id, tree(&[(*crm, &["contacts", "deals", "calls"])])).await.ok();
    let refused = save_access(carol, bob_id, json!([])).await;
    let told = refused.at("updateMemberAccess.userErrors").as_array().unwrap();
    let mut messages: Vec<&str> = told.iter().map(|error| error["message"].as_str().unwrap()).collect();
    messages.sort_unstable();
    let expected = ["Calls", "Deals"].map(|label| format!("you cannot take {label} on `crm` away: you do not hold it"));
    assert_eq!(messages, expected, "{}", refused.text);
}

/// S0.33, S3.43 to S3.45, S2.20: what «all» gave everywhere goes with a saved tree; what stays ticked is given app by app, until
/// when it was given.
#[tokio::test]
async fn s0_33_s3_43_s3_44_s3_45_s2_20_a_saved_tree_takes_what_all_gave_everywhere() {
    for engines in Engines::DATABASES {
        let suite = suite_on(engines, "agency").await;
        let Suite { gateway, alice, bob, crm, billing, work, .. } = &suite;
        let bob_id = bob.member.unwrap();
        update(alice, bob_id, json!({ "accessMode": "ALL" })).await.ok();
        assert_eq!(may(bob, *crm).await.len(), 3, "{engines:?}");
        let end = gateway.service.now() + chrono::TimeDelta::days(1);
        let sql = "UPDATE access_grant SET expires_at = $1 WHERE grantee_id = $2 AND feature = 'contacts'";
        gateway.database.run(sql, [end.into(), bob_id.into()]).await.unwrap();
        let ticked = tree(&[(*crm, &["contacts"]), (*work, &["boards", "tasks:work"])]);
        save_access(alice, bob_id, ticked).await.ok();
        let expected = ["crm crm.contacts", "work projects.boards", "work projects.tasks:work"];
        assert_eq!(held(gateway, bob_id).await, expected, "{engines:?}");
        let timed = count(gateway, "access_grant WHERE feature = 'contacts' AND expires_at IS NOT NULL").await;
        assert_eq!(timed, 1, "{engines:?}: not longer than it was given for");
        assert_eq!(may(bob, *crm).await, ["contacts: view edit delete export"]);
        assert_eq!(may(bob, *billing).await, Vec::<String>::new());
        save_access(alice, bob_id, json!([])).await.ok();
        assert_eq!(held(gateway, bob_id).await, Vec::<String>::new());
        assert_eq!(may(bob, *crm).await, Vec::<String>::new(), "{engines:?}");
    }
}

/// S2.17, S2.30: an admin edits everybody but the owner, whichever way; oneself one may always rename.
#[tokio::test]
async fn s2_17_s2_30_an_admin_edits_everybody_but_the_owner() {
    for engines in Engines::DATABASES {
        let suite = suite_on(engines, "agency").await;
        let Suite { gateway, acme, alice, carol, bob, crm, .. } = &suite;
        everywhere(&suite, carol, ("crm", "contacts", None)).await;
        let frank = gateway.member(acme, "frank", "admin").await;
        let grant = gateway.tick(acme, alice, *crm, "contacts", None).await;
        let grant = gatehouse::graphql::node::NodeType::Grant.id(grant);
        let (owner, contacts) = (alice.member.unwrap(), tree(&[(*crm, &["contacts"])]));
        let give = |to: &Person| {
            let gives = json!({ "feature": { "kind": "crm", "feature": "contacts" } });
            json!({ "grantee": { "member": id_of(to) }, "gives": gives, "app": app_id(*crm) })
        };
        let before = held(gateway, owner).await;
        for (answer, mutation, field) in [
            (step(carol, alice, "suspendMember").await, "suspendMember", "member"),
            (update(carol, owner, json!({ "name": "Nobody" })).await, "updateMember", "member"),
            (update(carol, owner, json!({ "firstName": "No" })).await, "updateMember", "member"),
            (update(carol, owner, json!({ "accessMode": "ALL" })).await, "updateMember", "member"),
            (update(carol, owner, json!({ "access": contacts })).await, "updateMember", "member"),
            (save_access(carol, owner, json!([])).await, "updateMemberAccess", "member"),
            (carol.call("grantAccess", give(alice), "grant { id }").await, "grantAccess", "grantee"),
            (carol.call("revokeAccess", json!({ "grant": grant }), "revokedGrant").await, "revokeAccess", "grant"),
        ] {
            assert_eq!(answer.refusals(mutation), ["NOT_GRANTABLE"], "{engines:?} {}", answer.text);
            assert_eq!(fields(&answer, mutation), [field], "{mutation}");
            let remedy = "Ask the person: nobody is above the role Owner.";
            assert_eq!(remedies(&answer, mutation), [remedy], "{mutation}");
        }
        assert_eq!(held(gateway, owner).await, before, "{engines:?}");
        let ask = "query($id: ID!) { organization(slug: \"acme\") { member(id: $id) { name viewerCanEditAccess } } }";
        let seen = carol.send(ask, json!({ "id": id_of(alice) })).await.ok();
        assert_eq!(seen.at("organization.member"), &json!({ "name": "alice", "viewerCanEditAccess": false }));
        for other in [&frank, bob] {
            update(carol, other.member.unwrap(), json!({ "firstName": "Other" })).await.ok();
            save_access(carol, other.member.unwrap(), contacts.clone()).await.ok();
            carol.call("grantAccess", give(other), "grant { id }").await.ok();
        }
        update(carol, carol.member.unwrap(), json!({ "name": "Carol Admin" })).await.ok();
        update(alice, carol.member.unwrap(), json!({ "name": "Carol", "access": contacts })).await.ok();
    }
}

/// S2.32, Q14: the owner raises an admin up to the ceiling of the role, and never past it.
#[tokio::test]
async fn s2_32_q14_the_owner_raises_an_admin_up_to_the_ceiling() {
    let suite = suite().await;
    let Suite { gateway, acme, alice, carol, crm, .. } = &suite;
    let carol_id = carol.member.unwrap();
    assert_eq!(may(carol, *crm).await, Vec::<String>::new());
    update(alice, carol_id, json!({ "accessMode": "ALL", "flags": ["auditor"] })).await.ok();
    assert_eq!(may(carol, *crm).await.len(), 3);
    let sees = "{ viewer { permissions } organization(slug: \"acme\") { activity { totalCount } } }";
    assert!(carol.ask(sees).await.ok().at("organization.activity.totalCount").is_number());
    // A flag past a user's ceiling is refused, and gives nothing where it was given past the API.
    let bob = suite.bob.member.unwrap();
    let refused = update(alice, bob, json!({ "flags": ["auditor"] })).await;
    assert_eq!(refused.refusals("updateMember"), ["NOT_GRANTABLE"]);
    gateway.grant_role(acme, "member", Some(bob), "auditor").await;
    gateway.settle().await;
    assert_eq!(suite.bob.ask("{ viewer { permissions } }").await.ok().at("viewer.permissions"), &json!([]));
}

/// S2.22, S2.24: whether the names of somebody can be changed is told beforehand, as changing them answers.
#[tokio::test]
async fn s2_22_s2_24_whether_somebody_can_be_edited_is_told_beforehand() {
    let Suite { gateway, acme, alice, carol, bob, .. } = suite().await;
    let dora = gateway.member(&acme, "dora", "admin").await;
    let gone = gateway.member(&acme, "gone", "user").await;
    let waiting = gateway.pending(&acme, "waiting", "user", chrono::TimeDelta::days(7)).await;
    gateway.settle().await;
    let away = json!({ "member": id_of(&gone), "confirm": true });
    alice.call("removeMember", away, "removed").await.ok();
    let ask = "query($id: ID!) { node(id: $id) { ... on Member { name viewerCanUpdate viewerCannotUpdateReasons { code } } } }";
    let everybody = [&alice, &carol, &bob, &dora, &gone].map(id_of).into_iter().chain([member_id(waiting)]);
    let everybody: Vec<String> = everybody.collect();
    let mut can = Vec::new();
    for by in [&alice, &carol, &bob] {
        for member in &everybody {
            let seen = by.send(ask, json!({ "id": member })).await.ok();
            let shown = seen.at("node").clone();
            let answer =
                by.call("updateMember", json!({ "member": member, "firstName": "Kim" }), "member { id }").await;
            let done = answer.codes().is_empty() && answer.refusals("updateMember").is_empty();
            if shown.is_null() {
                assert!(!done, "{}", answer.text);
                continue;
            }
            let reasons = shown["viewerCannotUpdateReasons"].as_array().unwrap();
            assert_eq!(
                (shown["viewerCanUpdate"] == true, reasons.is_empty()),
                (done, done),
                "{shown}: {}",
                answer.text
            );
            can.push(done);
        }
    }
    let (alices, carols) = ([true, true, true, true, false, true], [false, true, true, true, false, true]);
    assert_eq!(can, [alices.as_slice(), carols.as_slice(), &[false]].concat());
}
