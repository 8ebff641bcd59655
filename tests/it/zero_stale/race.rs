//! One race: a right is held and remembered by every gateway, somebody takes it away, and others ask all the while.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::sleep;

use super::{
    dice::Dice,
    fault::Fault,
    fleet::{Fleet, NODES},
    kind::{Held, is_made},
};

/// `L` and its margin: by then every gateway has read a committed change, whoever told of it (P2).
const LEASE: Duration = Duration::from_millis(1_100);

/// How many times a change is sent before it must have been made.
const TRIES: usize = 400;

/// What became of a race.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Each answer that showed the right to a question sent after the change had returned.
    pub(super) stale: Vec<String>,
    /// How long the change took.
    pub(super) took: Duration,
    /// How long after its commit every gateway honoured it, in milliseconds, as the gateway said; none where a dead one's change was
    /// found made.
    pub(super) honoured: Option<u64>,
    /// Whether it was sent more than once.
    pub(super) repeated: bool,
    /// Questions asked while it was under way.
    pub(super) asked_meanwhile: usize,
}

/// How a change was made.
struct Made {
    took: Duration,
    honoured: Option<u64>,
    tries: usize,
    /// By whom and how, for people.
    told: String,
}

/// Asks every gateway until each has shown the right, so often at least.
pub(super) async fn warm(fleet: &Fleet, held: &Held, times: usize) {
    for node in 0..NODES {
        let mut shown = 0;
        for _ in 0..200 {
            let answer = fleet.ask(node, &held.token, &held.probe).await;
            shown += usize::from(answer.as_ref().is_some_and(Held::shows));
            if shown == times {
                break;
            }
            assert!(answer.is_none_or(|answer| answer.status != 401), "{:?}: the credential is refused", held.kind);
            if shown == 0 {
                sleep(Duration::from_millis(20)).await;
            }
        }
        assert_eq!(shown, times, "{:?} is never shown by gateway {node}", held.kind);
    }
}

/// Takes the right away while others ask; then asks every gateway.
pub(super) async fn run(fleet: &Fleet, dice: &Dice, fault: Fault, held: &Held) -> Outcome {
    let returned = AtomicBool::new(false);
    let readers = join_all((0..NODES).map(|node| read(fleet, held, node, &returned)));
    let writer = async {
        let made = take_away(fleet, dice, fault, held).await;
        returned.store(true, Ordering::SeqCst);
        let at = Instant::now();
        let probes = join_all((0..NODES).map(|node| fleet.ask(node, &held.token, &held.probe))).await;
        let shown = probes.iter().enumerate().filter(|(_, answer)| answer.as_ref().is_some_and(Held::shows));
        (
            shown.map(|(node, _)| format!("by gateway {node}, answered {:?} after", at.elapsed())).collect::<Vec<_>>(),
            made,
        )
    };
    let (read, (shown, made)) = tokio::join!(readers, writer);
    let asked_meanwhile = read.iter().map(|(asked, _)| asked).sum();
    let stale = shown.into_iter().chain(read.into_iter().filter_map(|(_, stale)| stale));
    let stale = stale.map(|told| format!("{fault:?}: {:?} is shown {told}; {}", held.kind, made.told)).collect();
    Outcome { stale, took: made.took, honoured: made.honoured, repeated: made.tries > 1, asked_meanwhile }
}

/// Asks one gateway until the change has returned, and once more: how often, and whether a question that was sent after the
/// return was answered with the right. Often at first, when everything happens; later ever less.
async fn read(fleet: &Fleet, held: &Held, node: usize, returned: &AtomicBool) -> (usize, Option<String>) {
    let (mut asked, mut pause) = (0, Duration::from_millis(10));
    loop {
        let after = returned.load(Ordering::SeqCst);
        let answer = fleet.ask(node, &held.token, &held.probe).await;
        if after {
            let stale = answer.as_ref().is_some_and(Held::shows);
            return (asked, stale.then(|| format!("by gateway {node} to a reader")));
        }
        asked += 1;
        if asked > 1 {
            sleep(pause).await;
            pause = (pause * 3).min(Duration::from_millis(400));
        }
    }
}

/// Sends the change to any gateway, and to another one for as long as none has answered.
async fn take_away(fleet: &Fleet, dice: &Dice, fault: Fault, held: &Held) -> Made {
    let begun = Instant::now();
    let mut by = dice.below(NODES);
    for tries in 1..=TRIES {
        let answer = fleet.ask(by, &held.by, &held.revoke).await;
        if let Some(answer) = &answer
            && is_made(answer)
        {
            let took = begun.elapsed();
            if answer.at("revokeSessions.endedSessions") == &json!(0) {
                // It ended by the first try, whose answer was lost: this one has nothing to wait for, and says so.
                sleep(LEASE).await;
            }
            let how = &answer.body["extensions"]["revocation"];
            let honoured = how["ms"].as_u64();
            return Made {
                took,
                honoured,
                tries,
                told: format!("made by gateway {by} in {took:?} ({how}), try {tries}"),
            };
        }
        let told = answer.map_or_else(|| "no answer".to_owned(), |answer| answer.text);
        // A gateway that dies answers nothing; what it had begun is then still at work in the database for a moment.
        assert_eq!(fault, Fault::GatewayKilled, "{:?}: {told}", held.kind);
        assert!(tries < TRIES, "{:?}: {told}", held.kind);
        by = (by + 1) % NODES;
        sleep(Duration::from_millis(10)).await;
    }
    unreachable!()
}

/// Asks once more, long after: what ended must not come back when what Redis remembers of the change has run out.
pub(super) async fn ask_again(fleet: &Arc<Fleet>, held: &Held) -> Vec<String> {
    let answers = join_all((0..NODES).map(|node| fleet.ask(node, &held.token, &held.probe))).await;
    let shown = answers.iter().enumerate().filter(|(_, answer)| answer.as_ref().is_some_and(Held::shows));
    shown.map(|(node, _)| format!("{:?} is shown again by gateway {node}", held.kind)).collect()
}
