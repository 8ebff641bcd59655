//! The link is a secret: B14.

use gatehouse::graphql::sdl;
use serde_json::json;

use super::{Hub, furnish, invitation_of};
use crate::support::{
    database::TestDatabase,
    gateway::{Answer, Gateway},
    people::{accept, invite, newest_token},
};

/// Every byte of a SQLite database, its log included.
fn bytes(gateway: &Gateway) -> Vec<u8> {
    let file = gateway.database.url.trim_start_matches("sqlite:").to_owned();
    let all = ["", "-wal"].map(|ending| std::fs::read(format!("{file}{ending}")).unwrap_or_default());
    all.concat()
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|part| part == text)
}

/// B14: the token stands in the mail and nowhere else: not in the database, not even while the letter waits; not in any answer;
/// and its link gives it to no server.
#[tokio::test]
async fn b14_the_token_is_in_the_mail_alone() {
    let Hub { gateway, alice, .. } = furnish(Gateway::with(TestDatabase::sqlite().await, None).await).await;
    let bob = gateway.person("bob").await;
    // The letter waits: there is no folder to write it to.
    std::fs::remove_dir_all(&gateway.mail).unwrap();
    let input = json!({ "email": bob.email, "idempotencyKey": "once" });
    let mut answers: Vec<Answer> = Vec::new();
    let selection = "mailSent invitation { id email state } member { id invitation { id state } }";
    answers.push(alice.call("inviteMember", input.clone(), selection).await.ok());
    assert_eq!(answers[0].at("inviteMember.mailSent"), false);
    answers.push(alice.call("inviteMember", input, selection).await.ok());
    let waiting = bytes(&gateway);
    assert!(holds(&waiting, b"outgoing_mail"), "this is the database");
    for secret in ["giv_", "/invitation#", "invited you to join"] {
        assert!(!holds(&waiting, secret.as_bytes()), "`{secret}` is in the database");
    }
    std::fs::create_dir(&gateway.mail).unwrap();
    let again = json!({ "invitation": invitation_of(&answers[0]) });
    answers.push(alice.call("resendInvitation", again, "mailSent invitation { id }").await.ok());
    let token = newest_token(&gateway);
    assert!(gateway.mails()[0].replace("=\r\n", "").contains(&format!("/invitation#{token}")), "in the fragment");
    answers.push(accept(&bob, &token).await.ok());
    let everything = "{ organization(slug: \"acme\") { invitations { edges { node { id email state } } }
        activity(first: 100) { edges { node { action detail target { name } } } } } }";
    answers.push(alice.ask(everything).await.ok());
    for answer in &answers {
        assert!(!answer.text.contains("giv_") && !answer.text.contains(&token), "{}", answer.text);
    }
    assert!(!holds(&bytes(&gateway), token.as_bytes()));
    let sealed = "SELECT count(*) FROM outgoing_mail WHERE sealed IS NOT NULL";
    assert_eq!(gateway.database.count(sealed).await, 0, "a letter that has left is wiped");
}

/// B14: no field of any invitation gives its token or a hash of it.
#[test]
fn b14_no_field_of_the_schema_is_the_token() {
    let sdl = sdl();
    for name in ["type Invitation implements Node", "type PendingInvitation", "type InvitedRow"] {
        let (_, rest) =
            sdl.split_once(&format!("{name} {{")).unwrap_or_else(|| panic!("`{name}` is not in the schema"));
        let (fields, _) = rest.split_once("\n}").unwrap();
        let fields: Vec<&str> = fields.lines().map(str::trim).filter(|line| !line.starts_with('"')).collect();
        let told =
            |word: &str| fields.iter().any(|line| line.split([':', '(']).next().unwrap_or_default().contains(word));
        assert!(!told("token") && !told("hash") && !told("link") && !told("secret"), "{name}: {fields:?}");
    }
}

/// B14: whoever may invite sees that a mail is asked for, and not the address book of a failure: a refusal repeats no address.
#[tokio::test]
async fn b14_the_note_of_a_letter_names_nobody() {
    let Hub { gateway, alice, .. } = furnish(Gateway::with(TestDatabase::sqlite().await, None).await).await;
    std::fs::remove_dir_all(&gateway.mail).unwrap();
    invite(&alice, "bob@example.org").await.ok();
    let rows = gateway.database.rows("SELECT problem, state FROM outgoing_mail", []).await;
    let problem: String = rows[0].try_get("", "problem").unwrap();
    assert!(!problem.contains("bob") && !problem.contains("giv_"), "{problem}");
    assert_eq!(rows[0].try_get::<String>("", "state").unwrap(), "waiting");
}
