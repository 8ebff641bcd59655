//! What of a document is not known because of its mistakes of shape.

use super::expected::Expected;
use crate::blueprint::error::{Location, Step};

/// The keys whose values are words for people, on which nothing depends.
const WORDS: [&str; 6] = ["title", "description", "label", "help", "warning", "unit"];

/// What is missing from the document as it was read. Nothing may be told of it, nor of what names it.
#[derive(Debug, Default)]
pub(in crate::blueprint) struct Damage {
    /// The tables, or single values, of which a part is missing.
    parts: Vec<Location>,
    /// Words for people that are missing.
    words: Vec<Location>,
    /// What is declared in the parts, by key.
    names: Vec<String>,
    /// Whether a whole chapter of declarations is missing.
    all: bool,
}

impl Damage {
    /// Whether nothing is missing on which anything depends.
    pub(in crate::blueprint) fn is_none(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether a mistake may come from what is missing, and not from what stands in the document.
    pub(in crate::blueprint) fn hides(&self, location: &Location, problem: &str) -> bool {
        let steps = location.steps();
        let is_here = |part: &Location| steps.starts_with(part.steps()) || part.steps().starts_with(steps);
        // `*` stands for what is missing, too.
        let is_named = |word: &str| word == "*" || self.names.iter().any(|name| name == word);
        let mut quoted = problem.split('`').skip(1).step_by(2);
        let is_word =
            |word: &Location| word == location || word.steps().split_last().is_some_and(|(_, above)| above == steps);
        if self.words.iter().any(is_word) {
            return true;
        }
        !self.is_none()
            && (self.all
                || self.parts.iter().any(is_here)
                || quoted.any(|text| is_named(text) || text.split(['.', ':']).any(is_named)))
    }

    /// A value that is missing, or was taken out.
    pub(super) fn wrong(&mut self, place: &Location) {
        let steps = place.steps();
        if matches!(steps.last(), Some(Step::Key(key)) if WORDS.contains(&key.as_str())) {
            self.words.push(place.clone());
            return;
        }
        // The elements behind one that was taken out have moved up, so the whole list is not known by its places.
        let whole = match steps {
            [above @ .., Step::Index(_)] => above,
            _ => steps,
        };
        // A value of a declaration changes what all of the declaration means.
        let part = match whole {
            [above @ .., _] if above.len() > 1 => above,
            _ => whole,
        };
        self.parts.push(part.iter().fold(Location::default(), |at, step| at.at(step.clone())));
        let list = steps.iter().position(|step| matches!(step, Step::Index(_)));
        let named = steps.get(..list.unwrap_or(steps.len())).unwrap_or_default();
        // `app_kinds.KIND.features.FEATURE.actions.ACTION`: keys of the language and of the product in turn.
        for step in named.iter().skip(1).step_by(2) {
            let Step::Key(key) = step else { continue };
            self.names.push(key.clone());
            self.names.extend(key.split('.').map(str::to_owned));
        }
    }

    /// What should stand at a place: a missing map of declarations leaves everything unknown that names them.
    pub(super) fn of_type(&mut self, place: &Location, expected: &Expected) {
        self.all |= place.steps().len() == 1 && *expected == Expected::Map;
    }
}
