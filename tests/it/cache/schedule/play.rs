//! One schedule: two gateways, twelve sessions, four readers, three changes, and what befalls them.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use gatehouse::{
    ablate,
    cache::{
        EntryCodec, Follower, Freshness, GrantCache, GrantKey, Grants, Limits, Marked, Revocation, Stamp, StampKind,
        Subject, grants::GrantsParts,
    },
    id::new_id,
};
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    super::database::{Database, now},
    redis::Redis,
    weather::{Dice, Far, Way},
};

/// The protocol's durations, scaled down: as sound as the real ones.
pub(super) fn limits() -> Limits {
    let millis = Duration::from_millis;
    let limits = Limits {
        freshness: millis(100),
        wait_margin: millis(5),
        poll_every: millis(40),
        poll_deadline: millis(30),
        clock_drift: millis(200),
        read_deadline: millis(8),
        mark_deadline: millis(8),
        settle_deadline: millis(10),
        settle_budget: millis(40),
        entry_ttl: millis(250),
        entry_jitter: millis(10),
        lease_ttl: millis(40),
        floor_ttl: millis(350),
        marker_ttl: millis(150),
        ..Limits::default()
    };
    assert!(limits.are_sound());
    limits
}

/// What may happen in a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Season {
    /// Nothing fails: the switch is at the commit (P3).
    Calm,
    /// Commands are lost and late, Redis is wiped, gateways are cut off, stall and die after a commit (P1, P2).
    Storm,
    /// All that, and a Redis that loses what it acknowledged, and says that it may (P1, P2 by strict mode).
    Doubt,
}

const KEYS: u64 = 12;
const CHANGES: u64 = 3;
/// How long readers go on after the last change.
const AFTER: Duration = Duration::from_millis(120);

struct Node {
    grants: Grants<Far>,
    way: Arc<Way>,
    _follower: Follower,
}

/// What has happened, as everyone may know it.
#[derive(Debug, Default)]
struct Record {
    /// The newest version whose change has returned.
    returned: AtomicI64,
    /// The newest version that is committed.
    committed: AtomicI64,
    /// When each version was committed.
    commits: Mutex<Vec<(i64, Instant)>>,
    over: AtomicBool,
    reads: AtomicU64,
}

/// A schedule of this seed; what went wrong, if something did.
pub(super) async fn play(seed: u64, season: Season) -> Result<u64, String> {
    let limits = limits();
    let (dice, redis) = (Arc::new(Dice::new(seed)), Arc::new(Redis::new(limits.clone())));
    let (database, organization) = (Database::new(), new_id());
    let nodes: Vec<_> = (0..2).map(|_| Arc::new(node(&dice, &redis, &database, season))).collect();
    let record = Arc::new(Record::default());
    let keys: Vec<_> = (0..KEYS).map(|key| session(key, organization)).collect();

    let readers: Vec<_> = (0..4)
        .map(|reader| {
            let (node, record, dice) = (Arc::clone(&nodes[reader % 2]), Arc::clone(&record), Arc::clone(&dice));
            tokio::spawn(read(node, record, dice, keys.clone(), season))
        })
        .collect();
    sleep(Duration::from_millis(30)).await;
    let trouble = (season != Season::Calm).then(|| tokio::spawn(befall(nodes.clone(), redis, dice.clone(), season)));
    for _ in 0..CHANGES {
        sleep(dice.up_to(60)).await;
        let node = &nodes[usize::try_from(dice.below(2)).unwrap()];
        change(node, &database, &record, &dice, organization, season).await;
    }
    sleep(AFTER).await;
    record.over.store(true, Ordering::SeqCst);
    if let Some(trouble) = trouble {
        trouble.abort();
    }
    for reader in readers {
        reader.await.unwrap().map_err(|wrong| format!("seed {seed}, {season:?}: {wrong}"))?;
    }
    Ok(record.reads.load(Ordering::SeqCst))
}

fn session(number: u64, organization: Uuid) -> GrantKey {
    let id = |kind: u128| Uuid::from_u128(kind << 64 | u128::from(number));
    GrantKey::Session { session: id(1), user: id(2), organization: Some(organization), member: Some(id(3)) }
}

