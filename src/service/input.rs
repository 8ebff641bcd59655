//! What people type, checked in one place: names, texts, slugs, addresses, domains.
//!
//! Each check takes the field it is about and returns the value as it is stored, or the refusal a person can act on. An
//! operation collects the refusals of all its fields, so that a form shows every mistake at once:
//!
//! ```
//! use gatehouse::service::input::{self, Mistakes};
//!
//! let mut mistakes = Mistakes::default();
//! let name = mistakes.keep(input::name("name", "  Ada Lovelace "));
//! let slug = mistakes.keep(input::slug("slug", "No Good"));
//! assert_eq!((name.as_deref(), slug), (Some("Ada Lovelace"), None));
//! assert!(mistakes.settle().is_err());
//! ```

use super::{ServiceError, UserError, UserErrorCode};
use crate::{
    access::profile,
    identity::{Email, email::is_invisible},
    mail::Language,
};

/// The longest name, in characters.
pub const NAME_LENGTH: usize = 200;
/// The longest description, in characters.
pub const TEXT_LENGTH: usize = 2_000;
/// The longest slug.
pub const SLUG_LENGTH: usize = 63;
/// The most domains an organization can list.
pub const DOMAINS: usize = 100;

/// The refusals of one operation's fields.
#[derive(Debug, Default)]
pub struct Mistakes(Vec<UserError>);

impl Mistakes {
    /// The value, or `None` with its refusal kept.
    pub fn keep<T>(&mut self, checked: Result<T, UserError>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(mistake) => {
                self.0.push(mistake);
                None
            }
        }
    }

    /// The same of a value that may be left out.
    pub fn keep_given<T, U>(&mut self, given: Option<T>, check: impl FnOnce(T) -> Result<U, UserError>) -> Option<U> {
        given.and_then(|value| self.keep(check(value)))
    }

    /// Adds a refusal.
    pub fn push(&mut self, mistake: UserError) {
        self.0.push(mistake);
    }

    /// Whether nothing was wrong so far.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Nothing was wrong.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with everything that was.
    pub fn settle(self) -> Result<(), ServiceError> {
        if self.0.is_empty() { Ok(()) } else { Err(ServiceError::Refused(self.0)) }
    }

    /// What was wrong, for who asks beforehand.
    #[must_use]
    pub fn into_inner(self) -> Vec<UserError> {
        self.0
    }

    /// The refusal of the operation, where a value it needs is missing.
    #[must_use]
    pub fn refused(self) -> ServiceError {
        if self.0.is_empty() {
            return ServiceError::BadInput("a value is missing".to_owned());
        }
        ServiceError::Refused(self.0)
    }
}

fn invalid(field: &str, message: impl Into<String>) -> UserError {
    UserError::new(UserErrorCode::Invalid, field, message)
}

/// A name: one line of 1 to [`NAME_LENGTH`] characters, none of them invisible. Blanks at its ends are taken off.
///
/// # Errors
/// `INVALID`.
pub fn name(field: &str, text: &str) -> Result<String, UserError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(invalid(field, "this is empty").remedy("Give a name."));
    }
    line(field, text, NAME_LENGTH)
}

/// A name that may be left empty; empty is none.
///
/// # Errors
/// `INVALID`.
pub fn optional_name(field: &str, text: Option<&str>) -> Result<Option<String>, UserError> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => line(field, text, NAME_LENGTH).map(Some),
    }
}

/// One line of at most [`TEXT_LENGTH`] characters, none of them invisible.
///
/// # Errors
/// `INVALID`.
pub fn one_line(field: &str, text: &str) -> Result<String, UserError> {
    line(field, text.trim(), TEXT_LENGTH)
}

fn line(field: &str, text: &str, longest: usize) -> Result<String, UserError> {
    too_long(field, text, longest)?;
    if let Some(character) = text.chars().find(|character| is_invisible(*character)) {
        return Err(unseen(field, character));
    }
    Ok(text.to_owned())
}

/// A text of at most [`TEXT_LENGTH`] characters, which may be empty and have lines.
///
/// # Errors
/// `INVALID`.
pub fn text(field: &str, text: &str) -> Result<String, UserError> {
    let text = text.trim();
    too_long(field, text, TEXT_LENGTH)?;
    let unwanted = |character: &char| is_invisible(*character) && !matches!(character, '\n' | '\r' | '\t');
    match text.chars().find(unwanted) {
        Some(character) => Err(unseen(field, character)),
        None => Ok(text.to_owned()),
    }
}

