//! What the mails say, as text and as HTML, and their form on the wire (RFC 5322).

use chrono::{DateTime, Utc};
use lettre::{
    Address, Message,
    message::{Mailbox, MultiPart},
};
use uuid::Uuid;

use super::MailError;

/// The longest name that is put into a mail, in characters.
const LONGEST_NAME: usize = 120;

/// An invitation to an organization.
#[derive(Clone)]
pub struct InvitationMail {
    /// The invited address.
    pub to: String,
    /// The organization's name, as its people wrote it.
    pub organization: String,
    /// Who invites, as they call themselves.
    pub invited_by: Option<String>,
    /// The link that opens the invitation.
    pub link: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// A mail, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
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

// The link holds the token, so neither is ever printed.
impl std::fmt::Debug for InvitationMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InvitationMail").field("to", &self.to).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("to", &self.to).finish_non_exhaustive()
    }
}

impl InvitationMail {
    /// The letter.
    #[must_use]
    pub fn letter(&self) -> Letter {
        let organization = one_line(&self.organization);
        let inviter = self.invited_by.as_deref().map(one_line).filter(|name| !name.is_empty());
        let who = inviter.map_or_else(
            || format!("You have been invited to join {organization}."),
            |inviter| format!("{inviter} has invited you to join {organization}."),
        );
        let ends = self.expires_at.format("%-d %B %Y, %H:%M UTC");
        let ends = format!("The invitation is for {} and ends on {ends}.", one_line(&self.to));
        let else_ignore = "If you did not expect it, you need not do anything.";
        let link = &self.link;
        let (html_who, html_ends, html_link) = (escape(&who), escape(&ends), escape(link));
        Letter {
            to: self.to.clone(),
            subject: format!("Invitation to {organization}"),
            text: format!("{who}\n\nOpen this link to answer:\n{link}\n\n{ends}\n{else_ignore}\n"),
            html: format!(
                "<!doctype html>\n<html lang=\"en\"><body>\n<p>{html_who}</p>\n<p><a href=\"{html_link}\">Answer the invitation</a></p>\n\
                 <p>Or open this link: {html_link}</p>\n<p>{html_ends} {else_ignore}</p>\n</body></html>\n"
            ),
        }
    }
}

impl Letter {
    /// The bytes of the mail.
    ///
    /// # Errors
    /// When the address is no address.
    pub(super) fn to_wire(&self, from: &Mailbox, id: Uuid, now: DateTime<Utc>) -> Result<Vec<u8>, MailError> {
        let to: Address = self.to.parse().map_err(|_| MailError::Address(self.to.clone()))?;
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&self.subject))
            .date(now.into())
            .message_id(Some(format!("<{}@{}>", id.simple(), from.email.domain())))
            .multipart(MultiPart::alternative_plain_html(self.text.clone(), self.html.clone()))?;
        Ok(message.formatted())
    }
}

/// A name on one line: control characters become spaces, so that no name adds a header or a line, and a long one is cut.
pub(super) fn one_line(name: &str) -> String {
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

    fn mail(organization: &str, inviter: &str) -> InvitationMail {
        InvitationMail {
            to: "bob@example.com".into(),
            organization: organization.into(),
            invited_by: Some(inviter.into()),
            link: "https://gate.example/invitation#giv_x".into(),
            expires_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_name_adds_no_header_and_no_markup() {
        let letter = mail("Gizmo\r\nBcc: mallory@example.com", "<img src=x>\"'&").letter();
        assert_eq!(letter.subject, "Invitation to Gizmo Bcc: mallory@example.com");
        assert!(letter.html.contains("&lt;img src=x&gt;&quot;&#39;&amp;"));

        let from = "gate@example.com".parse().unwrap();
        let wire = String::from_utf8(letter.to_wire(&from, Uuid::nil(), DateTime::UNIX_EPOCH).unwrap()).unwrap();
        assert!(!wire.lines().any(|line| line.starts_with("Bcc")));
        assert!(wire.contains("Date: Thu, 01 Jan 1970 00:00:00 +0000"));
        assert!(wire.contains("multipart/alternative"));
    }

    #[test]
    fn an_endless_name_is_cut() {
        assert!(mail(&"x".repeat(10_000), "alice").letter().subject.chars().count() < 140);
    }

    #[test]
    fn an_address_with_a_line_break_is_refused() {
        let letter =
            Letter { to: "bob@example.com\r\nBcc: mallory@example.com".into(), ..mail("Gizmo", "alice").letter() };
        let from = "gate@example.com".parse().unwrap();
        assert!(matches!(letter.to_wire(&from, Uuid::nil(), DateTime::UNIX_EPOCH), Err(MailError::Address(_))));
    }
}
