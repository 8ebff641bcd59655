//! Those who read grants (zero-stale.md §4.3): fillers, and the request that is asked about.

use super::Steps;
use crate::{
    party::{Filler, FillerPhase, Query, QueryPhase, WriterPhase},
    redis::FillLease,
    setting::Guard,
    state::State,
};

pub(super) fn list(steps: &mut Steps<'_>) {
    let [one, other] = steps.state.fillers;
    filler(steps, one, |after| &mut after.fillers[0]);
    filler(steps, other, |after| &mut after.fillers[1]);
    query(steps);
}

/// `of` finds the filler in a state.
fn filler(steps: &mut Steps<'_>, filler: Filler, of: fn(&mut State) -> &mut Filler) {
    let (state, setting) = (steps.state, steps.setting);
    let may_lease = state.leases < setting.fills;
    match filler.phase {
        // Fills that begin after the request are none of its business.
        FillerPhase::Idle if may_lease && state.query.phase == QueryPhase::Idle => steps.add("lease", |after| {
            after.leases += 1;
            let token = after.leases;
            after.redis.lease = FillLease { token, ttl: setting.limits.lease_ttl };
            *of(after) = Filler { phase: FillerPhase::Leased, token, ..filler };
        }),
        FillerPhase::Leased => {
            let (version, revoked) = (state.database.version, state.database.revoked);
            steps.add("load", |after| *of(after) = Filler { phase: FillerPhase::Loaded, version, revoked, ..filler });
        }
        FillerPhase::Loaded => {
            let mut redis = state.redis;
            let name = if redis.fill(&filler, setting) { "fill" } else { "fill refused" };
            let phase = if may_lease { FillerPhase::Idle } else { FillerPhase::Done };
            steps.add(name, |after| {
                after.redis = redis;
                *of(after) = Filler { phase, ..Filler::default() };
            });
        }
        FillerPhase::Idle | FillerPhase::Done => {}
    }
}

fn query(steps: &mut Steps<'_>) {
    let (state, setting) = (steps.state, steps.setting);
    match state.query.phase {
        QueryPhase::Idle if state.database.revoked => steps.add("request", |after| {
            after.query = Query {
                phase: QueryPhase::Started,
                after_return: state.revoker.phase == WriterPhase::Returned,
                since_commit: state.database.since_commit,
                ..Query::default()
            };
        }),
        QueryPhase::Started => {
            let entry = state.redis.entry;
            if entry.version > 0 && state.redis.admits(entry.version) {
                steps.add("hit", |after| {
                    let (version, revoked) = (entry.version, entry.revoked);
                    after.query = Query { phase: QueryPhase::Hit, version, revoked, ..after.query };
                });
            }
            if !setting.has(Guard::OwnLoad) {
                join(steps);
            }
        }
        QueryPhase::Hit if trusts(steps) => steps.add("accept", |after| after.query.phase = QueryPhase::Decided),
        QueryPhase::Idle | QueryPhase::Hit | QueryPhase::Decided => {}
    }
}

/// The request takes the answer of a load that was sent before it arrived (R14).
fn join(steps: &mut Steps<'_>) {
    for Filler { phase, version, revoked, .. } in steps.state.fillers {
        if phase == FillerPhase::Loaded {
            steps.add("join", |after| {
                after.query = Query { phase: QueryPhase::Decided, version, revoked, ..after.query };
            });
        }
    }
}

/// R2e and R2f: whether the node's own reading of the database is recent, and the entry reaches it.
fn trusts(steps: &Steps<'_>) -> bool {
    let (node, query) = (steps.state.node, steps.state.query);
    !steps.setting.has(Guard::DatabaseLease)
        || (node.age <= steps.setting.limits.freshness && query.version >= node.floor)
}
