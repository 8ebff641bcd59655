//! The two writers (zero-stale.md §4.4). What is lost or late is the revoker's; the bystander is there to be in the way.

use super::Steps;
use crate::{
    party::{Database, WriterPhase},
    setting::{Guard, Mode, Setting},
    state::State,
};

pub(super) fn list(steps: &mut Steps<'_>) {
    match steps.state.revoker.phase {
        WriterPhase::Idle => mark(steps),
        WriterPhase::Marked => steps.add("commit", |after| {
            after.database.version += 1;
            after.database = Database { revoked: true, since_commit: 0, ..after.database };
            after.revoker.version = after.database.version;
            after.revoker.phase = WriterPhase::Committed;
        }),
        WriterPhase::Committed => {
            settle(steps);
            if steps.setting.faults.crash {
                steps.add("crash", |after| after.revoker.phase = WriterPhase::Crashed);
            }
        }
        WriterPhase::Waiting => {
            if steps.state.database.since_commit > steps.setting.limits.freshness {
                steps.add("return", |after| after.revoker.phase = WriterPhase::Returned);
            }
        }
        WriterPhase::Returned | WriterPhase::Crashed => {}
    }
    late(steps);
    if steps.setting.bystander {
        bystander(steps);
    }
}

/// Whether a command of the revoker may still go wrong.
fn may_fail(steps: &Steps<'_>) -> bool {
    steps.state.spent.commands < steps.setting.faults.commands
}

fn mark(steps: &mut Steps<'_>) {
    let setting = steps.setting;
    steps.add("mark", |after| {
        after.revoker.phase = WriterPhase::Marked;
        after.redis.mark(setting);
        if !setting.has(Guard::FloorAfterCommit) {
            after.redis.raise(after.database.version + 1, setting);
        }
    });
    if setting.has(Guard::Marker) && may_fail(steps) {
        let begin = |after: &mut State| {
            after.revoker.phase = WriterPhase::Marked;
            after.spent.commands += 1;
        };
        steps.add("mark lost", begin);
        steps.add("mark delayed", |after| {
            begin(after);
            after.late.mark = true;
        });
    }
}

fn settle(steps: &mut Steps<'_>) {
    let setting = steps.setting;
    steps.add("settle", |after| {
        if setting.has(Guard::FloorAfterCommit) {
            after.redis.settle(after.revoker.version, setting);
        } else {
            after.redis.unmark(setting);
        }
        after.revoker.phase = after_settle(setting);
    });
    if may_fail(steps) {
        let go_on = |after: &mut State| {
            after.revoker.phase = if setting.has(Guard::Wait) { WriterPhase::Waiting } else { WriterPhase::Returned };
            after.spent.commands += 1;
        };
        steps.add("settle lost", go_on);
        steps.add("settle delayed", |after| {
            go_on(after);
            after.late.settle = after.revoker.version;
        });
    }
}

/// W5, where Redis has acknowledged.
fn after_settle(setting: &Setting) -> WriterPhase {
    match setting.mode {
        Mode::Fast => WriterPhase::Returned,
        Mode::Strict => WriterPhase::Waiting,
    }
}

/// Redis carries out what the writer has given up (R7). A late settle is the whole script, whatever is switched off.
fn late(steps: &mut Steps<'_>) {
    let (setting, late) = (steps.setting, steps.state.late);
    if late.mark {
        steps.add("late mark", |after| {
            after.late.mark = false;
            after.redis.mark(setting);
        });
    }
    if late.settle > 0 {
        steps.add("late settle", |after| {
            after.late.settle = 0;
            after.redis.settle(late.settle, setting);
        });
    }
}

fn bystander(steps: &mut Steps<'_>) {
    let setting = steps.setting;
    match steps.state.bystander.phase {
        WriterPhase::Idle => steps.add("bystander marks", |after| {
            after.bystander.phase = WriterPhase::Marked;
            after.redis.mark(setting);
        }),
        WriterPhase::Marked => steps.add("bystander commits", |after| {
            after.database.version += 1;
            after.bystander.version = after.database.version;
            after.bystander.phase = WriterPhase::Committed;
        }),
        WriterPhase::Committed => steps.add("bystander settles", |after| {
            after.redis.settle(after.bystander.version, setting);
            after.bystander.phase = WriterPhase::Returned;
        }),
        WriterPhase::Waiting | WriterPhase::Returned | WriterPhase::Crashed => {}
    }
}
