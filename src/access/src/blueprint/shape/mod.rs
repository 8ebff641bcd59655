//! Reading a document into its shape, past what does not fit it: everything that is wrong is told, not the first thing alone.
//!
//! Which keys a table may have, and what they take, only the types of [`document`](super::document) know, and those stop at the
//! first thing that does not fit. So what they refuse is taken out of a copy, what they miss is put into it for the time being,
//! and the rest is read again: nothing of the language is written down twice. What of the rest is not known because of that, is
//! kept as [`Damage`], so that nothing is told of it that does not stand in the document.
//!
//! ```text
//!  source ─▶ table ─▶ read ─▶ refused ─▶ taken out, told ──┐
//!                      ▲                  put in, told ─────┤
//!                      └────────────────────────────────────┘ ─▶ document, mistakes, damage
//! ```

mod damage;
mod expected;
mod place;
mod strict;

use std::ops::Range;

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeArray, DeInteger, DeTable, DeValue, Deserializer, Error},
};

pub(super) use damage::Damage;
use expected::Expected;
use place::{lacking, locate, put, replace, take};
use strict::Strict;

use super::{
    document::Document,
    error::{BlueprintError, Location, line_of},
};

/// After how many mistakes of shape nobody reads on.
const MOST: usize = 100;

/// A document as far as it can be read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// What it says beside its mistakes of shape; `None` where that is not to be had.
    pub(super) document: Option<Document>,
    /// Its mistakes of shape.
    pub(super) mistakes: Vec<BlueprintError>,
    /// What of the document is not known because of them.
    pub(super) damage: Damage,
}

/// What stands in the copy for something that is missing.
struct Gap {
    /// Where it is missing.
    place: Location,
    /// Bytes behind the end of the source, by which the types tell of it.
    span: Range<usize>,
    /// The mistake that tells of it; `None` where it follows from another one.
    told: Option<usize>,
    /// Whether it is of the type that was asked for.
    fits: bool,
}

/// Reads a document whole.
pub(super) fn read(source: &str) -> Reading {
    let whole = match DeTable::parse(source) {
        Ok(whole) => whole,
        Err(error) => return Reading { mistakes: vec![syntax(source, &error)], ..Reading::default() },
    };
    let mut reader = Reader { source, rest: whole.clone(), whole, gaps: Vec::new(), taken: Vec::new() };
    let mut reading = Reading::default();
    // What is put in may be refused as what stands in the document may, so a mistake takes more than one turn.
    for _ in 0..MOST.saturating_mul(3) {
        let error = match document(reader.rest.clone()) {
            Ok(document) => {
                reading.document = Some(document);
                break;
            }
            Err(error) => error,
        };
        if reading.mistakes.len() >= MOST || !reader.mend(&error, &mut reading) {
            break;
        }
    }
    reading
}

/// Reads what fits, or says what does not fit first.
fn document(table: Spanned<DeTable<'_>>) -> Result<Document, Error> {
    Document::deserialize(Strict(Deserializer::from(table)))
}

struct Reader<'s> {
    source: &'s str,
    whole: Spanned<DeTable<'s>>,
    /// The copy, without what was refused and with what was missing.
    rest: Spanned<DeTable<'s>>,
    gaps: Vec<Gap>,
    /// What was taken out: that it is missing now is nobody's mistake.
    taken: Vec<Location>,
}

