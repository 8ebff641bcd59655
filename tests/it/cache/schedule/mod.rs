//! The protocol itself, in thousands of schedules drawn from seeds: the real steps ([`gatehouse::cache::Grants`],
//! [`gatehouse::cache::Freshness`]) over a Redis and a database that are slow, lose commands, carry them out late, forget,
//! stall and go back in time. Times are a tenth of the real ones, many schedules run at once, and each reader checks each answer
//! against what had been promised when it asked. A seed draws the misfortunes and the pauses; how they interleave is the
//! machine's doing.

mod play;
mod redis;
mod weather;

use std::sync::Arc;

use play::{Season, play};
use tokio::{sync::Semaphore, task::JoinSet};

use super::database::scaled;

/// How many schedules run at once.
const AT_ONCE: usize = 24;

/// Plays so many schedules; panics with the first that showed an older right.
async fn season(season: Season, count: u64) {
    let (turns, mut playing, mut reads) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new(), 0);
    for seed in 0..scaled(count) {
        let turn = Arc::clone(&turns).acquire_owned().await.unwrap();
        playing.spawn(async move {
            let outcome = play(seed, season).await;
            drop(turn);
            outcome
        });
        while let Some(played) = playing.try_join_next() {
            reads += played.unwrap().unwrap();
        }
    }
    while let Some(played) = playing.join_next().await {
        reads += played.unwrap().unwrap();
    }
    assert!(reads > 15 * count, "only {reads} answers were looked at");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_and_p2_hold_in_every_storm() {
    season(Season::Storm, 1_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_and_p2_hold_with_a_redis_that_may_lose_what_it_acknowledged() {
    season(Season::Doubt, 300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p3_the_switch_is_at_the_commit_where_nothing_fails() {
    season(Season::Calm, 200).await;
}
