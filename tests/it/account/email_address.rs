//! Addresses of accounts: proven, and changed when both agree.

use serde_json::json;

use super::words::{PASSWORD, address, awaited, is_known, reset, reset_code, sign_in, signed_up};
use crate::support::{
    gateway::{Answer, Engines, Gateway, Person},
    people::{invite, member_id, prove_addresses},
};

async fn verify(gateway: &Gateway, code: &str) -> Answer {
    gateway.stranger().call("verifyEmail", json!({ "code": code }), "email").await
}

async fn ask_change(person: &Person, email: &str) -> Answer {
    person.call("requestEmailChange", json!({ "email": email, "password": PASSWORD }), "").await
}

async fn confirm(gateway: &Gateway, code: &str) -> Answer {
    gateway.stranger().call("confirmEmailChange", json!({ "code": code }), "email changed").await
}

/// Asks for another address; the codes of the letters to the present and to the new one.
async fn both_codes(gateway: &Gateway, person: &Person, (from, to): (&str, &str)) -> (String, String) {
    ask_change(person, to).await.ok();
    (awaited(gateway, (from, "gcl_"), 1).await, awaited(gateway, (to, "gct_"), 1).await)
}

#[tokio::test]
async fn an_address_is_proven_by_the_letter_of_the_sign_up_or_by_the_next_one() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let alice = signed_up(&gateway, "alice").await;
        let first = awaited(&gateway, (&address("alice"), "gcv_"), 1).await;
        let document = "mutation { requestEmailVerification { mailSent userErrors { code } } }";
        assert_eq!(alice.ask(document).await.ok().at("requestEmailVerification.mailSent"), true);
        let second = awaited(&gateway, (&address("alice"), "gcv_"), 2).await;
        assert_eq!(verify(&gateway, &first).await.refusals("verifyEmail"), ["CODE_INVALID"], "{engines:?}");
        assert_eq!(verify(&gateway, &second).await.ok().at("verifyEmail.email"), "alice@example.org");
        let user = alice.ask("{ viewer { user { emailVerifiedAt } } }").await.ok();
        assert!(user.at("viewer.user.emailVerifiedAt").is_string(), "{engines:?}");
        assert_eq!(alice.ask(document).await.refusals("requestEmailVerification"), ["STATE_CHANGED"]);
        assert_eq!(gateway.stranger().ask(document).await.codes(), ["UNAUTHENTICATED"]);
    }
}

#[tokio::test]
async fn an_address_is_changed_when_both_agree_and_places_in_organizations_follow() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let alice = signed_up(&gateway, "alice").await;
        prove_addresses(&gateway).await;
        let input = json!({ "slug": "acme", "name": "Acme", "blueprint": "support-hub" });
        alice.call("createOrganization", input, "organization { id }").await.ok();
        let (old, new) = (address("alice"), address("alina"));
        let (leaves, takes) = both_codes(&gateway, &alice, (&old, &new)).await;
        // In either order; one alone changes nothing.
        assert_eq!(confirm(&gateway, &takes).await.ok().at("confirmEmailChange.changed"), false);
        assert_eq!(confirm(&gateway, &takes).await.refusals("confirmEmailChange"), ["CODE_INVALID"], "{engines:?}");
        sign_in(&gateway, &old, PASSWORD).await.ok();
        let done = confirm(&gateway, &leaves).await.ok();
        assert_eq!(
            (done.at("confirmEmailChange.changed"), done.at("confirmEmailChange.email")),
            (&json!(true), &json!(new))
        );
        assert!(is_known(&alice).await, "sessions stay");
        assert_eq!(alice.ask("{ viewer { email } }").await.ok().at("viewer.email"), &json!(new), "{engines:?}");
        assert_eq!(sign_in(&gateway, &old, PASSWORD).await.refusals("signIn"), ["WRONG_CREDENTIALS"]);
        sign_in(&gateway, &new, PASSWORD).await.ok();
        let members = "SELECT count(*) FROM member WHERE email = 'alina@example.org'";
        assert_eq!(gateway.database.count(members).await, 1, "{engines:?}");
    }
}

