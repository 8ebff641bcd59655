//! A short notice about somebody's access (`S3.73`).

use super::letter::{Letter, escape, one_line};

/// Tells a person what has become of the access to an organization.
#[derive(Clone)]
pub struct NoticeMail {
    /// The person's address.
    pub to: String,
    /// The organization's name, as its people wrote it.
    pub organization: String,
    /// What has happened, in one sentence.
    pub what: String,
}

impl std::fmt::Debug for NoticeMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NoticeMail").field("to", &self.to).finish_non_exhaustive()
    }
}

impl NoticeMail {
    /// The letter.
    #[must_use]
    pub fn letter(&self) -> Letter {
        let (organization, what) = (one_line(&self.organization), one_line(&self.what));
        let ask = format!("If you have a question, ask an administrator of {organization}.");
        let (html_what, html_ask) = (escape(&what), escape(&ask));
        Letter {
            to: self.to.clone(),
            subject: format!("Your access to {organization}"),
            text: format!("{what}\n\n{ask}\n"),
            html: format!(
                "<!doctype html>\n<html lang=\"en\"><body>\n<p>{html_what}</p>\n<p>{html_ask}</p>\n</body></html>\n"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organizations_name_adds_no_header_and_no_markup() {
        let organization = "Gizmo\r\nBcc: mallory@example.com <b>".to_owned();
        let what = "Your access has been taken away.".to_owned();
        let letter = NoticeMail { to: "bob@example.com".to_owned(), organization, what }.letter();
        assert_eq!(letter.subject, "Your access to Gizmo Bcc: mallory@example.com <b>");
        assert!(letter.html.contains("&lt;b&gt;") && !letter.html.contains("<b>"));
    }
}