fn too_long(field: &str, text: &str, longest: usize) -> Result<(), UserError> {
    // Characters are never more than bytes, so the common case counts nothing.
    if text.len() > longest && text.chars().count() > longest {
        return Err(invalid(field, format!("this is too long: at most {longest} characters")));
    }
    Ok(())
}

fn unseen(field: &str, character: char) -> UserError {
    invalid(field, format!("this has an invisible character (U+{:04X})", u32::from(character)))
        .remedy("Type it anew instead of pasting it.")
}

/// A slug: 1 to [`SLUG_LENGTH`] of `a` to `z`, `0` to `9` and `-`, beginning and ending with a letter or digit.
///
/// # Errors
/// `INVALID`.
pub fn slug(field: &str, text: &str) -> Result<String, UserError> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let text = text.trim();
    let fits = (1..=SLUG_LENGTH).contains(&text.len()) && text.bytes().all(good);
    if fits && !text.starts_with('-') && !text.ends_with('-') {
        return Ok(text.to_owned());
    }
    let message = format!("this is no slug: 1 to {SLUG_LENGTH} lower-case letters, digits and inner hyphens");
    Err(invalid(field, message).remedy("Write it as `acme-support`."))
}

/// An email address in its normal form.
///
/// # Errors
/// `INVALID`, with what is wrong.
pub fn email(field: &str, text: &str) -> Result<Email, UserError> {
    Email::parse(text).map_err(|error| invalid(field, error.to_string()).remedy("Write it as `name@example.com`."))
}

/// An email domain in its normal form.
///
/// # Errors
/// `INVALID`.
pub fn domain(field: &str, text: &str) -> Result<String, UserError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(invalid(field, "the domain is empty").remedy("Write it as `example.com`."));
    }
    match Email::parse(&format!("someone@{text}")) {
        Ok(email) if !text.contains('@') => Ok(email.domain().to_owned()),
        Ok(_) | Err(_) => {
            let shown: String = text.chars().filter(|character| !is_invisible(*character)).take(80).collect();
            Err(invalid(field, format!("`{shown}` is not a domain name")).remedy("Write it as `example.com`."))
        }
    }
}

/// The address of a picture: `https`, at most [`TEXT_LENGTH`] characters of plain ASCII. It is shown, and never fetched here.
///
/// # Errors
/// `INVALID`.
pub fn picture(field: &str, text: &str) -> Result<String, UserError> {
    let text = text.trim();
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}@".contains(&byte);
    let host = text.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let is_host = host.split(':').next().is_some_and(|name| domain(field, name).is_ok());
    if text.len() <= TEXT_LENGTH && text.bytes().all(plain) && is_host {
        return Ok(text.to_owned());
    }
    let remedy = "Write it as `https://example.com/photo.jpg`.";
    Err(invalid(field, "this is no address of a picture").remedy(remedy))
}

/// A language that letters are written in, by its tag; kept is the tag's primary part. Empty is none.
///
/// # Errors
/// `INVALID`.
pub fn language(field: &str, text: &str) -> Result<Option<String>, UserError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    Language::find(text).map(|language| Some(language.tag().to_owned())).ok_or_else(|| {
        let known: Vec<String> = Language::ALL.iter().map(|language| format!("`{}`", language.tag())).collect();
        invalid(field, format!("letters are written in {}, and in no other language", known.join(", ")))
            .remedy("Choose one of these, or null to read them as the organization does.")
    })
}

/// A timezone by its IANA name. Empty is none.
///
/// # Errors
/// `INVALID`.
pub fn timezone(field: &str, text: &str) -> Result<Option<String>, UserError> {
    match text.trim() {
        "" => Ok(None),
        text => profile::timezone(text).map(Some).map_err(|unfit| invalid(field, unfit.problem).remedy(unfit.fix)),
    }
}

