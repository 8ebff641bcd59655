//! What is wrong with a blueprint document, where, and how to mend it.

use std::fmt;

/// One thing that is wrong with a blueprint document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlueprintError {
    /// The line, counted from 1.
    pub line: usize,
    /// The key, as `roles.member.assigns[0]`; empty where the document itself is meant.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub fix: String,
}

impl BlueprintError {
    /// A mistake in a document that parses, at the value to which these keys lead: what only the program around the rules knows.
    #[must_use]
    pub fn at(source: &str, keys: &[&str], (problem, fix): (String, String)) -> Self {
        let place = keys.iter().fold(Location::default(), |place, key| place.at(*key));
        Self { line: place.line(source), path: place.text(), problem, fix }
    }
}

impl fmt::Display for BlueprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        write!(f, "{}", self.problem)?;
        if !self.fix.is_empty() {
            write!(f, " (fix: {})", self.fix)?;
        }
        Ok(())
    }
}

impl std::error::Error for BlueprintError {}

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<&String> for Step {
    fn from(key: &String) -> Self {
        Self::Key(key.clone())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A place in a document: builds paths, and finds their lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Location(Vec<Step>);

impl Location {
    pub(super) fn at(&self, step: impl Into<Step>) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.into());
        Self(steps)
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether this is an element of a list.
    pub(super) fn is_element(&self) -> bool {
        matches!(self.0.last(), Some(Step::Index(_)))
    }

    /// The innermost key.
    pub(super) fn last_key(&self) -> &str {
        let mut keys = self.0.iter().rev().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        });
        keys.next().unwrap_or_default()
    }

    /// The path as a person reads it.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for step in &self.0 {
            match step {
                Step::Key(key) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(key);
                }
                Step::Index(index) => {
                    text.push('[');
                    text.push_str(&index.to_string());
                    text.push(']');
                }
            }
        }
        text
    }

    /// The line of the deepest part of the path that the source has.
    pub(super) fn line(&self, source: &str) -> usize {
        let Ok(document) = toml::de::DeTable::parse(source) else { return 1 };
        let mut steps = self.0.iter();
        let Some(Step::Key(first)) = steps.next() else { return 1 };
        let Some((key, mut value)) = document.get_ref().get_key_value(first.as_str()) else { return 1 };
        let mut offset = key.span().start;
        for step in steps {
            let next = match step {
                Step::Key(key) => value
                    .get_ref()
                    .as_table()
                    .and_then(|table| table.get_key_value(key.as_str()))
                    .map(|(key, value)| (key.span().start, value)),
                Step::Index(index) => value
                    .get_ref()
                    .as_array()
                    .and_then(|array| array.get(*index))
                    .map(|value| (value.span().start, value)),
            };
            let Some((start, inner)) = next else { break };
            offset = start;
            value = inner;
        }
        line_of(source, offset)
    }
}

/// The line of a byte offset, counted from 1.
pub(super) fn line_of(source: &str, offset: usize) -> usize {
    source.bytes().take(offset).filter(|byte| *byte == b'\n').count().saturating_add(1)
}
