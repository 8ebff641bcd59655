//! What the demo shows, read from `data.json`: all words of blueprints stand there.

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

/// Everything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Demo {
    /// Everyone's password.
    pub(super) password: String,
    pub(super) organizations: Vec<Organization>,
}

/// One organization; its first person founds it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Organization {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) blueprint: String,
    #[serde(default)]
    pub(super) plan: Option<String>,
    pub(super) apps: Vec<App>,
    pub(super) people: Vec<Person>,
    #[serde(default)]
    pub(super) teams: Vec<Team>,
    #[serde(default)]
    pub(super) activity: Vec<Activity>,
    /// Roles of its own, as `createRole` takes them.
    #[serde(default)]
    pub(super) custom_roles: Vec<Value>,
    /// What it says about itself, as `updateProfile` takes it.
    #[serde(default)]
    pub(super) profile: Vec<Value>,
    #[serde(default)]
    pub(super) programs: Vec<Program>,
    #[serde(default)]
    pub(super) children: Vec<Child>,
    /// Uses, as `recordUsage` takes them; recorded by the token, as everything below.
    #[serde(default)]
    pub(super) usage: Vec<Value>,
    /// Invoices, as `recordInvoice` takes them.
    #[serde(default)]
    pub(super) invoices: Vec<Value>,
    /// Payment methods, as `recordPaymentMethod` takes them.
    #[serde(default)]
    pub(super) payment_methods: Vec<Value>,
    pub(super) token: Token,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct App {
    pub(super) kind: String,
    pub(super) slug: String,
    pub(super) name: String,
    /// The app it stands under, by its slug; that one is made before.
    #[serde(default)]
    pub(super) parent: Option<String>,
    #[serde(default)]
    pub(super) visibility: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) email: String,
    /// The role it is known by.
    pub(super) role: String,
    /// The other roles: of other slots, and flags.
    #[serde(default)]
    pub(super) roles: Vec<String>,
    #[serde(default)]
    pub(super) access: Vec<AppAccess>,
    /// Roles on apps that the invitation gives.
    #[serde(default)]
    pub(super) app_roles: Vec<AppRole>,
    /// Roles on apps that are switched on or off afterwards.
    #[serde(default)]
    pub(super) switches: Vec<Switch>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppRole {
    pub(super) app: String,
    pub(super) role: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Switch {
    pub(super) app: String,
    pub(super) role: String,
    pub(super) on: bool,
}

/// A service account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) role: String,
    #[serde(default)]
    pub(super) app: Option<String>,
}

/// An organization below.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Child {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) blueprint: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppAccess {
    pub(super) app: String,
    /// As the API takes them.
    pub(super) features: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Team {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) description: String,
    #[serde(default)]
    pub(super) parent: Option<String>,
    #[serde(default)]
    pub(super) privacy: Option<String>,
    pub(super) members: Vec<TeamMember>,
    pub(super) grants: Vec<TeamGrant>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TeamMember {
    pub(super) email: String,
    #[serde(default)]
    pub(super) maintainer: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TeamGrant {
    pub(super) app: String,
    pub(super) feature: String,
    #[serde(default)]
    pub(super) level: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Activity {
    pub(super) app: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) action: String,
    pub(super) by: String,
    pub(super) hours_ago: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    pub(super) name: String,
    pub(super) scopes: Vec<String>,
}

/// Reads it.
pub(super) fn read() -> anyhow::Result<Demo> {
    serde_json::from_str(include_str!("data.json")).context("the demo's data cannot be read")
}
