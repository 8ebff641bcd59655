//! Email addresses: one spelling per mailbox, so that an address is compared and stored only in its normal form.
//!
//! The part before the `@` is ASCII and lower-cased, the domain is lower-cased and in its ASCII form (IDNA). Look-alikes of
//! the separators and invisible characters are refused, not repaired: who types them is told.

use std::fmt;

use email_address::{EmailAddress, Options};

use crate::ablate;

/// The longest address that mail can be sent to (RFC 5321 §4.5.3.1.3), in bytes.
pub const MAX_LENGTH: usize = 254;

/// An email address in its normal form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email {
    text: String,
    at: usize,
}

/// Why a text is not an email address we accept. Each message names the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Nothing there.
    #[error("the email address is empty: write it as `name@example.com`")]
    Empty,
    /// Longer than [`MAX_LENGTH`].
    #[error("the email address is too long: at most 254 bytes")]
    TooLong,
    /// No `@`, or more than one.
    #[error("an email address has exactly one `@`: write it as `name@example.com`")]
    At,
    /// A character that looks like `@` or `.` and is not.
    #[error("the email address has `{0}`, which only looks like `@` or `.`: type it with the plain character")]
    LookAlike(char),
    /// A control or invisible character.
    #[error("the email address has an invisible character (U+{0:04X}): type it anew instead of pasting it")]
    Invisible(u32),
    /// A character outside ASCII before the `@`.
    #[error("the part before the `@` has `{0}`: only plain letters, digits and punctuation can be used there")]
    Local(char),
    /// Nothing after the `@`.
    #[error("there is no domain after the `@`: write it as `name@example.com`")]
    NoDomain,
    /// Not a domain.
    #[error("`{0}` is not a domain name: check the part after the `@`")]
    Domain(String),
    /// Otherwise not an address.
    #[error("this is not an email address: write it as `name@example.com`")]
    Form,
}

impl Email {
    /// The address in its normal form.
    ///
    /// # Errors
    /// When it is not an address that mail could be sent to.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(EmailError::Empty);
        }
        // Punycode is never shorter than the text it stands for, so the limit may come first; it bounds all further work.
        if text.len() > MAX_LENGTH {
            return Err(EmailError::TooLong);
        }
        for character in text.chars() {
            match character {
                '＠' | '﹫' | '。' | '．' | '｡' if !ablate::off("email_look_alike") => {
                    return Err(EmailError::LookAlike(character));
                }
                _ if is_invisible(character) && !ablate::off("email_invisible") => {
                    return Err(EmailError::Invisible(u32::from(character)));
                }
                _ => {}
            }
        }
        let (local, domain) = text.split_once('@').ok_or(EmailError::At)?;
        if domain.contains('@') {
            return Err(EmailError::At);
        }
        if domain.is_empty() {
            return Err(EmailError::NoDomain);
        }
        let foreign = local.chars().find(|character| !character.is_ascii());
        if let Some(foreign) = foreign.filter(|_| !ablate::off("email_local")) {
            return Err(EmailError::Local(foreign));
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| EmailError::Domain(domain.to_owned()))?;
        if !domain.contains('.')
            || domain.rsplit('.').next().is_some_and(|top| top.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return Err(EmailError::Domain(domain));
        }
        let local = local.to_ascii_lowercase();
        let at = local.len();
        let text = format!("{local}@{domain}");
        if text.len() > MAX_LENGTH {
            return Err(EmailError::TooLong);
        }
        let options = Options { minimum_sub_domains: 2, allow_domain_literal: false, allow_display_text: false };
        // Quoted local parts are legal and only ever used to confuse parsers.
        if local.contains(['"', '(', ')', '\\', ' ']) || EmailAddress::parse_with_options(&text, options).is_err() {
            return Err(EmailError::Form);
        }
        Ok(Self { text, at })
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// The domain, in its ASCII form.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }

    /// Whether it is a sub-address (`name+tag@example.com`), which an organization may refuse in invitations.
    #[must_use]
    pub fn is_sub_address(&self) -> bool {
        self.local().contains('+')
    }

    /// Whether the domain is the given one or below it.
    #[must_use]
    pub fn is_at(&self, domain: &str) -> bool {
        let Ok(domain) = idna::domain_to_ascii(domain.trim()) else { return false };
        self.domain() == domain
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        Self::parse(text)
    }
}

/// A domain as people know it: letters of other scripts as they are written, with the ASCII form beside them, in which look-alikes
/// differ. What is no domain is shown as it is.
#[must_use]
pub fn shown_domain(domain: &str) -> String {
    let Ok(ascii) = idna::domain_to_ascii(domain.trim()) else { return domain.to_owned() };
    match idna::domain_to_unicode(&ascii) {
        (written, Ok(())) if written != ascii => format!("{written} ({ascii})"),
        (_, Ok(()) | Err(_)) => ascii,
    }
}

/// Domains as people know them, one after the other.
#[must_use]
pub fn shown_domains(domains: &[String]) -> String {
    domains.iter().map(|domain| shown_domain(domain)).collect::<Vec<_>>().join(", ")
}

/// Characters that show nothing: controls, zero-width ones, direction marks, variation selectors, tags.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
