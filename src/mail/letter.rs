//! A mail's form: what every letter is made of, and how it looks on the wire (RFC 5322).

use chrono::{DateTime, Utc};
use lettre::{
    Address, Message,
    message::{Mailbox, MultiPart},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::MailError;

/// The longest name that is put into a mail, in characters.
const LONGEST_NAME: usize = 120;

/// A mail, ready to be sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Whom to.
    pub to: String,
    /// What about.
    pub subject: String,
    /// What it says, as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

// Links hold tokens, so they are never printed.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("to", &self.to).finish_non_exhaustive()
    }
}

impl Letter {
    /// The mail on the wire.
    ///
    /// # Errors
    /// When the address is no address.
    pub(super) fn message(&self, from: &Mailbox, id: Uuid, now: DateTime<Utc>) -> Result<Message, MailError> {
        let to: Address = self.to.parse().map_err(|_| MailError::Address(self.to.clone()))?;
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&self.subject))
            .date(now.into())
            .message_id(Some(format!("<{}@{}>", id.simple(), from.email.domain())))
            .multipart(MultiPart::alternative_plain_html(self.text.clone(), self.html.clone()))?;
        Ok(message)
    }
}

/// A name on one line: control characters become spaces, so that no name adds a header or a line, and a long one is cut.
pub(super) fn one_line(name: &str) -> String {
    if crate::ablate::off("mail_one_line") {
        return name.to_owned();
    }
    let spaced: String =
        name.chars().map(|c| if c.is_control() || c == '\u{2028}' || c == '\u{2029}' { ' ' } else { c }).collect();
    let mut words = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = words.char_indices().nth(LONGEST_NAME) {
        words.truncate(cut);
        words.push('…');
    }
    words
}

/// Text as HTML, also within a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    if crate::ablate::off("mail_escape") {
        return text.to_owned();
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(to: &str, subject: &str) -> Letter {
        Letter { to: to.to_owned(), subject: subject.to_owned(), text: "Hello".to_owned(), html: "Hello".to_owned() }
    }

    #[test]
    fn a_subject_adds_no_header() {
        let letter = letter("bob@example.com", "Hello\r\nBcc: mallory@example.com");
        let from = "gate@example.com".parse().unwrap();
        let wire = letter.message(&from, Uuid::nil(), DateTime::UNIX_EPOCH).unwrap().formatted();
        let wire = String::from_utf8(wire).unwrap();
        assert!(!wire.lines().any(|line| line.starts_with("Bcc")));
        assert!(wire.contains("Date: Thu, 01 Jan 1970 00:00:00 +0000"));
        assert!(wire.contains("multipart/alternative"));
    }

    #[test]
    fn an_address_with_a_line_break_is_refused() {
        let letter = letter("bob@example.com\r\nBcc: mallory@example.com", "Hello");
        let from = "gate@example.com".parse().unwrap();
        assert!(matches!(letter.message(&from, Uuid::nil(), DateTime::UNIX_EPOCH), Err(MailError::Address(_))));
    }
}
