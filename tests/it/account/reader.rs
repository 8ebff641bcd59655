//! How a person reads: the language and the timezone of letters, chosen with the account.

use chrono::TimeDelta;
use gatehouse::{jobs::notify, mail::Reader, service::token_notice::NoticeDays};
use serde_json::{Value, json};

use super::words::{PASSWORD, address, signed_up, until_written};
use crate::support::{
    gateway::{Answer, Engines, Gateway, Person},
    people::{fields, invite, member_id, remedies},
};

/// An organization with alice, who administers it, and bob in this role.
async fn office(engines: Engines, role: &str) -> (Gateway, Person, Person) {
    let gateway = Gateway::on(engines).await;
    let acme = gateway.organization("acme", "support-hub", "enterprise").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let bob = gateway.member(&acme, "bob", role).await;
    gateway.settle().await;
    (gateway, alice, bob)
}

async fn choose(person: &Person, input: Value) -> Answer {
    person.call("updateUser", input, "user { name language timezone }").await
}

/// German, in Berlin.
async fn choose_german(person: &Person) {
    choose(person, json!({ "language": "de", "timezone": "Europe/Berlin" })).await.ok();
}

/// The letters to an address, oldest first.
fn letters(gateway: &Gateway, to: &str) -> Vec<String> {
    // Long lines are folded (quoted-printable).
    let mails = gateway.mails().into_iter().map(|mail| mail.replace("=\r\n", ""));
    mails.filter(|mail| mail.lines().any(|line| line == format!("To: {to}"))).collect()
}

/// The newest letter to an address says all of this.
#[track_caller]
fn says(gateway: &Gateway, to: &str, words: &[&str]) {
    let newest = letters(gateway, to).pop().unwrap_or_else(|| panic!("no letter came to {to}"));
    for part in words {
        assert!(newest.contains(part), "`{part}` is not in {newest}");
    }
}

#[tokio::test]
async fn a_language_and_a_timezone_are_chosen_cleared_and_shown_to_their_person_alone() {
    for engines in Engines::DATABASES {
        let (_gateway, alice, bob) = office(engines, "super_admin").await;
        let own = "{ viewer { user { language timezone } } }";
        let none = json!({ "language": null, "timezone": null });
        assert_eq!(alice.ask(own).await.ok().at("viewer.user"), &none, "{engines:?}");
        let chosen = choose(&alice, json!({ "language": "de-AT", "timezone": "Europe/Vienna" })).await.ok();
        let german = json!({ "name": "alice", "language": "de", "timezone": "Europe/Vienna" });
        assert_eq!(chosen.at("updateUser.user"), &german, "{engines:?}");
        // What is left out stays, and null and empty are none.
        let named = choose(&alice, json!({ "name": "Alice" })).await.ok();
        let german = json!({ "name": "Alice", "language": "de", "timezone": "Europe/Vienna" });
        assert_eq!(named.at("updateUser.user"), &german, "{engines:?}");
        let document = "{ organization(slug: \"acme\") { members(search: \"alice\") { edges { node {
            user { language timezone } } } } } }";
        let seen = bob.ask(document).await.ok();
        assert_eq!(seen.at("organization.members.edges.0.node.user"), &none, "{engines:?}");
        let cleared = choose(&alice, json!({ "language": null })).await.ok();
        let placed = json!({ "name": "Alice", "language": null, "timezone": "Europe/Vienna" });
        assert_eq!(cleared.at("updateUser.user"), &placed, "{engines:?}");
        choose(&alice, json!({ "timezone": "" })).await.ok();
        assert_eq!(alice.ask(own).await.ok().at("viewer.user"), &none, "{engines:?}");
    }
}

#[tokio::test]
async fn a_language_without_letters_and_a_timezone_that_is_none_are_refused_with_what_there_is() {
    let gateway = Gateway::sqlite().await;
    let alice = gateway.person("alice").await;
    choose_german(&alice).await;
    let refused = choose(&alice, json!({ "language": "fr", "timezone": "Europe/Atlantis" })).await;
    assert_eq!(refused.refusals("updateUser"), ["INVALID", "INVALID"], "{}", refused.text);
    assert_eq!(fields(&refused, "updateUser"), ["language", "timezone"]);
    let told = refused.at("updateUser.userErrors.0.message");
    assert_eq!(told, "letters are written in `en`, `it`, `de`, `ko`, and in no other language");
    assert!(remedies(&refused, "updateUser").iter().all(|remedy| !remedy.is_empty()), "{}", refused.text);
    let kept = alice.ask("{ viewer { user { language timezone } } }").await.ok();
    assert_eq!(kept.at("viewer.user"), &json!({ "language": "de", "timezone": "Europe/Berlin" }));
}

