//! P1 on real processes: a question that is sent after a revocation has returned is never answered with what was revoked, on
//! any gateway, whatever goes wrong with Redis or a gateway.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use tokio::{sync::Semaphore, time::sleep};
use uuid::Uuid;

use super::{
    dice::Dice,
    fault::Fault,
    fleet::{Fleet, NODES},
    kind::{Held, Kind},
    race::{self, Outcome},
};
use crate::support::gateway::scale;

/// How many changes are under way at once where none of them waits.
const AT_ONCE: usize = 12;
/// The floors that a test shortens live for five seconds; entries live for minutes.
const FORGOTTEN: Duration = Duration::from_secs(6);

/// What all races together came to.
#[derive(Debug, Default)]
struct Score {
    races: usize,
    stale: Vec<String>,
    repeated: usize,
    asked_meanwhile: usize,
    /// Questions asked of warm gateways where nothing was wrong, and how many of them the cache answered.
    warm: (u64, u64),
    waits: BTreeMap<Fault, Waits>,
}

/// How long things took under a fault.
#[derive(Debug, Default)]
struct Waits {
    /// The changes.
    changes: Vec<Duration>,
    /// From their commits until every gateway honoured them, in milliseconds, as gateways said.
    honoured: Vec<u64>,
    /// From the end of the fault until every gateway's cache answered again.
    recoveries: Vec<Duration>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p1_what_was_revoked_is_never_shown_to_a_later_question() {
    let (fleet, dice) = (Arc::new(Fleet::start().await), Arc::new(Dice::new()));
    let blueprint = fleet.office.blueprint("crew").await;
    let mut score = Score::default();
    for _ in 0..scale() {
        // Of each round anew: its token is good for half an hour.
        let canary = Kind::RoleLowered.held(&fleet, blueprint).await;
        let mut ended = Vec::new();
        // One stale answer is enough: the sooner it is told, the better.
        for fault in Fault::ALL.into_iter().flat_map(|fault| std::iter::repeat_n(fault, fault.batches().1)) {
            if score.stale.is_empty() {
                ended.extend(batch(&fleet, &dice, fault, blueprint, &mut score).await);
                let recovery = until_hits(&fleet, &canary).await;
                score.waits.entry(fault).or_default().recoveries.push(recovery);
            }
        }
        sleep(FORGOTTEN).await;
        let again = stream::iter(&ended).map(|held| race::ask_again(&fleet, held)).buffer_unordered(AT_ONCE);
        score.stale.extend(again.collect::<Vec<_>>().await.concat());
    }
    score.tell(dice.seed);
    assert!(
        score.stale.is_empty(),
        "{} stale answers:\n{}",
        score.stale.len(),
        score.stale[..score.stale.len().min(20)].join("\n")
    );
    // The races were about something: warm gateways answered from the cache, and were asked all the while.
    let (asked, hits) = score.warm;
    assert!(hits * 10 >= asked * 9, "{hits} of {asked} warm questions were answered by the cache");
    assert!(score.asked_meanwhile > score.races, "{} questions while changes were under way", score.asked_meanwhile);
    // A generous bound on purpose: the exact wait is asserted where time is not shared with others.
    assert!(score.slowest() < Duration::from_secs(10), "a change took {:?}", score.slowest());
}

/// Races of every kind at once under one fault. Gives back those whose entries nobody overwrites: their credential is no more.
async fn batch(fleet: &Arc<Fleet>, dice: &Arc<Dice>, fault: Fault, blueprint: Uuid, score: &mut Score) -> Vec<Held> {
    let kinds = Kind::ALL.into_iter().cycle().take(Kind::ALL.len() * fault.batches().0);
    let set_up = stream::iter(kinds).map(async |kind| {
        let held = kind.held(fleet, blueprint).await;
        race::warm(fleet, &held, 2).await;
        Arc::new(held)
    });
    let all: Vec<Arc<Held>> = set_up.buffered(AT_ONCE).collect().await;
    if fault == Fault::None {
        let before: u64 = fleet.hits().await.iter().sum();
        stream::iter(&all).map(|held| race::warm(fleet, held, 1)).buffered(AT_ONCE).collect::<Vec<_>>().await;
        score.warm.0 += u64::try_from(all.len() * NODES).unwrap();
        score.warm.1 += fleet.hits().await.iter().sum::<u64>() - before;
    }
    let turns =
        Arc::new(Semaphore::new(if fault.makes_wait() || fault == Fault::GatewayKilled { all.len() } else { AT_ONCE }));
    let races = all.iter().map(|held| {
        let (fleet, dice, turns, held) = (Arc::clone(fleet), Arc::clone(dice), Arc::clone(&turns), Arc::clone(held));
        tokio::spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            race::run(&fleet, &dice, fault, &held).await
        })
    });
    let races = async { futures_util::future::join_all(races).await };
    for outcome in fault.during(fleet, dice, races).await {
        score.add(fault, outcome.unwrap());
    }
    let ends = |held: &Held| matches!(held.kind, Kind::SessionRevoked | Kind::TokenRevoked);
    all.into_iter().filter_map(Arc::into_inner).filter(ends).collect()
}

/// Waits until the cache of every gateway answers; how long that took.
async fn until_hits(fleet: &Fleet, canary: &Held) -> Duration {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(10) {
        let before = fleet.hits().await;
        race::warm(fleet, canary, 1).await;
        if fleet.hits().await.iter().zip(&before).all(|(now, before)| now > before) {
            return begun.elapsed();
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("a cache does not come back");
}

impl Score {
    fn add(&mut self, fault: Fault, outcome: Outcome) {
        self.races += 1;
        self.stale.extend(outcome.stale);
        let waits = self.waits.entry(fault).or_default();
        waits.changes.push(outcome.took);
        waits.honoured.extend(outcome.honoured);
        self.repeated += usize::from(outcome.repeated);
        self.asked_meanwhile += outcome.asked_meanwhile;
    }

    fn slowest(&self) -> Duration {
        self.waits.values().flat_map(|waits| &waits.changes).max().copied().unwrap_or_default()
    }

    fn tell(&self, seed: u64) {
        eprintln!(
            "{} races, {} stale answers, slowest change {:?}, {} sent again, {} questions meanwhile, {} of {} warm answers by the \
             cache; seed {seed}",
            self.races,
            self.stale.len(),
            self.slowest(),
            self.repeated,
            self.asked_meanwhile,
            self.warm.1,
            self.warm.0,
        );
        for (fault, Waits { changes, honoured, recoveries }) in &self.waits {
            let mut changes = changes.clone();
            changes.sort();
            let (middle, longest) = (changes.get(changes.len() / 2), changes.last());
            eprintln!(
                "{fault:?}: a change took {middle:?}, at most {longest:?}, and was honoured at most {:?} ms after its commit; back \
                 after {:?}",
                honoured.iter().max(),
                recoveries.iter().max()
            );
        }
    }
}
