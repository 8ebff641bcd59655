//! Everything that can happen next. Each kind of event has a file; a state's steps are listed in a fixed order, so that the same
//! setting always gives the same count and the same shortest story.

use crate::{setting::Setting, state::State};

mod clock;
mod fault;
mod node;
mod reader;
mod writer;

/// One thing that can happen.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// What happens.
    pub name: &'static str,
    /// The world afterwards.
    pub after: State,
}

/// Where the steps of one state are put together.
struct Steps<'a> {
    state: &'a State,
    setting: &'a Setting,
    found: &'a mut Vec<Step>,
}

impl Steps<'_> {
    /// Adds a step: what it is called, and what it changes.
    fn add(&mut self, name: &'static str, change: impl FnOnce(&mut State)) {
        let mut after = *self.state;
        change(&mut after);
        self.found.push(Step { name, after });
    }
}

/// Puts everything that can happen in a state into `found`, and nothing else. With the decision of its request a story ends.
pub fn list(state: &State, setting: &Setting, found: &mut Vec<Step>) {
    found.clear();
    if state.query.is_decided() {
        return;
    }
    let mut steps = Steps { state, setting, found };
    clock::list(&mut steps);
    node::list(&mut steps);
    fault::list(&mut steps);
    writer::list(&mut steps);
    reader::list(&mut steps);
}