#[tokio::test]
async fn s4_r8_a_notice_of_a_secret_is_in_the_language_and_the_time_of_each_who_is_told() {
    for engines in Engines::DATABASES {
        let (gateway, alice, bob) = office(engines, "super_admin").await;
        choose_german(&alice).await;
        let token = json!({ "name": "Backend", "scopes": ["members.read"], "expiresInDays": 30 });
        alice.call("createApiToken", token, "secret").await.ok();
        let (now, day) = (gateway.service.now(), TimeDelta::days(1));
        let (end, made) = (now + day * 20, now - day * 100);
        let sql = "UPDATE api_token SET expires_at = $1, created_at = $2";
        gateway.database.run(sql, [end.into(), made.into()]).await.unwrap();
        assert_eq!(notify(&gateway.service, &NoticeDays::default()).await, 2, "{engines:?}");
        let in_berlin = Reader::of("de", "Europe/Berlin").moment(end);
        assert!(in_berlin.contains(" Uhr (CE"), "{in_berlin}");
        says(&gateway, &alice.email, &["Hallo alice,", "das Geheimnis Backend", &in_berlin]);
        says(&gateway, &bob.email, &["Hello bob,", "the secret Backend", &Reader::default().moment(end)]);
    }
}

#[tokio::test]
async fn letters_about_an_account_are_in_the_language_that_it_has_chosen() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let alice = signed_up(&gateway, "alice").await;
        until_written(&gateway, "The link is good once, until").await;
        let ask = "mutation { requestEmailVerification { mailSent userErrors { code } } }";
        choose_german(&alice).await;
        alice.ask(ask).await.ok();
        until_written(&gateway, "Der Link gilt einmal, bis").await;
        says(&gateway, &address("alice"), &["Der Link gilt einmal, bis", " Uhr (CE"]);
        // Of one who has chosen a timezone alone, it is told in that.
        choose(&alice, json!({ "language": null, "timezone": "Asia/Seoul" })).await.ok();
        alice.ask(ask).await.ok();
        until_written(&gateway, "(KST)").await;
        says(&gateway, &address("alice"), &["The link is good once, until", "(KST)"]);
    }
}

#[tokio::test]
async fn letters_of_an_organization_are_in_the_language_that_their_reader_has_chosen() {
    for engines in Engines::DATABASES {
        let (gateway, alice, bob) = office(engines, "member").await;
        let carol = gateway.person("carol").await;
        choose_german(&bob).await;
        choose_german(&carol).await;
        // By the address alone, as whoever invites knows of no account.
        for email in [&carol.email, "dave@example.org"] {
            let invited = invite(&alice, email).await.ok();
            assert_eq!(invited.at("inviteMember.mailSent"), true, "{engines:?}");
        }
        says(&gateway, &carol.email, &["alice l=C3=A4dt Sie zu acme ein.", " Uhr (CE"]);
        says(&gateway, "dave@example.org", &["alice has invited you to join acme.", "(UTC)"]);
        let gone = json!({ "member": member_id(bob.member.unwrap()), "confirm": true, "notify": true });
        alice.call("removeMember", gone, "removed").await.ok();
        until_written(&gateway, "Ihr Zugang wurde entfernt.").await;
    }
}

#[tokio::test]
async fn what_an_account_has_chosen_goes_with_it() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let alice = signed_up(&gateway, "alice").await;
        choose_german(&alice).await;
        alice.call("deleteAccount", json!({ "password": PASSWORD }), "deleted").await.ok();
        until_written(&gateway, "Ihr Konto wurde gel").await;
        let kept = "SELECT count(*) FROM user_account WHERE language IS NOT NULL OR timezone IS NOT NULL";
        assert_eq!(gateway.database.count(kept).await, 0, "{engines:?}");
        // Who has the address now has chosen nothing.
        let next = signed_up(&gateway, "alice").await;
        let user = next.ask("{ viewer { user { language timezone } } }").await.ok();
        assert_eq!(user.at("viewer.user"), &json!({ "language": null, "timezone": null }), "{engines:?}");
    }
}
