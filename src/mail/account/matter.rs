//! What letters about an account are for, and what each says.

use super::{Otherwise, second_factor::FactorChange};
use crate::mail::words::Language;

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
    /// Who has an account at this provider signs in to the account by it from now on.
    IdentityLinked(String),
    /// Nobody signs in to the account by the link to this provider any more.
    IdentityUnlinked(String),
    /// The second factor, or its recovery codes, are not what they were.
    SecondFactor(FactorChange),
}

/// What is said of an identity that was linked.
const fn linked(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::English => (
            "A way to sign in was linked",
            "Your account is now linked to your account at {other}, by which you can sign in as well.",
        ),
        Language::Italian => (
            "Un modo di accedere è stato collegato",
            "Il tuo account è ora collegato al tuo account presso {other}, con cui puoi accedere anche.",
        ),
        Language::German => (
            "Ein Weg zur Anmeldung wurde verknüpft",
            "Ihr Konto ist jetzt mit Ihrem Konto bei {other} verknüpft, mit dem Sie sich ebenfalls anmelden können.",
        ),
        Language::Korean => ("로그인 연결 알림", "이제 다음 계정으로도 로그인할 수 있도록 연결되었습니다: {other}"),
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
    pub(super) const fn otherwise(&self) -> Otherwise {
        match self {
            Self::VerifyEmail | Self::ResetPassword | Self::TakeEmail => Otherwise::Nothing,
            Self::LeaveEmail(_) | Self::PasswordChanged | Self::IdentityUnlinked(_) => Otherwise::AnotherPassword,
            // Another password alone leaves the link.
            Self::IdentityLinked(_) => Otherwise::Unlink,
            // Whoever has the account's mail by now could set another password as well.
            Self::EmailChanged(_) | Self::AccountDeleted => Otherwise::AskTheOperator,
            Self::SecondFactor(change) => change.otherwise(),
        }
    }

    /// Subject, and what has happened.
    pub(super) const fn said(&self, language: Language) -> (&'static str, &'static str) {
        match (language, self) {
            (_, Self::IdentityLinked(_)) => linked(language),
            (_, Self::IdentityUnlinked(_)) => unlinked(language),
            (_, Self::SecondFactor(change)) => change.said(language),
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

    /// What is put in for `{other}`.
    pub(super) fn other(&self) -> &str {
        match self {
            Self::LeaveEmail(other)
            | Self::EmailChanged(other)
            | Self::IdentityLinked(other)
            | Self::IdentityUnlinked(other) => other,
            Self::VerifyEmail
            | Self::ResetPassword
            | Self::TakeEmail
            | Self::PasswordChanged
            | Self::AccountDeleted
            | Self::SecondFactor(_) => "",
        }
    }
}