/// A list of email domains, each once, at most [`DOMAINS`] of them.
///
/// # Errors
/// `INVALID`, at the first that is none.
pub fn domains(field: &str, texts: &[String]) -> Result<Vec<String>, UserError> {
    if texts.len() > DOMAINS {
        return Err(invalid(field, format!("these are too many: at most {DOMAINS} domains")));
    }
    let mut domains = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let domain = domain(&format!("{field}.{index}"), text)?;
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    Ok(domains)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_lines_of_what_can_be_seen() {
        assert_eq!(name("name", "  Zoë  O’Neil\t").as_deref(), Ok("Zoë  O’Neil"));
        assert_eq!(name("name", &"字".repeat(NAME_LENGTH)).map(|name| name.chars().count()), Ok(NAME_LENGTH));
        for bad in ["", " \u{a0} ", "a\nb", "a\u{0}b", "al\u{202e}ice", "bo\u{200b}b", &"x".repeat(NAME_LENGTH + 1)] {
            let refusal = name("name", bad).unwrap_err();
            assert_eq!((refusal.code, refusal.field), (UserErrorCode::Invalid, vec!["name".to_owned()]), "{bad:?}");
        }
        assert_eq!(optional_name("name", Some("  ")), Ok(None));
    }

    #[test]
    fn texts_may_have_lines_but_nothing_hidden() {
        assert_eq!(text("description", " a\n\tb ").as_deref(), Ok("a\n\tb"));
        assert!(text("description", "a\u{2066}b").is_err());
        assert!(text("description", &"x".repeat(TEXT_LENGTH + 1)).is_err());
    }

    #[test]
    fn slugs_have_one_spelling() {
        for good in ["a", "acme", "acme-2", "0-0", &"x".repeat(SLUG_LENGTH)] {
            assert_eq!(slug("slug", good).as_deref(), Ok(good));
        }
        for bad in ["", "-a", "a-", "Acme", "a_b", "a.b", "ä", "a b", &"x".repeat(SLUG_LENGTH + 1)] {
            assert!(slug("slug", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn domains_are_normal_and_each_once() {
        let given = ["Example.COM".to_owned(), " bücher.de".to_owned(), "example.com".to_owned()];
        assert_eq!(
            domains("allowedDomains", &given),
            Ok(vec!["example.com".to_owned(), "xn--bcher-kva.de".to_owned()])
        );
        for bad in ["", "example", "a@example.com", "exa mple.com", "*.example.com", "http://example.com"] {
            let refusal = domains("allowedDomains", &["a.de".to_owned(), bad.to_owned()]).unwrap_err();
            assert_eq!(refusal.field, ["allowedDomains", "1"], "{bad:?}");
        }
        assert!(domains("allowedDomains", &vec!["a.de".to_owned(); DOMAINS + 1]).is_err());
    }

    #[test]
    fn pictures_have_a_plain_https_address() {
        for good in ["https://cdn.example.com/a/b.jpg?s=96", "https://example.com:8443/x"] {
            assert_eq!(picture("photoUrl", good).as_deref(), Ok(good));
        }
        let bad =
            ["", "http://example.com/a", "https://", "https:///a", "javascript:alert(1)", "https://a@b.example/c"];
        for bad in bad.into_iter().chain(["//example.com/a", "https://example.com/\" onerror=", "https://localhost/a"])
        {
            assert!(picture("photoUrl", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn languages_are_those_of_letters_and_timezones_those_of_iana() {
        for (tag, kept) in [("de", "de"), (" de-AT ", "de"), ("KO", "ko"), ("en_GB", "en")] {
            assert_eq!(language("language", tag), Ok(Some(kept.to_owned())), "{tag}");
        }
        for bad in ["fr", "german", "d", "-", "\u{202e}de"] {
            let refusal = language("language", bad).unwrap_err();
            assert_eq!(refusal.message, "letters are written in `en`, `it`, `de`, `ko`, and in no other language");
        }
        assert_eq!(timezone("timezone", " Europe/Berlin "), Ok(Some("Europe/Berlin".to_owned())));
        assert!(timezone("timezone", "Europe/Atlantis").is_err() && timezone("timezone", "../etc").is_err());
        assert_eq!((language("language", " "), timezone("timezone", "")), (Ok(None), Ok(None)));
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let mut mistakes = Mistakes::default();
        assert_eq!(mistakes.keep(name("name", "")), None);
        assert_eq!(mistakes.keep_given(Some("x@"), |text| email("email", text)), None);
        assert_eq!(mistakes.keep_given(None::<&str>, |text| email("other", text)), None);
        let Err(ServiceError::Refused(refusals)) = mistakes.settle() else { panic!("nothing was refused") };
        let fields: Vec<_> = refusals.iter().map(|refusal| refusal.field.join(".")).collect();
        assert_eq!(fields, ["name", "email"]);
    }
}
