//! Words for people that say nothing: what is called by them would have no name.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::Check;
use crate::blueprint::error::{Location, Step};

/// The keys whose values are what people call something.
const NAMES: [&str; 2] = ["label", "title"];
/// The chapter whose labels may be empty, as they are by default.
const LEVELS: &str = "levels";

impl Check<'_> {
    /// Looked for in the source: what is missing in the document stands there in no way, and is told elsewhere.
    pub(super) fn words(&mut self) {
        let Ok(source) = DeTable::parse(self.source) else { return };
        let mut empty = Vec::new();
        in_table(source.get_ref(), &Location::default(), &mut empty);
        for place in empty {
            self.report(&place, format!("the {} is empty", place.last_key()), "say in a few words what it is");
        }
    }
}

fn in_table(table: &DeTable<'_>, above: &Location, empty: &mut Vec<Location>) {
    for (key, value) in table {
        let name: &str = key.get_ref();
        let place = above.at(name);
        let is_chapter = place.steps() == [Step::from(LEVELS)];
        if !is_chapter {
            in_value(name, value, &place, empty);
        }
    }
}

fn in_value(key: &str, value: &Spanned<DeValue<'_>>, at: &Location, empty: &mut Vec<Location>) {
    match value.get_ref() {
        DeValue::String(text) if NAMES.contains(&key) && text.trim().is_empty() => empty.push(at.clone()),
        DeValue::Table(table) => in_table(table, at, empty),
        DeValue::Array(array) => {
            for (index, element) in array.iter().enumerate() {
                in_value("", element, &at.at(index), empty);
            }
        }
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}
