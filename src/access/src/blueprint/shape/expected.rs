//! What the types of the document say that they expected, read from their messages: in plain words, with an example.

use std::borrow::Cow;

use toml::de::{DeArray, DeInteger, DeTable, DeValue};

use crate::blueprint::error::Location;

/// Where to look for what the types do not say.
const SHOWN: &str = "as docs/blueprints.md shows it";

/// What a key takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// A text.
    Text,
    /// One of these words.
    Word(Vec<String>),
    /// A whole number that is not negative.
    Number,
    /// True or false.
    Flag,
    /// A list of these; of what, is found out where it is told ([`Self::list_of`]).
    List(Option<Box<Expected>>),
    /// A table with keys of the language.
    Table,
    /// A table with keys of the product's own.
    Map,
}

/// The field that is missing, if the message is about one.
pub(super) fn missing_field(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.split('`').next()
}

/// Whether a message is about a key that nobody knows.
pub(super) fn is_unknown_key(message: &str) -> bool {
    message.starts_with("unknown field")
}

/// The words in backticks behind `expected`.
fn offered(message: &str) -> Vec<String> {
    let behind = message.split_once("expected ").map_or("", |(_, behind)| behind);
    behind.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

impl Expected {
    /// What a message asks for; `None` where it does not say.
    pub(super) fn of(message: &str) -> Option<Self> {
        if message.starts_with("unknown variant") {
            return Some(Self::Word(offered(message)));
        }
        // Said of a word of a list of words, which is not named.
        if message == "wanted string or table" {
            return Some(Self::Word(Vec::new()));
        }
        let (_, behind) = message.split_once(", expected ")?;
        match behind {
            "a string" => Some(Self::Text),
            "a boolean" => Some(Self::Flag),
            "a sequence" => Some(Self::List(None)),
            "a map" => Some(Self::Map),
            _ if behind.starts_with("struct ") => Some(Self::Table),
            _ if matches!(behind.trim_start_matches(['u', 'i']), "8" | "16" | "32" | "64" | "size") => {
                Some(Self::Number)
            }
            _ => None,
        }
    }

    /// The same, where it is a list, of what an element is refused for.
    pub(super) fn list_of(self, refused: Option<&str>) -> Self {
        match self {
            Self::List(None) => Self::List(refused.and_then(Self::of).map(Box::new)),
            other => other,
        }
    }

    const fn is_table(&self) -> bool {
        matches!(self, Self::Table | Self::Map)
    }

    /// In words.
    fn words(&self) -> String {
        match self {
            Self::Text => "a text in quotes".to_owned(),
            Self::Word(offered) if offered.is_empty() => "one of the words that docs/blueprints.md lists".to_owned(),
            Self::Word(offered) => format!("one of `{}`", offered.join("`, `")),
            Self::Number => "a whole number, not negative".to_owned(),
            Self::Flag => "`true` or `false`, without quotes".to_owned(),
            Self::List(None) => "a list".to_owned(),
            Self::List(Some(of)) if of.is_table() => "a list of tables".to_owned(),
            Self::List(Some(_)) => "a list in brackets".to_owned(),
            Self::Table | Self::Map => "a table".to_owned(),
        }
    }

    /// A value as it is written.
    fn example(&self) -> Cow<'static, str> {
        match self {
            Self::Text => Cow::Borrowed("\"text\""),
            Self::Word(offered) => {
                offered.first().map_or(Cow::Borrowed("\"word\""), |word| format!("\"{word}\"").into())
            }
            Self::Number => Cow::Borrowed("1"),
            Self::Flag => Cow::Borrowed("true"),
            Self::List(None) => Cow::Borrowed("[]"),
            Self::List(Some(of)) => format!("[{}]", of.example()).into(),
            Self::Table | Self::Map => Cow::Borrowed("{ key = \"text\" }"),
        }
    }

    /// What to write at a place, as it is written there.
    fn line(&self, place: &Location) -> String {
        match self {
            // Elements stand in their list.
            _ if place.is_element() => self.example().into_owned(),
            Self::Table | Self::Map => format!("[{}]", place.text()),
            Self::List(Some(of)) if of.is_table() => format!("[[{}]]", place.text()),
            Self::Text | Self::Word(_) | Self::Number | Self::Flag | Self::List(_) => {
                format!("{} = {}", place.last_key(), self.example())
            }
        }
    }

    /// How a missing field is mended.
    pub(super) fn addition(&self, place: &Location) -> String {
        match self {
            Self::List(None) => format!("add {}, {SHOWN}", self.words()),
            _ => format!("add {}: `{}`", self.words(), self.line(place)),
        }
    }

    /// How a value of another type is mended.
    fn instead(&self, place: &Location) -> String {
        match self {
            Self::List(None) => format!("write {}, {SHOWN}", self.words()),
            _ => format!("write {}, as `{}`", self.words(), self.line(place)),
        }
    }

    /// Something of the type.
    pub(super) fn stand_in(&self) -> DeValue<'static> {
        match self {
            Self::Text => DeValue::String(Cow::Borrowed("")),
            Self::Word(offered) => DeValue::String(offered.first().cloned().unwrap_or_default().into()),
            Self::Number => DeValue::Integer(DeInteger::default()),
            Self::Flag => DeValue::Boolean(false),
            Self::List(_) => DeValue::Array(DeArray::new()),
            Self::Table | Self::Map => DeValue::Table(DeTable::new()),
        }
    }
}

/// How what is refused at a place is mended, where something else is expected there.
pub(super) fn fix(message: &str, expected: Option<&Expected>, place: &Location) -> String {
    if is_unknown_key(message) {
        let wrong = message.split('`').nth(1).unwrap_or_default();
        return match nearest(wrong, &offered(message)) {
            Some(meant) => format!("write `{meant}`, or leave it out"),
            None => "leave it out; docs/blueprints.md lists every key".to_owned(),
        };
    }
    expected.map_or_else(
        || "correct the key or its value; docs/blueprints.md lists every key".to_owned(),
        |expected| expected.instead(place),
    )
}

/// The known word that was probably meant: at most two letters away, and less than half of the word.
fn nearest<'k>(wrong: &str, known: &'k [String]) -> Option<&'k str> {
    let near = known.iter().map(|word| (strsim::levenshtein(wrong, word), word.as_str()));
    let (letters, word) = near.min_by_key(|(letters, _)| *letters)?;
    (letters <= 2 && letters.saturating_mul(2) < word.chars().count()).then_some(word)
}
