//! What a warm request costs: one round trip to Redis and no statement, by the servers' own counts.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;

use super::{company::Company, fleet::Fleet};
use crate::support::gateway::scale;

/// Questions of one block.
const QUESTIONS: u64 = 2_000;
/// One question in so many may cost more: the machine may stand still for longer than a gateway waits for Redis.
const MAY_DIFFER: u64 = 1_000;
/// Blocks until one must have been steady. A gateway that asks more as a rule does so in each.
const BLOCKS: usize = 5;

/// What was spent on a block: calls of each command, statements.
#[derive(Debug)]
struct Spent {
    echo: u64,
    mget: u64,
    other: BTreeMap<String, u64>,
    statements: BTreeMap<String, u64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warm_question_is_one_round_trip_and_no_statement() {
    let fleet = Fleet::start().await;
    let mut company = Company::new(&fleet, fleet.office.blueprint("crew").await);
    company.write(&fleet).await;
    let ask = json!({ "query": "{ viewer { id } }" });
    let token = company.alice.token.as_str();
    let questions = QUESTIONS * u64::try_from(scale()).unwrap();
    let mut steady = None;
    for _ in 0..BLOCKS {
        for _ in 0..20 {
            fleet.ask(0, token, &ask).await.unwrap().ok();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let (redis, database) = (commands(&fleet).await, statements(&fleet).await);
        for _ in 0..questions {
            fleet.ask(0, token, &ask).await.unwrap().ok();
        }
        let (statements, mut other) =
            (since(&database, statements(&fleet).await), since(&redis, commands(&fleet).await));
        let [echo, mget] = ["echo", "mget"].map(|name| other.remove(name).unwrap_or(0));
        let spent = Spent { echo, mget, other, statements };
        eprintln!("{questions} warm questions: {spent:?}");
        let differ = questions / MAY_DIFFER;
        let costs = |what: &BTreeMap<String, u64>| what.values().sum::<u64>();
        let is_steady = spent.echo == spent.mget
            && spent.echo.abs_diff(questions) <= differ
            // One that misses takes the right to fill, and fills.
            && costs(&spent.other) <= 2 * differ
            && costs(&spent.statements) <= differ;
        if is_steady {
            steady = Some(spent);
            break;
        }
    }
    assert!(steady.is_some(), "no block of {questions} questions was steady");
}

/// How often each command was called. Left out: what a gateway asks Redis about itself, and what this test asks.
async fn commands(fleet: &Fleet) -> BTreeMap<String, u64> {
    let info: String = redis::from_redis_value(fleet.redis.answer(&["INFO", "commandstats"]).await.unwrap()).unwrap();
    info.lines()
        .filter_map(|line| {
            let (name, statistics) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), statistics.split(',').next()?.parse().ok()?))
        })
        .filter(|(name, _)| !["info", "config", "client", "hello", "ping"].iter().any(|own| name.starts_with(own)))
        .collect()
}

/// How often each statement was run in this database. Left out: the reading of moved stamps, the rollback that cleans a pooled
/// connection, and what jobs do now and then (mail, signing keys, who was there).
async fn statements(fleet: &Fleet) -> BTreeMap<String, u64> {
    let database = &fleet.office.database;
    database.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements", []).await.unwrap();
    let sql = "SELECT query, sum(calls)::bigint FROM pg_stat_statements
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND query !~* '^(begin|commit|rollback|set |create extension)'
          AND query !~ 'pg_stat_statements|pg_current_snapshot|outgoing_mail|signing_key|last_seen_at\"? = |pg_postmaster'
        GROUP BY query";
    let rows = database.rows(sql, []).await;
    let row = |row: &sea_orm::QueryResult| {
        let calls: i64 = row.try_get_by_index(1).unwrap();
        (row.try_get_by_index::<String>(0).unwrap(), u64::try_from(calls).unwrap())
    };
    rows.iter().map(row).collect()
}

/// What was counted since then.
fn since(then: &BTreeMap<String, u64>, mut now: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    for (name, count) in &mut now {
        *count -= then.get(name).copied().unwrap_or(0);
    }
    now.retain(|_, count| *count > 0);
    now
}
