//! What every test of accounts says and reads.

use std::time::Duration;

use gatehouse::identity::Password;
use serde_json::json;

use crate::support::gateway::{Answer, Gateway, Person};

pub(super) const PASSWORD: &str = "correct horse battery";
pub(super) const OTHER: &str = "another horse battery";

/// An address of example.org.
pub(super) fn address(name: &str) -> String {
    format!("{name}@example.org")
}

/// A person who has just opened an account.
pub(super) async fn signed_up(gateway: &Gateway, name: &str) -> Person {
    let input = json!({ "email": address(name), "password": PASSWORD, "name": name });
    let answer = gateway.stranger().call("signUp", input, "accessToken").await.ok();
    gateway.stranger().with_token(answer.at("signUp.accessToken").as_str().unwrap())
}

/// A sign-in with this password.
pub(super) async fn sign_in(gateway: &Gateway, email: &str, password: &str) -> Answer {
    let input = json!({ "email": email, "password": password });
    gateway.stranger().call("signIn", input, "accessToken refreshToken user { email }").await
}

/// A further session of a person.
pub(super) async fn session(gateway: &Gateway, name: &str, password: &str) -> Person {
    let answer = sign_in(gateway, &address(name), password).await.ok();
    gateway.stranger().with_token(answer.at("signIn.accessToken").as_str().unwrap())
}

/// A text in an answer.
#[track_caller]
pub(super) fn text<'a>(answer: &'a Answer, path: &str) -> &'a str {
    answer.at(path).as_str().unwrap_or_else(|| panic!("{path} in {}", answer.text))
}

/// Asks for the next tokens of a session.
pub(super) async fn refresh(gateway: &Gateway, token: &str) -> Answer {
    gateway.stranger().call("refreshSession", json!({ "refreshToken": token }), "accessToken refreshToken").await
}

/// Waits until a letter with these words was written.
pub(super) async fn until_written(gateway: &Gateway, words: &str) {
    for _ in 0..500 {
        if gateway.mails().iter().any(|mail| mail.contains(words)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no letter says `{words}`");
}

/// Whether the person is still known.
pub(super) async fn is_known(person: &Person) -> bool {
    person.ask("{ viewer { id } }").await.at("viewer.id").is_string()
}

/// Asks for a letter to set another password.
pub(super) async fn request_reset(gateway: &Gateway, email: &str) -> Answer {
    gateway.stranger().call("requestPasswordReset", json!({ "email": email }), "").await
}

/// Sets another password.
pub(super) async fn reset(gateway: &Gateway, code: &str, password: &str) -> Answer {
    let input = json!({ "code": code, "newPassword": password });
    gateway.stranger().call("resetPassword", input, "endedSessions").await
}

/// The codes of this purpose in the letters to an address, oldest first.
pub(super) fn codes(gateway: &Gateway, to: &str, prefix: &str) -> Vec<String> {
    // Long lines are folded (quoted-printable).
    let mails = gateway.mails().into_iter().map(|mail| mail.replace("=\r\n", ""));
    let mails = mails.filter(|mail| mail.lines().any(|line| line.starts_with("To:") && line.contains(to)));
    mails.filter_map(|mail| mail.find(prefix).map(|start| mail[start..start + 47].to_owned())).collect()
}

/// Waits for the letter that makes so many codes of this purpose, which is written after the answer; the newest code.
pub(super) async fn awaited(gateway: &Gateway, (to, prefix): (&str, &str), count: usize) -> String {
    for _ in 0..500 {
        let found = codes(gateway, to, prefix);
        if found.len() >= count {
            return found.last().unwrap().clone();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no letter came to {to}");
}

/// A code by which another password is set, fresh from the mail.
pub(super) async fn reset_code(gateway: &Gateway, name: &str) -> String {
    let before = codes(gateway, &address(name), "gcr_").len();
    request_reset(gateway, &address(name)).await.ok();
    awaited(gateway, (&address(name), "gcr_"), before + 1).await
}

/// Gives everybody the usual password: people of a gateway have none.
pub(super) async fn give_passwords(gateway: &Gateway) {
    let hash = gateway.service.passwords().hash(Password::choose(PASSWORD.to_owned()).unwrap()).await.unwrap();
    let sql = "UPDATE user_account SET password_hash = $1 WHERE password_hash IS NULL";
    gateway.database.run(sql, [hash.into()]).await.unwrap();
    gateway.settle().await;
}
