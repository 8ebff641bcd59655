//! Inviting: the form, its rules and its mail (S3.4, S3.8 to S3.12, S3.17 to S3.25, S3.40, S3.57 to S3.59, S3.79).

use serde_json::json;

use crate::support::{
    gateway::{Engines, Gateway, Person, Tenant},
    people::{app_id, count, expire, fields, invite, invite_with, join, remedies, set, ticks},
};

struct Hub {
    gateway: Gateway,
    acme: Tenant,
    alice: Person,
}

async fn hub(plan: &str) -> Hub {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "support-hub", plan).await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    Hub { gateway, acme, alice }
}

/// S3.17, S3.18, S3.40: address, role and access go in; a mail to that address comes out, with a link to the dashboard alone.
#[tokio::test]
async fn s3_17_s3_18_s3_40_an_invitation_is_sent_to_the_address() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let acme = gateway.organization("acme", "support-hub", "growth").await;
        let alice = gateway.member(&acme, "alice", "super_admin").await;
        let help = gateway.app(&acme, "help_center", "help").await;
        let access = json!([{ "app": app_id(help), "features": [{ "feature": "articles" }] }]);
        let input = json!({ "email": " Bob@Example.ORG", "role": "member", "access": access });
        let answer = invite_with(&alice, input).await.ok();
        let payload = answer.at("inviteMember");
        assert_eq!(payload["mailSent"], true, "{engines:?}");
        assert_eq!(payload["member"]["email"], "bob@example.org");
        assert_eq!(payload["member"]["state"], "PENDING");
        assert!(payload["member"]["user"].is_null());
        assert_eq!(payload["invitation"]["state"], "PENDING");
        assert_eq!(payload["invitation"]["invitedBy"]["name"], "alice");
        let mails = gateway.mails();
        assert_eq!(mails.len(), 1);
        assert!(mails[0].contains("To: bob@example.org") && mails[0].contains("acme") && mails[0].contains("alice"));
        assert!(mails[0].contains("https://app.example.org/invitation#giv_"));
        assert_eq!(mails[0].matches("://").count(), mails[0].matches("https://app.example.org/").count());
    }
}

/// S3.4, S3.1: a Super Admin may invite, a Member may not, and is told so beforehand.
#[tokio::test]
async fn s3_4_s3_1_only_super_admins_invite() {
    let Hub { gateway, acme, alice } = hub("business").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    let ask = "{ viewer { organization { viewerCanInvite viewerCannotInviteReasons { code message remedy } } } }";
    let may = alice.ask(ask).await.ok();
    assert_eq!(may.at("viewer.organization.viewerCanInvite"), true);
    let may_not = bob.ask(ask).await.ok();
    assert_eq!(may_not.at("viewer.organization.viewerCanInvite"), false);
    assert_eq!(may_not.at("viewer.organization.viewerCannotInviteReasons.0.code"), "FORBIDDEN");
    let refused = invite(&bob, "carol@example.org").await;
    assert_eq!(refused.codes(), ["FORBIDDEN"]);
    assert_eq!(
        gateway.stranger().call("inviteMember", json!({ "email": "x@example.org" }), "mailSent").await.codes(),
        ["UNAUTHENTICATED"]
    );
    invite(&alice, "carol@example.org").await.ok();
    let list = "{ viewer { organization { invitations { edges { node { email } } } } } }";
    assert_eq!(
        alice.ask(list).await.ok().at("viewer.organization.invitations.edges.0.node.email"),
        "carol@example.org"
    );
    let hidden = bob.ask(list).await;
    assert_eq!(hidden.codes(), ["FORBIDDEN"]);
    assert!(hidden.at("viewer.organization.invitations").is_null());
}

