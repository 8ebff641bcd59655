//! Values of an organization's profile: what each kind of field takes, and how it is kept.
//!
//! ```
//! use gatehouse_access::{blueprint::document::ProfileField, profile::normal};
//!
//! let field: ProfileField = toml::from_str("label = 'Accent'\nkind = 'color'").unwrap();
//! assert_eq!(normal(&field, "#FF8800").as_deref(), Ok("#ff8800"));
//! assert!(normal(&field, "orange").is_err());
//! ```

use chrono_tz::Tz;
use url::Url;

use crate::blueprint::document::{Document, FieldKind, ProfileField};

/// The most characters of a line of text.
pub const TEXT_LENGTH: usize = 200;
/// The most characters of an address.
pub const URL_LENGTH: usize = 2_000;

/// A text that a field does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub fix: String,
}

fn unfit(problem: impl Into<String>, fix: impl Into<String>) -> Unfit {
    Unfit { problem: problem.into(), fix: fix.into() }
}

/// The first field of this kind in a document, with the keys of its section and its own: the one that letters follow.
#[must_use]
pub fn first_field(document: &Document, kind: FieldKind) -> Option<(&str, &str, &ProfileField)> {
    let sections = document.profile.iter();
    let mut fields = sections.flat_map(|(section, rule)| rule.fields.iter().map(move |field| (section, field)));
    let (section, (key, field)) = fields.find(|(_, (_, field))| field.kind == kind)?;
    Some((section.as_str(), key.as_str(), field))
}

/// A text as the field keeps it: without blanks at its ends, and each kind in its one spelling.
///
/// # Errors
/// [`Unfit`], with what the field takes instead.
pub fn normal(field: &ProfileField, text: &str) -> Result<String, Unfit> {
    let text = text.trim();
    if text.is_empty() {
        let fix = if field.required { "Write something." } else { "Write something, or null to empty the field." };
        return Err(unfit("this is empty", fix));
    }
    match field.kind {
        FieldKind::Text if text.chars().count() > TEXT_LENGTH => {
            Err(unfit(format!("this is too long: at most {TEXT_LENGTH} characters"), "Shorten it."))
        }
        FieldKind::Text => Ok(text.to_owned()),
        FieldKind::Choice if field.options.iter().any(|option| option == text) => Ok(text.to_owned()),
        FieldKind::Choice => {
            let options = field.options.iter().map(|option| format!("`{option}`")).collect::<Vec<_>>().join(", ");
            Err(unfit("this is none of the options", format!("Choose one of {options}.")))
        }
        FieldKind::Number => match text.parse::<u64>() {
            Ok(number) => Ok(number.to_string()),
            Err(_) => Err(unfit("this is no whole number", "Write digits alone, as `42`.")),
        },
        FieldKind::Boolean if matches!(text, "true" | "false") => Ok(text.to_owned()),
        FieldKind::Boolean => Err(unfit("this is neither yes nor no", "Write `true` or `false`.")),
        FieldKind::Url => address(text, "https://example.com"),
        FieldKind::Color if is_color(text) => Ok(text.to_ascii_lowercase()),
        FieldKind::Color => Err(unfit("this is no colour", "Write it as `#1a2b3c`.")),
        FieldKind::Timezone => timezone(text),
        FieldKind::Language if is_language(text) => Ok(text.to_owned()),
        FieldKind::Language => Err(unfit("this is no language tag", "Write it as `en` or `pt-BR`.")),
    }
}

/// A timezone by its IANA name.
///
/// # Errors
/// [`Unfit`].
pub fn timezone(text: &str) -> Result<String, Unfit> {
    match text.parse::<Tz>() {
        Ok(zone) => Ok(zone.name().to_owned()),
        Err(_) => Err(unfit("there is no such timezone", "Write its IANA name, as `Europe/Rome` or `UTC`.")),
    }
}

/// An `https` address of a host, without a name or password in it; `example` is one that fits where this one stands.
///
/// # Errors
/// [`Unfit`], with the example.
pub fn address(text: &str, example: &str) -> Result<String, Unfit> {
    let fix = format!("Write it as `{example}`.");
    if text.chars().count() > URL_LENGTH {
        return Err(unfit(format!("this is too long: at most {URL_LENGTH} characters"), fix));
    }
    // The parser drops tabs and line breaks; an address that has some is a mistake or a trick.
    if text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return Err(unfit("an address has no blanks", fix));
    }
    match Url::parse(text) {
        Ok(url) if url.scheme() != "https" => Err(unfit("only `https` addresses are shown", fix)),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Err(unfit("an address here holds no name or password", fix))
        }
        Ok(url) if url.host_str().is_some_and(|host| !host.is_empty()) => Ok(url.into()),
        Ok(_) | Err(_) => Err(unfit("this is no address", fix)),
    }
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The form of a BCP 47 tag: a primary language of 2 to 8 letters, then words of at most 8 letters and digits.
fn is_language(text: &str) -> bool {
    let word = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let primary = (2..=8).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    text.len() <= 35 && primary && parts.all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: &str) -> ProfileField {
        let options = if kind == "choice" { "options = ['1-10', '11-50']" } else { "" };
        toml::from_str(&format!("label = 'X'\nkind = '{kind}'\n{options}")).unwrap()
    }

    #[test]
    fn each_kind_takes_its_own_and_keeps_it_in_one_spelling() {
        let good = [
            ("text", " Acme ", "Acme"),
            ("choice", "11-50", "11-50"),
            ("number", "007", "7"),
            ("boolean", "true", "true"),
            ("url", "https://Example.com/a b".trim_end_matches(" b"), "https://example.com/a"),
            ("color", "#AbCdEf", "#abcdef"),
            ("timezone", "Europe/Rome", "Europe/Rome"),
            ("language", "pt-BR", "pt-BR"),
        ];
        for (kind, text, kept) in good {
            assert_eq!(normal(&field(kind), text).as_deref(), Ok(kept), "{kind}");
        }
    }

    #[test]
    fn what_must_be_filled_in_is_not_emptied_and_an_address_is_shown_by_one_that_fits() {
        let fix = |field: &ProfileField, text: &str| normal(field, text).unwrap_err().fix;
        let required: ProfileField = toml::from_str("label = 'X'\nrequired = true").unwrap();
        assert_eq!(fix(&required, " "), "Write something.");
        assert_eq!(fix(&field("text"), " "), "Write something, or null to empty the field.");
        assert_eq!(fix(&field("url"), "javascript:alert(1)"), "Write it as `https://example.com`.");
    }

    #[test]
    fn anything_else_is_unfit() {
        let long = "x".repeat(TEXT_LENGTH + 1);
        let bad = [
            ("text", "  "),
            ("text", long.as_str()),
            ("choice", "51-200"),
            ("number", "-1"),
            ("number", "1.5"),
            ("number", "99999999999999999999"),
            ("boolean", "yes"),
            ("url", "http://example.com"),
            ("url", "javascript:alert(1)"),
            ("url", "https://alice:secret@example.com"),
            ("url", "https://"),
            ("url", "https://example.com/a\tb"),
            ("url", "//example.com"),
            ("color", "#abc"),
            ("color", "red"),
            ("timezone", "Europe/Atlantis"),
            ("timezone", "../etc/passwd"),
            ("language", "english language"),
            ("language", "e"),
        ];
        for (kind, text) in bad {
            assert!(normal(&field(kind), text).is_err(), "{kind}: {text}");
        }
    }
}
