//! Sessions and their refresh tokens: the rules, as pure functions of stored facts and the present time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    opaque::{OpaqueToken, Purpose},
    token::MAX_LIFETIME,
};
use crate::ablate;

/// The purpose of a refresh token.
#[derive(Debug)]
pub enum Refresh {}

impl Purpose for Refresh {
    const PREFIX: &'static str = "grt_";
    const NAME: &'static str = "a refresh token";
}

/// What gets a new access token, once.
pub type RefreshToken = OpaqueToken<Refresh>;

/// How long the parts of a sign-in live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLifetimes {
    /// An access token: 5 minutes, at most 30.
    pub access: Duration,
    /// A session that is not used: 3 hours.
    pub refresh_idle: Duration,
    /// A session, however much it is used: 28 days.
    pub absolute: Duration,
}

impl Default for SessionLifetimes {
    fn default() -> Self {
        Self {
            access: Duration::from_mins(5),
            refresh_idle: Duration::from_hours(3),
            absolute: Duration::from_hours(672),
        }
    }
}

/// Lifetimes that do not fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LifetimeError {
    /// The access token's.
    #[error("access tokens must live between 1 second and 30 minutes")]
    Access,
    /// The idle time.
    #[error("a session's idle time must be at least the life of an access token and at most the session's whole life")]
    Idle,
    /// The whole life.
    #[error("a session must live at most 400 days")]
    Absolute,
}

impl SessionLifetimes {
    /// These lifetimes, if they fit together.
    ///
    /// # Errors
    /// When they do not.
    pub fn checked(self) -> Result<Self, LifetimeError> {
        if self.access < Duration::from_secs(1) || self.access > MAX_LIFETIME {
            Err(LifetimeError::Access)
        } else if self.refresh_idle < self.access || self.refresh_idle > self.absolute {
            Err(LifetimeError::Idle)
        } else if self.absolute > Duration::from_hours(9600) {
            Err(LifetimeError::Absolute)
        } else {
            Ok(self)
        }
    }

    /// When a session that begins now ends at the latest.
    #[must_use]
    pub fn session_end(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        after(now, self.absolute)
    }

    /// When a refresh token issued now ends: after the idle time, and never after its session.
    #[must_use]
    pub fn refresh_end(&self, now: DateTime<Utc>, session_end: DateTime<Utc>) -> DateTime<Utc> {
        after(now, self.refresh_idle).min(session_end)
    }
}

fn after(now: DateTime<Utc>, span: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(span).ok().and_then(|span| now.checked_add_signed(span)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// A session is valid, or it is finished and stays so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// It may be used until this time.
    Valid {
        /// Its latest end.
        until: DateTime<Utc>,
    },
    /// It was signed out or revoked, or its time was over.
    Finished {
        /// Since when.
        at: DateTime<Utc>,
    },
}

/// The session was finished before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session was already finished")]
pub struct AlreadyFinishedError {
    /// When.
    pub at: DateTime<Utc>,
}

impl SessionState {
    /// The state of a stored session.
    #[must_use]
    pub fn of(expires_at: DateTime<Utc>, revoked_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        match revoked_at {
            Some(at) => Self::Finished { at: at.min(expires_at) },
            None if expires_at <= now => Self::Finished { at: expires_at },
            None => Self::Valid { until: expires_at },
        }
    }

    /// Finishes it.
    ///
    /// # Errors
    /// When it is finished already: the first end is the true one.
    pub fn finish(self, at: DateTime<Utc>) -> Result<Self, AlreadyFinishedError> {
        match self {
            Self::Valid { .. } => Ok(Self::Finished { at }),
            Self::Finished { at } => Err(AlreadyFinishedError { at }),
        }
    }
}

/// What is stored about a refresh token and its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshFacts {
    /// When the token ends.
    pub expires_at: DateTime<Utc>,
    /// When it was used. The store sets it with the condition that it was not set: of two that come at once, the loser finds
    /// it set (D9).
    pub used_at: Option<DateTime<Utc>>,
    /// When its session ends.
    pub session_expires_at: DateTime<Utc>,
    /// When its session was revoked.
    pub session_revoked_at: Option<DateTime<Utc>>,
}

/// What to do with a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// Mark it used and issue the next one, which ends at this time.
    Rotated {
        /// The next token's end.
        expires_at: DateTime<Utc>,
    },
    /// It was used before: somebody has a copy. Revoke the whole session, whoever holds its newest token (D9, D10).
    Reused,
    /// Its idle time is over.
    Expired,
    /// Its session is over.
    Finished,
}

impl RefreshFacts {
    /// What to do with the token.
    #[must_use]
    pub fn judge(&self, lifetimes: &SessionLifetimes, now: DateTime<Utc>) -> RefreshOutcome {
        match SessionState::of(self.session_expires_at, self.session_revoked_at, now) {
            SessionState::Finished { .. } => RefreshOutcome::Finished,
            SessionState::Valid { .. } if self.used_at.is_some() && !ablate::off("refresh_reuse") => {
                RefreshOutcome::Reused
            }
            SessionState::Valid { .. } if self.expires_at <= now => RefreshOutcome::Expired,
            SessionState::Valid { until } => RefreshOutcome::Rotated { expires_at: lifetimes.refresh_end(now, until) },
        }
    }
}
