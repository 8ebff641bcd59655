//! The caller with its grants, fresh: who is asking, where, and with which rights.
//!
//! One cache round trip and no SQL in the steady state. The same facts, read in a writing transaction, judge a change.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Service, ServiceError, Settings, blueprint::Installed, share};
use crate::{
    access::{Blueprint, Denial, Facts, PrincipalId, Rights, blueprint::CustomRole, delegation::may_wield},
    cache::{GrantKey, LoadError, Loaded, Loader, StampKind, StampVector},
    identity::Credential,
    store::{
        Reader, Store, StoreError,
        facts::{self, LoadKey, OrganizationFact, SessionFact, UserState, Within},
        organization::OrganizationState,
    },
};

/// A signed-in person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The account.
    pub id: Uuid,
    /// The normalized address.
    pub email: String,
    /// The name as shown.
    pub name: String,
}

/// The caller's organization, as far as every request may need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The organization.
    pub id: Uuid,
    /// Its lower-case name.
    pub slug: String,
    /// Its name as shown.
    pub name: String,
    /// Its plan, by key.
    pub plan: String,
    /// The blueprint version it pins.
    pub blueprint: Uuid,
}

/// What one credential is granted, as it is cached.
#[derive(Debug, Serialize, Deserialize)]
pub struct CallerFacts {
    person: Option<Person>,
    place: Option<Place>,
    name: String,
    facts: Option<Facts>,
    /// Of a program's token that a member made: what that member holds.
    maker: Option<Facts>,
    /// The roles of the organization's own.
    roles: Vec<CustomRole>,
    ends_at: Option<DateTime<Utc>>,
    /// The version of the organization's stamp in the same reading.
    version: i64,
    /// The compiled form, made once for as long as the cache holds the same bytes.
    #[serde(skip)]
    standing: OnceLock<Arc<Standing>>,
}

/// A principal's place in its organization, with its rights.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The organization.
    pub place: Place,
    /// Its rules.
    pub blueprint: Arc<Installed>,
    /// What was loaded of the principal.
    pub facts: Facts,
    /// The same, compiled.
    pub rights: Rights,
    /// What activity entries call the principal.
    pub name: String,
}

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The client's address, after trusted proxies.
    pub address: IpAddr,
    /// What it says it is.
    pub user_agent: Option<String>,
}

/// The version of an organization, by its stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Of everything that rights depend on, read with the caller's own: apps that move, close or go.
    pub rights: i64,
    /// Of everything that lists show.
    pub content: i64,
}

/// Who is asking. A stranger is a caller too.
#[derive(Debug, Clone)]
pub struct Access {
    /// What was proven; nothing for a stranger.
    pub credential: Option<Credential>,
    /// The signed-in person.
    pub person: Option<Person>,
    /// The caller's place in the organization the credential is bound to.
    pub standing: Option<Arc<Standing>>,
    /// When the session or token ends.
    pub ends_at: Option<DateTime<Utc>>,
    /// At which version of its organization the caller was granted its rights; `None` where that is not known, and for a
    /// caller who stays for longer than a request. What is remembered at this very version may be used.
    pub version: Option<Version>,
    /// Whether somebody else looks at the organization through this member's eyes: then nothing is changed.
    pub viewing: bool,
    /// Where the request comes from.
    pub client: Client,
}

impl Access {
    /// A stranger.
    #[must_use]
    pub const fn stranger(client: Client) -> Self {
        Self { credential: None, person: None, standing: None, ends_at: None, version: None, viewing: false, client }
    }

    /// The person's account.
    #[must_use]
    pub fn user_id(&self) -> Option<Uuid> {
        self.person.as_ref().map(|person| person.id)
    }

    /// The organization the caller has a place in.
    #[must_use]
    pub fn organization(&self) -> Option<Uuid> {
        self.standing.as_ref().map(|standing| standing.place.id)
    }

    /// The principal the caller is there.
    #[must_use]
    pub fn principal(&self) -> Option<PrincipalId> {
        self.standing.as_ref().map(|standing| standing.facts.principal)
    }

