//! Errors of the service as GraphQL shows them: `extensions.code` for programs, one sentence for people, and never a cause.

use async_graphql::{Enum, Error, ErrorExtensions, SimpleObject};

use crate::service;
use crate::service::ServiceError;

/// An error with a code.
pub(super) fn coded(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// The input is wrong in itself.
pub(super) fn bad_input(message: &str) -> Error {
    coded("BAD_USER_INPUT", message)
}

/// What a resolver answers to an error of the service.
pub(super) fn error(error: ServiceError) -> Error {
    match error {
        ServiceError::Unauthenticated => coded("UNAUTHENTICATED", error.to_string()),
        ServiceError::Forbidden(denial) => coded("FORBIDDEN", denial.to_string()),
        ServiceError::NotFound => coded("NOT_FOUND", "not found"),
        ServiceError::Refused(errors) => {
            let message = errors.first().map_or_else(|| "refused".to_owned(), |error| error.message.clone());
            coded("BAD_USER_INPUT", message)
        }
        ServiceError::BadInput(message) => coded("BAD_USER_INPUT", message),
        ServiceError::Conflict(message) => coded("CONFLICT", message),
        ServiceError::RateLimited { retry_after } => {
            coded("RATE_LIMITED", format!("too many attempts, try again in {retry_after} s"))
                .extend_with(|_, extensions| extensions.set("retryAfter", retry_after))
        }
        ServiceError::Unavailable(cause) => {
            tracing::warn!(%cause, "the database cannot be reached");
            coded("AUTHZ_UNAVAILABLE", "rights cannot be checked at the moment")
        }
        ServiceError::CommitUnknown => coded("COMMIT_UNKNOWN", error.to_string()),
        ServiceError::Internal(cause) => {
            tracing::error!(cause = %format!("{cause:#}"), "an operation failed");
            coded("INTERNAL", "internal error")
        }
    }
}

/// The kinds of refusals that a person can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "service::UserErrorCode")]
pub enum UserErrorCode {
    /// A value is empty, too long or malformed.
    Invalid,
    /// A value that must be unique is in use.
    Taken,
    /// Every seat of the plan is taken.
    SeatLimit,
    /// What the plan includes of a meter is used up.
    MeterLimit,
    /// Too few would be left who hold a role that must be held.
    LastHolder,
    /// The role is held by as many as may hold it.
    TooManyHolders,
    /// The person is a member or invited already.
    AlreadyMember,
    /// The email domain is not among the allowed ones.
    DomainNotAllowed,
    /// Sub-addresses are refused here.
    SubaddressNotAllowed,
    /// The invitation is not pending any more.
    InvitationNotPending,
    /// The invitation has expired; it can be sent again.
    InvitationExpired,
    /// The invitation is for another email address.
    InvitationForAnother,
    /// One cannot give what one does not hold, or not to such a grantee.
    NotGrantable,
    /// The blueprint has nothing of that name, or not for this kind of app.
    NotInBlueprint,
    /// The role holds at another level.
    WrongLevel,
    /// The role builds on another one that is not held.
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
    /// A second factor has to be proven first: the person has one, or the organization asks for one.
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
    /// The role is the blueprint's own, which nobody changes.
    ManagedRole,
    /// Somebody holds the role.
    RoleInUse,
    /// The change would give somebody more than before, and nobody has said that this is meant.
    Gains,
    /// A permission is missing: only among the reasons why the caller cannot do something, and in the row of a batch.
    Forbidden,
}

/// A refusal that a person can act on. Nothing was changed.
#[derive(Debug, Clone, SimpleObject)]
pub struct UserError {
    /// What kind of refusal, for programs.
    code: UserErrorCode,
    /// What is wrong, for people.
    message: String,
    /// The input field that is meant, as a path; empty: the operation as a whole.
    field: Vec<String>,
    /// What to do about it, where there is something to do.
    remedy: Option<String>,
}

impl From<service::UserError> for UserError {
    fn from(error: service::UserError) -> Self {
        Self { code: error.code.into(), message: error.message, field: error.field, remedy: error.remedy }
    }
}

/// Why the caller cannot do something at the moment.
#[derive(Debug, Clone, SimpleObject)]
pub struct Reason {
    /// What kind of reason, for programs.
    code: UserErrorCode,
    /// What stands in the way, for people.
    message: String,
    /// What to do about it, where there is something to do.
    remedy: Option<String>,
}

impl From<service::UserError> for Reason {
    fn from(error: service::UserError) -> Self {
        Self { code: error.code.into(), message: error.message, remedy: error.remedy }
    }
}

/// Reasons as the schema shows them.
pub(super) fn reasons(obstacles: Vec<service::UserError>) -> Vec<Reason> {
    obstacles.into_iter().map(Reason::from).collect()
}

/// Parts the refusals a person can act on, which are data, from the errors of the request.
pub(super) fn settle<T>(result: Result<T, ServiceError>) -> async_graphql::Result<Result<T, Vec<UserError>>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(ServiceError::Refused(errors)) => Ok(Err(errors.into_iter().map(UserError::from).collect())),
        Err(other) => Err(error(other)),
    }
}
