//! Letters about a person's own account, in the person's language.

mod matter;
mod second_factor;

use chrono::{DateTime, Utc};

pub use self::{matter::Matter, second_factor::FactorChange};
use super::{
    letter::Letter,
    words::{Language, Names, Part, Reader, compose},
};

/// A letter about a person's own account.
#[derive(Clone)]
pub struct AccountMail {
    /// The address it goes to.
    pub to: String,
    /// What it is for.
    pub matter: Matter,
    /// The link that it carries, and when that ends.
    pub link: Option<(String, DateTime<Utc>)>,
    /// How the person reads.
    pub reader: Reader,
}

// The link holds the code, so it is never printed.
impl std::fmt::Debug for AccountMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountMail").field("to", &self.to).field("matter", &self.matter).finish_non_exhaustive()
    }
}

/// The words of one matter: the subject, what has happened, and what to do who did not expect it. `{other}` is put in.
struct Words {
    subject: &'static str,
    what: &'static str,
    otherwise: &'static str,
}

/// The words that every letter with a link has. `{end}` is put in.
struct LinkWords {
    called: &'static str,
    open: &'static str,
    ends: &'static str,
}

const fn link_words(language: Language) -> LinkWords {
    match language {
        Language::English => {
            LinkWords { called: "Go on", open: "Open this link to go on:", ends: "The link is good once, until {end}." }
        }
        Language::Italian => LinkWords {
            called: "Continua",
            open: "Apri questo link per continuare:",
            ends: "Il link vale una volta sola, fino al {end}.",
        },
        Language::German => LinkWords {
            called: "Weiter",
            open: "Öffnen Sie diesen Link, um fortzufahren:",
            ends: "Der Link gilt einmal, bis {end}.",
        },
        Language::Korean => LinkWords {
            called: "계속하기",
            open: "계속하려면 이 링크를 여세요:",
            ends: "이 링크는 {end}까지 한 번만 사용할 수 있습니다.",
        },
    }
}

/// What to do who did not expect a letter.
#[derive(Clone, Copy)]
enum Otherwise {
    Nothing,
    AnotherPassword,
    Unlink,
    AskTheOperator,
}

const fn otherwise(language: Language, what: Otherwise) -> &'static str {
    match (language, what) {
        (Language::English, Otherwise::Nothing) => "If it was not you, you need not do anything.",
        (Language::English, Otherwise::AnotherPassword) => "If it was not you, set another password at once.",
        (Language::English, Otherwise::Unlink) => "If it was not you, unlink it at once and set another password.",
        (Language::English, Otherwise::AskTheOperator) => "If it was not you, write to the operator at once.",
        (Language::Italian, Otherwise::Nothing) => "Se non sei stato tu, non devi fare nulla.",
        (Language::Italian, Otherwise::AnotherPassword) => "Se non sei stato tu, imposta subito un'altra password.",
        (Language::Italian, Otherwise::Unlink) => "Se non sei stato tu, scollegalo subito e imposta un'altra password.",
        (Language::Italian, Otherwise::AskTheOperator) => "Se non sei stato tu, scrivi subito al gestore.",
        (Language::German, Otherwise::Nothing) => "Wenn Sie das nicht waren, brauchen Sie nichts zu tun.",
        (Language::German, Otherwise::AnotherPassword) => {
            "Wenn Sie das nicht waren, setzen Sie sofort ein anderes Passwort."
        }
        (Language::German, Otherwise::Unlink) => {
            "Wenn Sie das nicht waren, trennen Sie die Verknüpfung sofort und setzen Sie ein anderes Passwort."
        }
        (Language::German, Otherwise::AskTheOperator) => {
            "Wenn Sie das nicht waren, schreiben Sie sofort dem Betreiber."
        }
        (Language::Korean, Otherwise::Nothing) => "본인이 요청하지 않았다면 아무것도 하지 않으셔도 됩니다.",
        (Language::Korean, Otherwise::AnotherPassword) => "본인이 한 일이 아니라면 즉시 비밀번호를 다시 설정하세요.",
        (Language::Korean, Otherwise::Unlink) => {
            "본인이 한 일이 아니라면 즉시 연결을 해제하고 비밀번호를 다시 설정하세요."
        }
        (Language::Korean, Otherwise::AskTheOperator) => "본인이 한 일이 아니라면 즉시 운영자에게 알려 주세요.",
    }
}

