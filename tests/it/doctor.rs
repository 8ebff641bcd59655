//! `gatehouse doctor`: the state of a deployment, and why revocations are immediate or wait.

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{database::TestDatabase, redis};

struct Said {
    good: bool,
    out: String,
    told: String,
}

async fn run(folder: &TempDir, words: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatehouse"));
    let output = command.current_dir(folder.path()).args(words).output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Said { good: output.status.success(), out: text(&output.stdout), told: text(&output.stderr) }
}

fn found(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.told))
}

#[tokio::test]
async fn an_embedded_database_is_looked_at_and_none_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let none = run(&folder, &["doctor"]).await;
    assert!(!none.good && none.told.contains("there is no database `gatehouse.db` yet"), "{}", none.told);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(run(&folder, &["migrate"]).await.good);
    let said = run(&folder, &["doctor"]).await;
    assert!(said.good, "{}", said.told);
    for line in ["Database      SQLite 3.", "up to date", "Cache         the memory", "Revocation    immediate"] {
        assert!(said.out.contains(line), "{line}\n{}", said.out);
    }
    // What `serve` refuses is no good state.
    let beside = run(&folder, &["doctor", "--redis-url", "redis://127.0.0.1:1"]).await;
    assert!(!beside.good && beside.told.contains("--redis-url goes with PostgreSQL"), "{}{}", beside.out, beside.told);
}

#[tokio::test]
async fn it_says_why_revocations_wait() {
    let (folder, database, server) = (tempfile::tempdir().unwrap(), TestDatabase::postgres().await, redis::start());
    let url = format!("redis://127.0.0.1:{}", server.port);
    let words = ["doctor", "--json", "--database-url", &database.url, "--redis-url", &url];
    let trusted = run(&folder, &words).await;
    let state = found(&trusted);
    assert_eq!(state["redis"]["trusted"], true, "{state}");
    assert_eq!(state["revocation"]["mode"], "immediate", "{state}");
    assert!(state["lease"]["oldest_age_ms"].is_u64() && state["database"]["primary"] == true, "{state}");
    // The tests' PostgreSQL does not sync its files, which is worth a word and the exit code.
    assert!(!trusted.good && trusted.told.contains("fsync"), "{}", trusted.told);

    let mut admin = ::redis::Client::open(url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    for (name, value, why) in
        [("save", "3600 1", "snapshots"), ("appendonly", "yes", "log"), ("maxmemory-policy", "allkeys-lru", "evict")]
    {
        if name == "maxmemory-policy" {
            let _: () = redis_set("maxmemory", "100mb").query_async(&mut admin).await.unwrap();
        }
        let before: Vec<String> = ::redis::cmd("CONFIG").arg("GET").arg(name).query_async(&mut admin).await.unwrap();
        let _: () = redis_set(name, value).query_async(&mut admin).await.unwrap();
        let state = found(&run(&folder, &words).await);
        assert_eq!(state["revocation"]["mode"], "strict", "{name}: {state}");
        assert!(state["revocation"]["because"].as_str().unwrap().contains(why), "{name}: {state}");
        let _: () = redis_set(name, &before[1]).query_async(&mut admin).await.unwrap();
    }
    let fast = run(&folder, &[&words[..], &["--revocation", "fast"]].concat()).await;
    assert_eq!(found(&fast)["revocation"]["mode"], "immediate");
    let strict = run(&folder, &[&words[..], &["--revocation", "strict"]].concat()).await;
    assert_eq!(found(&strict)["revocation"]["mode"], "strict");
}

fn redis_set(name: &str, value: &str) -> ::redis::Cmd {
    let mut command = ::redis::cmd("CONFIG");
    command.arg("SET").arg(name).arg(value);
    command
}

#[tokio::test]
async fn a_redis_that_does_not_answer_is_a_problem_and_no_end() {
    let (folder, database) = (tempfile::tempdir().unwrap(), TestDatabase::postgres().await);
    let words = ["doctor", "--json", "--database-url", &database.url, "--redis-url", "redis://127.0.0.1:1"];
    let said = run(&folder, &words).await;
    let state = found(&said);
    assert_eq!(state["revocation"]["mode"], "strict", "{state}");
    assert!(!said.good && said.told.contains("Redis does not answer"), "{}", said.told);
}
