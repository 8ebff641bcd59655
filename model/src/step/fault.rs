//! What goes wrong with Redis by itself.

use super::Steps;
use crate::{
    redis::{Floor, Redis},
    state::Snapshot,
};

pub(super) fn list(steps: &mut Steps<'_>) {
    let (state, faults) = (steps.state, steps.setting.faults);
    if state.spent.wipes < faults.wipes {
        steps.add("wipe", |after| {
            after.spent.wipes += 1;
            after.redis = Redis::default();
        });
    }
    if faults.eviction && !state.spent.eviction && state.redis.floor.version > 0 {
        steps.add("evict the floor", |after| {
            after.spent.eviction = true;
            after.redis.floor = Floor::default();
        });
    }
    if faults.rollback && !state.snapshot.taken {
        steps.add("snapshot", |after| {
            let Redis { entry, floor, lease, .. } = after.redis;
            after.snapshot = Snapshot { taken: true, entry, floor, lease };
        });
    }
    if faults.rollback && state.snapshot.taken && !state.spent.rollback {
        steps.add("rollback", |after| {
            after.spent.rollback = true;
            let Snapshot { entry, floor, lease, .. } = after.snapshot;
            after.redis = Redis { entry, floor, lease, ..Redis::default() };
        });
    }
}
