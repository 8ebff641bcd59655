//! The cache in Redis: one round trip per read, scripts for what must be one step.
//!
//! Nothing here is an error to the caller. What Redis cannot do now, the database does; a change that Redis did not
//! acknowledge waits instead.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use redis::{RedisError, RedisResult, Script, Value};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    Answer, Bypass, Fill, GrantCache, GrantKey, KeySpace, LeaseToken, Limits, Marked, ReadOutcome, Settled, Stamp,
    Subject,
};
use crate::ablate;
use link::{Line, Link};
use place::{Place, is_elsewhere};

mod link;
mod place;
mod script;
mod trust;

pub use trust::Doubt;

/// Entries, floors, markers and leases in Redis, under the keys of one deployment.
#[derive(Debug)]
pub struct RedisCache {
    link: Link,
    keys: KeySpace,
    limits: Limits,
    fill: Script,
    settle: Script,
    /// With a counter: values that no process ever makes twice.
    process: Uuid,
    counter: AtomicU64,
}

/// What a [`RedisCache`] is made of.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// `redis://…` or `rediss://…`.
    pub url: String,
    /// With `rediss://`, the authorities by which the server proves itself, in PEM; without, those that everyone knows.
    pub authorities: Option<Vec<u8>>,
    /// The name that separates this deployment's keys from others' in the same Redis.
    pub deployment: String,
    /// A random value of this process.
    pub process: Uuid,
    /// The durations.
    pub limits: Limits,
}

/// Why there can be no cache in Redis. That Redis is *down* is no reason.
#[derive(Debug, thiserror::Error)]
#[error("the Redis URL cannot be used: {0} (write it as `redis://host:6379` or `rediss://user:password@host:6380/0`)")]
pub struct RedisUrlError(String);

impl RedisCache {
    /// A cache that connects in the background; to be called within a tokio runtime.
    ///
    /// # Errors
    /// When the URL is not one.
    pub fn open(options: RedisOptions) -> Result<Self, RedisUrlError> {
        let keys = KeySpace::new(&options.deployment);
        let place = Place::new(&options.url, options.authorities, keys.any());
        let place = place.map_err(|error| RedisUrlError(error.to_string()))?;
        Ok(Self {
            link: Link::open(place, options.limits.clone()),
            keys,
            limits: options.limits,
            fill: Script::new(script::FILL),
            settle: Script::new(script::SETTLE),
            process: options.process,
            counter: AtomicU64::new(0),
        })
    }

    /// Whether there is a connection now, after waiting a while for the first one.
    pub async fn is_reachable(&self, wait: Duration) -> bool {
        let Some(mut line) = self.link.line_within(wait).await else { return false };
        let answer: Result<RedisResult<()>, _> =
            timeout(wait, redis::cmd("PING").query_async(&mut line.connection)).await;
        matches!(answer, Ok(Ok(())))
    }

    fn unique(&self) -> String {
        format!("{}:{}", self.process.simple(), self.counter.fetch_add(1, Ordering::Relaxed))
    }

    fn note(&self, line: &Line, error: &RedisError) -> Bypass {
        let broken = error.is_io_error() || error.is_connection_dropped() || error.is_unrecoverable_error();
        self.link.failed(line, broken || is_elsewhere(error));
        Bypass::Unreachable
    }

    fn out_of_step(&self, line: &Line) {
        tracing::error!("Redis answered another question than was asked; giving the connection up");
        self.link.failed(line, true);
    }

    async fn ask(&self, key: &GrantKey) -> Result<Answer, Bypass> {
        let mut line = self.link.line()?;
        let subjects = key.subjects();
        let mut names = vec![self.keys.entry(key)];
        names.extend(subjects.iter().chain(&key.content()).map(|subject| self.keys.floor(*subject)));
        names.extend(key.marked_by().iter().map(|subject| self.keys.marker(*subject)));
        let nonce = self.unique();
        let mut pipeline = redis::pipe();
        pipeline.cmd("ECHO").arg(&nonce).cmd("MGET").arg(&names);

        let sent = line.connection.send_packed_commands(&pipeline, 0, 2);
        let values = match timeout(self.limits.read_deadline, sent).await {
            Ok(Ok(values)) => values,
            Ok(Err(error)) => return Err(self.note(&line, &error)),
            Err(_) => {
                self.link.failed(&line, false);
                return Err(Bypass::Late);
            }
        };
        if let Some(error) = values.iter().find_map(|value| value.clone().extract_error().err()) {
            tracing::warn!(%error, "Redis refused to answer");
            return Err(self.note(&line, &error));
        }
        let Some(answer) = parse(values, &nonce, subjects.len(), key.content().is_some(), names.len()) else {
            self.out_of_step(&line);
            return Err(Bypass::Desynchronized);
        };
        self.link.succeeded();
        Ok(answer)
    }

