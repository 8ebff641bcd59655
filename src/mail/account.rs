//! Letters about a person's own account, in the person's language.

use chrono::{DateTime, Utc};

use super::{
    letter::Letter,
    words::{Language, Names, Part, Reader, compose},
};

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
    /// The account was deleted.
    AccountDeleted,
    /// Nobody signs in to the account by the link to this provider any more.
    IdentityUnlinked(String),
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
    AskTheOperator,
}

const fn otherwise(language: Language, what: Otherwise) -> &'static str {
    match (language, what) {
        (Language::English, Otherwise::Nothing) => "If it was not you, you need not do anything.",
        (Language::English, Otherwise::AnotherPassword) => "If it was not you, set another password at once.",
        (Language::English, Otherwise::AskTheOperator) => "If it was not you, write to the operator at once.",
        (Language::Italian, Otherwise::Nothing) => "Se non sei stato tu, non devi fare nulla.",
        (Language::Italian, Otherwise::AnotherPassword) => "Se non sei stato tu, imposta subito un'altra password.",
        (Language::Italian, Otherwise::AskTheOperator) => "Se non sei stato tu, scrivi subito al gestore.",
        (Language::German, Otherwise::Nothing) => "Wenn Sie das nicht waren, brauchen Sie nichts zu tun.",
        (Language::German, Otherwise::AnotherPassword) => {
            "Wenn Sie das nicht waren, setzen Sie sofort ein anderes Passwort."
        }
        (Language::German, Otherwise::AskTheOperator) => {
            "Wenn Sie das nicht waren, schreiben Sie sofort dem Betreiber."
        }
        (Language::Korean, Otherwise::Nothing) => "본인이 요청하지 않았다면 아무것도 하지 않으셔도 됩니다.",
        (Language::Korean, Otherwise::AnotherPassword) => "본인이 한 일이 아니라면 즉시 비밀번호를 다시 설정하세요.",
        (Language::Korean, Otherwise::AskTheOperator) => "본인이 한 일이 아니라면 즉시 운영자에게 알려 주세요.",
    }
}

/// What is said of an identity that was unlinked.
const fn unlinked(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::English => (
            "A way to sign in was unlinked",
            "Your account is no longer linked to your account at {other}, by which you could sign in.",
        ),
        Language::Italian => (
            "Un modo di accedere è stato scollegato",
            "Il tuo account non è più collegato al tuo account presso {other}, con cui potevi accedere.",
        ),
        Language::German => (
            "Ein Weg zur Anmeldung wurde getrennt",
            "Ihr Konto ist nicht mehr mit Ihrem Konto bei {other} verknüpft, mit dem Sie sich anmelden konnten.",
        ),
        Language::Korean => ("로그인 연결 해제 알림", "로그인에 사용하던 다음 계정과의 연결이 해제되었습니다: {other}"),
    }
}

impl Matter {
    const fn otherwise(&self) -> Otherwise {
        match self {
            Self::VerifyEmail | Self::ResetPassword | Self::TakeEmail => Otherwise::Nothing,
            Self::LeaveEmail(_) | Self::PasswordChanged | Self::IdentityUnlinked(_) => Otherwise::AnotherPassword,
            // Whoever has the account's mail by now could set another password as well.
            Self::EmailChanged(_) | Self::AccountDeleted => Otherwise::AskTheOperator,
        }
    }

