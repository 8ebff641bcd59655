//! `gatehouse doctor`: what state a deployment is in, and why revocations are immediate or wait.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    lock::database_file,
    open::{REDIS_BESIDE_SQLITE, connect, masked, redis},
};
use crate::{
    cache::{Doubt, Freshness, GrantCache, Limits},
    clock::{Clock, SystemClock},
    config::{DeploymentArgs, RevocationMode},
    service::tail::StoreTail,
    store::{Backend, Store, condition::Condition},
};

/// How long the database and Redis are waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// A clock further from the database's than this is worth a word: grants and invitations end by it.
const CLOCK: Duration = Duration::from_secs(5);

/// Options of `gatehouse doctor`.
#[derive(Debug, Clone, clap::Args)]
pub struct DoctorArgs {
    /// Print one JSON object instead of lines.
    #[arg(long)]
    pub json: bool,
}

/// What was found.
#[derive(Debug, Default)]
struct Findings {
    /// What was looked at, and what it is like.
    lines: Vec<(&'static str, String)>,
    /// What is wrong and what to do about it.
    problems: Vec<String>,
    json: serde_json::Map<String, Value>,
}

impl Findings {
    fn note(&mut self, name: &'static str, text: String) {
        self.lines.push((name, text));
    }

    fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }
}

/// Runs the command.
///
/// # Errors
/// When the database is out of reach or there is none, or when a problem was found: the exit code says so.
pub async fn run(deployment: &DeploymentArgs, args: &DoctorArgs) -> anyhow::Result<()> {
    if let Some(file) = database_file(&deployment.database_url)
        && !std::path::Path::new(file).exists()
    {
        anyhow::bail!("there is no database `{file}` yet: `gatehouse serve` and `gatehouse migrate` make one");
    }
    let store = connect(deployment).await?;
    let mut findings = Findings::default();
    let condition = store.condition().await.context("the database does not answer")?;
    database(&mut findings, &condition);
    match (store.backend(), &deployment.redis_url) {
        (Backend::Sqlite, _) => {
            findings.note("Cache", "the memory of the one process that serves".to_owned());
            revocation(&mut findings, "immediate", "one process knows of every change");
            if deployment.redis_url.is_some() {
                findings.problem(REDIS_BESIDE_SQLITE);
            }
        }
        (Backend::Postgres, None) => {
            findings.note("Cache", "none: every request reads the database (name a Redis with --redis-url)".to_owned());
            revocation(&mut findings, "immediate", "nobody keeps grants");
        }
        (Backend::Postgres, Some(url)) => {
            cached(&mut findings, deployment, url).await?;
            if condition.is_migrated {
                lease(&mut findings, &store).await;
            }
        }
    }
    store.close().await?;
    if args.json {
        findings.json.insert("problems".to_owned(), json!(findings.problems));
        println!("{}", Value::Object(findings.json));
    } else {
        for (name, text) in &findings.lines {
            println!("{name:<14}{text}");
        }
    }
    match findings.problems.as_slice() {
        [] => Ok(()),
        problems => anyhow::bail!("{}", problems.join("\n")),
    }
}

fn database(findings: &mut Findings, condition: &Condition) {
    let here = SystemClock.now();
    let apart = condition.now.map_or(Duration::ZERO, |now| (now - here).abs().to_std().unwrap_or_default());
    let Condition { version, is_primary, is_durable, is_migrated, .. } = condition;
    let word = |good: bool, yes: &'static str, no: &'static str| if good { yes } else { no };
    findings.note(
        "Database",
        format!(
            "{version}, {}, {}, {}",
            word(*is_migrated, "up to date", "not up to date"),
            word(*is_primary, "primary", "standby"),
            word(*is_durable, "commits are on disk when acknowledged", "commits may be lost in a crash"),
        ),
    );
    findings.json.insert(
        "database".to_owned(),
        json!({ "version": version, "migrated": is_migrated, "primary": is_primary, "durable": is_durable,
                "clock_apart_ms": millis(apart) }),
    );
    if !is_migrated {
        findings.problem("the database is not up to date: `gatehouse migrate`, or start `gatehouse serve`");
    }
    if !is_primary {
        findings.problem("the database is a standby: grants read from one are old; name the primary in --database-url");
    }
    if !is_durable {
        findings.problem(
            "a commit may be lost after it was acknowledged, and a revocation with it: set fsync and synchronous_commit to on",
        );
    }
    if apart > CLOCK {
        findings.problem(format!("this machine's clock is {apart:.1?} from the database's: synchronize them"));
    }
}

