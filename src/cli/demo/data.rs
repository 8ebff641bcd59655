//! What the demo shows, read from `data.json`: all words of blueprints stand there.

use anyhow::Context;
use serde::Deserialize;

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
    pub(super) activity: Vec<Activity>,
    pub(super) token: Token,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct App {
    pub(super) kind: String,
    pub(super) slug: String,
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role: String,
    #[serde(default)]
    pub(super) access: Vec<AppAccess>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppAccess {
    pub(super) app: String,
    /// As the API takes them.
    pub(super) features: serde_json::Value,
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
