//! What the system does: one function per verb, one file per noun.
//!
//! Every operation, whoever asks for it (GraphQL, the command line, a job), enters here with an [`Access`] or a named
//! [`SystemTask`](crate::access::SystemTask). Queries are answered from the caller's rights and from the store, filtered there;
//! changes go through [`Service::mutate`], which alone opens a writing transaction.
//!
//! What may not enter: SQL, Redis, GraphQL and HTTP types, and decisions: those are the core's.
//!
//! ```text
//!  Access ─▶ Change ─▶ mutate ─▶ Work { tx, actor, now } ─▶ authorize::<Verb> ─▶ Permit ─▶ store write
//! ```

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub mod access_choice;
pub mod access_tree;
pub mod account_deletion;
pub mod account_state;
pub mod activity;
pub mod api_token;
pub mod app;
pub mod app_member;
pub mod blueprint;
pub mod blueprint_move;
pub mod caller;
pub mod capability;
pub mod card_number;
pub mod check;
pub mod child;
mod consequence;
mod currency;
pub mod custom_role;
pub mod email_address;
pub mod error;
pub mod external_identity;
pub mod follow;
pub mod grant;
mod idempotency;
pub mod import;
pub mod input;
pub mod invitation;
pub mod invoice;
pub mod mail;
pub mod matrix;
pub mod member;
pub mod membership;
pub mod mutate;
mod one_time_code;
pub mod organization;
pub mod password;
pub mod payment_method;
pub mod plan;
mod prerequisite;
mod presence;
pub mod profile;
mod remedy;
pub mod role;
pub mod role_transfer;
pub mod seat;
pub mod second_factor;
pub mod service_account;
pub mod session;
pub mod session_list;
pub mod settings;
mod settled;
mod share;
pub mod signing_key;
pub mod tail;
pub mod team;
pub mod token_notice;
pub mod upkeep;
pub mod usage;
pub mod user;
pub mod view_as;

pub use self::{
    caller::{Access, Client, FactsLoader, Person, Place, Standing, Version},
    error::{ServiceError, UserError, UserErrorCode},
    mutate::{Actor, Change, Changed, Idempotency, Work},
    settings::Settings,
    settled::{Settled, SettledMode, Settlements},
};
/// Pages of lists, as every list function takes and gives them.
pub mod page {
    pub use crate::store::page::{Page, PageRequest, Position, SortKey};
}

use crate::{
    cache::Grants,
    clock::Clock,
    identity::{AccessTokens, FactorRoot, KeyRoot, Passwords, PublicUrl, SessionLifetimes, SignInLimiter},
    mail::{LetterKey, Outbox},
    provider::Providers,
    store::Store,
};

/// Who may open an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SignUp {
    /// Anyone.
    #[default]
    Open,
    /// Only who has been invited.
    Invited,
    /// Whose address is at one of these domains, in normal form, and who has been invited.
    Domains(Vec<String>),
}

/// What the service is set up with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where links in mail lead: the product's dashboard, from configuration alone (`S3.74`).
    pub dashboard: PublicUrl,
    /// Who may open an account.
    pub sign_up: SignUp,
    /// How long sessions and their tokens live.
    pub lifetimes: SessionLifetimes,
}

/// What the service is made of.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Callers' grants, cached.
    pub grants: Grants<FactsLoader>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Mints and proves access tokens.
    pub tokens: AccessTokens,
    /// What its keys are derived from.
    pub key_root: KeyRoot,
    /// What second factors are derived from.
    pub factor_root: FactorRoot,
    /// Hashes and proves passwords.
    pub passwords: Passwords,
    /// Counts sign-in attempts.
    pub limiter: SignInLimiter,
    /// Where mail goes.
    pub outbox: Arc<dyn Outbox>,
    /// Seals letters that wait.
    pub letter_key: LetterKey,
    /// Identity providers that people sign in by.
    pub providers: Providers,
    /// How it is set up.
    pub options: Options,
}

/// Everything the system does. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Service(Arc<Inner>, Option<Settlements>);

#[derive(Debug)]
struct Inner {
    parts: Parts,
    blueprints: blueprint::Blueprints,
    directories: app::Directories,
    at_work: Mutex<HashSet<Turn>>,
    token_uses: api_token::Uses,
    presence: presence::Presence,
    couriers: tokio::sync::Semaphore,
}

/// A repeatable change that is being worked on: caller, operation, key.
type Turn = (Uuid, &'static str, String);

/// Holds a turn until it is dropped.
struct AtWork {
    service: Service,
    turn: Option<Turn>,
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if let Some(turn) = self.turn.take() {
            self.service.0.at_work.lock().unwrap_or_else(PoisonError::into_inner).remove(&turn);
        }
    }
}

impl Service {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let (blueprints, at_work) = (blueprint::Blueprints::default(), Mutex::default());
        let inner = Inner {
            parts,
            blueprints,
            directories: app::Directories::default(),
            at_work,
            token_uses: api_token::Uses::default(),
            presence: presence::Presence::default(),
            couriers: tokio::sync::Semaphore::new(mail::COURIERS),
        };
        Self(Arc::new(inner), None)
    }

    /// The same, which tells how the changes made through it became visible.
    #[must_use]
    pub fn telling(&self, settlements: Settlements) -> Self {
        Self(Arc::clone(&self.0), Some(settlements))
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.0.parts.clock.now()
    }

    /// How the service is set up.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.0.parts.options
    }

    /// Mints and proves access tokens.
    #[must_use]
    pub fn tokens(&self) -> &AccessTokens {
        &self.0.parts.tokens
    }

    fn key_root(&self) -> &KeyRoot {
        &self.0.parts.key_root
    }

    fn factor_root(&self) -> &FactorRoot {
        &self.0.parts.factor_root
    }

    /// Callers' grants.
    #[must_use]
    pub fn grants(&self) -> &Grants<FactsLoader> {
        &self.0.parts.grants
    }

    /// Hashes and proves passwords.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.0.parts.passwords
    }

    fn limiter(&self) -> &SignInLimiter {
        &self.0.parts.limiter
    }

    fn providers(&self) -> &Providers {
        &self.0.parts.providers
    }

    fn outbox(&self) -> &dyn Outbox {
        self.0.parts.outbox.as_ref()
    }

    fn letter_key(&self) -> &LetterKey {
        &self.0.parts.letter_key
    }

    /// Who is free to deliver a letter.
    fn couriers(&self) -> &tokio::sync::Semaphore {
        &self.0.couriers
    }

    fn store(&self) -> &Store {
        &self.0.parts.store
    }

    fn token_uses(&self) -> &api_token::Uses {
        &self.0.token_uses
    }

    fn presence(&self) -> &presence::Presence {
        &self.0.presence
    }

    fn directories(&self) -> &app::Directories {
        &self.0.directories
    }

    fn blueprints(&self) -> &blueprint::Blueprints {
        &self.0.blueprints
    }

    /// Whether the database answers.
    pub async fn is_ready(&self) -> bool {
        self.store().ping().await.is_ok()
    }

    /// Takes the turn of a repeatable change, so that the same one is not worked on twice at once.
    fn at_work(&self, change: &Change) -> Result<AtWork, ServiceError> {
        let turn = change.turn();
        if let Some(turn) = &turn
            && !self.0.at_work.lock().unwrap_or_else(PoisonError::into_inner).insert(turn.clone())
        {
            return Err(ServiceError::Conflict("a request with this `idempotencyKey` is being worked on"));
        }
        Ok(AtWork { service: self.clone(), turn })
    }
}
