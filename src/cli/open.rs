//! Opening a deployment: every room is made here, and nowhere else, from what the operator configured.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;

use super::providers;
use crate::{
    cache::{
        EntryCodec, Follower, Freshness, GrantCache, Grants, Limits, MemoryCache, NoCache, RedisCache, Revocation,
        grants::GrantsParts, redis::RedisOptions,
    },
    clock::{Clock, SystemClock},
    config::{DeploymentArgs, HttpArgs, HttpConfig, RevocationMode},
    graphql::Cursors,
    id::new_id,
    identity::{
        AccessTokenOptions, AccessTokens, FactorRoot, KeyRoot, PasswordOptions, Passwords, PublicUrl, RootSecret,
        SessionLifetimes, SignInLimiter, SignInLimits, SigningKeys,
    },
    mail::{FolderOutbox, LetterKey, Outbox, SmtpOutbox},
    provider::Providers,
    service::{
        FactsLoader, Options, Parts, Service, SignUp,
        blueprint::{IN_THE_BOX, InstallError},
        input,
        tail::StoreTail,
    },
    store::{Backend, ConnectOptions, Store},
};

/// An opened deployment. While it lives, the node follows the database's moved stamps.
#[derive(Debug)]
pub struct Opened {
    /// The system.
    pub service: Service,
    /// Signs and reads cursors.
    pub cursors: Cursors,
    /// The database, to close it in the end.
    pub store: Store,
    follower: Option<Follower>,
}

/// What a deployment's links and tokens name.
#[derive(Debug, Clone)]
pub struct Urls {
    /// Where people reach the gateway; the issuer of its tokens.
    pub public: String,
    /// Where links in mail lead.
    pub dashboard: String,
}

impl Urls {
    /// Of a command that serves nothing: where `serve` would be reached by default.
    ///
    /// # Errors
    /// When a variable that names them makes no sense.
    pub fn unserved() -> anyhow::Result<Self> {
        let variable = |name| std::env::var(name).ok();
        let args = HttpArgs {
            public_url: variable("GATEHOUSE_PUBLIC_URL"),
            dashboard_url: variable("GATEHOUSE_DASHBOARD_URL"),
            ..HttpArgs::default()
        };
        let config = HttpConfig::try_from(args)?;
        Ok(Self { public: config.public_url.to_string(), dashboard: config.dashboard_url.to_string() })
    }
}

/// Connects to the database alone.
///
/// # Errors
/// When it cannot be reached.
pub async fn connect(args: &DeploymentArgs) -> anyhow::Result<Store> {
    let options = ConnectOptions {
        url: args.database_url.clone(),
        max_connections: args.database_connections,
        acquire_timeout: Duration::from_secs(5),
    };
    Store::connect(&options).await.with_context(|| format!("cannot open the database `{}`", masked(&args.database_url)))
}

/// Opens the deployment: connects, migrates, installs the blueprints in the box, follows moved stamps.
///
/// # Errors
/// When the database cannot be reached or migrated, or a setting makes no sense.
pub async fn open(args: &DeploymentArgs, urls: &Urls) -> anyhow::Result<Opened> {
    open_at(args, urls, Arc::new(SystemClock)).await
}

/// Opens the deployment by another clock than the machine's.
///
/// # Errors
/// As [`open`].
pub async fn open_at(args: &DeploymentArgs, urls: &Urls, clock: Arc<dyn Clock>) -> anyhow::Result<Opened> {
    let store = connect(args).await?;
    store.migrate().await.context("cannot migrate the database")?;
    open_on(store, args, urls, clock).await
}

async fn open_on(store: Store, args: &DeploymentArgs, urls: &Urls, clock: Arc<dyn Clock>) -> anyhow::Result<Opened> {
    let secret = secret(args)?;
    let limits = Limits::default();
    let cache = cache(&store, args, &limits)?;
    let alone = store.backend() == Backend::Sqlite;
    let freshness = if alone { Freshness::alone(limits.clone()) } else { Freshness::leased(limits.clone()) };
    let follower = (!alone).then(|| freshness.follow(Arc::new(StoreTail(store.clone()))));
    let grants = Grants::new(GrantsParts {
        loader: FactsLoader::new(store.clone()),
        cache,
        codec: EntryCodec::new(&secret.derive("cache-mac")),
        freshness,
        limits,
        revocation: revocation(args),
    });
    let lifetimes =
        SessionLifetimes { access: Duration::from_secs(args.access_token_minutes * 60), ..SessionLifetimes::default() }
            .checked()?;
    let options = AccessTokenOptions { lifetime: lifetimes.access, ..AccessTokenOptions::new(&urls.public) };
    let key_root = KeyRoot::of(&secret);
    let service = Service::new(Parts {
        store: store.clone(),
        grants,
        clock,
        tokens: AccessTokens::new(SigningKeys::derived(&key_root, &[])?, options)?,
        key_root,
        factor_root: FactorRoot::of(&secret),
        passwords: Passwords::new(PasswordOptions::default())?,
        limiter: SignInLimiter::new(SignInLimits::default()),
        outbox: outbox(args)?,
        letter_key: LetterKey::new(&secret.derive("mail-queue"))?,
        providers: Providers::new(
            providers::read(args.providers.as_deref(), urls)?,
            &secret.derive("provider-sign-in"),
        )?,
        options: Options { dashboard: PublicUrl::parse(&urls.dashboard)?, sign_up: sign_up(args)?, lifetimes },
    });
    service.prepare_signing_keys().await.context("cannot read the signing keys")?;
    for (name, source) in IN_THE_BOX {
        match service.install_blueprint(source).await {
            Ok(_) => {}
            Err(InstallError::Invalid(errors)) => {
                let errors = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                anyhow::bail!("the blueprint `{name}` in the box is invalid:\n{errors}");
            }
            Err(error) => return Err(error).with_context(|| format!("cannot install the blueprint `{name}`")),
        }
    }
    Ok(Opened { service, cursors: Cursors::new(*secret.derive("cursor")), store, follower })
}