/// Whom a provider vouches for has no password to give; both addresses agree all the same.
#[tokio::test]
async fn an_account_without_a_password_changes_its_address_without_one() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let alice = gateway.person("alice").await;
        let (old, new) = (address("alice"), address("alina"));
        // What is sent for a password is refused in words that say what to do.
        let sent = alice.call("requestEmailChange", json!({ "email": new, "password": "" }), "").await;
        assert_eq!(sent.refusals("requestEmailChange"), ["WRONG_CREDENTIALS"], "{engines:?}");
        let refusal = sent.at("requestEmailChange.userErrors.0");
        assert_eq!(
            (&refusal["message"], &refusal["remedy"]),
            (&json!("this account has no password"), &json!("Leave `password` out."))
        );
        alice.call("requestEmailChange", json!({ "email": new }), "").await.ok();
        let (leaves, takes) = (awaited(&gateway, (&old, "gcl_"), 1).await, awaited(&gateway, (&new, "gct_"), 1).await);
        assert_eq!(confirm(&gateway, &leaves).await.ok().at("confirmEmailChange.changed"), false, "{engines:?}");
        assert_eq!(confirm(&gateway, &takes).await.ok().at("confirmEmailChange.email"), &json!(new), "{engines:?}");

        // Whoever has one gives it.
        let bob = signed_up(&gateway, "bob").await;
        let without = bob.call("requestEmailChange", json!({ "email": address("bill") }), "").await;
        assert_eq!(without.refusals("requestEmailChange"), ["WRONG_CREDENTIALS"], "{engines:?}");
        assert_eq!(without.at("requestEmailChange.userErrors.0.remedy"), "Send it as `password`.");
    }
}

#[tokio::test]
async fn g12_what_was_sent_before_a_change_of_the_address_is_good_for_nothing() {
    let gateway = Gateway::sqlite().await;
    let alice = signed_up(&gateway, "alice").await;
    let sets = reset_code(&gateway, "alice").await;
    let proves = awaited(&gateway, (&address("alice"), "gcv_"), 1).await;
    let (leaves, takes) = both_codes(&gateway, &alice, (&address("alice"), &address("alina"))).await;
    confirm(&gateway, &leaves).await.ok();
    confirm(&gateway, &takes).await.ok();
    assert_eq!(gateway.database.count("SELECT count(*) FROM one_time_code").await, 0);
    assert_eq!(reset(&gateway, &sets, "mallory has the mailbox").await.refusals("resetPassword"), ["CODE_INVALID"]);
    assert_eq!(verify(&gateway, &proves).await.refusals("verifyEmail"), ["CODE_INVALID"]);
}

#[tokio::test]
async fn g9_an_address_that_is_taken_is_told_at_the_end_and_to_who_reads_its_mail() {
    let gateway = Gateway::sqlite().await;
    let alice = signed_up(&gateway, "alice").await;
    let (leaves, takes) = both_codes(&gateway, &alice, (&address("alice"), &address("bob"))).await;
    // Taken in between.
    signed_up(&gateway, "bob").await;
    confirm(&gateway, &leaves).await.ok();
    let refused = confirm(&gateway, &takes).await;
    assert_eq!(refused.refusals("confirmEmailChange"), ["TAKEN"]);
    assert_eq!(alice.ask("{ viewer { email } }").await.ok().at("viewer.email"), "alice@example.org");
    // Asking for it tells nothing.
    let (taken, free) = (ask_change(&alice, &address("bob")).await, ask_change(&alice, &address("carol")).await);
    assert_eq!(taken.text, free.text);
    let wrong = json!({ "email": address("dora"), "password": "a wrong password" });
    let wrong = alice.call("requestEmailChange", wrong, "").await;
    assert_eq!(wrong.refusals("requestEmailChange"), ["WRONG_CREDENTIALS"]);
}

