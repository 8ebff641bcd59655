//! An organization of `cases/metered.toml`: alice heads it, carol keeps its books, bob reads, and a program counts and bills.

use gatehouse::service::api_token::NewToken;
use serde_json::{Value, json};

use super::gateway::{Answer, Engines, Gateway, Person};

pub(crate) struct Metered {
    pub(crate) gateway: Gateway,
    pub(crate) alice: Person,
    pub(crate) bob: Person,
    pub(crate) carol: Person,
    pub(crate) program: Person,
}

pub(crate) async fn metered(engines: Engines) -> Metered {
    let gateway = Gateway::on(engines).await;
    gateway.service.install_blueprint(include_str!("../cases/metered.toml")).await.unwrap();
    let tenant = gateway.organization("acme", "metered", "small").await;
    let alice = gateway.member(&tenant, "alice", "head").await;
    let bob = gateway.member(&tenant, "bob", "reader").await;
    let carol = gateway.member(&tenant, "carol", "reader").await;
    gateway.grant_role(&tenant, "member", carol.member, "treasurer").await;
    gateway.settle().await;
    let program = program(&gateway, "acme").await;
    Metered { gateway, alice, bob, carol, program }
}

/// A program of an organization, with all that its role gives.
pub(crate) async fn program(gateway: &Gateway, slug: &str) -> Person {
    let new =
        NewToken { name: "Billing system".to_owned(), scopes: vec!["*".to_owned()], expires_in_days: 1, account: None };
    let created = gateway.service.create_api_token_as_operator(slug, new).await.unwrap();
    gateway.stranger().with_token(created.secret.as_deref().unwrap())
}

/// Counts uses: meter, amount, key.
pub(crate) async fn count(program: &Person, uses: &[(&str, Value, &str)]) -> Answer {
    let entries: Vec<Value> =
        uses.iter().map(|(meter, amount, key)| json!({ "meter": meter, "amount": amount, "key": key })).collect();
    let selection = "counted repeated warnings { meter message }";
    program.call("recordUsage", json!({ "entries": entries }), selection).await
}

/// What is used of a meter, as somebody sees it.
pub(crate) async fn usage(person: &Person, meter: &str) -> Value {
    let fields = "meter label unit kind used limit remaining state onLimit periodStart periodEnd";
    let answer = person.ask(&format!("{{ viewer {{ organization {{ usage {{ {fields} }} }} }} }}")).await.ok();
    let usages = answer.at("viewer.organization.usage").as_array().unwrap();
    usages.iter().find(|usage| usage["meter"] == meter).unwrap().clone()
}