    /// One try to settle. Only the first takes markers away: were its reply lost, a second would take away someone else's.
    async fn settle_once(&self, stamps: &[Stamp], markers: &[Subject]) -> Settled {
        let Some(mut line) = self.link.line_within(self.limits.settle_deadline).await else { return Settled::Unknown };
        let mut call = self.settle.prepare_invoke();
        for stamp in stamps {
            call.key(self.keys.floor(stamp.subject()));
        }
        for subject in markers {
            call.key(self.keys.marker(*subject));
        }
        let nonce = self.unique();
        call.arg(&nonce).arg(millis(self.limits.floor_life())).arg(stamps.len());
        for stamp in stamps {
            call.arg(stamp.version);
        }
        let answer: Result<RedisResult<Value>, _> =
            timeout(self.limits.settle_deadline, call.invoke_async(&mut line.connection)).await;
        match answer {
            Ok(Ok(reply)) if !is_echo(&reply, &nonce) => {
                self.out_of_step(&line);
                Settled::Unknown
            }
            Ok(Ok(_)) if line.trusted => Settled::Acknowledged,
            Ok(Ok(_)) => Settled::InDoubt,
            Ok(Err(error)) => {
                self.note(&line, &error);
                Settled::Unknown
            }
            Err(_) => {
                self.link.failed(&line, false);
                Settled::Unknown
            }
        }
    }
}

#[async_trait]
impl GrantCache for RedisCache {
    fn doubts(&self) -> Option<Vec<Doubt>> {
        self.link.doubts()
    }

    async fn read(&self, key: &GrantKey) -> ReadOutcome {
        self.ask(key).await.map_or_else(ReadOutcome::Bypass, ReadOutcome::Answer)
    }

    async fn lease(&self, key: &GrantKey) -> Option<LeaseToken> {
        let mut line = self.link.line().ok()?;
        let token = self.unique();
        let mut set = redis::cmd("SET");
        set.arg(self.keys.lease(key)).arg(&token).arg("PX").arg(millis(self.limits.lease_ttl));
        let answer: Result<RedisResult<()>, _> =
            timeout(self.limits.read_deadline, set.query_async(&mut line.connection)).await;
        match answer {
            Ok(Ok(())) => Some(LeaseToken(token)),
            Ok(Err(error)) => {
                self.note(&line, &error);
                None
            }
            Err(_) => {
                self.link.failed(&line, false);
                None
            }
        }
    }

    async fn fill(&self, fill: Fill) -> bool {
        let Ok(mut line) = self.link.line() else { return false };
        if ablate::off("cache_lease_token") {
            let mut set = redis::cmd("SET");
            set.arg(self.keys.lease(&fill.key)).arg(&fill.lease.0);
            let _: RedisResult<()> = set.query_async(&mut line.connection).await;
        }
        let mut call = self.fill.key(self.keys.lease(&fill.key));
        call.key(self.keys.entry(&fill.key));
        for subject in fill.key.subjects() {
            call.key(self.keys.floor(subject));
        }
        for subject in fill.key.marked_by() {
            call.key(self.keys.marker(subject));
        }
        call.arg(&fill.lease.0).arg(&fill.entry).arg(millis(fill.ttl)).arg(fill.versions.len());
        for version in &fill.versions {
            call.arg(*version);
        }
        let answer: Result<RedisResult<i64>, _> =
            timeout(self.limits.settle_deadline, call.invoke_async(&mut line.connection)).await;
        match answer {
            Ok(Ok(stored)) => stored == 1,
            Ok(Err(error)) => {
                self.note(&line, &error);
                false
            }
            Err(_) => {
                self.link.failed(&line, false);
                false
            }
        }
    }