fn node(dice: &Arc<Dice>, redis: &Arc<Redis>, database: &Arc<Database>, season: Season) -> Node {
    let limits = limits();
    let way = Arc::new(Way {
        dice: Arc::clone(dice),
        redis: Arc::clone(redis),
        limits: limits.clone(),
        trouble: if season == Season::Calm { 0 } else { 4 },
        doubted: season == Season::Doubt,
        cut: AtomicBool::new(false),
        stalled: AtomicBool::new(false),
        tokens: AtomicU64::new(0),
    });
    let (freshness, far) =
        (Freshness::leased(limits.clone()), Far { database: Arc::clone(database), way: Arc::clone(&way) });
    let follower = freshness.follow(Arc::new(far.clone()));
    let cache: Arc<dyn GrantCache> = Arc::clone(&way) as _;
    let codec = EntryCodec::new(&[9; 32]);
    let parts = GrantsParts { loader: far, cache, codec, freshness, limits, revocation: Revocation::Auto };
    Node { grants: Grants::new(parts), way, _follower: follower }
}

/// Asks for one session after the other; each answer must contain what the promises say, as of when it was asked for.
async fn read(
    node: Arc<Node>,
    record: Arc<Record>,
    dice: Arc<Dice>,
    keys: Vec<GrantKey>,
    season: Season,
) -> Result<(), String> {
    while !record.over.load(Ordering::SeqCst) {
        let key = keys[usize::try_from(dice.below(KEYS)).unwrap()];
        let (began, returned) = (Instant::now(), record.returned.load(Ordering::SeqCst));
        let committed = record.committed.load(Ordering::SeqCst);
        let bound = limits().freshness;
        let old = {
            let commits = record.commits.lock().unwrap();
            commits.iter().filter(|(_, at)| *at + bound < began).map(|(version, _)| *version).max().unwrap_or(0)
        };
        let granted = node.grants.get(&key, None, now()).await;
        let granted = granted.map_err(|error| error.to_string())?.ok_or("no such session")?;
        let told = format!("version {} by {:?}", granted.facts.version, granted.source);
        if granted.facts.version < returned {
            return Err(format!("P1: {told} after the change to {returned} had returned"));
        }
        if granted.facts.version < old {
            return Err(format!("P2: {told} more than {bound:?} after the commit of {old}"));
        }
        if season == Season::Calm && granted.facts.version < committed {
            return Err(format!("P3: {told} after the commit of {committed}"));
        }
        record.reads.fetch_add(1, Ordering::SeqCst);
        sleep(dice.up_to(5)).await;
    }
    Ok(())
}

/// A whole change, of which a gateway may die after its commit.
async fn change(node: &Node, database: &Database, record: &Record, dice: &Dice, organization: Uuid, season: Season) {
    let subject = Subject::new(StampKind::Organization, organization);
    let marked = node.grants.mark(&[subject]).await;
    sleep(dice.up_to(10)).await;
    // The model's «floor only before commit»: told what will be, and nothing once it is.
    let early = ablate::off("late_floor");
    if early {
        let next = record.committed.load(Ordering::SeqCst) + 1;
        let _ = node.way.settle(Marked::default(), &[Stamp::new(subject.kind, subject.id, next)]).await;
    }
    let moved = database.commit(&[subject]);
    let (version, at) = (moved[0].version, Instant::now());
    record.committed.store(version, Ordering::SeqCst);
    record.commits.lock().unwrap().push((version, at));
    let committed_at = node.grants.freshness().now();
    sleep(dice.up_to(5)).await;
    if season != Season::Calm && dice.percent(15) {
        return; // Its client is never told.
    }
    node.grants.settle(marked, if early { &[] } else { &moved }, committed_at).await;
    if season != Season::Calm && dice.percent(40) {
        // The floors are gone with the entries; whoever read the database before the commit may still be about to store it (R8).
        node.way.redis.wipe();
    }
    record.returned.store(version, Ordering::SeqCst);
}

/// One misfortune after the other.
async fn befall(nodes: Vec<Arc<Node>>, redis: Arc<Redis>, dice: Arc<Dice>, season: Season) {
    let kinds = if season == Season::Doubt { 7 } else { 4 };
    loop {
        sleep(dice.up_to(30)).await;
        let way = &nodes[usize::try_from(dice.below(2)).unwrap()].way;
        match dice.below(kinds) {
            0 => redis.wipe(),
            1 => for_a_while(&way.cut, dice.up_to(150)).await,
            2 => for_a_while(&way.stalled, dice.up_to(250)).await,
            3 => {
                // The writer's way and the reader's knowledge fail together: the rarest and the worst.
                nodes[0].way.cut.store(true, Ordering::SeqCst);
                for_a_while(&nodes[1].way.stalled, dice.up_to(250)).await;
                nodes[0].way.cut.store(false, Ordering::SeqCst);
            }
            4 => redis.save(),
            5 => redis.roll_back(),
            _ => redis.evict_floors(),
        }
    }
}

async fn for_a_while(switch: &AtomicBool, time: Duration) {
    switch.store(true, Ordering::SeqCst);
    sleep(time).await;
    switch.store(false, Ordering::SeqCst);
}
