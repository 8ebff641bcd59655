//! A whole gateway over TCP, people who use it, and what they are answered.
//!
//! ```ignore
//! let gateway = Gateway::sqlite().await;
//! let hub = gateway.organization("acme", "support-hub", "growth").await;
//! let alice = gateway.member(&hub, "alice", "super_admin").await;
//! let answer = alice.ask("{ viewer { organization { slug } } }").await;
//! assert_eq!(answer.at("viewer.organization.slug"), "acme");
//! ```
//!
//! People and organizations are made past the service, so that a test of one part does not depend on another. What a test
//! is about goes through the API.

use std::{path::PathBuf, time::Duration};

use gatehouse::{
    cli::open::{Opened, Urls, open},
    config::{DeploymentArgs, HttpArgs, HttpConfig, RevocationMode},
    http::{Door, Server, ServiceGateway},
    id::new_id,
    identity::SessionIdentity,
    service::Service,
};
use sea_orm::Value as Sql;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};
use uuid::Uuid;

use super::{database::TestDatabase, redis};

/// A running gateway.
pub(crate) struct Gateway {
    pub(crate) url: String,
    pub(crate) service: Service,
    pub(crate) database: TestDatabase,
    /// Where outgoing mail is written to.
    pub(crate) mail: PathBuf,
    client: reqwest::Client,
    args: DeploymentArgs,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
    opened: Option<Opened>,
    _folder: TempDir,
}

/// What ends and begins with a restart.
struct Running {
    url: String,
    opened: Opened,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

async fn run(args: &DeploymentArgs) -> Running {
    let http = HttpArgs { listen: "127.0.0.1:0".parse().unwrap(), ..HttpArgs::default() };
    let config = HttpConfig::try_from(http).unwrap();
    let server = Server::bind(&config).await.unwrap();
    let config = config.bound_to(server.address());
    let urls = Urls { public: config.public_url.to_string(), dashboard: "https://app.example.org".to_owned() };
    let opened = open(args, &urls).await.unwrap();
    let url = format!("http://{}", server.address());
    let door = Door::new(ServiceGateway::new(opened.service.clone(), opened.cursors.clone()), config).unwrap();
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(async move {
        server.serve(&door, async { stopped.await.unwrap_or(()) }).await;
    });
    Running { url, opened, stop, serving }
}

/// Which engines a gateway stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engines {
    /// SQLite, grants in memory.
    Embedded,
    /// PostgreSQL, no cached grants.
    Postgres,
    /// PostgreSQL and Redis.
    PostgresAndRedis,
}

impl Engines {
    pub(crate) const ALL: [Self; 3] = [Self::Embedded, Self::Postgres, Self::PostgresAndRedis];
    pub(crate) const DATABASES: [Self; 2] = [Self::Embedded, Self::Postgres];
}

/// An organization made for a test.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) id: Uuid,
    pub(crate) slug: String,
}

/// Somebody with an access token.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) user: Uuid,
    pub(crate) session: Uuid,
    /// Its member in the organization the token is bound to.
    pub(crate) member: Option<Uuid>,
    pub(crate) token: Option<String>,
    url: String,
    client: reqwest::Client,
}

