//! Invitations, whole: what must fail (B1 to B20), many at once, and the mail on its way.

use gatehouse::graphql::node::NodeType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::gateway::{Answer, Engines, Gateway, Person, Tenant};

mod address;
mod batch;
mod gift;
mod mail;
mod proof;
mod race;
mod secret;
mod smtp;

/// alice owns a support hub with many seats.
struct Hub {
    gateway: Gateway,
    acme: Tenant,
    alice: Person,
}

async fn hub(engines: Engines) -> Hub {
    furnish(Gateway::on(engines).await).await
}

async fn furnish(gateway: Gateway) -> Hub {
    let acme = gateway.organization("acme", "support-hub", "enterprise").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    gateway.settle().await;
    Hub { gateway, acme, alice }
}

/// Accepts by the invitation's id.
async fn accept_by_id(person: &Person, invitation: &Value) -> Answer {
    let proof = json!({ "proof": { "invitation": invitation } });
    person.call("acceptInvitation", proof, "organization { slug } member landing").await
}

/// Accepting is refused as data with this code.
#[track_caller]
fn refused(answer: &Answer, code: &str) {
    assert_eq!(answer.refusals("acceptInvitation"), [code], "{}", answer.text);
}

/// The invitation of an answer to `inviteMember`.
fn invitation_of(answer: &Answer) -> Value {
    answer.at("inviteMember.invitation.id").clone()
}

fn member_of(answer: &Answer) -> Uuid {
    let id = answer.at("inviteMember.member.id").as_str().unwrap().to_owned();
    NodeType::Member.parse(&id.into()).unwrap()
}

/// Writes past the API.
async fn write<const N: usize>(gateway: &Gateway, sql: &str, values: [sea_orm::Value; N]) {
    gateway.database.run(sql, values).await.unwrap();
    gateway.settle().await;
}

/// How many active members an organization has.
async fn active(gateway: &Gateway, tenant: &Tenant) -> i64 {
    let sql = "SELECT count(*) FROM member WHERE organization_id = $1 AND state = 'active'";
    gateway.database.rows(sql, [tenant.id.into()]).await[0].try_get_by_index(0).unwrap()
}