    /// Refuses strangers.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`].
    pub const fn require_known(&self) -> Result<(), ServiceError> {
        if self.credential.is_some() { Ok(()) } else { Err(ServiceError::Unauthenticated) }
    }

    /// Refuses who looks through another member's eyes.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`].
    pub fn require_own_eyes(&self) -> Result<(), ServiceError> {
        if self.viewing { Err(Denial::WhileViewing.into()) } else { Ok(()) }
    }

    /// The caller's place in its organization.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for a stranger, [`ServiceError::NotFound`] for a caller without one.
    pub fn standing(&self) -> Result<&Arc<Standing>, ServiceError> {
        self.require_known()?;
        self.standing.as_ref().ok_or(ServiceError::NotFound)
    }

    /// Whether the same rules give the caller the same as this one, who is the same principal.
    pub(super) fn has_the_rights_of(&self, other: &Self) -> bool {
        match (&self.standing, &other.standing) {
            (Some(one), Some(other)) => {
                one.facts == other.facts && one.place == other.place && one.blueprint.custom == other.blueprint.custom
            }
            (None, None) => true,
            _ => false,
        }
    }

    /// The key its grants are cached under.
    #[must_use]
    pub fn grant_key(&self) -> Option<GrantKey> {
        self.credential.as_ref().map(grant_key)
    }
}

/// The key a credential's grants are cached under.
fn grant_key(credential: &Credential) -> GrantKey {
    match *credential {
        Credential::Session(identity) => GrantKey::Session {
            session: identity.session,
            user: identity.user,
            organization: identity.organization,
            member: identity.member,
        },
        Credential::ApiToken { token, organization, .. } => GrantKey::ApiToken { token, organization },
    }
}

/// Reads callers' facts from the database, for the cache and for transactions.
#[derive(Debug, Clone)]
pub struct FactsLoader {
    store: Store,
}

impl FactsLoader {
    /// From this database.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Loader for FactsLoader {
    type Facts = CallerFacts;

    async fn load(&self, key: &GrantKey) -> Result<Option<Loaded<CallerFacts>>, LoadError> {
        load(&self.store.read(), key).await.map_err(|error| match error {
            StoreError::Unavailable(_) | StoreError::Busy => LoadError::Unavailable(error.to_string().into()),
            other => LoadError::Failed(format!("{other:?}").into()),
        })
    }
}

/// What a key stands for, in one statement; `None` when there is no such credential or it has ended.
async fn load(reader: &impl Reader, key: &GrantKey) -> Result<Option<Loaded<CallerFacts>>, StoreError> {
    let ask = match *key {
        GrantKey::Session { session, user, organization, .. } => LoadKey::Session { session, user, organization },
        GrantKey::ApiToken { token, organization } => LoadKey::Token { token, organization },
        GrantKey::Principal { principal, organization } => LoadKey::Principal { organization, principal },
    };
    let Some(loaded) = facts::load_principal(reader, ask).await? else { return Ok(None) };
    let now = loaded.now;
    let over = |end: DateTime<Utc>, revoked: Option<DateTime<Utc>>| revoked.is_some() || end <= now;
    let ended = loaded.session.as_ref().is_some_and(|session| over(session.expires_at, session.revoked_at))
        || loaded.token.as_ref().is_some_and(|token| over(token.expires_at, token.revoked_at));
    let person_gone = matches!(key, GrantKey::Session { .. })
        && loaded.user.as_ref().is_none_or(|user| user.state != UserState::Active);
    let ended = ended && !(loaded.token.is_some() && crate::ablate::off("token_end"));
    if ended || person_gone {
        return Ok(None);
    }
    let valid_until = facts::valid_for(&loaded).and_then(|span| TimeDelta::from_std(span).ok()).map(|span| now + span);
    let ends_at = loaded.session.as_ref().map(|session| session.expires_at);
    let ends_at = ends_at.or(loaded.token.as_ref().map(|token| token.expires_at));
    let secret_hash = loaded.token.as_ref().and_then(|token| token.secret_hash.as_slice().try_into().ok());
    let content = loaded.stamps.iter().find(|stamp| stamp.kind == StampKind::Content).map(|stamp| stamp.version);
    let stamps = loaded.stamps.iter().filter(|stamp| stamp.kind != StampKind::Content);
    let vector = StampVector::new(stamps.copied());
    let stamp = loaded.stamps.iter().find(|stamp| stamp.kind == StampKind::Organization);
    let version = stamp.map_or(0, |stamp| stamp.version);
    let facts = CallerFacts { version, ..caller_facts(loaded, key, ends_at) };
    Ok(Some(Loaded { facts, secret_hash, vector, content, valid_until, read_at: now }))
}

