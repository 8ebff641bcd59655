//! What changes between the moment a request is judged and the moment it is carried out.

use std::time::Duration;

use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::json;

use crate::support::gateway::{Engines, Gateway};

/// C19: alice asks while somebody else holds the organization; before she gets her turn, her role is taken.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the other writer is an operator with a shell, past the store")]
async fn a_right_that_is_lost_while_a_change_waits_is_lost() {
    let gateway = Gateway::on(Engines::Postgres).await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let other = gateway.database.shell.begin().await.unwrap();
    other.execute_unprepared("SELECT 1 FROM organization FOR UPDATE").await.unwrap();

    let asked = tokio::spawn({
        let alice = alice.clone();
        async move { alice.call("changePlan", json!({ "plan": "business" }), "organization { plan { key } }").await }
    });
    // Until she waits for the row.
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while gateway.database.count(waiting).await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    other.execute_unprepared("DELETE FROM access_grant").await.unwrap();
    other.commit().await.unwrap();

    let answer = asked.await.unwrap();
    assert_eq!(answer.codes(), ["FORBIDDEN"], "{}", answer.text);
    assert_eq!(gateway.database.count("SELECT count(*) FROM organization WHERE plan = 'business'").await, 0);
}