/// An answer over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Gateway {
    /// On SQLite.
    pub(crate) async fn sqlite() -> Self {
        Self::on(Engines::Embedded).await
    }

    /// On these engines.
    pub(crate) async fn on(engines: Engines) -> Self {
        let (database, redis) = match engines {
            Engines::Embedded => (TestDatabase::sqlite().await, None),
            Engines::Postgres => (TestDatabase::postgres().await, None),
            Engines::PostgresAndRedis => (TestDatabase::postgres().await, Some(redis::url())),
        };
        Self::with(database, redis).await
    }

    /// On this database, with this Redis.
    pub(crate) async fn with(database: TestDatabase, redis_url: Option<String>) -> Self {
        Self::configured(database, redis_url, |_| {}).await
    }

    /// The same, with other settings.
    pub(crate) async fn configured(
        database: TestDatabase,
        redis_url: Option<String>,
        edit: impl FnOnce(&mut DeploymentArgs),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mail = folder.path().join("mail");
        let mut args = DeploymentArgs {
            database_url: database.url.clone(),
            redis_url,
            redis_ca_file: None,
            revocation: RevocationMode::Auto,
            // Tests share one Redis.
            deployment: new_id().to_string(),
            secret_file: folder.path().join("secret"),
            mail_url: None,
            mail_dir: mail.clone(),
            mail_from: "Gatehouse <gate@example.org>".to_owned(),
            database_connections: 8,
            access_token_minutes: 5,
            invitation_only: false,
            sign_up_domains: Vec::new(),
            providers: None,
        };
        edit(&mut args);
        let Running { url, opened, stop, serving } = run(&args).await;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        let service = opened.service.clone();
        Self {
            url,
            service,
            database,
            mail,
            client,
            args,
            stop: Some(stop),
            serving: Some(serving),
            opened: Some(opened),
            _folder: folder,
        }
    }

    /// Ends, and begins anew on the same database with the same secret. Who was signed in before asks at another port.
    pub(crate) async fn restart(&mut self) {
        drop(self.stop.take());
        self.serving.take().unwrap().await.unwrap();
        self.opened.take().unwrap().close().await.unwrap();
        let Running { url, opened, stop, serving } = run(&self.args).await;
        (self.url, self.service) = (url, opened.service.clone());
        (self.stop, self.serving, self.opened) = (Some(stop), Some(serving), Some(opened));
    }

    /// Ends, and begins anew with other settings.
    pub(crate) async fn reconfigure(&mut self, edit: impl FnOnce(&mut DeploymentArgs)) {
        edit(&mut self.args);
        self.restart().await;
    }

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

    /// Waits until the gateway has heard of rows that were written past it. An embedded gateway is told nothing of them: its
    /// stamps are raised here, as its own changes would.
    pub(crate) async fn settle(&self) {
        use gatehouse::cache::{MachineTime, StampTail};
        let tail = gatehouse::service::tail::StoreTail(self.database.store.clone());
        if let Some(batch) = tail.poll(None, Duration::from_mins(10)).await.unwrap() {
            let marked = self.service.grants().mark(&[]).await;
            self.service.grants().settle(marked, &batch.stamps, MachineTime::read()).await;
        }
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

    /// What it was opened with, for other gateways of the same deployment.
    pub(crate) fn deployment(&self) -> &DeploymentArgs {
        &self.args
    }

    async fn insert<const N: usize>(&self, table: &str, row: [(&str, Sql); N]) {
        let columns = row.each_ref().map(|(column, _)| *column).join(", ");
        let marks = (1..=N).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
        let sql = format!("INSERT INTO {table} ({columns}) VALUES ({marks})");
        self.database.run(&sql, row.map(|(_, value)| value)).await.unwrap_or_else(|error| panic!("{table}: {error}"));
    }

    /// How many statements PostgreSQL has run for this gateway's requests, by its own count. Left out: the rollback that
    /// cleans a pooled connection, and the node's background reading of moved stamps.
    pub(crate) async fn statements(&self) -> i64 {
        self.database.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements", []).await.unwrap();
        self.database
            .count(
                "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements
                 WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                   AND query !~* '^(begin|rollback|create extension)' AND query !~ 'pg_stat_statements|pg_current_snapshot'",
            )
            .await
    }

    /// The mails written so far, oldest first.
    pub(crate) fn mails(&self) -> Vec<String> {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(&self.mail).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.into_iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

impl Person {
    /// Asks without variables.
    pub(crate) async fn ask(&self, document: &str) -> Answer {
        self.send(document, json!({})).await
    }

    /// Sends a document with variables.
    pub(crate) async fn send(&self, document: &str, variables: Value) -> Answer {
        let mut request = self
            .client
            .post(&self.url)
            .header("accept", "application/graphql-response+json")
            .json(&json!({ "query": document, "variables": variables }));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, text, body }
    }

    /// Sends a mutation with one `$input` of this type: `alice.call("createTeam", json!({…}), "team { id }")`.
    pub(crate) async fn call(&self, mutation: &str, input: Value, selection: &str) -> Answer {
        let mut type_name = mutation.to_owned();
        type_name[..1].make_ascii_uppercase();
        let document = format!(
            "mutation($input: {type_name}Input!) {{ {mutation}(input: $input) {{ {selection} userErrors {{ code message field remedy }} }} }}"
        );
        self.send(&document, json!({ "input": input })).await
    }

    /// The same person with another token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }
}

impl Answer {
    /// A value under `data`, by a path such as `organization.members.edges.0.node`; null where there is none.
    pub(crate) fn at(&self, path: &str) -> &Value {
        path.split('.').fold(&self.body["data"], |value, step| match step.parse::<usize>() {
            Ok(index) => &value[index],
            Err(_) => &value[step],
        })
    }

    /// The codes of the request's errors, in order.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or("(none)")).collect()
    }

    /// The codes of a mutation's refusals, in order.
    pub(crate) fn refusals(&self, mutation: &str) -> Vec<&str> {
        let errors = self.body["data"][mutation]["userErrors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| error["code"].as_str().unwrap_or("(none)")).collect()
    }

    /// Asserts that there is no error of any kind, and gives the answer back.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.text);
        assert!(self.body.get("errors").is_none(), "{}", self.text);
        let refused = self.body["data"].as_object().into_iter().flatten().any(|(_, field)| {
            field.get("userErrors").and_then(Value::as_array).is_some_and(|errors| !errors.is_empty())
        });
        assert!(!refused, "{}", self.text);
        self
    }
}

/// How many times as much as usual a test does: `GATEHOUSE_TEST_SCALE`, 1 where it is not set.
pub(crate) fn scale() -> usize {
    std::env::var("GATEHOUSE_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}
