//! Time passes, everywhere alike.

use super::Steps;
use crate::{setting::Limits, state::State};

pub(super) fn list(steps: &mut Steps<'_>) {
    let limits = steps.setting.limits;
    if steps.state.now < limits.horizon {
        steps.add("tick", |after| tick(after, limits));
    }
}

fn tick(state: &mut State, limits: Limits) {
    state.now += 1;
    let State { redis, snapshot, node, database, .. } = state;
    // A snapshot's keys expire too: Redis keeps the moment at which each one ends.
    for (value, ttl) in [
        (&mut redis.entry.version, &mut redis.entry.ttl),
        (&mut redis.floor.version, &mut redis.floor.ttl),
        (&mut redis.marker.writers, &mut redis.marker.ttl),
        (&mut redis.lease.token, &mut redis.lease.ttl),
        (&mut snapshot.entry.version, &mut snapshot.entry.ttl),
        (&mut snapshot.floor.version, &mut snapshot.floor.ttl),
        (&mut snapshot.lease.token, &mut snapshot.lease.ttl),
    ] {
        *ttl = ttl.saturating_sub(1);
        if *ttl == 0 {
            *value = 0;
        }
    }
    let older = |age: u8| (age + 1).min(limits.oldest());
    node.age = older(node.age);
    if node.polled > 0 {
        node.polled_age = older(node.polled_age);
    }
    if database.revoked {
        database.since_commit = older(database.since_commit);
    }
}
