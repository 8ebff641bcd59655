//! An invitation to an organization (`S3.40`), in the organization's language.

use chrono::{DateTime, Utc};

use super::{
    letter::{Letter, one_line},
    words::{Language, Names, Part, Reader, compose},
};

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
    /// How the organization reads.
    pub reader: Reader,
}

// The link holds the token, so it is never printed.
impl std::fmt::Debug for InvitationMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InvitationMail").field("to", &self.to).finish_non_exhaustive()
    }
}

/// The words of one language. `{organization}`, `{inviter}`, `{address}` and `{end}` are put in.
struct Words {
    subject: &'static str,
    by: &'static str,
    by_nobody: &'static str,
    answer: &'static str,
    open: &'static str,
    ends: &'static str,
    ignore: &'static str,
}

const fn words(language: Language) -> Words {
    match language {
        Language::English => Words {
            subject: "Invitation to {organization}",
            by: "{inviter} has invited you to join {organization}.",
            by_nobody: "You have been invited to join {organization}.",
            answer: "Answer the invitation",
            open: "Open this link to answer:",
            ends: "The invitation is for {address} and ends on {end}.",
            ignore: "If you did not expect it, you need not do anything.",
        },
        Language::Italian => Words {
            subject: "Invito a {organization}",
            by: "{inviter} ti ha invitato a entrare in {organization}.",
            by_nobody: "Ricevi un invito a entrare in {organization}.",
            answer: "Rispondi all'invito",
            open: "Apri questo link per rispondere:",
            ends: "L'invito è per {address} e scade il {end}.",
            ignore: "Se non te lo aspettavi, non devi fare nulla.",
        },
        Language::German => Words {
            subject: "Einladung zu {organization}",
            by: "{inviter} lädt Sie zu {organization} ein.",
            by_nobody: "Sie sind zu {organization} eingeladen.",
            answer: "Einladung beantworten",
            open: "Öffnen Sie diesen Link, um zu antworten:",
            ends: "Die Einladung gilt für {address} und läuft am {end} ab.",
            ignore: "Wenn Sie sie nicht erwartet haben, brauchen Sie nichts zu tun.",
        },
        Language::Korean => Words {
            subject: "{organization} 초대",
            by: "{inviter}님이 {organization}에 초대했습니다.",
            by_nobody: "{organization}에 초대되었습니다.",
            answer: "초대에 답하기",
            open: "답하려면 이 링크를 여세요:",
            ends: "이 초대는 {address} 주소로 보낸 것이며 {end}에 만료됩니다.",
            ignore: "예상하지 못한 초대라면 아무것도 하지 않으셔도 됩니다.",
        },
    }
}

impl InvitationMail {
    /// The letter.
    #[must_use]
    pub fn letter(&self) -> Letter {
        let words = words(self.reader.language);
        let end = self.reader.moment(self.expires_at);
        let inviter = self.invited_by.as_deref().map(one_line).filter(|name| !name.is_empty());
        let who = if inviter.is_some() { words.by } else { words.by_nobody };
        let names = Names(&[
            ("organization", &self.organization),
            ("inviter", inviter.as_deref().unwrap_or_default()),
            ("address", &self.to),
            ("end", &end),
        ]);
        let link = Part::Link { called: words.answer, open: words.open, link: &self.link };
        let parts = [Part::Text(who), link, Part::Text(words.ends), Part::Text(words.ignore)];
        compose(&self.to, self.reader.language, &names, words.subject, &parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(organization: &str, inviter: &str, language: &str) -> Letter {
        InvitationMail {
            to: "bob@example.com".into(),
            organization: organization.into(),
            invited_by: Some(inviter.into()),
            link: "https://gate.example/invitation#giv_x".into(),
            expires_at: DateTime::UNIX_EPOCH,
            reader: Reader::of(language, "Europe/Rome"),
        }
        .letter()
    }

    #[test]
    fn h8_a_name_adds_no_header_and_no_markup() {
        for (language, subject) in [
            ("en", "Invitation to Gizmo Bcc: mallory@example.com"),
            ("it", "Invito a Gizmo Bcc: mallory@example.com"),
            ("de", "Einladung zu Gizmo Bcc: mallory@example.com"),
            ("ko", "Gizmo Bcc: mallory@example.com 초대"),
        ] {
            let letter = mail("Gizmo\r\nBcc: mallory@example.com", "<img src=x>\"'&{end}", language);
            assert_eq!(letter.subject, subject);
            assert!(letter.html.contains("&lt;img src=x&gt;&quot;&#39;&amp;{end}"), "{}", letter.html);
            assert!(!letter.html.contains("<img") && letter.html.contains(&format!("lang=\"{language}\"")));
            assert!(letter.text.contains("\nhttps://gate.example/invitation#giv_x\n"));
            assert!(letter.text.contains("01:00") && letter.text.contains("(CET)"), "{}", letter.text);
        }
    }

    #[test]
    fn an_endless_name_is_cut() {
        assert!(mail(&"x".repeat(10_000), "alice", "en").subject.chars().count() < 140);
    }

    #[test]
    fn without_an_inviter_nobody_is_named() {
        assert!(mail("Gizmo", "\u{7}", "en").text.starts_with("You have been invited to join Gizmo."));
    }
}
