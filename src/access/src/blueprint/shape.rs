//! Reading a document into its shape, past what does not fit it: everything that is wrong is told, not the first thing alone.
//!
//! Which keys a table may have, and what they take, only the types of [`document`](super::document) know, and those stop at the
//! first thing that does not fit. So what they refuse is taken out of a copy, and the rest is read again: nothing of the
//! language is written down twice.

use std::ops::Range;

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue, Deserializer, Error},
};

use super::{
    document::Document,
    error::{BlueprintError, Location, Step, line_of},
};

/// After how many mistakes of shape nobody reads on.
const MOST: usize = 100;

/// What a document says beside its mistakes of shape, and those, in the order of the document. `None` where more is missing
/// from it than keys that nobody knows: then nothing is to be said about what it means.
pub(super) fn read(source: &str) -> (Option<Document>, Vec<BlueprintError>) {
    let whole = match DeTable::parse(source) {
        Ok(whole) => whole,
        Err(error) => return (None, vec![mistake(source, &error, &Location::default())]),
    };
    let mut rest = whole.clone();
    let mut found: Vec<BlueprintError> = Vec::new();
    // The last steps to what was taken out and was no unknown key: that it is missing now is nobody's mistake.
    let mut taken: Vec<Step> = Vec::new();
    let mut is_whole = true;
    while found.len() < MOST {
        let error = match Document::deserialize(Deserializer::from(rest.clone())) {
            Ok(document) => return (is_whole.then_some(document), found),
            Err(error) => error,
        };
        let place = error.span().and_then(|span| locate(whole.get_ref(), &span, &Location::default()));
        let is_key = error.message().starts_with("unknown field");
        let follows = taken.iter().any(|step| step.is_missing_in(error.message()));
        let told = mistake(source, &error, &place.clone().unwrap_or_default());
        if !follows && !found.contains(&told) {
            found.push(told);
        }
        is_whole &= is_key;
        let is_taken = error.span().is_some_and(|span| take(rest.get_mut(), &span));
        match place.and_then(|place| place.last().cloned()) {
            Some(_) if is_taken && is_key => {}
            Some(step) if is_taken => taken.push(step),
            // What is missing from the document itself, or cannot be placed: nothing is left to take out.
            Some(_) | None => break,
        }
    }
    (None, found)
}

fn mistake(source: &str, error: &Error, place: &Location) -> BlueprintError {
    BlueprintError {
        line: error.span().map_or(1, |span| line_of(source, span.start)),
        path: place.text(),
        problem: error.message().trim().replace('\n', "; "),
        fix: "correct the key or its value; docs/blueprints.md lists every key".to_owned(),
    }
}

/// The innermost place whose key or value stands at these bytes.
fn locate(table: &DeTable<'_>, span: &Range<usize>, above: &Location) -> Option<Location> {
    table.iter().find_map(|(key, value)| {
        let name: &str = key.get_ref();
        let place = above.at(name);
        let inner = locate_in(value, span, &place);
        inner.or_else(|| (key.span() == *span || value.span() == *span).then_some(place))
    })
}

fn locate_in(value: &Spanned<DeValue<'_>>, span: &Range<usize>, at: &Location) -> Option<Location> {
    if let DeValue::Table(table) = value.get_ref() {
        return locate(table, span, at);
    }
    let DeValue::Array(array) = value.get_ref() else { return None };
    array.iter().enumerate().find_map(|(index, element)| {
        let place = at.at(index);
        locate_in(element, span, &place).or_else(|| (element.span() == *span).then_some(place))
    })
}

/// Takes out what [`locate`] finds; whether there was anything.
fn take(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    if table.iter_mut().any(|(_, value)| take_in(value, span)) {
        return true;
    }
    let here = table.iter().find(|(key, value)| key.span() == *span || value.span() == *span);
    let key = here.map(|(key, _)| key.get_ref().clone().into_owned());
    key.is_some_and(|key| table.remove(key.as_str()).is_some())
}

fn take_in(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    if let DeValue::Table(table) = value.get_mut() {
        return take(table, span);
    }
    let DeValue::Array(array) = value.get_mut() else { return false };
    if array.iter_mut().any(|element| take_in(element, span)) {
        return true;
    }
    let mut kept = DeArray::new();
    for element in array.iter().filter(|element| element.span() != *span) {
        kept.push(element.clone());
    }
    let is_taken = kept.len() < array.len();
    *array = kept;
    is_taken
}
