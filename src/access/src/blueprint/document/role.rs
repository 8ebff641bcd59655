//! Roles: named sets of rights, where they hold, who may hold and give them.

use serde::Deserialize;

/// Where a role holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleLevel {
    /// In the organization.
    #[default]
    Organization,
    /// On one app and the apps below it.
    App,
    /// In one feature of one app (`S1.5`).
    Feature,
}

/// Who may hold a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A member.
    Member,
    /// A team, for all its members.
    Team,
    /// A service account.
    ServiceAccount,
    /// Every member at once.
    Everyone,
}

/// A role.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own in the document")]
pub struct Role {
    /// What people call it.
    pub label: String,
    /// What it is for.
    #[serde(default)]
    pub help: String,
    /// What to warn of before giving it (`S3.22`).
    #[serde(default)]
    pub warning: Option<String>,
    /// Where it holds.
    #[serde(default)]
    pub level: RoleLevel,
    /// The app kinds on which an app role may be held; empty: all.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// The feature in which a feature role holds, as `kind.feature`.
    #[serde(default)]
    pub feature: Option<String>,
    /// The slot it fills: a member holds one organization role of each slot, and at most one app role of each on an app.
    /// Absent: the only slot there is, for an organization role; none, for another.
    #[serde(default)]
    pub slot: Option<String>,
    /// Whether it is held beside the roles that fill slots (a flag) instead of filling one.
    #[serde(default)]
    pub flag: bool,
    /// Other spellings by which it may be named (`S1.35`).
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The organization roles of which a member must hold one to hold this (`S1.20`); without them it is taken away
    /// (`S1.34`).
    #[serde(default)]
    pub requires: Vec<String>,
    /// What its holders are given besides, each time as a grant of its own that can be taken away (`S1.22`, `S1.23`).
    #[serde(default)]
    pub automatic: Vec<Automatic>,
    /// What an invitation with this role gives where no access is chosen (`Q1`).
    #[serde(default)]
    pub initial_access: InitialAccess,
    /// The most its holders can hold by whatever grants, as selectors (`Q14`); absent: no bound.
    #[serde(default)]
    pub ceiling: Option<Vec<String>>,
    /// Who may hold it.
    #[serde(default = "member_holder")]
    pub holders: Vec<Holder>,
    /// Organization permissions, as selectors; those of an app role hold on that app and below it.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// Permissions taken out of those.
    #[serde(default)]
    pub except: Vec<String>,
    /// Access to apps, as selectors.
    #[serde(default)]
    pub access: Vec<String>,
    /// Access taken out of that.
    #[serde(default)]
    pub access_except: Vec<String>,
    /// The roles its holders may give and take; `*` is every role.
    #[serde(default)]
    pub assigns: Vec<String>,
    /// Roles of those that its holders may give to others without holding as much themselves (`S0.39`).
    #[serde(default)]
    pub delegates: Vec<String>,
    /// Whether its holders may give only what they hold.
    #[serde(default = "yes")]
    pub bounded: bool,
    /// How many active members must hold it at least (`Q12`, `Q13`); an app role: on each app where so many do (`S4.R5`).
    #[serde(default)]
    pub min_holders: u32,
    /// How many may hold it at most.
    #[serde(default)]
    pub max_holders: Option<u32>,
    /// The seat pools its holders take a seat of.
    #[serde(default)]
    pub seats: Vec<String>,
    /// Whether its longest-standing holder is called the primary one (`Q26`).
    #[serde(default)]
    pub primary: bool,
    /// Whether its holders see every app there is, locked where they hold nothing, although others do not (`Q17`, `Q22`).
    #[serde(default)]
    pub sees_locked: bool,
    /// Whether a holder may give it up (`S4.R4`).
    #[serde(default = "yes")]
    pub step_down: bool,
    /// The role that a holder takes who hands this one over to somebody else; absent: it cannot be handed over (`S2.28`).
    #[serde(default)]
    pub transfer: Option<String>,
    /// Whether an organization may make roles of its own after this one: with less, never with more.
    #[serde(default)]
    pub customizable: bool,
    /// Narrower roles to think of before giving this one (`S1.28`).
    #[serde(default)]
    pub instead: Vec<String>,
}

/// What holding an organization role brings on every app of a kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Automatic {
    /// The app role that is given.
    pub role: String,
    /// The app kind on whose apps it is given.
    pub app_kind: String,
    /// Whether also on apps that come later (`Q20`).
    #[serde(default = "yes")]
    pub future: bool,
}

/// What an invitation gives where no access is chosen (`Q1`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InitialAccess {
    /// Nothing (`S0.25`).
    #[default]
    None,
    /// Every feature of every app kind.
    All,
    /// Everything the inviter holds (`Q4`), written as grants (`Q3`).
    Inviter,
}

pub(super) const fn yes() -> bool {
    true
}

fn member_holder() -> Vec<Holder> {
    vec![Holder::Member]
}