/// Looks at Redis, and says how changes become visible with it.
async fn cached(findings: &mut Findings, deployment: &DeploymentArgs, url: &str) -> anyhow::Result<()> {
    let cache = redis(deployment, url, &Limits::default())?;
    let began = Instant::now();
    let reachable = cache.is_reachable(PATIENCE).await;
    let took = began.elapsed();
    let doubts = cache.doubts().filter(|_| reachable);
    let said =
        if reachable { format!("answers ({took:.1?} with the connection)") } else { "does not answer".to_owned() };
    findings.note("Cache", format!("Redis at {}, {said}", masked(url)));
    let Some(doubts) = doubts else {
        findings.problem("Redis does not answer: every request reads the database, and changes wait about a second");
        revocation(findings, "strict", "Redis does not answer");
        return Ok(());
    };
    policy(findings, &doubts);
    let why = || doubts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    match (deployment.revocation, doubts.is_empty()) {
        (RevocationMode::Auto, true) => revocation(findings, "immediate", "auto: Redis keeps what it acknowledges"),
        (RevocationMode::Auto, false) => revocation(findings, "strict", &format!("auto: {}", why())),
        (RevocationMode::Strict, _) => revocation(findings, "strict", "--revocation strict"),
        (RevocationMode::Fast, true) => revocation(findings, "immediate", "--revocation fast"),
        (RevocationMode::Fast, false) => {
            findings.problem(format!(
                "--revocation fast with a Redis that may lose what it acknowledged ({}): old rights may be honoured for up to a \
                 second after a change",
                why()
            ));
            revocation(findings, "immediate", "--revocation fast");
        }
    }
    Ok(())
}

fn policy(findings: &mut Findings, doubts: &[Doubt]) {
    let said: Vec<_> = doubts.iter().map(ToString::to_string).collect();
    let text = if said.is_empty() { "keeps what it acknowledges".to_owned() } else { said.join("; ") };
    findings.note("Redis policy", text);
    findings.json.insert("redis".to_owned(), json!({ "trusted": said.is_empty(), "doubts": said }));
}

fn revocation(findings: &mut Findings, mode: &'static str, why: &str) {
    let meaning = match mode {
        "strict" => "strict: a change that takes rights away returns after about a second",
        _ => "immediate: a change that takes rights away returns at once",
    };
    findings.note("Revocation", format!("{meaning} ({why})"));
    findings.json.insert("revocation".to_owned(), json!({ "mode": mode, "because": why }));
}

/// Follows the database for a moment, as a serving gateway does all the time.
async fn lease(findings: &mut Findings, store: &Store) {
    let limits = Limits::default();
    let freshness = Freshness::leased(limits.clone());
    let follower = freshness.follow(Arc::new(StoreTail(store.clone())));
    let began = Instant::now();
    let mut oldest = Duration::ZERO;
    while began.elapsed() < PATIENCE / 2 {
        sleep(Duration::from_millis(20)).await;
        oldest = oldest.max(freshness.age().unwrap_or_else(|| began.elapsed()));
    }
    drop(follower);
    findings
        .json
        .insert("lease".to_owned(), json!({ "oldest_age_ms": millis(oldest), "limit_ms": millis(limits.freshness) }));
    findings.note(
        "Lease",
        format!("the last reading of the database was never older than {oldest:.1?} (limit {:.1?})", limits.freshness),
    );
    if oldest > limits.freshness {
        findings.problem("the database is read too slowly for cached grants to be used: requests read the database");
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
