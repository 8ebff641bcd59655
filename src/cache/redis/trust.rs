//! Whether a Redis keeps what it acknowledged for as long as it runs (zero-stale.md §4.6).
//!
//! A floor that Redis acknowledged and then lost would let an older entry count again. Redis loses keys it holds when it evicts
//! them, when a replica that lags behind takes over, and when it restarts from a file that is older than its memory. One that
//! does none of this, and answers for itself, is trusted; with any other a change waits until every node has read it from the
//! database.

use std::{collections::HashMap, fmt};

use redis::{Value, aio::MultiplexedConnection};

/// Why a Redis may lose what it acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// It does not tell what it is (an ACL, a proxy, a hosted Redis), or not in time.
    Silent(String),
    /// It is itself a replica.
    Replica,
    /// So many replicas follow it, and one may take over.
    Replicas(u64),
    /// It saves its memory to a file now and then, and reads it back when it starts.
    Snapshots,
    /// It writes a log, and reads it back when it starts.
    AppendOnlyFile,
    /// It has a memory limit, and makes room by evicting keys under this policy.
    Eviction(String),
    /// It is part of a cluster, where replicas take over and slots move.
    Cluster,
    /// The same connection has led to another server than before: something stands between.
    Another,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(why) => write!(f, "it does not say how it is set up ({why})"),
            Self::Replica => f.write_str("it is a replica"),
            Self::Replicas(1) => f.write_str("a replica follows it and may take over"),
            Self::Replicas(count) => write!(f, "{count} replicas follow it and one may take over"),
            Self::Snapshots => f.write_str("it restarts from snapshots (`save` is not \"\")"),
            Self::AppendOnlyFile => f.write_str("it restarts from a log (`appendonly` is yes)"),
            Self::Eviction(policy) => write!(f, "it may evict keys (`maxmemory-policy` is {policy}, not noeviction)"),
            Self::Cluster => f.write_str("it is part of a cluster"),
            Self::Another => f.write_str("the connection has led to more than one server"),
        }
    }
}

/// What a Redis said of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Why it is not trusted; nothing: it is.
    pub(super) doubts: Vec<Doubt>,
    /// Which run of which server this is.
    pub(super) run: Option<String>,
    /// Which connection it was said on.
    pub(super) of: u64,
}

impl Report {
    /// A Redis that does not tell.
    pub(super) fn silent(why: &dyn fmt::Display) -> Self {
        Self { doubts: vec![Doubt::Silent(why.to_string())], ..Self::default() }
    }
}

/// Asks a Redis how it is set up.
pub(super) async fn ask(connection: &mut MultiplexedConnection) -> Report {
    let mut questions = redis::pipe();
    questions.cmd("INFO").cmd("CONFIG").arg("GET").arg("save");
    match connection.send_packed_commands(&questions, 0, 2).await {
        Ok(answers) => read(&answers),
        Err(error) => Report::silent(&error),
    }
}

/// Reads the answers to `INFO` and `CONFIG GET save`.
fn read(answers: &[Value]) -> Report {
    let [info, save] = answers else { return Report::silent(&"no answer") };
    let text = |value: &Value| redis::from_redis_value::<String>(value.clone()).ok();
    let Some(info) = text(info) else { return Report::silent(&"INFO is refused") };
    let save = redis::from_redis_value::<HashMap<String, String>>(save.clone()).ok();
    let facts: HashMap<&str, &str> = info.lines().filter_map(|line| line.trim_end().split_once(':')).collect();
    let save = save.as_ref().and_then(|all| all.get("save")).map(String::as_str);
    Report { doubts: doubts(&facts, save), run: run(&facts), of: 0 }
}

/// The one rule: what must be so, and is known to be so, or there is a doubt.
fn doubts(facts: &HashMap<&str, &str>, save: Option<&str>) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let fact = |name: &str| facts.get(name).copied();
    match fact("role") {
        Some("master") => {}
        Some(_) => doubts.push(Doubt::Replica),
        None => doubts.push(Doubt::Silent("INFO names no role".to_owned())),
    }
    match fact("connected_slaves").and_then(|count| count.parse().ok()) {
        Some(0) => {}
        Some(count) => doubts.push(Doubt::Replicas(count)),
        None => doubts.push(Doubt::Silent("INFO counts no replicas".to_owned())),
    }
    match save {
        Some("") => {}
        Some(_) => doubts.push(Doubt::Snapshots),
        None => doubts.push(Doubt::Silent("CONFIG GET save is refused".to_owned())),
    }
    if fact("aof_enabled") != Some("0") {
        doubts.push(Doubt::AppendOnlyFile);
    }
    match (fact("maxmemory"), fact("maxmemory_policy")) {
        (Some("0"), _) | (_, Some("noeviction")) => {}
        (_, policy) => doubts.push(Doubt::Eviction(policy.unwrap_or("unknown").to_owned())),
    }
    if fact("cluster_enabled") != Some("0") || fact("redis_mode") != Some("standalone") {
        doubts.push(Doubt::Cluster);
    }
    doubts
}

fn run(facts: &HashMap<&str, &str>) -> Option<String> {
    Some(format!("{} {}", facts.get("run_id")?, facts.get("master_replid")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUSTED: [(&str, &str); 8] = [
        ("role", "master"),
        ("connected_slaves", "0"),
        ("aof_enabled", "0"),
        ("maxmemory", "0"),
        ("maxmemory_policy", "allkeys-lru"),
        ("cluster_enabled", "0"),
        ("redis_mode", "standalone"),
        ("run_id", "1"),
    ];

    fn with(change: &[(&'static str, &'static str)], save: Option<&str>) -> Vec<Doubt> {
        let mut facts: HashMap<&str, &str> = TRUSTED.into_iter().collect();
        facts.extend(change.iter().copied());
        doubts(&facts, save)
    }

    #[test]
    fn a_redis_that_keeps_nothing_on_disk_and_evicts_nothing_is_trusted() {
        assert_eq!(with(&[], Some("")), []);
        assert_eq!(with(&[("maxmemory", "100"), ("maxmemory_policy", "noeviction")], Some("")), []);
    }

    #[test]
    fn every_way_to_lose_a_key_is_a_doubt() {
        assert_eq!(with(&[("role", "slave")], Some("")), [Doubt::Replica]);
        assert_eq!(with(&[("connected_slaves", "2")], Some("")), [Doubt::Replicas(2)]);
        assert_eq!(with(&[("aof_enabled", "1")], Some("")), [Doubt::AppendOnlyFile]);
        assert_eq!(with(&[], Some("3600 1")), [Doubt::Snapshots]);
        assert_eq!(with(&[("maxmemory", "100")], Some("")), [Doubt::Eviction("allkeys-lru".to_owned())]);
        assert_eq!(with(&[("cluster_enabled", "1"), ("redis_mode", "cluster")], Some("")), [Doubt::Cluster]);
    }

    #[test]
    fn what_is_not_told_is_a_doubt() {
        assert!(matches!(with(&[], None).as_slice(), [Doubt::Silent(_)]));
        for (name, _) in &TRUSTED[..7] {
            let facts = TRUSTED.into_iter().filter(|(fact, _)| fact != name).collect();
            let left = doubts(&facts, Some(""));
            // The policy says nothing where there is no limit.
            assert_eq!(left.is_empty(), *name == "maxmemory_policy", "{name}: {left:?}");
        }
    }
}
