//! Letters on their way: they wait, are tried again, go out once, and are wiped.

use std::path::Path;

use gatehouse::{jobs::deliver, service::mail::Delivery};
use serde_json::json;

use super::{Hub, furnish, invitation_of};
use crate::support::{
    database::TestDatabase,
    gateway::{Engines, Gateway},
    people::{accept, count, expire, invite, newest_token, token},
    server::free_port,
    smtp::SmtpServer,
};

/// A gateway that gives its mail to this server.
async fn mailing(engines: Engines, url: &str) -> Hub {
    let database = match engines {
        Engines::Embedded => TestDatabase::sqlite().await,
        Engines::Postgres | Engines::PostgresAndRedis => TestDatabase::postgres().await,
    };
    furnish(Gateway::configured(database, None, |args| args.mail_url = Some(url.parse().unwrap())).await).await
}

/// Lets the time until the next attempt pass.
async fn due(gateway: &Gateway) {
    let sql = "UPDATE outgoing_mail SET due_at = created_at WHERE state = 'waiting'";
    gateway.database.run(sql, []).await.unwrap();
}

/// How many letters stand in this state.
async fn letters(gateway: &Gateway, state: &str) -> i64 {
    count(gateway, &format!("outgoing_mail WHERE state = '{state}'")).await
}

/// The whole way: invited, mailed by SMTP, and in by the link of the mail.
#[tokio::test]
async fn an_invitation_goes_by_smtp_and_its_link_lets_in() {
    for engines in Engines::DATABASES {
        let server = SmtpServer::start(&[]);
        let Hub { gateway, acme, alice } = mailing(engines, &server.url()).await;
        let bob = gateway.person("bob").await;
        let invited = invite(&alice, &bob.email).await.ok();
        assert_eq!(invited.at("inviteMember.mailSent"), true, "{engines:?}");
        let mails = server.mails();
        assert_eq!(mails.len(), 1);
        for part in [
            "X-Rcpt: bob@example.org",
            "To: bob@example.org",
            "From: Gatehouse <gate@example.org>",
            "multipart/alternative",
        ] {
            assert!(mails[0].contains(part), "{part}: {}", mails[0]);
        }
        assert!(!Path::new(&gateway.mail).exists(), "nothing is written to a folder beside");
        accept(&bob, &token(&mails[0])).await.ok();
        assert_eq!(super::active(&gateway, &acme).await, 2);
        assert_eq!((letters(&gateway, "sent").await, letters(&gateway, "waiting").await), (1, 0));
    }
}

/// A server that is down loses nothing: the letter goes out when it is up.
#[tokio::test]
async fn a_letter_waits_for_a_server_that_is_down() {
    for engines in Engines::DATABASES {
        let port = free_port();
        let Hub { gateway, alice, .. } = mailing(engines, &format!("smtp://127.0.0.1:{port}")).await;
        let invited = invite(&alice, "bob@example.org").await.ok();
        assert_eq!(invited.at("inviteMember.mailSent"), false, "{engines:?}");
        assert_eq!(deliver(&gateway.service).await, [], "not before its time");
        due(&gateway).await;
        assert_eq!(deliver(&gateway.service).await, [Delivery::Later], "still down");
        let server = SmtpServer::start_at(port, &[]);
        due(&gateway).await;
        assert_eq!(deliver(&gateway.service).await, [Delivery::Sent]);
        assert_eq!((server.mails().len(), letters(&gateway, "sent").await), (1, 1), "{engines:?}");
        assert_eq!(deliver(&gateway.service).await, [], "once");
    }
}