    /// Subject, and what has happened.
    const fn said(&self, language: Language) -> (&'static str, &'static str) {
        match (language, self) {
            (_, Self::IdentityUnlinked(_)) => unlinked(language),
            (Language::English, Self::VerifyEmail) => (
                "Confirm your address",
                "An account was opened with this address. If that was you, please confirm that the address is yours; if not, do not follow the link.",
            ),
            (Language::English, Self::ResetPassword) => {
                ("Set another password", "You have asked to set another password for your account.")
            }
            (Language::English, Self::LeaveEmail(_)) => {
                ("Another address for your account", "Your account is to have another address: {other}.")
            }
            (Language::English, Self::TakeEmail) => (
                "Confirm your new address",
                "This address is to become that of an account. If you did not ask for that, do not follow the link.",
            ),
            (Language::English, Self::PasswordChanged) => {
                ("Your password was changed", "The password of your account was changed.")
            }
            (Language::English, Self::EmailChanged(_)) => {
                ("Your address was changed", "Your account has another address now: {other}.")
            }
            (Language::English, Self::AccountDeleted) => {
                ("Your account was deleted", "Your account was deleted, and what it held of you was erased.")
            }
            (Language::Italian, Self::VerifyEmail) => (
                "Conferma il tuo indirizzo",
                "È stato aperto un account con questo indirizzo. Se sei stato tu, conferma che l'indirizzo è tuo; altrimenti non seguire il link.",
            ),
            (Language::Italian, Self::ResetPassword) => {
                ("Imposta un'altra password", "Hai chiesto di impostare un'altra password per il tuo account.")
            }
            (Language::Italian, Self::LeaveEmail(_)) => {
                ("Un altro indirizzo per il tuo account", "Il tuo account avrà un altro indirizzo: {other}.")
            }
            (Language::Italian, Self::TakeEmail) => (
                "Conferma il tuo nuovo indirizzo",
                "Questo indirizzo diventerà quello di un account. Se non lo hai chiesto tu, non seguire il link.",
            ),
            (Language::Italian, Self::PasswordChanged) => {
                ("La tua password è cambiata", "La password del tuo account è stata cambiata.")
            }
            (Language::Italian, Self::EmailChanged(_)) => {
                ("Il tuo indirizzo è cambiato", "Il tuo account ha ora un altro indirizzo: {other}.")
            }
            (Language::Italian, Self::AccountDeleted) => (
                "Il tuo account è stato eliminato",
                "Il tuo account è stato eliminato e ciò che sapeva di te è stato cancellato.",
            ),
            (Language::German, Self::VerifyEmail) => (
                "Bestätigen Sie Ihre Adresse",
                "Mit dieser Adresse wurde ein Konto eröffnet. Wenn Sie das waren, bestätigen Sie bitte, dass sie Ihnen gehört; sonst folgen Sie dem Link nicht.",
            ),
            (Language::German, Self::ResetPassword) => (
                "Ein anderes Passwort setzen",
                "Sie haben darum gebeten, ein anderes Passwort für Ihr Konto zu setzen.",
            ),
            (Language::German, Self::LeaveEmail(_)) => {
                ("Eine andere Adresse für Ihr Konto", "Ihr Konto soll eine andere Adresse bekommen: {other}.")
            }
            (Language::German, Self::TakeEmail) => (
                "Bestätigen Sie Ihre neue Adresse",
                "Diese Adresse soll die eines Kontos werden. Wenn Sie das nicht verlangt haben, folgen Sie dem Link nicht.",
            ),
            (Language::German, Self::PasswordChanged) => {
                ("Ihr Passwort wurde geändert", "Das Passwort Ihres Kontos wurde geändert.")
            }
            (Language::German, Self::EmailChanged(_)) => {
                ("Ihre Adresse wurde geändert", "Ihr Konto hat jetzt eine andere Adresse: {other}.")
            }
            (Language::German, Self::AccountDeleted) => {
                ("Ihr Konto wurde gelöscht", "Ihr Konto wurde gelöscht, und was es über Sie wusste, ist entfernt.")
            }
            (Language::Korean, Self::VerifyEmail) => (
                "이메일 주소 확인",
                "이 주소로 계정이 만들어졌습니다. 본인이 만든 것이라면 주소를 확인해 주세요. 아니라면 링크를 열지 마세요.",
            ),
            (Language::Korean, Self::ResetPassword) => ("비밀번호 재설정", "계정의 비밀번호 재설정을 요청하셨습니다."),
            (Language::Korean, Self::LeaveEmail(_)) => {
                ("계정 이메일 주소 변경 요청", "계정의 이메일 주소가 다음으로 변경될 예정입니다: {other}")
            }
            (Language::Korean, Self::TakeEmail) => (
                "새 이메일 주소 확인",
                "이 주소가 계정의 새 이메일 주소가 됩니다. 요청하지 않았다면 링크를 열지 마세요.",
            ),
            (Language::Korean, Self::PasswordChanged) => ("비밀번호 변경 알림", "계정의 비밀번호가 변경되었습니다."),
            (Language::Korean, Self::EmailChanged(_)) => {
                ("이메일 주소 변경 알림", "계정의 이메일 주소가 다음으로 변경되었습니다: {other}")
            }
            (Language::Korean, Self::AccountDeleted) => {
                ("계정 삭제 알림", "계정이 삭제되었으며 보관하던 개인 정보도 지워졌습니다.")
            }
        }
    }

    const fn words(&self, language: Language) -> Words {
        let (subject, what) = self.said(language);
        Words { subject, what, otherwise: otherwise(language, self.otherwise()) }
    }

    fn other(&self) -> &str {
        match self {
            Self::LeaveEmail(other) | Self::EmailChanged(other) | Self::IdentityUnlinked(other) => other,
            Self::VerifyEmail
            | Self::ResetPassword
            | Self::TakeEmail
            | Self::PasswordChanged
            | Self::AccountDeleted => "",
        }
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
                Matter::IdentityUnlinked("other@example.com".to_owned()),
            ] {
                let told = !matter.other().is_empty();
                let letter = mail(matter, None, language);
                assert_eq!(letter.text.contains("other@example.com"), told, "{}", letter.text);
                assert!(subjects.insert(letter.subject));
            }
        }
    }
}
