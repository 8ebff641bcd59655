//! Letters about a person's own account.

use chrono::{DateTime, Utc};

use super::letter::{Letter, escape, one_line};

/// What a letter about an account is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matter {
    /// The address is to be proven.
    VerifyEmail,
    /// Somebody wants to set another password.
    ResetPassword,
    /// The account is to have this other address; sent to the present one.
    LeaveEmail(String),
    /// The account is to have the address that the letter goes to.
    TakeEmail,
    /// The password was changed.
    PasswordChanged,
    /// The account has this other address now; sent to the former one.
    EmailChanged(String),
}

/// A letter about a person's own account.
#[derive(Clone)]
pub struct AccountMail {
    /// The address it goes to.
    pub to: String,
    /// What it is for.
    pub matter: Matter,
    /// The link that it carries, and when that ends.
    pub link: Option<(String, DateTime<Utc>)>,
}

// The link holds the code, so it is never printed.
impl std::fmt::Debug for AccountMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountMail").field("to", &self.to).field("matter", &self.matter).finish_non_exhaustive()
    }
}

impl AccountMail {
    /// Subject, what has happened, and what to do who did not expect it.
    fn words(&self) -> (&'static str, String, &'static str) {
        let ignore = "If it was not you, you need not do anything.";
        let reset = "If it was not you, ask for another password at once.";
        match &self.matter {
            Matter::VerifyEmail => ("Confirm your address", "Confirm that this address is yours.".to_owned(), ignore),
            Matter::ResetPassword => {
                ("Set another password", "You have asked to set another password.".to_owned(), ignore)
            }
            Matter::LeaveEmail(other) => {
                let what = format!("Your account is to have another address: {}.", one_line(other));
                ("Another address for your account", what, reset)
            }
            Matter::TakeEmail => {
                ("Confirm your new address", "This address is to become that of your account.".to_owned(), ignore)
            }
            Matter::PasswordChanged => {
                ("Your password was changed", "The password of your account was changed.".to_owned(), reset)
            }
            Matter::EmailChanged(other) => {
                let what = format!("Your account has another address now: {}.", one_line(other));
                ("Your address was changed", what, "If it was not you, write to the operator at once.")
            }
        }
    }

    /// The letter.
    #[must_use]
    pub fn letter(&self) -> Letter {
        let (subject, what, otherwise) = self.words();
        let mut text = format!("{what}\n\n");
        let mut html = format!("<p>{}</p>\n", escape(&what));
        if let Some((link, ends)) = &self.link {
            let ends = format!("The link is good once, until {}.", ends.format("%-d %B %Y, %H:%M UTC"));
            text.push_str(&format!("Open this link to go on:\n{link}\n\n{ends}\n"));
            let shown = escape(link);
            html.push_str(&format!("<p><a href=\"{shown}\">Go on</a></p>\n<p>Or open this link: {shown}</p>\n"));
            html.push_str(&format!("<p>{}</p>\n", escape(&ends)));
        }
        Letter {
            to: self.to.clone(),
            subject: subject.to_owned(),
            text: format!("{text}{otherwise}\n"),
            html: format!("<!doctype html>\n<html lang=\"en\"><body>\n{html}<p>{otherwise}</p>\n</body></html>\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_adds_no_markup_and_no_line() {
        let matter = Matter::LeaveEmail("x<b>\r\ny@example.com".to_owned());
        let letter = AccountMail { to: "bob@example.com".to_owned(), matter, link: None }.letter();
        assert!(letter.html.contains("x&lt;b&gt; y@example.com") && !letter.html.contains("<b>"));
        assert!(!letter.text.contains('\r'));
    }

    #[test]
    fn the_link_is_shown_to_the_reader_and_to_no_log() {
        let link = Some(("https://app.example/reset#gcr_x".to_owned(), DateTime::UNIX_EPOCH));
        let mail = AccountMail { to: "bob@example.com".to_owned(), matter: Matter::ResetPassword, link };
        assert!(mail.letter().text.contains("gcr_x") && mail.letter().html.contains("gcr_x"));
        assert!(!format!("{mail:?}{:?}", mail.letter()).contains("gcr_x"));
    }
}
