//! The server that mail is given to: who it is, and who we are.

use serde_json::json;

use super::{Hub, furnish};
use crate::support::{
    database::TestDatabase,
    gateway::Gateway,
    people::{count, invite},
    smtp::SmtpServer,
};

async fn mailing(url: &str) -> Hub {
    let database = TestDatabase::sqlite().await;
    furnish(Gateway::configured(database, None, |args| args.mail_url = Some(url.parse().unwrap())).await).await
}

/// User and password go to the server; wrong ones are the operator's to set right, and cost no letter.
#[tokio::test]
async fn the_server_is_told_who_we_are() {
    let server = SmtpServer::start(&["--user", "gate@house", "--password", "p:a/ss"]);
    let right = mailing(&format!("smtp://gate%40house:p%3Aa%2Fss@127.0.0.1:{}", server.port())).await;
    assert_eq!(invite(&right.alice, "bob@example.org").await.ok().at("inviteMember.mailSent"), true);
    for login in ["gate%40house:wrong@", ""] {
        let Hub { gateway, alice, .. } = mailing(&format!("smtp://{login}127.0.0.1:{}", server.port())).await;
        assert_eq!(invite(&alice, "bob@example.org").await.ok().at("inviteMember.mailSent"), false);
        assert_eq!(count(&gateway, "outgoing_mail WHERE state = 'waiting'").await, 1, "{login}: it is not lost");
    }
    assert_eq!(server.mails().len(), 1);
}

/// A server whose certificate nobody vouches for is told nothing.
#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_nothing() {
    let server = SmtpServer::start_with_own_certificate();
    let Hub { gateway, alice, .. } = mailing(&format!("smtps://u:p@localhost:{}", server.port())).await;
    assert_eq!(invite(&alice, "bob@example.org").await.ok().at("inviteMember.mailSent"), false);
    let rows = gateway.database.rows("SELECT problem FROM outgoing_mail WHERE state = 'waiting'", []).await;
    let problem: String = rows[0].try_get("", "problem").unwrap();
    assert!(problem.contains("out of reach"), "{problem}");
    assert_eq!(server.mails().len(), 0);
}

/// By TLS to a server whose certificate the system vouches for; and by another process than the one that was asked to invite.
#[tokio::test]
async fn a_server_that_is_vouched_for_gets_what_waits() {
    let server = SmtpServer::start_with_own_certificate();
    let url = format!("smtps://localhost:{}", server.port());
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    let database = TestDatabase::sqlite().await;
    let gateway = Gateway::configured(database, None, |args| {
        args.mail_url = Some(url.parse().unwrap());
        args.secret_file.clone_from(&secret);
    });
    let Hub { gateway, alice, .. } = furnish(gateway.await).await;
    assert_eq!(invite(&alice, "bob@example.org").await.ok().at("inviteMember.mailSent"), false);
    gateway.database.run("UPDATE outgoing_mail SET due_at = created_at", []).await.unwrap();
    let mut serving = tokio::process::Command::new(env!("CARGO_BIN_EXE_gatehouse"))
        .args(["serve", "--listen", "127.0.0.1:0", "--mail-from", "gate@example.org", "--database-url"])
        .arg(&gateway.database.url)
        .env("GATEHOUSE_SECRET_FILE", &secret)
        .env("GATEHOUSE_MAIL_URL", &url)
        .env("SSL_CERT_FILE", server.certificate())
        .current_dir(folder.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    for _ in 0..400 {
        if count(&gateway, "outgoing_mail WHERE state = 'sent'").await == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    serving.kill().await.unwrap();
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("To: bob@example.org"));
}

/// H8: names are names, in the header and in the body, whatever they say.
#[tokio::test]
async fn h8_names_add_no_header_no_recipient_and_no_markup() {
    let server = SmtpServer::start(&[]);
    let Hub { gateway, acme, alice } = mailing(&server.url()).await;
    let evil = "<img src=x onerror=alert(1)>\r\nBcc: mallory@example.org\r\n\r\n.\r\nMAIL FROM:<x@example.org>";
    let sql = "UPDATE organization SET name = $1 WHERE id = $2";
    super::write(&gateway, sql, [evil.into(), acme.id.into()]).await;
    let sql = "UPDATE member SET name = $1 WHERE id = $2";
    super::write(&gateway, sql, [evil.into(), alice.member.into()]).await;
    alice.call("inviteMember", json!({ "email": "bob@example.org" }), "mailSent").await.ok();
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    let mail = mails[0].replace("=\r\n", "").replace("=\n", "");
    assert!(mail.starts_with("X-Rcpt: bob@example.org\r\n") || mail.starts_with("X-Rcpt: bob@example.org\n"), "{mail}");
    assert!(!mail.lines().any(|line| line.starts_with("Bcc:")), "{mail}");
    let (_, html) = mail.split_once("Content-Type: text/html").unwrap();
    assert!(!html.contains("<img") && html.contains("&lt;img"), "{mail}");
}
