//! A short notice about somebody's access (`S3.73`).

use super::{
    letter::Letter,
    words::{Language, Names, Part, Reader, compose},
};

/// What has become of somebody's access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessNotice {
    /// It has been taken away.
    Removed,
    /// There is more of it.
    Given,
}

/// Tells a person what has become of the access to an organization.
#[derive(Clone)]
pub struct NoticeMail {
    /// The person's address.
    pub to: String,
    /// The organization's name, as its people wrote it.
    pub organization: String,
    /// What has happened.
    pub what: AccessNotice,
    /// How the person reads.
    pub reader: Reader,
}

impl std::fmt::Debug for NoticeMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NoticeMail").field("to", &self.to).finish_non_exhaustive()
    }
}

/// The words of one language. `{organization}` is put in.
struct Words {
    subject: &'static str,
    removed: &'static str,
    given: &'static str,
    ask: &'static str,
}

const fn words(language: Language) -> Words {
    match language {
        Language::English => Words {
            subject: "Your access to {organization}",
            removed: "Your access has been taken away.",
            given: "You have been given more access.",
            ask: "If you have a question, ask an administrator of {organization}.",
        },
        Language::Italian => Words {
            subject: "Il tuo accesso a {organization}",
            removed: "Il tuo accesso è stato rimosso.",
            given: "Ti è stato concesso un nuovo accesso.",
            ask: "Per qualsiasi domanda, rivolgiti a un amministratore di {organization}.",
        },
        Language::German => Words {
            subject: "Ihr Zugang zu {organization}",
            removed: "Ihr Zugang wurde entfernt.",
            given: "Sie haben weiteren Zugang erhalten.",
            ask: "Wenn Sie Fragen haben, wenden Sie sich an die Administration von {organization}.",
        },
        Language::Korean => Words {
            subject: "{organization} 액세스 안내",
            removed: "액세스 권한이 해제되었습니다.",
            given: "새로운 액세스 권한이 부여되었습니다.",
            ask: "궁금한 점은 {organization} 관리자에게 문의해 주세요.",
        },
    }
}

impl NoticeMail {
    /// The letter.
    #[must_use]
    pub fn letter(&self) -> Letter {
        let words = words(self.reader.language);
        let what = match self.what {
            AccessNotice::Removed => words.removed,
            AccessNotice::Given => words.given,
        };
        let names = Names(&[("organization", &self.organization)]);
        compose(&self.to, self.reader.language, &names, words.subject, &[Part::Text(what), Part::Text(words.ask)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organizations_name_adds_no_header_and_no_markup() {
        for tag in ["en", "it", "de", "ko"] {
            let organization = "Gizmo\r\nBcc: mallory@example.com <b>".to_owned();
            let (to, what, reader) = ("bob@example.com".to_owned(), AccessNotice::Removed, Reader::of(tag, "UTC"));
            let letter = NoticeMail { to, organization, what, reader }.letter();
            assert!(letter.subject.contains("Gizmo Bcc: mallory@example.com <b>"), "{}", letter.subject);
            assert!(letter.html.contains("&lt;b&gt;") && !letter.html.contains("<b>"));
            assert!(letter.html.contains(&format!("lang=\"{tag}\"")));
        }
    }
}