impl Reader<'_> {
    /// Tells what the types refuse, and mends the copy; whether that was possible.
    fn mend(&mut self, error: &Error, reading: &mut Reading) -> bool {
        let span = error.span().unwrap_or_default();
        let gap = self.gaps.iter().position(|gap| gap.span == span);
        match (expected::missing_field(error.message()), gap) {
            (Some(field), gap) => self.fill(field, (&span, gap), reading),
            (None, Some(gap)) => self.fit(gap, error.message(), reading),
            (None, None) => self.remove(&span, error, reading),
        }
    }

    /// Puts something in for a missing field; a text, until the types ask for something else.
    fn fill(&mut self, field: &str, (span, gap): (&Range<usize>, Option<usize>), reading: &mut Reading) -> bool {
        let table = match gap.and_then(|gap| self.gaps.get(gap)) {
            Some(gap) => gap.place.clone(),
            None => lacking(self.whole.get_ref(), span, (field, &self.taken), &Location::default()).unwrap_or_default(),
        };
        let place = table.at(field);
        let follows = gap.is_some() || self.taken.contains(&place);
        if self.gaps.iter().any(|gap| gap.place == place) {
            return false;
        }
        let told = (!follows).then(|| {
            let problem = format!("missing field `{field}`");
            self.tell(span, (&table, problem, Expected::Text.addition(&place)), reading)
        });
        let end = self.source.len().saturating_add(self.gaps.len()).saturating_add(1);
        let gap = Gap { place: place.clone(), span: end..end.saturating_add(1), told, fits: false };
        let value = Spanned::new(gap.span.clone(), Expected::Text.stand_in());
        reading.damage.wrong(&place);
        self.gaps.push(gap);
        // Elements of lists may have moved up in the copy.
        let here = lacking(self.rest.get_ref(), span, (field, &[]), &Location::default()).unwrap_or_default();
        put(self.rest.get_mut(), (here.steps(), field), value)
    }

    /// Puts something of the type that was asked for in the place of a text.
    fn fit(&mut self, gap: usize, message: &str, reading: &mut Reading) -> bool {
        let Some(gap) = self.gaps.get_mut(gap).filter(|gap| !gap.fits) else { return false };
        gap.fits = true;
        let Some(expected) = asked_for(&self.rest, &gap.span, message) else { return false };
        if let Some(mistake) = gap.told.and_then(|told| reading.mistakes.get_mut(told)) {
            mistake.fix = expected.addition(&gap.place);
        }
        reading.damage.of_type(&gap.place, &expected);
        replace(self.rest.get_mut(), &gap.span, &expected.stand_in())
    }

    /// Takes out what does not fit.
    fn remove(&mut self, span: &Range<usize>, error: &Error, reading: &mut Reading) -> bool {
        let place = locate(self.whole.get_ref(), span, &Location::default());
        let expected = asked_for(&self.rest, span, error.message()).filter(|_| place.is_some());
        let at = place.clone().unwrap_or_default();
        self.tell(span, (&at, problem(error), expected::fix(error.message(), expected.as_ref(), &at)), reading);
        let Some(place) = place else { return false };
        if !expected::is_unknown_key(error.message()) {
            reading.damage.wrong(&place);
            if let Some(expected) = &expected {
                reading.damage.of_type(&place, expected);
            }
            self.taken.push(place);
        }
        take(self.rest.get_mut(), span)
    }

    /// Adds a mistake; where it stands among them.
    fn tell(
        &self,
        span: &Range<usize>,
        (place, problem, fix): (&Location, String, String),
        reading: &mut Reading,
    ) -> usize {
        let line = line_of(self.source, span.start);
        reading.mistakes.push(BlueprintError { line, path: place.text(), problem, fix });
        reading.mistakes.len().saturating_sub(1)
    }
}

/// What a message asks for at these bytes of a table. A list is tried with a number in it, which tells what it is a list of.
fn asked_for(table: &Spanned<DeTable<'_>>, span: &Range<usize>, message: &str) -> Option<Expected> {
    let expected = Expected::of(message)?;
    if !matches!(expected, Expected::List(_)) {
        return Some(expected);
    }
    // Bytes that no source has.
    let trial = usize::MAX.saturating_sub(1)..usize::MAX;
    let mut list = DeArray::new();
    list.push(Spanned::new(trial.clone(), DeValue::Integer(DeInteger::default())));
    let mut tried = table.clone();
    replace(tried.get_mut(), span, &DeValue::Array(list));
    let refused = document(tried).err().filter(|error| error.span().as_ref() == Some(&trial));
    Some(expected.list_of(refused.as_ref().map(Error::message)))
}

/// What is wrong, without the names of the types.
fn problem(error: &Error) -> String {
    let message = error.message().trim().replace('\n', "; ");
    match message.split_once(", expected ") {
        Some((found, asked)) if asked == "a map" || asked.starts_with("struct ") => {
            format!("{found}, expected a table")
        }
        _ => message,
    }
}

/// What is no TOML at all.
fn syntax(source: &str, error: &Error) -> BlueprintError {
    let fix = if error.message().starts_with("duplicate key") {
        "keep one of the two"
    } else {
        "write `key = value`, with texts in quotes and lists in brackets, under a `[table]`"
    };
    BlueprintError {
        line: error.span().map_or(1, |span| line_of(source, span.start)),
        path: String::new(),
        problem: problem(error),
        fix: fix.to_owned(),
    }
}
