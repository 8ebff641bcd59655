//! How an operation of the service ends when it does not succeed.
//!
//! Two kinds, never mixed (design, «GraphQL surface»): *who you are and what you may not* is an error of the request; a *refusal
//! that a person can act on* (the seat limit, the last owner, a bad address) is data, with code, field and remedy.

use thiserror::Error;

use crate::access::{Denial, delegation::DelegationDenial};

/// Why an operation did not succeed. Nothing was changed in any of these cases, save [`ServiceError::CommitUnknown`].
#[derive(Debug, Error)]
pub enum ServiceError {
    /// The caller is not known, or no longer.
    #[error("sign in first")]
    Unauthenticated,
    /// The caller is known and may not.
    #[error("{0}")]
    Forbidden(Denial),
    /// Absent, or hidden from the caller: the two cannot be told apart.
    #[error("not found")]
    NotFound,
    /// The input can be mended by a person.
    #[error("refused: {}", .0.first().map_or("", |error| error.message.as_str()))]
    Refused(Vec<UserError>),
    /// The request itself is wrong: a malformed id, a cursor of another list, a page that is too large.
    #[error("{0}")]
    BadInput(String),
    /// The same idempotency key is being worked on, or was used with other input.
    #[error("{0}")]
    Conflict(&'static str),
    /// Too many attempts; try again after so many seconds.
    #[error("too many attempts, try again in {retry_after} s")]
    RateLimited {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// The database cannot be reached: nothing can be decided, so nothing is allowed.
    #[error("rights cannot be checked at the moment")]
    Unavailable(String),
    /// The connection was lost while the change was committed: it may or may not have happened.
    #[error("the change may or may not have been made; read before you repeat it")]
    CommitUnknown,
    /// A fault of ours; the cause is logged, never shown.
    #[error("internal error")]
    Internal(#[source] anyhow::Error),
}

/// A refusal that a person can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserError {
    /// What kind of refusal, for programs.
    pub code: UserErrorCode,
    /// What is wrong, for people.
    pub message: String,
    /// The input field that is meant, as a path; empty: the operation as a whole.
    pub field: Vec<String>,
    /// What to do about it, where there is something to do.
    pub remedy: Option<String>,
}

/// The kinds of refusals that a person can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserErrorCode {
    /// A value is empty, too long or malformed.
    Invalid,
    /// A value that must be unique is in use.
    Taken,
    /// Every seat of the plan is taken (S3.57).
    SeatLimit,
    /// What the plan includes is used up (S0.13).
    MeterLimit,
    /// Too few would be left who hold a role that must be held (S3.63).
    LastHolder,
    /// The role is held by as many as may hold it.
    TooManyHolders,
    /// The person is a member or invited already.
    AlreadyMember,
    /// The email domain is not among the allowed ones (S3.19).
    DomainNotAllowed,
    /// Sub-addresses are refused here (S3.20).
    SubaddressNotAllowed,
    /// The invitation is not pending any more.
    InvitationNotPending,
    /// The invitation has expired; it can be sent again.
    InvitationExpired,
    /// The invitation is for another email address.
    InvitationForAnother,
    /// One cannot give what one does not hold, or not to such a grantee.
    NotGrantable,
    /// The blueprint has nothing of that name, or not for this kind of app (Q8).
    NotInBlueprint,
    /// The role holds at another level (S1.31).
    WrongLevel,
    /// The role builds on another one that is not held (S1.29).
    Prerequisite,
    /// Something it needs is missing.
    Missing,
    /// It would close a circle.
    Cycle,
    /// Members of this organization cannot leave by themselves.
    MayNotLeave,
    /// The confirmation does not match.
    NotConfirmed,
    /// Email or password is wrong.
    WrongCredentials,
    /// The code is used, expired, replaced by a newer one, or for something else.
    CodeInvalid,
    /// The person has a second factor and has not proven it, or the organization asks for one.
    SecondFactorRequired,
    /// The code is wrong, or was used before.
    WrongCode,
    /// New accounts are not open here.
    SignUpClosed,
    /// The identity provider does not answer, or not as it must.
    ProviderUnavailable,
    /// The identity provider did not say who somebody is.
    ProviderRefused,
    /// A sign-in by an identity provider was not begun in this browser, took too long, or is done.
    SignInExpired,
    /// The identity provider does not say that the address is verified.
    EmailNotVerified,
    /// The identity leads to no account that may be used.
    NotLinked,
    /// Nobody could sign in to the account any more.
    LastWayIn,
    /// The change has not been made because the state has moved on.
    StateChanged,
    /// The role is the blueprint's own, which nobody changes (S4.R3).
    ManagedRole,
    /// Somebody holds the role (S4.R3).
    RoleInUse,
    /// The change would give somebody more than before, and nobody has said that this is meant.
    Gains,
    /// A permission is missing. Told beforehand, among the reasons why something cannot be done, and of one of many things that
    /// were asked for together; who asks for one is refused.
    Forbidden,
}

impl UserError {
    /// A refusal of one field.
    #[must_use]
    pub fn new(code: UserErrorCode, field: &str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: Self::path(field), remedy: None }
    }

    /// The same refusal at another field.
    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        self.field = Self::path(field);
        self
    }

    /// A field as a path.
    fn path(field: &str) -> Vec<String> {
        if field.is_empty() { Vec::new() } else { field.split('.').map(str::to_owned).collect() }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl From<Denial> for UserError {
    /// A denial, told before anyone tries.
    fn from(denial: Denial) -> Self {
        Self::new(UserErrorCode::Forbidden, "", denial.to_string())
    }
}

impl ServiceError {
    /// A refusal that names no field, at this one.
    #[must_use]
    pub fn about(self, field: &str) -> Self {
        let at = |refusal: UserError| if refusal.field.is_empty() { refusal.at(field) } else { refusal };
        match self {
            Self::Refused(refusals) => Self::Refused(refusals.into_iter().map(at).collect()),
            other => other,
        }
    }
}

impl From<UserError> for ServiceError {
    fn from(error: UserError) -> Self {
        Self::Refused(vec![error])
    }
}

impl From<Denial> for ServiceError {
    /// *Forbidden to know* becomes *not found* here and nowhere else.
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::AppHidden => Self::NotFound,
            other => Self::Forbidden(other),
        }
    }
}

impl UserError {
    /// The refusal of something that is not the author's to give, at the field that names it.
    #[must_use]
    pub fn not_given(field: &str, denial: &DelegationDenial) -> Self {
        let code = match denial {
            DelegationDenial::Unknown | DelegationDenial::Disabled { .. } => UserErrorCode::NotInBlueprint,
            DelegationDenial::WrongLevel { .. } | DelegationDenial::WrongKind { .. } => UserErrorCode::WrongLevel,
            DelegationDenial::Prerequisite { .. } => UserErrorCode::Prerequisite,
            DelegationDenial::WrongHolder
            | DelegationDenial::NotAssignable { .. }
            | DelegationDenial::BeyondOwnRights
            | DelegationDenial::SelfRaise
            | DelegationDenial::BeyondCeiling { .. }
            | DelegationDenial::PublicApp
            | DelegationDenial::RolesOnly { .. }
            | DelegationDenial::NotForEveryone => UserErrorCode::NotGrantable,
        };
        Self::new(code, field, denial.to_string())
    }
}

impl From<DelegationDenial> for ServiceError {
    fn from(denial: DelegationDenial) -> Self {
        UserError::not_given("", &denial).into()
    }
}