fn caller_facts(loaded: facts::Loaded, key: &GrantKey, ends_at: Option<DateTime<Utc>>) -> CallerFacts {
    let open = loaded.organization.as_ref().filter(|organization| organization.state != OrganizationState::Deleted);
    // A token names the member it was minted for: a person who left and came back is another member, with another token.
    let same = |id: Uuid| match key {
        GrantKey::Session { member, .. } => *member == Some(id),
        GrantKey::ApiToken { .. } | GrantKey::Principal { .. } => true,
    };
    // An organization that asks for a second factor is closed to a session in which none was proven, from the moment it asks.
    let closed = open.is_some_and(|organization| needs_proof(organization, loaded.session.as_ref()));
    let principal = loaded.own().filter(|fact| same(fact.id.id) && !closed);
    let scopes = loaded.token.as_ref().map(|token| token.scopes.clone());
    let scopes = scopes.filter(|_| !crate::ablate::off("token_scope_limit"));
    let (place, facts, maker, name) = match (open, principal) {
        (Some(organization), Some(principal)) => {
            let active = organization.state == OrganizationState::Active;
            let within = Within { organization: organization.id, active };
            let mut facts = loaded.reach.facts(principal, within, scopes);
            let maker = loaded.maker().map(|maker| maker.map(|maker| loaded.reach.facts(maker, within, None)));
            let vouched = maker.as_ref().is_none_or(|maker| maker.as_ref().is_some_and(|maker| maker.principal_active));
            if !vouched && !crate::ablate::off("token_maker_state") {
                facts.principal_active = false;
            }
            let place = Place {
                id: organization.id,
                slug: organization.slug.clone(),
                name: organization.name.clone(),
                plan: organization.plan.clone(),
                blueprint: organization.blueprint_id,
            };
            (Some(place), Some(facts), maker.flatten(), principal.name.clone())
        }
        _ => (None, None, None, String::new()),
    };
    let roles = loaded.organization.map(|organization| organization.roles).unwrap_or_default();
    let person = loaded.user.filter(|_| matches!(key, GrantKey::Session { .. }));
    let person = person.map(|user| Person { id: user.id, email: user.email, name: user.name });
    CallerFacts { person, place, name, facts, maker, roles, ends_at, version: 0, standing: OnceLock::new() }
}

/// Whether this session has no rights in this organization for want of a second factor. Settings that cannot be read restrict.
fn needs_proof(organization: &OrganizationFact, session: Option<&SessionFact>) -> bool {
    let asks = || Settings::read(&organization.settings).map_or(true, |settings| settings.require_second_factor);
    session.is_some_and(|session| !session.is_proven && asks()) && !crate::ablate::off("second_factor_rights")
}