impl Opened {
    /// Stops following and closes the database's connections.
    ///
    /// # Errors
    /// When a connection does not close.
    pub async fn close(self) -> anyhow::Result<()> {
        drop(self.follower);
        Ok(self.store.close().await?)
    }
}

/// Why an embedded database is refused with a Redis.
pub(super) const REDIS_BESIDE_SQLITE: &str =
    "--redis-url goes with PostgreSQL: an embedded database has one process, and keeps grants in its memory";

/// SQLite: one process, its own memory. PostgreSQL: Redis where there is one, else no cached grants.
fn cache(store: &Store, args: &DeploymentArgs, limits: &Limits) -> anyhow::Result<Arc<dyn GrantCache>> {
    match (store.backend(), &args.redis_url) {
        (Backend::Sqlite, None) => Ok(Arc::new(MemoryCache::new(limits.clone()))),
        (Backend::Sqlite, Some(_)) => {
            anyhow::bail!(REDIS_BESIDE_SQLITE)
        }
        (Backend::Postgres, None) => Ok(Arc::new(NoCache)),
        (Backend::Postgres, Some(url)) => Ok(Arc::new(redis(args, url, limits)?)),
    }
}

/// The deployment's part of a Redis.
///
/// # Errors
/// When the URL is none, or the file of authorities cannot be read.
pub(super) fn redis(args: &DeploymentArgs, url: &str, limits: &Limits) -> anyhow::Result<RedisCache> {
    let read = |file: &PathBuf| std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()));
    let authorities = args.redis_ca_file.as_ref().map(read).transpose()?;
    let (url, deployment) = (url.to_owned(), args.deployment.clone());
    Ok(RedisCache::open(RedisOptions { url, authorities, deployment, process: new_id(), limits: limits.clone() })?)
}

/// When a change returns. Without Redis nobody holds an older grant, and nothing is waited for.
const fn revocation(args: &DeploymentArgs) -> Revocation {
    match (&args.redis_url, args.revocation) {
        (None, _) | (Some(_), RevocationMode::Auto) => Revocation::Auto,
        (Some(_), RevocationMode::Fast) => Revocation::Fast,
        (Some(_), RevocationMode::Strict) => Revocation::Strict,
    }
}

/// Who may open an account.
fn sign_up(args: &DeploymentArgs) -> anyhow::Result<SignUp> {
    if args.invitation_only {
        return Ok(SignUp::Invited);
    }
    match input::domains("--sign-up-domain", &args.sign_up_domains) {
        Ok(none) if none.is_empty() => Ok(SignUp::Open),
        Ok(domains) => Ok(SignUp::Domains(domains)),
        Err(mistake) => anyhow::bail!("--sign-up-domain: {}", mistake.message),
    }
}

/// The server that mail is given to, else the folder.
fn outbox(args: &DeploymentArgs) -> anyhow::Result<Arc<dyn Outbox>> {
    Ok(match &args.mail_url {
        Some(url) => Arc::new(SmtpOutbox::open(url.expose(), &args.mail_from).context("--mail-url cannot be used")?),
        None => Arc::new(FolderOutbox::open(&args.mail_dir, &args.mail_from)?),
    })
}

fn secret(args: &DeploymentArgs) -> anyhow::Result<RootSecret> {
    match std::env::var("GATEHOUSE_SECRET") {
        Ok(text) => Ok(RootSecret::from_text(&text).context("GATEHOUSE_SECRET cannot be used")?),
        Err(std::env::VarError::NotPresent) => Ok(RootSecret::from_file(&args.secret_file, &mut rand::rng())?),
        Err(error) => Err(error).context("GATEHOUSE_SECRET cannot be used"),
    }
}

/// A database URL without its password.
pub(super) fn masked(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}
