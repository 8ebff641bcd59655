//! Facts: what was loaded about one principal, from one snapshot of the database.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Grant, PrincipalId};

/// A team the principal belongs to, directly or through a team below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamFact {
    /// The team's id.
    pub id: Uuid,
    /// Whether the membership is the principal's own; else it is inherited from a team below.
    pub direct: bool,
    /// Whether the principal may manage this team's members (`S5.6`); never inherited.
    pub maintainer: bool,
}

/// What is known of one principal of one organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The organization.
    pub organization: Uuid,
    /// Whether the organization is active; a suspended one denies everything.
    pub organization_active: bool,
    /// The principal.
    pub principal: PrincipalId,
    /// Whether the member or service account is active; pending, suspended and archived ones are denied everything.
    pub principal_active: bool,
    /// The teams it is in.
    pub teams: Vec<TeamFact>,
    /// Every grant that reaches it.
    pub grants: Vec<Grant>,
    /// The scopes of the API token it came with; `None` for a person's session.
    pub scopes: Option<Vec<String>>,
}

/// An app as a question names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppRef<'a> {
    /// The app's id.
    pub id: Uuid,
    /// The app's kind.
    pub kind: &'a str,
    /// The apps above it, nearest first; a grant on one of them reaches down to this one.
    pub ancestors: &'a [Uuid],
    /// Whether it and everything above it is enabled; a disabled app is denied to everyone.
    pub active: bool,
    /// Whether it is public within what its kind says (`Q16`).
    pub public: bool,
}
