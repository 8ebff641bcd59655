//! The node reads the database in the background. A poll is two steps, for much can happen between its snapshot and its answer.

use super::Steps;
use crate::{party::Node, setting::Guard};

pub(super) fn list(steps: &mut Steps<'_>) {
    if !steps.setting.has(Guard::DatabaseLease) {
        return;
    }
    let polled = steps.state.database.version;
    if steps.state.node.polled == 0 {
        steps.add("poll", |after| after.node = Node { polled, polled_age: 0, ..after.node });
    } else {
        steps.add("poll answered", |after| {
            // As old as its sending: what the database did since then it does not show.
            let Node { floor, polled, polled_age, .. } = after.node;
            after.node = Node { floor: floor.max(polled), age: polled_age, polled: 0, polled_age: 0 };
        });
    }
    if steps.state.spent.restarts < steps.setting.faults.restarts {
        let age = steps.setting.limits.oldest();
        steps.add("restart", |after| {
            after.spent.restarts += 1;
            after.node = Node { age, ..Node::default() };
        });
    }
}
