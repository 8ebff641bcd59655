//! The notice that a program's secret is about to end (`S4.R8`), in the reader's language and timezone.

use chrono::{DateTime, Utc};

use super::{
    letter::{Letter, one_line},
    words::{Language, Names, Part, Reader, compose},
};

/// Tells somebody who manages a program that its secret ends.
#[derive(Clone)]
pub struct SecretEndsMail {
    /// The person's address.
    pub to: String,
    /// What the person is called.
    pub name: String,
    /// The organization's name, as its people wrote it.
    pub organization: String,
    /// The secret's name, as its people wrote it.
    pub secret: String,
    /// The app that the program is for, where it is for one.
    pub app: Option<String>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// How the person reads.
    pub reader: Reader,
}

impl std::fmt::Debug for SecretEndsMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretEndsMail").field("to", &self.to).finish_non_exhaustive()
    }
}

/// The words of one language. `{name}`, `{secret}`, `{place}` and `{end}` are put in.
struct Words {
    subject: &'static str,
    greeting: &'static str,
    ends: &'static str,
    renew: &'static str,
}

const fn words(language: Language) -> Words {
    match language {
        Language::English => Words {
            subject: "The secret {secret} ends soon",
            greeting: "Hello {name},",
            ends: "the secret {secret} of an app in {place} ends on {end}.",
            renew: "Regenerate it before then, and put the new secret where the old one is used.",
        },
        Language::Italian => Words {
            subject: "Il segreto {secret} sta per scadere",
            greeting: "Ciao {name},",
            ends: "il segreto {secret} di un'app in {place} scade il {end}.",
            renew: "Rigeneralo prima di allora e metti il nuovo segreto dove è usato il vecchio.",
        },
        Language::German => Words {
            subject: "Das Geheimnis {secret} läuft bald ab",
            greeting: "Hallo {name},",
            ends: "das Geheimnis {secret} einer App in {place} läuft am {end} ab.",
            renew: "Erneuern Sie es vorher, und setzen Sie das neue dort ein, wo das alte verwendet wird.",
        },
        Language::Korean => Words {
            subject: "시크릿 {secret} 만료 예정",
            greeting: "{name}님, 안녕하세요.",
            ends: "{place}에 있는 앱의 시크릿 {secret}이(가) {end}에 만료됩니다.",
            renew: "그 전에 시크릿을 재발급하고, 사용 중인 곳에서 새 시크릿으로 바꿔 주세요.",
        },
    }
}

impl SecretEndsMail {
    /// The letter.
    #[must_use]
    pub fn letter(&self) -> Letter {
        let words = words(self.reader.language);
        let end = self.reader.moment(self.ends_at);
        let place = match &self.app {
            Some(app) => format!("{} / {}", one_line(&self.organization), one_line(app)),
            None => one_line(&self.organization),
        };
        let names = Names(&[("name", &self.name), ("secret", &self.secret), ("place", &place), ("end", &end)]);
        let parts = [Part::Text(words.greeting), Part::Text(words.ends), Part::Text(words.renew)];
        compose(&self.to, self.reader.language, &names, words.subject, &parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(language: &str, timezone: &str) -> Letter {
        SecretEndsMail {
            to: "bob@example.com".to_owned(),
            name: "Bob".to_owned(),
            organization: "Gizmo\r\nBcc: mallory@example.com <b>".to_owned(),
            secret: "Deploy {end}".to_owned(),
            app: Some("Shop".to_owned()),
            ends_at: DateTime::UNIX_EPOCH,
            reader: Reader::of(language, timezone),
        }
        .letter()
    }

    #[test]
    fn it_speaks_the_language_and_tells_the_time_of_the_reader() {
        assert!(mail("it-IT", "Europe/Rome").text.contains("scade il 01/01/1970 alle 01:00 (CET)"));
        assert!(mail("ko", "Asia/Seoul").text.contains("1970년 1월 1일 09:00 (KST)"));
        assert!(mail("de", "UTC").subject.contains("läuft bald ab"));
        assert!(mail("tlh", "Nowhere/Else").text.contains("ends on 1970-01-01 at 00:00 (UTC)"), "what is not known");
    }

    #[test]
    fn a_name_adds_no_header_no_markup_and_no_words_of_ours() {
        let letter = mail("en", "UTC");
        assert_eq!(letter.subject, "The secret Deploy {end} ends soon");
        assert!(letter.html.contains("&lt;b&gt;") && !letter.text.contains("\r\nBcc"));
    }
}