impl Matter {
    const fn words(&self, language: Language) -> Words {
        let (subject, what) = self.said(language);
        Words { subject, what, otherwise: otherwise(language, self.otherwise()) }
    }
}

impl AccountMail {
    /// The letter.
    #[must_use]
    pub fn letter(&self) -> Letter {
        let language = self.reader.language;
        let (words, link_words) = (self.matter.words(language), link_words(language));
        let end = self.link.as_ref().map(|(_, ends)| self.reader.moment(*ends)).unwrap_or_default();
        let names = Names(&[("other", self.matter.other()), ("end", &end)]);
        let mut parts = vec![Part::Text(words.what)];
        if let Some((link, _)) = &self.link {
            parts.push(Part::Link { called: link_words.called, open: link_words.open, link });
            parts.push(Part::Text(link_words.ends));
        }
        parts.push(Part::Text(words.otherwise));
        compose(&self.to, language, &names, words.subject, &parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANGUAGES: [&str; 4] = ["en", "it", "de", "ko"];

    fn mail(matter: Matter, link: Option<&str>, language: &str) -> Letter {
        let link = link.map(|link| (link.to_owned(), DateTime::UNIX_EPOCH));
        let reader = Reader::of(language, "Europe/Rome");
        AccountMail { to: "bob@example.com".to_owned(), matter, link, reader }.letter()
    }

    #[test]
    fn h8_an_address_adds_no_markup_and_no_line() {
        for language in LANGUAGES {
            let letter = mail(Matter::LeaveEmail("x<b>{end}\r\ny@example.com".to_owned()), None, language);
            assert!(
                letter.html.contains("x&lt;b&gt;{end} y@example.com") && !letter.html.contains("<b>"),
                "{language}"
            );
            assert!(!letter.text.contains('\r') && letter.html.contains(&format!("lang=\"{language}\"")));
        }
    }

    #[test]
    fn the_link_is_shown_to_the_reader_with_its_end_and_to_no_log() {
        for language in LANGUAGES {
            let letter = mail(Matter::ResetPassword, Some("https://app.example/reset#gcr_x"), language);
            assert!(letter.text.contains("\nhttps://app.example/reset#gcr_x\n"), "{}", letter.text);
            assert!(letter.text.contains("01:00 (CET)") || letter.text.contains("01:00 Uhr (CET)"), "{}", letter.text);
            assert!(letter.html.contains("href=\"https://app.example/reset#gcr_x\"") && !letter.text.contains('{'));
            let kept = AccountMail {
                to: "bob@example.com".to_owned(),
                matter: Matter::ResetPassword,
                link: Some(("https://app.example/reset#gcr_x".to_owned(), DateTime::UNIX_EPOCH)),
                reader: Reader::default(),
            };
            assert!(!format!("{kept:?}{letter:?}").contains("gcr_x"));
        }
    }

    #[test]
    fn no_two_matters_have_the_same_subject_in_any_language() {
        let mut subjects = std::collections::BTreeSet::new();
        for language in LANGUAGES {
            for matter in [
                Matter::VerifyEmail,
                Matter::ResetPassword,
                Matter::LeaveEmail("other@example.com".to_owned()),
                Matter::TakeEmail,
                Matter::PasswordChanged,
                Matter::EmailChanged("other@example.com".to_owned()),
                Matter::AccountDeleted,
                Matter::IdentityLinked("other@example.com".to_owned()),
                Matter::IdentityUnlinked("other@example.com".to_owned()),
                Matter::SecondFactor(FactorChange::Confirmed),
                Matter::SecondFactor(FactorChange::Removed),
                Matter::SecondFactor(FactorChange::CodesRenewed),
                Matter::SecondFactor(FactorChange::CodesUsedUp),
            ] {
                let told = !matter.other().is_empty();
                let letter = mail(matter, None, language);
                assert_eq!(letter.text.contains("other@example.com"), told, "{}", letter.text);
                assert!(subjects.insert(letter.subject));
            }
        }
    }
}
