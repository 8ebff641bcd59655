//! The search through everything that can happen, shortest stories first.

use std::{error::Error, fmt};

use crate::{seen::Seen, setting::Setting, state::State, step};

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// No order of events breaks the property.
    Holds {
        /// How many states there are: all were looked at.
        states: usize,
    },
    /// Some order of events breaks the property.
    Violated {
        /// A shortest one.
        steps: Vec<&'static str>,
        /// How many states had been found by then.
        states: usize,
    },
}

/// A check that came to no end: nothing is known, for what was not looked at may break the property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckError {
    /// There are more states than [`Setting::most_states`].
    TooManyStates,
    /// A count has outgrown the bits that are kept of it: the setting's numbers are too large.
    Outgrown,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyStates => "there are more states than the setting allows for",
            Self::Outgrown => "the setting's numbers are too large to be kept",
        })
    }
}

impl Error for CheckError {}

/// Looks at every state that can be reached, until one breaks the property.
///
/// # Errors
///
/// Not every state was looked at: there are too many, or one cannot be kept. That is never a pass.
pub fn check(setting: &Setting) -> Result<Outcome, CheckError> {
    let mut seen = Seen::new(State::start(setting), setting.most_states)?;
    let mut steps = Vec::new();
    for place in 0.. {
        let Some((state, _)) = seen.get(place) else { break };
        if setting.property.is_broken_by(&state.query, &setting.limits) {
            return Ok(Outcome::Violated { steps: story(&seen, place, setting), states: seen.len() });
        }
        step::list(&state, setting, &mut steps);
        seen.insert(&steps, place)?;
    }
    Ok(Outcome::Holds { states: seen.len() })
}

/// What led to a state. The names of steps are not kept; each one is found again among its parent's.
fn story(seen: &Seen, mut place: u32, setting: &Setting) -> Vec<&'static str> {
    let mut names = Vec::new();
    let mut steps = Vec::new();
    while let Some((state, parent)) = seen.get(place).filter(|_| place > 0) {
        if let Some((before, _)) = seen.get(parent) {
            step::list(&before, setting, &mut steps);
        }
        names.extend(steps.iter().find(|step| step.after == state).map(|step| step.name));
        place = parent;
    }
    names.reverse();
    names
}
