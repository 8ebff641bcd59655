//! Rows to start from, made past the store.

use chrono::{DateTime, Utc};
use gatehouse::id::new_id;
use sea_orm::Value;
use uuid::Uuid;

use crate::support::database::TestDatabase;

/// A moment that every database keeps exactly.
pub(crate) fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000, 123_456_000).unwrap()
}

/// A moment that has not come.
pub(crate) fn later() -> DateTime<Utc> {
    DateTime::from_timestamp(4_000_000_000, 0).unwrap()
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str::<serde_json::Value>(text).unwrap().into()
}

async fn insert<const N: usize>(db: &TestDatabase, table: &str, row: [(&str, Value); N]) {
    let columns = row.each_ref().map(|(column, _)| *column).join(", ");
    let marks = (1..=N).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let sql = format!("INSERT INTO {table} ({columns}) VALUES ({marks})");
    db.run(&sql, row.map(|(_, value)| value)).await.unwrap_or_else(|error| panic!("{table}: {error}"));
}

pub(crate) async fn blueprint(db: &TestDatabase) -> Uuid {
    let id = new_id();
    let row = [
        ("id", id.into()),
        ("name", id.to_string().into()),
        ("version", 1.into()),
        ("hash", "00".into()),
        ("title", "A product".into()),
        ("source", "".into()),
        ("installed_at", noon().into()),
    ];
    insert(db, "blueprint", row).await;
    id
}

pub(crate) async fn organization(db: &TestDatabase, slug: &str, parent: Option<Uuid>) -> Uuid {
    let id = new_id();
    let row = [
        ("id", id.into()),
        ("slug", slug.into()),
        ("name", slug.into()),
        ("parent_id", parent.into()),
        ("blueprint_id", blueprint(db).await.into()),
        ("plan", "free".into()),
        ("state", "active".into()),
        ("settings", json("{}")),
        ("created_at", noon().into()),
        ("updated_at", noon().into()),
    ];
    insert(db, "organization", row).await;
    id
}

pub(crate) async fn user(db: &TestDatabase, name: &str) -> Uuid {
    let id = new_id();
    let row = [
        ("id", id.into()),
        ("email", format!("{name}@example.org").into()),
        ("name", name.into()),
        ("state", "active".into()),
        ("created_at", noon().into()),
        ("updated_at", noon().into()),
    ];
    insert(db, "user_account", row).await;
    id
}

pub(crate) async fn session(db: &TestDatabase, user: Uuid) -> Uuid {
    let id = new_id();
    let row = [
        ("id", id.into()),
        ("user_id", user.into()),
        ("created_at", noon().into()),
        ("last_seen_at", noon().into()),
        ("expires_at", later().into()),
    ];
    insert(db, "session", row).await;
    id
}

pub(crate) async fn member(db: &TestDatabase, organization: Uuid, name: &str, user: Option<Uuid>) -> Uuid {
    let id = new_id();
    let row = [
        ("id", id.into()),
        ("organization_id", organization.into()),
        ("user_id", user.into()),
        ("email", format!("{name}@example.org").into()),
        ("handle", name.into()),
        ("name", name.into()),
        ("state", "active".into()),
        ("created_at", noon().into()),
    ];
    insert(db, "member", row).await;
    id
}

pub(crate) async fn invitation(db: &TestDatabase, organization: Uuid, member: Uuid, email: &str) -> Uuid {
    let id = new_id();
    let row = [
        ("id", id.into()),
        ("organization_id", organization.into()),
        ("member_id", member.into()),
        ("email", email.into()),
        ("token_hash", id.as_bytes().to_vec().into()),
        ("state", "pending".into()),
        ("expires_at", later().into()),
        ("sent_at", noon().into()),
        ("sends", 1.into()),
        ("created_at", noon().into()),
    ];
    insert(db, "invitation", row).await;
    id
}

pub(crate) async fn team(db: &TestDatabase, organization: Uuid, slug: &str, parent: Option<Uuid>) -> Uuid {
    let id = new_id();
    let row = [
        ("id", id.into()),
        ("organization_id", organization.into()),
        ("slug", slug.into()),
        ("name", slug.into()),
        ("description", "".into()),
        ("parent_id", parent.into()),
        ("privacy", "closed".into()),
        ("created_at", noon().into()),
    ];
    insert(db, "team", row).await;
    id
}

pub(crate) async fn join(db: &TestDatabase, organization: Uuid, team: Uuid, member: Uuid, role: &str) {
    let row = [
        ("team_id", team.into()),
        ("member_id", member.into()),
        ("organization_id", organization.into()),
        ("role", role.into()),
        ("added_at", noon().into()),
    ];
    insert(db, "team_member", row).await;
}

pub(crate) async fn app(db: &TestDatabase, organization: Uuid, slug: &str) -> Uuid {
    let id = new_id();
    let row = [
        ("id", id.into()),
        ("organization_id", organization.into()),
        ("kind", "repository".into()),
        ("slug", slug.into()),
        ("name", slug.into()),
        ("visibility", "private".into()),
        ("state", "active".into()),
        ("created_at", noon().into()),
    ];
    insert(db, "app", row).await;
    id
}

pub(crate) async fn service_account(db: &TestDatabase, organization: Uuid) -> Uuid {
    let id = new_id();
    let row = [
        ("id", id.into()),
        ("organization_id", organization.into()),
        ("name", "robot".into()),
        ("state", "active".into()),
        ("created_at", noon().into()),
    ];
    insert(db, "service_account", row).await;
    id
}

/// A token for a service account (`account`) or a member.
pub(crate) async fn token(db: &TestDatabase, organization: Uuid, account: Option<Uuid>, member: Option<Uuid>) -> Uuid {
    let id = new_id();
    let row = [
        ("id", id.into()),
        ("organization_id", organization.into()),
        ("service_account_id", account.into()),
        ("member_id", member.into()),
        ("name", "token".into()),
        ("secret_hash", vec![7_u8; 32].into()),
        ("scopes", json(r#"["members.read"]"#)),
        ("created_at", noon().into()),
        ("expires_at", later().into()),
    ];
    insert(db, "api_token", row).await;
    id
}

/// A role for a grantee (`member`, `team`, `service_account`; `everyone` with none), in the organization or at an app.
pub(crate) async fn grant(
    db: &TestDatabase,
    organization: Uuid,
    (kind, grantee): (&str, Option<Uuid>),
    role: &str,
    app: Option<Uuid>,
) -> Uuid {
    let id = new_id();
    let row = [
        ("id", id.into()),
        ("organization_id", organization.into()),
        ("grantee_kind", kind.into()),
        ("grantee_id", grantee.into()),
        ("role", role.into()),
        ("app_id", app.into()),
        ("created_at", noon().into()),
    ];
    insert(db, "access_grant", row).await;
    id
}

pub(crate) async fn activity(db: &TestDatabase, organization: Uuid) -> Uuid {
    let id = new_id();
    let row = [
        ("id", id.into()),
        ("organization_id", organization.into()),
        ("at", noon().into()),
        ("category", "access".into()),
        ("actor_kind", "system".into()),
        ("actor_name", "gateway".into()),
        ("action", "member.invited".into()),
        ("target_kind", "member".into()),
        ("target_name", "bob".into()),
        ("detail", json("{}")),
    ];
    insert(db, "activity_entry", row).await;
    id
}
