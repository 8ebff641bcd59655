//! People, organizations and what they have, written past the service.

use gatehouse::{id::new_id, identity::SessionIdentity};
use sea_orm::Value as Sql;
use serde_json::json;
use uuid::Uuid;

use super::{Gateway, Person};

/// An organization made for a test.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) id: Uuid,
    pub(crate) slug: String,
}

impl Gateway {
    /// The id of the newest installed version of a blueprint.
    pub(crate) async fn blueprint(&self, name: &str) -> Uuid {
        let sql = "SELECT id FROM blueprint WHERE name = $1 ORDER BY version DESC LIMIT 1";
        self.database.rows(sql, [name.into()]).await[0].try_get_by_index(0).unwrap()
    }

    /// An organization of a blueprint on a plan, without anyone in it.
    pub(crate) async fn organization(&self, slug: &str, blueprint: &str, plan: &str) -> Tenant {
        let (id, now) = (new_id(), self.service.now());
        let row = [
            ("id", id.into()),
            ("slug", slug.into()),
            ("name", slug.into()),
            ("blueprint_id", self.blueprint(blueprint).await.into()),
            ("plan", plan.into()),
            ("state", "active".into()),
            ("settings", json!({}).into()),
            ("created_at", now.into()),
            ("updated_at", now.into()),
        ];
        self.insert("organization", row).await;
        Tenant { id, slug: slug.to_owned() }
    }

    /// A person with a verified account, signed in to no organization.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let (user, session, now) = (new_id(), new_id(), self.service.now());
        let email = format!("{name}@example.org");
        let row = [
            ("id", user.into()),
            ("email", email.clone().into()),
            ("email_verified_at", now.into()),
            ("name", name.into()),
            ("state", "active".into()),
            ("created_at", now.into()),
            ("updated_at", now.into()),
        ];
        self.insert("user_account", row).await;
        let row = [
            ("id", session.into()),
            ("user_id", user.into()),
            ("created_at", now.into()),
            ("last_seen_at", now.into()),
            ("expires_at", (now + chrono::TimeDelta::days(1)).into()),
        ];
        self.insert("session", row).await;
        let mut person =
            Person { name: name.to_owned(), email, user, session, member: None, token: None, ..self.stranger() };
        person.token = Some(self.mint(&person, None));
        person
    }

    /// Somebody without a credential.
    pub(crate) fn stranger(&self) -> Person {
        Person {
            name: "stranger".to_owned(),
            email: "stranger@example.org".to_owned(),
            user: Uuid::nil(),
            session: Uuid::nil(),
            member: None,
            token: None,
            url: format!("{}/graphql", self.url),
            client: self.client.clone(),
        }
    }

    /// A new person as an active member with this organization role, signed in there.
    pub(crate) async fn member(&self, tenant: &Tenant, name: &str, role: &str) -> Person {
        let person = self.person(name).await;
        self.joined(tenant, &person, role).await
    }

    /// A person as an active member of one more organization with this role, signed in there.
    pub(crate) async fn joined(&self, tenant: &Tenant, person: &Person, role: &str) -> Person {
        let mut person = person.clone();
        let (member, now) = (new_id(), self.service.now());
        let row = [
            ("id", member.into()),
            ("organization_id", tenant.id.into()),
            ("user_id", person.user.into()),
            ("email", person.email.clone().into()),
            ("name", person.name.clone().into()),
            ("state", "active".into()),
            ("created_at", now.into()),
            ("joined_at", now.into()),
        ];
        self.insert("member", row).await;
        self.grant_role(tenant, "member", Some(member), role).await;
        person.member = Some(member);
        person.token = Some(self.mint(&person, Some(tenant.id)));
        person
    }

    /// An invited person's pending place with this organization role; its invitation ends after `life`.
    pub(crate) async fn pending(&self, tenant: &Tenant, name: &str, role: &str, life: chrono::TimeDelta) -> Uuid {
        let (member, now) = (new_id(), self.service.now());
        let email = format!("{name}@example.org");
        let row = [
            ("id", member.into()),
            ("organization_id", tenant.id.into()),
            ("email", email.clone().into()),
            ("name", name.into()),
            ("state", "pending".into()),
            ("created_at", now.into()),
        ];
        self.insert("member", row).await;
        let row = [
            ("id", new_id().into()),
            ("organization_id", tenant.id.into()),
            ("member_id", member.into()),
            ("email", email.into()),
            ("token_hash", member.as_bytes().repeat(2).into()),
            ("state", "pending".into()),
            ("expires_at", (now + life).into()),
            ("sent_at", now.into()),
            ("sends", 1.into()),
            ("created_at", now.into()),
        ];
        self.insert("invitation", row).await;
        self.grant_role(tenant, "member", Some(member), role).await;
        member
    }

    /// An organization role for a grantee (`member`, `team`, `service_account`, `everyone`).
    pub(crate) async fn grant_role(&self, tenant: &Tenant, kind: &str, grantee: Option<Uuid>, role: &str) -> Uuid {
        let id = new_id();
        let row = [
            ("id", id.into()),
            ("organization_id", tenant.id.into()),
            ("grantee_kind", kind.into()),
            ("grantee_id", grantee.into()),
            ("role", role.into()),
            ("created_at", self.service.now().into()),
        ];
        self.insert("access_grant", row).await;
        id
    }

    /// An app.
    pub(crate) async fn app(&self, tenant: &Tenant, kind: &str, slug: &str) -> Uuid {
        let id = new_id();
        let row = [
            ("id", id.into()),
            ("organization_id", tenant.id.into()),
            ("kind", kind.into()),
            ("slug", slug.into()),
            ("name", slug.into()),
            ("visibility", "private".into()),
            ("state", "active".into()),
            ("created_at", self.service.now().into()),
        ];
        self.insert("app", row).await;
        id
    }

    /// Ticks a feature of an app for a member, at a level where the feature has levels; returns the grant.
    pub(crate) async fn tick(
        &self,
        tenant: &Tenant,
        member: &Person,
        app: Uuid,
        feature: &str,
        level: Option<&str>,
    ) -> Uuid {
        let kind = self.database.rows("SELECT kind FROM app WHERE id = $1", [app.into()]).await;
        let kind: String = kind[0].try_get_by_index(0).unwrap();
        let id = new_id();
        let row = [
            ("id", id.into()),
            ("organization_id", tenant.id.into()),
            ("grantee_kind", "member".into()),
            ("grantee_id", member.member.into()),
            ("app_kind", kind.into()),
            ("feature", feature.into()),
            ("level", level.map(str::to_owned).into()),
            ("app_id", app.into()),
            ("created_at", self.service.now().into()),
        ];
        self.insert("access_grant", row).await;
        self.settle().await;
        id
    }

    /// An access token for a person's session, bound to an organization or none.
    pub(crate) fn mint(&self, person: &Person, organization: Option<Uuid>) -> String {
        let identity = SessionIdentity {
            session: person.session,
            user: person.user,
            organization,
            member: organization.and(person.member),
        };
        self.service.tokens().mint(&identity, new_id(), self.service.now()).unwrap().text
    }

    async fn insert<const N: usize>(&self, table: &str, row: [(&str, Sql); N]) {
        let columns = row.each_ref().map(|(column, _)| *column).join(", ");
        let marks = (1..=N).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
        let sql = format!("INSERT INTO {table} ({columns}) VALUES ({marks})");
        self.database.run(&sql, row.map(|(_, value)| value)).await.unwrap_or_else(|error| panic!("{table}: {error}"));
    }
}
