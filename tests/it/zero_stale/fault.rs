//! What goes wrong while something is taken away.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    dice::Dice,
    fleet::{Fleet, NODES},
};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    None,
    GatewayKilled,
    RedisKilled,
    RedisPaused,
    RedisFlushed,
    RedisRestartedEmpty,
    /// And another gateway stands still for a while: what it knows of the database gets old, what it has asked for is answered
    /// late.
    CutFromOneGateway,
    Delayed200ms,
    RepliesShifted,
}

impl Fault {
    /// Those that empty Redis come first: what the others leave in it is asked for once more in the end.
    pub(super) const ALL: [Self; 9] = [
        Self::RedisKilled,
        Self::RedisFlushed,
        Self::RedisRestartedEmpty,
        Self::None,
        Self::GatewayKilled,
        Self::RedisPaused,
        Self::CutFromOneGateway,
        Self::Delayed200ms,
        Self::RepliesShifted,
    ];

    /// Whether a change waits for the lease while this lasts, so that many can be made at once.
    pub(super) const fn makes_wait(self) -> bool {
        match self {
            Self::RedisKilled
            | Self::RedisPaused
            | Self::CutFromOneGateway
            | Self::Delayed200ms
            | Self::RepliesShifted => true,
            Self::None | Self::GatewayKilled | Self::RedisFlushed | Self::RedisRestartedEmpty => false,
        }
    }

    /// How often each kind is raced at once while this lasts, and how many times: what one gateway is still for needs changes
    /// that begin with it.
    pub(super) const fn batches(self) -> (usize, usize) {
        match self {
            Self::CutFromOneGateway => (2, 14),
            _ => (7, 4),
        }
    }

    /// Does the work while this goes wrong, from just before or just after its beginning; all is well again afterwards.
    pub(super) async fn during<T>(self, fleet: &Fleet, dice: &Dice, work: impl Future<Output = T>) -> T {
        let late = if dice.percent(50) { dice.up_to(20) } else { Duration::ZERO };
        let number = dice.below(NODES);
        let (one, other) = (&fleet.nodes[number], &fleet.nodes[(number + 1 + dice.below(NODES - 1)) % NODES]);
        let lines: Vec<_> =
            if dice.percent(50) { fleet.nodes.iter().map(|node| &node.line).collect() } else { vec![&one.line] };
        match self {
            Self::None => work.await,
            Self::GatewayKilled => {
                let done = around(late, work, || one.kill()).await;
                one.start().await;
                done
            }
            Self::RedisKilled => {
                let done = around(late, work, || fleet.redis.kill()).await;
                fleet.redis.restart().await;
                done
            }
            Self::RedisPaused => {
                let done = around(late, work, || fleet.redis.pause()).await;
                fleet.redis.resume();
                done
            }
            Self::RedisFlushed => {
                over_and_over(work, async || {
                    fleet.redis.answer(&["FLUSHALL"]).await;
                    sleep(dice.up_to(6)).await;
                })
                .await
            }
            Self::RedisRestartedEmpty => {
                over_and_over(work, async || {
                    sleep(dice.up_to(60)).await;
                    fleet.redis.kill();
                    fleet.redis.restart().await;
                    sleep(dice.up_to(300)).await;
                })
                .await
            }
            Self::CutFromOneGateway => {
                // From about the commits on. Less than a lease, so that what it read before still counts, and longer than a
                // change takes that does not wait; or longer than one takes that waits.
                let still = if dice.percent(60) { 700_usize } else { 1_200 };
                let stall = async {
                    sleep(Duration::from_millis(50) + dice.up_to(300)).await;
                    other.pause();
                    sleep(Duration::from_millis(u64::try_from(still).unwrap()) + dice.up_to(still / 7)).await;
                    other.resume();
                };
                let (done, ()) = tokio::join!(around(late, work, || one.line.cut()), stall);
                one.line.mend();
                done
            }
            Self::Delayed200ms => {
                let delay = |each_way| lines.iter().for_each(|line| line.delay(Duration::from_millis(each_way)));
                let done = around(late, work, || delay(200)).await;
                delay(0);
                done
            }
            Self::RepliesShifted => {
                let shift = |one_in| lines.iter().for_each(|line| line.shift_one_in(one_in));
                let done = around(late, work, || shift(8)).await;
                shift(0);
                done
            }
        }
    }
}

/// The work, and after a while what goes wrong.
async fn around<T>(after: Duration, work: impl Future<Output = T>, begin: impl FnOnce()) -> T {
    let begin = async {
        if !after.is_zero() {
            sleep(after).await;
        }
        begin();
    };
    // What goes wrong at once does so before the work begins.
    tokio::join!(biased; begin, work).1
}

/// The work, and meanwhile the same misfortune again and again; one that has begun is seen through.
async fn over_and_over<T>(work: impl Future<Output = T>, misfortune: impl AsyncFn()) -> T {
    let over = std::cell::Cell::new(false);
    let misfortunes = async {
        while !over.get() {
            misfortune().await;
        }
    };
    let work = async {
        let done = work.await;
        over.set(true);
        done
    };
    tokio::join!(biased; misfortunes, work).1
}