/// S3.21, S3.22: Member is preselected; Super Admin carries a warning.
#[tokio::test]
async fn s3_21_s3_22_the_role_is_member_unless_said_and_super_admin_warns() {
    let Hub { gateway: _serving, alice, .. } = hub("business").await;
    let ask = "{ viewer { organization { invitationForm { hasAccessTree expiresDays defaultRole { key } roles { key warning } } } } }";
    let form = alice.ask(ask).await.ok();
    let form = form.at("viewer.organization.invitationForm");
    assert_eq!(
        (&form["defaultRole"]["key"], &form["hasAccessTree"], &form["expiresDays"]),
        (&json!("member"), &json!(true), &json!(7))
    );
    assert_eq!(form["roles"][0]["key"], "super_admin");
    assert!(form["roles"][0]["warning"].as_str().unwrap().contains("billing"));
    assert_eq!(form["roles"][1], json!({ "key": "member", "warning": null }));
    let answer = invite(&alice, "bob@example.org").await.ok();
    assert_eq!(answer.at("inviteMember.member.roles"), &json!([{ "key": "member" }]));
    let answer = invite_with(&alice, json!({ "email": "carol@example.org", "role": "super_admin" })).await.ok();
    assert_eq!(answer.at("inviteMember.member.roles"), &json!([{ "key": "super_admin" }]));
    let answer = invite_with(&alice, json!({ "email": "dave@example.org", "role": "king" })).await;
    assert_eq!(answer.refusals("inviteMember"), ["NOT_IN_BLUEPRINT"]);
    assert_eq!(remedies(&answer, "inviteMember"), ["Choose one of `super_admin`, `member`."]);
    let answer = invite_with(&alice, json!({ "email": "dave@example.org", "role": "integration" })).await;
    assert_eq!(answer.refusals("inviteMember"), ["NOT_GRANTABLE"]);
}

/// S3.19: only addresses of the allowed domains, where the organization names some.
#[tokio::test]
async fn s3_19_only_allowed_domains_are_invited() {
    let Hub { gateway, acme, alice } = hub("business").await;
    set(&gateway, &acme, json!({ "allowed_domains": ["example.org"] })).await;
    for email in ["bob@example.com", "bob@sub.example.org", "bob@example.org.evil.test"] {
        let answer = invite(&alice, email).await;
        assert_eq!(answer.refusals("inviteMember"), ["DOMAIN_NOT_ALLOWED"], "{email}");
        assert!(remedies(&answer, "inviteMember")[0].contains("example.org"));
    }
    assert_eq!((count(&gateway, "member").await, gateway.mails().len()), (1, 0));
    invite(&alice, "bob@EXAMPLE.org").await.ok();
    set(&gateway, &acme, json!({})).await;
    invite(&alice, "carol@example.com").await.ok();
}

/// S3.20: a plus alias is refused, unless the organization lets it.
#[tokio::test]
async fn s3_20_plus_aliases_are_refused() {
    let Hub { gateway, acme, alice } = hub("business").await;
    let answer = invite(&alice, "bob+two@example.org").await;
    assert_eq!(answer.refusals("inviteMember"), ["SUBADDRESS_NOT_ALLOWED"]);
    assert_eq!(remedies(&answer, "inviteMember"), ["Invite bob@example.org instead."]);
    set(&gateway, &acme, json!({ "block_subaddress": false })).await;
    invite(&alice, "bob+two@example.org").await.ok();
}

/// S3.10, S3.11, S3.12, S3.23, S3.24, S3.25: apps are ticked, then features in them; two Members have what each was given.
#[tokio::test]
async fn s3_10_s3_11_s3_12_s3_23_s3_24_exact_apps_and_features_are_picked() {
    let Hub { gateway, acme, alice } = hub("business").await;
    let service = gateway.app(&acme, "customer_service", "service").await;
    let help = gateway.app(&acme, "help_center", "help").await;
    let tree = json!([{ "app": app_id(service), "features": [{ "feature": "inbox" }, { "feature": "tickets" }] }]);
    let bob = join(&gateway, &alice, ("bob", json!({ "access": tree }))).await;
    let tree = json!([{ "app": app_id(help), "features": [{ "feature": "articles" }, { "feature": "tags" }] }]);
    let carol = join(&gateway, &alice, ("carol", json!({ "access": tree }))).await;
    assert_eq!(ticks(&gateway, bob.member.unwrap()).await, ["service inbox", "service tickets"]);
    assert_eq!(ticks(&gateway, carol.member.unwrap()).await, ["help articles", "help tags"]);
}