/// A letter that waits when the gateway ends is sent by the next one, from the same secret.
#[tokio::test]
async fn a_letter_outlives_its_gateway() {
    for engines in Engines::DATABASES {
        let port = free_port();
        let Hub { mut gateway, acme, alice } = mailing(engines, &format!("smtp://127.0.0.1:{port}")).await;
        let bob = gateway.person("bob").await;
        invite(&alice, &bob.email).await.ok();
        let server = SmtpServer::start_at(port, &[]);
        due(&gateway).await;
        gateway.restart().await;
        let _upkeep = gatehouse::jobs::start(
            gateway.service.clone(),
            gatehouse::service::token_notice::NoticeDays::default(),
            None,
        );
        for _ in 0..200 {
            if letters(&gateway, "sent").await == 1 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let mails = server.mails();
        assert_eq!(mails.len(), 1, "{engines:?}");
        // Tokens name the port that the gateway had before.
        let bob = gateway.stranger().with_token(&gateway.mint(&bob, None));
        accept(&bob, &token(&mails[0])).await.ok();
        assert_eq!(super::active(&gateway, &acme).await, 2, "{engines:?}");
    }
}

/// What the server cannot take now is tried again; what it will never take is not, and its secret is wiped.
#[tokio::test]
async fn a_server_that_says_later_is_asked_again_and_one_that_says_never_is_not() {
    for engines in Engines::DATABASES {
        let server = SmtpServer::start(&[]);
        server.will_answer(&["451 4.3.0 later", "250 taken", "550 5.1.1 no such person bob@example.org"]);
        let Hub { gateway, alice, .. } = mailing(engines, &server.url()).await;
        let first = invite(&alice, "carol@example.org").await.ok();
        assert_eq!(first.at("inviteMember.mailSent"), false);
        due(&gateway).await;
        assert_eq!(deliver(&gateway.service).await, [Delivery::Sent]);
        let second = invite(&alice, "bob@example.org").await.ok();
        assert_eq!(second.at("inviteMember.mailSent"), false);
        due(&gateway).await;
        assert_eq!(deliver(&gateway.service).await, [], "{engines:?}: never again");
        assert_eq!((server.mails().len(), letters(&gateway, "failed").await), (1, 1));
        let sql = "SELECT problem, sealed, attempts FROM outgoing_mail WHERE state = 'failed'";
        let row = &gateway.database.rows(sql, []).await[0];
        assert_eq!(
            row.try_get::<String>("", "problem").unwrap(),
            "the mail server refused with 550",
            "without the address"
        );
        assert_eq!(row.try_get::<Option<Vec<u8>>>("", "sealed").unwrap(), None, "wiped");
        assert_eq!(row.try_get::<i32>("", "attempts").unwrap(), 1);
        // The invitation stands, and can be sent again.
        let again = json!({ "invitation": invitation_of(&second) });
        let again = alice.call("resendInvitation", again, "mailSent").await.ok();
        assert_eq!(again.at("resendInvitation.mailSent"), true);
    }
}

/// A letter is given up in the end, with what it says.
#[tokio::test]
async fn a_letter_is_given_up_when_its_time_is_over() {
    let Hub { gateway, alice, .. } = mailing(Engines::Embedded, &format!("smtp://127.0.0.1:{}", free_port())).await;
    invite(&alice, "bob@example.org").await.ok();
    let sql = "UPDATE outgoing_mail SET ends_at = created_at, due_at = created_at";
    gateway.database.run(sql, []).await.unwrap();
    assert_eq!(deliver(&gateway.service).await, [Delivery::Failed]);
    let row = &gateway.database.rows("SELECT problem, sealed FROM outgoing_mail", []).await[0];
    assert_eq!(row.try_get::<String>("", "problem").unwrap(), "its time was over");
    assert_eq!(row.try_get::<Option<Vec<u8>>>("", "sealed").unwrap(), None);
    assert_eq!(deliver(&gateway.service).await, []);
}

/// Several gateways on one database deliver each letter once.
#[tokio::test(flavor = "multi_thread")]
async fn several_gateways_send_a_letter_once() {
    for engines in Engines::DATABASES {
        let port = free_port();
        let Hub { gateway, alice, .. } = mailing(engines, &format!("smtp://127.0.0.1:{port}")).await;
        invite(&alice, "bob@example.org").await.ok();
        due(&gateway).await;
        let server = SmtpServer::start_at(port, &["--delay", "0.2"]);
        let rounds = (0..4).map(|_| deliver(&gateway.service));
        let came_of_it = futures_util::future::join_all(rounds).await.concat();
        let sent = came_of_it.iter().filter(|delivery| **delivery == Delivery::Sent).count();
        assert_eq!((sent, server.mails().len()), (1, 1), "{engines:?} {came_of_it:?}");
    }
}

/// A gateway that dies with a letter in hand: the letter is free again after a while, and not before.
#[tokio::test]
async fn a_letter_that_was_taken_and_lost_is_taken_again() {
    let server = SmtpServer::start(&[]);
    server.will_answer(&["451 later"]);
    let Hub { gateway, alice, .. } = mailing(Engines::Embedded, &server.url()).await;
    invite(&alice, "bob@example.org").await.ok();
    // As a claim leaves it.
    let later = gateway.service.now() + chrono::TimeDelta::minutes(5);
    let sql = "UPDATE outgoing_mail SET due_at = $1, attempts = attempts + 1";
    gateway.database.run(sql, [later.into()]).await.unwrap();
    assert_eq!(deliver(&gateway.service).await, []);
    due(&gateway).await;
    assert_eq!(deliver(&gateway.service).await, [Delivery::Sent]);
}

/// What is taken back, declined or sent anew before it has left does not leave.
#[tokio::test]
async fn a_letter_about_what_is_over_is_not_sent() {
    let port = free_port();
    let Hub { gateway, alice, .. } = mailing(Engines::Embedded, &format!("smtp://127.0.0.1:{port}")).await;
    let revoked = invite(&alice, "bob@example.org").await.ok();
    let sent_again = invite(&alice, "carol@example.org").await.ok();
    alice.call("revokeInvitation", json!({ "invitation": invitation_of(&revoked) }), "removed").await.ok();
    alice.call("resendInvitation", json!({ "invitation": invitation_of(&sent_again) }), "mailSent").await.ok();
    assert_eq!(letters(&gateway, "waiting").await, 1);
    let server = SmtpServer::start_at(port, &[]);
    due(&gateway).await;
    assert_eq!(deliver(&gateway.service).await, [Delivery::Sent]);
    let mails = server.mails();
    assert!(mails.len() == 1 && mails[0].contains("To: carol@example.org"));
    let carol = gateway.person("carol").await;
    accept(&carol, &token(&mails[0])).await.ok();
}

/// A change that is refused sends nothing, and one that is committed sends what it posted.
#[tokio::test]
async fn a_letter_goes_with_its_change_or_not_at_all() {
    let Hub { gateway, alice, .. } = super::hub(Engines::Embedded).await;
    invite(&alice, "bob@example.org").await.ok();
    expire(&gateway).await;
    let refused = invite(&alice, "bob@example.org").await;
    assert_eq!(refused.refusals("inviteMember"), ["ALREADY_MEMBER"]);
    let unasked =
        alice.call("inviteMember", json!({ "email": "carol@example.org", "notify": false }), "mailSent").await;
    assert_eq!(unasked.ok().at("inviteMember.mailSent"), false);
    assert_eq!((count(&gateway, "outgoing_mail").await, gateway.mails().len()), (1, 1));
    assert!(newest_token(&gateway).starts_with("giv_"));
}

/// Invitations speak the organization's language and tell its time.
#[tokio::test]
async fn an_invitation_speaks_the_organizations_language() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "cloud-console", "domain").await;
    let alice = gateway.member(&acme, "alice", "domain_admin").await;
    gateway.settle().await;
    let values = json!([{ "key": "timezone", "value": "Asia/Seoul" }, { "key": "language", "value": "ko" }]);
    let region = json!({ "section": "region", "values": values });
    alice.call("updateProfile", region, "organization { id }").await.ok();
    alice.call("inviteMember", json!({ "email": "bob@example.org", "role": "user" }), "mailSent").await.ok();
    let mail = gateway.mails().pop().unwrap();
    assert!(mail.contains("lang=3D\"ko\"") || mail.contains("lang=\"ko\"") || mail.contains("base64"), "{mail}");
    assert!(mail.contains("=?utf-8?"), "the subject is encoded: {mail}");
}

/// B16: nobody is flooded with letters of one organization, however they are asked for: ten in five minutes, and not one more.
#[tokio::test]
async fn b16_an_address_gets_no_more_letters_than_a_person_could_want() {
    let Hub { gateway, alice, .. } = super::hub(Engines::Embedded).await;
    let first = invite(&alice, "bob@example.org").await.ok();
    let again = json!({ "invitation": invitation_of(&first) });
    for letter in 2..=10 {
        let sent = alice.call("resendInvitation", again.clone(), "mailSent").await.ok();
        assert_eq!(sent.at("resendInvitation.mailSent"), true, "letter {letter}");
    }
    assert_eq!(alice.call("resendInvitation", again.clone(), "mailSent").await.codes(), ["RATE_LIMITED"]);
    alice.call("revokeInvitation", again, "removed").await.ok();
    assert_eq!(invite(&alice, "bob@example.org").await.codes(), ["RATE_LIMITED"], "nor by another invitation");
    assert_eq!(gateway.mails().iter().filter(|mail| mail.contains("To: bob@example.org")).count(), 10);
    invite(&alice, "carol@example.org").await.ok();
}
