//! Decisions and their reasons.

use thiserror::Error;
use uuid::Uuid;

use crate::Grant;

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Allowed, by every one of these sources (at least one).
    Allow(Vec<Reason>),
    /// Denied, for this cause.
    Deny(Denial),
}

impl Decision {
    /// Whether the question was allowed.
    #[must_use]
    pub const fn is_allow(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

/// One source of an allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A grant gives it.
    Granted(Grant),
    /// The app is public to those whom this grant lets in (`Q16`).
    Public(Grant),
    /// The principal is a maintainer of the team that is asked about.
    Maintainer(Uuid),
}

/// Why a question is denied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Denial {
    /// The organization is suspended or deleted.
    #[error("the organization is not active")]
    OrganizationInactive,
    /// The member or service account is pending, suspended or archived.
    #[error("this member is not active")]
    PrincipalInactive,
    /// The app is disabled.
    #[error("the app is disabled")]
    AppInactive,
    /// A permission of the organization is missing.
    #[error("the permission `{permission}` is missing")]
    MissingPermission {
        /// The permission's key.
        permission: String,
    },
    /// Several permissions of the organization would do, and none of them is held.
    #[error("one of the permissions `{}` is needed", permissions.join("`, `"))]
    MissingPermissions {
        /// The permissions' keys.
        permissions: Vec<String>,
    },
    /// The principal holds nothing on the app: to it, the app does not exist.
    #[error("no access to this app")]
    AppHidden,
    /// The same where apps are shown locked: it exists, and is closed (`Q17`).
    #[error("no access to this app")]
    AppLocked,
    /// Grants would give it, but a role held sets a ceiling below it (`Q14`).
    #[error("your role does not go as far as `{right}`, whatever is granted")]
    BeyondCeiling {
        /// The right.
        right: String,
    },
    /// The principal sees the app, but holds nothing that gives the action.
    #[error("no grant gives `{action}` on `{feature}`")]
    NotGranted {
        /// The feature asked about.
        feature: String,
        /// The action asked about.
        action: String,
    },
    /// A grant would give it, but has run out.
    #[error("the grant that gave `{action}` on `{feature}` has expired")]
    Expired {
        /// The feature asked about.
        feature: String,
        /// The action asked about.
        action: String,
        /// The grant's id.
        grant: Uuid,
    },
    /// The principal holds it, but the API token's scopes leave it out.
    #[error("the token's scopes do not include `{scope}`")]
    OutsideScope {
        /// The scope that would include it.
        scope: String,
    },
    /// The app's kind has no such feature (`Q8`).
    #[error("apps of kind `{kind}` have no feature `{feature}`")]
    UnknownFeature {
        /// The app's kind.
        kind: String,
        /// The feature asked about.
        feature: String,
    },
    /// The feature has no such action.
    #[error("the feature `{feature}` has no action `{action}`")]
    UnknownAction {
        /// The feature asked about.
        feature: String,
        /// The action asked about.
        action: String,
    },
    /// The blueprint has no such permission.
    #[error("there is no permission `{permission}`")]
    UnknownPermission {
        /// The permission asked about.
        permission: String,
    },
    /// The caller is signed in, but not as a member of the organization.
    #[error("you are not a member of this organization")]
    NotAMember,
    /// The caller is a program, and this is a person's own act.
    #[error("only a signed-in person may do this")]
    PeopleOnly,
    /// Whoever views as a member reads what that member reads, and nothing of the account.
    #[error("this is not open while you view as a member")]
    WhileViewing,
    /// No caller may do this.
    #[error("only the gateway itself may do this")]
    NotForCallers,
    /// The system task has no business with this verb.
    #[error("the task `{task}` may not do this")]
    NotForTask {
        /// The task's name.
        task: &'static str,
    },
}