/// S3.8, S3.9: a Member who was given nothing sees nothing but who is there.
#[tokio::test]
async fn s3_8_s3_9_a_member_does_not_see_everything() {
    let Hub { gateway, acme, alice } = hub("business").await;
    gateway.app(&acme, "help_center", "help").await;
    let bob = join(&gateway, &alice, ("bob", json!({}))).await;
    let ask = "{ viewer { permissions menus { key } } }";
    let answer = bob.ask(ask).await.ok();
    assert_eq!(answer.at("viewer.permissions"), &json!(["members.read"]));
    assert_eq!(answer.at("viewer.menus"), &json!([{ "key": "home" }, { "key": "team" }]));
    assert!(ticks(&gateway, bob.member.unwrap()).await.is_empty());
    assert!(alice.ask(ask).await.ok().at("viewer.permissions").as_array().unwrap().len() > 10);
}

/// S3.25, Q8: a feature belongs to the app's kind; a mistake is told at its place, an app of others is none.
#[tokio::test]
async fn s3_25_features_belong_to_the_kind_of_app() {
    let Hub { gateway, acme, alice } = hub("business").await;
    let help = gateway.app(&acme, "help_center", "help").await;
    let other = gateway.organization("other", "support-hub", "business").await;
    let foreign = gateway.app(&other, "help_center", "help").await;
    let tree = |app, features: &[&str]| {
        let features: Vec<_> = features.iter().map(|feature| json!({ "feature": feature })).collect();
        json!({ "email": "bob@example.org", "access": [{ "app": app_id(app), "features": features }] })
    };
    let answer = invite_with(&alice, tree(help, &["articles", "inbox"])).await;
    assert_eq!(answer.refusals("inviteMember"), ["NOT_IN_BLUEPRINT"]);
    assert_eq!(fields(&answer, "inviteMember"), ["access.0.features.1.feature"]);
    assert!(
        remedies(&answer, "inviteMember")[0].contains("`articles`, `tags`, `collections`, `analytics`, `settings`")
    );
    let answer = invite_with(&alice, tree(help, &[])).await;
    assert_eq!(answer.refusals("inviteMember"), ["MISSING"]);
    let answer = invite_with(&alice, tree(help, &["tags", "tags"])).await;
    assert_eq!(answer.refusals("inviteMember"), ["INVALID"]);
    let hidden = invite_with(&alice, tree(foreign, &["articles"])).await;
    let absent = invite_with(&alice, tree(gatehouse::id::new_id(), &["articles"])).await;
    assert_eq!(hidden.codes(), ["NOT_FOUND"]);
    assert_eq!(hidden.text, absent.text);
    assert_eq!((count(&gateway, "member").await, gateway.mails().len()), (1, 0));
}

/// S3.57, S3.58, S3.59, S3.79, Q21, Q28: a live pending invitation holds a seat, an expired one does not and needs a free one
/// to come back.
#[tokio::test]
async fn s3_57_s3_58_s3_59_s3_79_a_pending_invitation_holds_a_seat() {
    let Hub { gateway, alice, .. } = hub("growth").await;
    invite(&alice, "bob@example.org").await.ok();
    let second = invite(&alice, "carol@example.org").await.ok();
    let full = invite(&alice, "dave@example.org").await;
    assert_eq!(full.refusals("inviteMember"), ["SEAT_LIMIT"]);
    let ask = "{ viewer { organization { viewerCanInvite viewerCannotInviteReasons { code remedy } } } }";
    let reasons = alice.ask(ask).await.ok();
    assert_eq!(reasons.at("viewer.organization.viewerCanInvite"), false);
    assert_eq!(reasons.at("viewer.organization.viewerCannotInviteReasons.0.code"), "SEAT_LIMIT");
    let remedy = reasons.at("viewer.organization.viewerCannotInviteReasons.0.remedy").as_str().unwrap().to_owned();
    assert!(remedy.contains("Remove a member") && remedy.contains("Business"), "{remedy}");

    expire(&gateway).await;
    assert_eq!(alice.ask(ask).await.ok().at("viewer.organization.viewerCanInvite"), true);
    invite(&alice, "dave@example.org").await.ok();
    invite(&alice, "erin@example.org").await.ok();
    let id = second.at("inviteMember.invitation.id");
    let again = alice.call("resendInvitation", json!({ "invitation": id }), "mailSent").await;
    assert_eq!(again.refusals("resendInvitation"), ["SEAT_LIMIT"]);
    assert_eq!(gateway.mails().len(), 4);
}