impl CallerFacts {
    /// Compiles the rights, or finds them compiled.
    async fn standing(
        &self,
        service: &Service,
        reader: &impl Reader,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<Standing>>, ServiceError> {
        let (Some(place), Some(facts)) = (&self.place, &self.facts) else { return Ok(None) };
        if let Some(known) = self.standing.get() {
            return Ok(Some(Arc::clone(known)));
        }
        let blueprint = service.rules(reader, place.blueprint, &self.roles).await?;
        let facts = self.vouched(reader, (place.id, &blueprint.rules), facts, now).await?;
        let rights = Rights::compile(&blueprint.rules, &facts, now);
        let standing = Standing { place: place.clone(), blueprint, facts, rights, name: self.name.clone() };
        Ok(Some(Arc::clone(self.standing.get_or_init(|| Arc::new(standing)))))
    }
}

impl CallerFacts {
    /// The facts, without the grants whose secret the maker of the caller's token could not have now (`D3`, `A7`): the rule by which it
    /// could make the token then.
    async fn vouched(
        &self,
        reader: &impl Reader,
        (organization, rules): (Uuid, &Blueprint),
        facts: &Facts,
        now: DateTime<Utc>,
    ) -> Result<Facts, ServiceError> {
        let mut facts = facts.clone();
        let Some(maker) = self.maker.as_ref().filter(|_| !crate::ablate::off("token_maker_rights")) else {
            return Ok(facts);
        };
        let maker = Rights::compile(rules, maker, now);
        let mut shared =
            share::judged(reader, (organization, rules), (&maker, may_wield), &facts.grants).await?.into_iter();
        facts.grants.retain(|_| shared.next().unwrap_or_default());
        Ok(facts)
    }
}

impl Service {
    /// Turns a proven credential into a caller; `None` when it is not good any more.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`] when its grants cannot be read now.
    pub async fn access(&self, credential: Credential, client: Client) -> Result<Option<Access>, ServiceError> {
        let now = self.now();
        let presented = match &credential {
            Credential::ApiToken { secret_hash, .. } => Some(secret_hash),
            Credential::Session(_) => None,
        };
        let granted = self.grants().get(&grant_key(&credential), presented, now).await.map_err(unavailable)?;
        let Some(granted) = granted else { return Ok(None) };
        let standing = granted.facts.standing(self, &self.store().read(), now).await?;
        self.note_presence(&credential, (client.address, standing.is_some()), now);
        // A program is nobody outside its organization, nor while it or whoever made its token is not active; a person may be.
        let active = standing.as_ref().is_some_and(|standing| standing.facts.principal_active);
        if !active && matches!(credential, Credential::ApiToken { .. }) {
            return Ok(None);
        }
        self.note_use(&credential, now);
        let (person, ends_at) = (granted.facts.person.clone(), granted.facts.ends_at);
        let version = granted.content.map(|content| Version { rights: granted.facts.version, content });
        Ok(Some(Access { credential: Some(credential), person, standing, ends_at, version, viewing: false, client }))
    }

    /// The same caller as a transaction sees it.
    pub(super) async fn reload(
        &self,
        reader: &impl Reader,
        access: &Access,
        now: DateTime<Utc>,
    ) -> Result<Access, ServiceError> {
        if crate::ablate::off("reread_rights") {
            return Ok(access.clone());
        }
        let key = access.grant_key().ok_or(ServiceError::Unauthenticated)?;
        let loaded = load(reader, &key).await?.ok_or(ServiceError::Unauthenticated)?;
        let standing = loaded.facts.standing(self, reader, now).await?;
        Ok(Access { person: loaded.facts.person.clone(), standing, ..access.clone() })
    }

    /// Another principal of the caller's organization, with its rights, fresh: for questions about it. One further round
    /// trip, no SQL when warm.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when there is no such principal in that organization.
    pub(super) async fn standing_of(&self, organization: Uuid, principal: Uuid) -> Result<Arc<Standing>, ServiceError> {
        let now = self.now();
        let key = GrantKey::Principal { principal, organization };
        let granted = self.grants().get(&key, None, now).await.map_err(unavailable)?;
        let granted = granted.ok_or(ServiceError::NotFound)?;
        granted.facts.standing(self, &self.store().read(), now).await?.ok_or(ServiceError::NotFound)
    }
}

fn unavailable(error: LoadError) -> ServiceError {
    match error {
        LoadError::Unavailable(cause) => ServiceError::Unavailable(cause.to_string()),
        LoadError::Failed(cause) => ServiceError::Internal(anyhow::anyhow!("{cause}")),
    }
}