/// Both codes of a person without a password, confirmed; the answer to the second.
async fn readdressed(gateway: &Gateway, person: &Person, to: &str) -> Answer {
    person.call("requestEmailChange", json!({ "email": to }), "").await.ok();
    let leaves = awaited(gateway, (&person.email, "gcl_"), 1).await;
    let takes = awaited(gateway, (to, "gct_"), 1).await;
    confirm(gateway, &leaves).await.ok();
    confirm(gateway, &takes).await
}

/// Who is a member already needs no second place: what was held for the new address goes, and its seat is free.
#[tokio::test]
async fn an_invitation_to_the_new_address_makes_way_for_the_member_who_has_it() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let acme = gateway.organization("acme", "support-hub", "enterprise").await;
        let other = gateway.organization("other", "support-hub", "enterprise").await;
        let alice = gateway.member(&acme, "alice", "super_admin").await;
        let olga = gateway.member(&other, "olga", "super_admin").await;
        let bob = gateway.member(&acme, "bob", "member").await;
        gateway.settle().await;
        let invited = invite(&alice, &address("robert")).await.ok();
        // Where the person is no member, the invitation is good, and for the person.
        invite(&olga, &address("robert")).await.ok();
        let reserved = async || {
            let seats = alice.ask("{ organization(slug: \"acme\") { seatUsage { reserved } } }").await.ok();
            seats.at("organization.seatUsage.0.reserved").clone()
        };
        assert_eq!(reserved().await, 1, "{engines:?}");
        let done = readdressed(&gateway, &bob, &address("robert")).await.ok();
        assert_eq!(done.at("confirmEmailChange.email"), &json!(address("robert")), "{engines:?}");
        assert_eq!(reserved().await, 0, "{engines:?}");
        let document = "query($id: ID!) { node(id: $id) { ... on Member { email state } } }";
        let bobs = alice.send(document, json!({ "id": member_id(bob.member.unwrap()) })).await.ok();
        assert_eq!(bobs.at("node"), &json!({ "email": address("robert"), "state": "ACTIVE" }), "{engines:?}");
        let held = alice.send(document, json!({ "id": invited.at("inviteMember.member.id") })).await;
        assert_ne!(held.at("node.state"), "PENDING", "{engines:?}");
        for (state, many) in [("revoked", 1), ("pending", 1)] {
            let invitations = format!("SELECT count(*) FROM invitation WHERE state = '{state}'");
            assert_eq!(gateway.database.count(&invitations).await, many, "{engines:?}: {state}");
        }
        let entries = "SELECT count(*) FROM activity_entry WHERE action = 'invitation.revoked'";
        assert_eq!(gateway.database.count(entries).await, 1, "{engines:?}");
    }
}

/// Another member who has the address, without an account of it, keeps it; what is said is where.
#[tokio::test]
async fn an_address_that_another_member_has_is_refused_with_the_organization() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let acme = gateway.organization("acme", "support-hub", "enterprise").await;
        let bob = gateway.member(&acme, "bob", "member").await;
        let carol = gateway.member(&acme, "carol", "member").await;
        let elsewhere = "UPDATE user_account SET email = 'carol@example.net' WHERE id = $1";
        gateway.database.run(elsewhere, [carol.user.into()]).await.unwrap();
        gateway.settle().await;
        let refused = readdressed(&gateway, &bob, &carol.email).await;
        assert_eq!(refused.refusals("confirmEmailChange"), ["TAKEN"], "{engines:?}");
        let message = &refused.at("confirmEmailChange.userErrors.0")["message"];
        assert!(message.as_str().unwrap().ends_with(": another member has this address there"), "{message}");
        assert_eq!(bob.ask("{ viewer { email } }").await.ok().at("viewer.email"), &json!(bob.email), "{engines:?}");
    }
}
