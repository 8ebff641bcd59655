//! Inviting and joining, as every test of people does it.

use gatehouse::graphql::node::NodeType;
use serde_json::{Value, json};
use uuid::Uuid;

use super::gateway::{Answer, Gateway, Person, Tenant};

/// What the tests of invitations look at.
pub(crate) const INVITED: &str = "member { id name email state user { id } roles { key } } \
    invitation { id email state expiresAt sends roles { key } invitedBy { name } } mailSent";

/// Global id of a member.
pub(crate) fn member_id(member: Uuid) -> String {
    NodeType::Member.id(member).to_string()
}

/// Global id of an app.
pub(crate) fn app_id(app: Uuid) -> String {
    NodeType::App.id(app).to_string()
}

/// Invites an address as a plain member.
pub(crate) async fn invite(by: &Person, email: &str) -> Answer {
    by.call("inviteMember", json!({ "email": email }), INVITED).await
}

/// Invites with more than an address.
pub(crate) async fn invite_with(by: &Person, input: Value) -> Answer {
    by.call("inviteMember", input, INVITED).await
}

/// The token of the newest invitation; letters about accounts may have come after it.
pub(crate) fn newest_token(gateway: &Gateway) -> String {
    let mails = gateway.mails();
    let newest = mails.iter().rev().find(|mail| mail.replace("=\r\n", "").contains("giv_"));
    token(newest.expect("no invitation was sent"))
}

/// The token of a mail's link.
pub(crate) fn token(mail: &str) -> String {
    // Long lines are folded (quoted-printable).
    let mail = mail.replace("=\r\n", "");
    let start = mail.find("giv_").expect("no link in the mail");
    mail[start..start + 47].to_owned()
}

/// Accepts by the token of a mail.
pub(crate) async fn accept(person: &Person, token: &str) -> Answer {
    let selection = "organization { id slug name } member landing";
    person.call("acceptInvitation", json!({ "proof": { "token": token } }), selection).await
}

/// Switches to an organization, which mints another token.
pub(crate) async fn switch(person: &Person, slug: &str) -> Person {
    let answer = person.call("switchOrganization", json!({ "organization": slug }), "accessToken").await.ok();
    person.with_token(answer.at("switchOrganization.accessToken").as_str().unwrap())
}

/// Somebody invited who has come: invited by `by`, joined and signed in there.
pub(crate) async fn join(gateway: &Gateway, by: &Person, (name, input): (&str, Value)) -> Person {
    let mut person = gateway.person(name).await;
    let mut input = input;
    input["email"] = json!(person.email);
    let invited = invite_with(by, input).await.ok();
    let accepted = accept(&person, &newest_token(gateway)).await.ok();
    let id = invited.at("inviteMember.member.id").as_str().unwrap().to_owned();
    person.member = Some(NodeType::Member.parse(&id.into()).unwrap());
    switch(&person, accepted.at("acceptInvitation.organization.slug").as_str().unwrap()).await
}

/// Feature grants of a member, as `app feature`, sorted.
pub(crate) async fn ticks(gateway: &Gateway, member: Uuid) -> Vec<String> {
    let sql = "SELECT a.slug, g.feature FROM access_grant g JOIN app a ON a.id = g.app_id
               WHERE g.grantee_id = $1 AND g.feature IS NOT NULL ORDER BY a.slug, g.feature";
    let rows = gateway.database.rows(sql, [member.into()]).await;
    let text = |row: &sea_orm::QueryResult, column| row.try_get::<String>("", column).unwrap();
    rows.iter().map(|row| format!("{} {}", text(row, "slug"), text(row, "feature"))).collect()
}

/// Changes an organization's settings past the API.
pub(crate) async fn set(gateway: &Gateway, tenant: &Tenant, settings: Value) {
    let sql = "UPDATE organization SET settings = $1 WHERE id = $2";
    gateway.database.run(sql, [settings.into(), tenant.id.into()]).await.unwrap();
    gateway.settle().await;
}

/// Lets every pending invitation run out.
pub(crate) async fn expire(gateway: &Gateway) {
    let past = gateway.service.now() - chrono::TimeDelta::hours(1);
    let sql = "UPDATE invitation SET expires_at = $1 WHERE state = 'pending'";
    gateway.database.run(sql, [past.into()]).await.unwrap();
}

/// How many rows a query of the whole database counts.
pub(crate) async fn count(gateway: &Gateway, what: &str) -> i64 {
    gateway.database.count(&format!("SELECT count(*) FROM {what}")).await
}

/// The remedies of a mutation's refusals.
pub(crate) fn remedies(answer: &Answer, mutation: &str) -> Vec<String> {
    let errors = answer.at(mutation)["userErrors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["remedy"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The fields of a mutation's refusals, as paths.
pub(crate) fn fields(answer: &Answer, mutation: &str) -> Vec<String> {
    let errors = answer.at(mutation)["userErrors"].as_array().cloned().unwrap_or_default();
    let path = |error: &Value| {
        let steps = error["field"].as_array().cloned().unwrap_or_default();
        steps.iter().filter_map(|step| step.as_str().map(str::to_owned)).collect::<Vec<_>>().join(".")
    };
    errors.iter().map(path).collect()
}

/// Everyone's address counts as proven.
pub(crate) async fn prove_addresses(gateway: &Gateway) {
    let sql = "UPDATE user_account SET email_verified_at = created_at WHERE email_verified_at IS NULL";
    gateway.database.run(sql, []).await.unwrap();
}