    async fn mark(&self, subjects: &[Subject]) -> Marked {
        let set = async {
            let mut line = self.link.line_within(self.limits.mark_deadline).await?;
            let nonce = self.unique();
            let mut pipeline = redis::pipe();
            pipeline.atomic().cmd("ECHO").arg(&nonce);
            for subject in subjects {
                let name = self.keys.marker(*subject);
                pipeline.cmd("INCR").arg(&name).ignore();
                pipeline.cmd("PEXPIRE").arg(&name).arg(millis(self.limits.marker_ttl)).ignore();
            }
            let (echo,): (Value,) = pipeline.query_async(&mut line.connection).await.ok()?;
            let ours = is_echo(&echo, &nonce);
            if !ours {
                self.out_of_step(&line);
            }
            ours.then_some(())
        };
        match timeout(self.limits.mark_deadline, set).await {
            Ok(Some(())) => Marked { acknowledged: subjects.to_vec() },
            Ok(None) | Err(_) => Marked::default(),
        }
    }

    async fn settle(&self, marked: Marked, stamps: &[Stamp]) -> Settled {
        let began = Instant::now();
        let mut markers = marked.acknowledged.as_slice();
        for pause in [10, 50, 0] {
            let left = self.limits.settle_budget.saturating_sub(began.elapsed());
            match timeout(left, self.settle_once(stamps, markers)).await {
                Ok(done @ (Settled::Acknowledged | Settled::InDoubt)) => return done,
                Ok(Settled::Unknown) | Err(_) => {}
            }
            markers = &[];
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        tracing::warn!("Redis did not acknowledge a change; it waits until every node has read it from the database");
        Settled::Unknown
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Whether a reply is the one to the question that this nonce was sent with (R20).
fn is_echo(reply: &Value, nonce: &str) -> bool {
    matches!(reply, Value::BulkString(echo) if echo == nonce.as_bytes()) || ablate::off("cache_nonce")
}

/// The answer in the two replies, where they are the replies to this question.
fn parse(values: Vec<Value>, nonce: &str, subjects: usize, content: bool, names: usize) -> Option<Answer> {
    let [echo, Value::Array(found)] = <[Value; 2]>::try_from(values).ok()? else { return None };
    if !is_echo(&echo, nonce) || found.len() != names {
        return None;
    }
    let mut found = found.into_iter();
    let entry = match found.next()? {
        Value::Nil => None,
        Value::BulkString(bytes) => Some(bytes),
        _ => return None,
    };
    let mut answer = Answer { entry, ..Answer::default() };
    for _ in 0..subjects {
        answer.floors.push(floor(&found.next()?)?);
    }
    if content {
        answer.content = floor(&found.next()?)?;
    }
    answer.marked = found.any(|marker| marker != Value::Nil);
    Some(answer)
}

/// A floor; one that is no number passes every version.
fn floor(value: &Value) -> Option<i64> {
    match value {
        Value::Nil => Some(0),
        Value::BulkString(digits) => {
            Some(std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(i64::MAX))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn replies_are_read_in_the_order_of_the_question() {
        let found = vec![bulk("entry"), bulk("3"), Value::Nil, bulk("x"), bulk("9"), Value::Nil, bulk("1")];
        let answer = parse(vec![bulk("n"), Value::Array(found)], "n", 3, true, 7).unwrap();
        assert_eq!(answer.entry.as_deref(), Some(b"entry".as_slice()));
        assert_eq!(answer.floors.as_slice(), [3, 0, i64::MAX]);
        assert_eq!(answer.content, 9);
        assert!(answer.marked);
    }

    #[test]
    fn replies_to_another_question_are_no_answer() {
        let found = || Value::Array(vec![Value::Nil, Value::Nil]);
        assert_eq!(parse(vec![bulk("older"), found()], "n", 1, false, 2), None);
        assert_eq!(parse(vec![bulk("n"), found()], "n", 1, false, 3), None);
        assert_eq!(parse(vec![bulk("n")], "n", 1, false, 2), None);
        assert_eq!(parse(vec![bulk("n"), bulk("x")], "n", 1, false, 2), None);
        assert_eq!(parse(vec![found(), bulk("n")], "n", 1, false, 2), None);
    }
}