/// Every mistake is told at once, nothing is changed, and an address is invited once.
#[tokio::test]
async fn bad_input_is_refused_whole() {
    let Hub { gateway, alice, .. } = hub("enterprise").await;
    for email in ["", "bob", "@example.org", "bob@", "bob@@example.org", "bob@example", "b\u{200b}b@example.org"] {
        let answer = invite(&alice, email).await;
        assert_eq!(answer.refusals("inviteMember"), ["INVALID"], "{email:?}");
        assert_eq!(fields(&answer, "inviteMember"), ["email"]);
    }
    let long = "x".repeat(201);
    for (input, field) in [
        (json!({ "name": long }), "name"),
        (json!({ "name": "bo\u{202e}b" }), "name"),
        (json!({ "firstName": "a\nb" }), "firstName"),
        (json!({ "lastName": "\u{0}" }), "lastName"),
        (json!({ "flags": ["super_admin"] }), "flags.0"),
    ] {
        let mut input = input;
        input["email"] = json!("bob@example.org");
        let answer = invite_with(&alice, input).await;
        assert_eq!(fields(&answer, "inviteMember"), [field]);
        assert_eq!(answer.refusals("inviteMember"), ["INVALID"]);
    }
    let answer = invite_with(&alice, json!({ "email": "no", "name": long, "role": "king" })).await;
    assert_eq!(fields(&answer, "inviteMember"), ["email", "name", "role"]);
    for document in [
        "mutation { inviteMember(input: { email: \"a@example.org\", admin: true }) { mailSent } }",
        "mutation { inviteMember(input: {}) { mailSent } }",
    ] {
        assert_eq!(alice.ask(document).await.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
    }
    let malformed = json!({ "email": "bob@example.org", "access": [{ "app": "nonsense", "features": [] }] });
    assert_eq!(invite_with(&alice, malformed).await.codes(), ["BAD_USER_INPUT"]);
    assert_eq!((count(&gateway, "member").await, count(&gateway, "activity_entry").await), (1, 0));

    invite(&alice, "bob@example.org").await.ok();
    let twice = invite(&alice, "BOB@example.org").await;
    assert_eq!(twice.refusals("inviteMember"), ["ALREADY_MEMBER"]);
    assert!(remedies(&twice, "inviteMember")[0].contains("Send the invitation again"));
    assert_eq!(invite(&alice, &alice.email).await.refusals("inviteMember"), ["ALREADY_MEMBER"]);
}

/// The same key gives the first answer again and sends no second mail; another input with it is an error.
#[tokio::test]
async fn a_repeated_invitation_sends_one_mail() {
    let Hub { gateway, alice, .. } = hub("business").await;
    let input = json!({ "email": "bob@example.org", "idempotencyKey": "one" });
    let first = invite_with(&alice, input.clone()).await.ok();
    let again = invite_with(&alice, input).await.ok();
    assert_eq!(first.body["data"], again.body["data"]);
    assert_eq!((gateway.mails().len(), count(&gateway, "member").await), (1, 2));
    let other = invite_with(&alice, json!({ "email": "carol@example.org", "idempotencyKey": "one" })).await;
    assert_eq!(other.codes(), ["CONFLICT"]);
}

/// A full disk or a dead mail server undoes no invitation: it stands, says so, and can be sent again.
#[tokio::test]
async fn a_failing_outbox_does_not_undo_the_invitation() {
    let Hub { gateway, alice, .. } = hub("business").await;
    std::fs::remove_dir_all(&gateway.mail).unwrap();
    let answer = invite(&alice, "bob@example.org").await.ok();
    assert_eq!(answer.at("inviteMember.mailSent"), false);
    std::fs::create_dir(&gateway.mail).unwrap();
    let id = answer.at("inviteMember.invitation.id");
    let again =
        alice.call("resendInvitation", json!({ "invitation": id }), "mailSent invitation { id sends }").await.ok();
    assert_eq!(
        again.at("resendInvitation"),
        &json!({
            "mailSent": true, "invitation": { "id": id, "sends": 2 }, "userErrors": []
        })
    );
    assert_eq!(gateway.mails().len(), 1);
}
