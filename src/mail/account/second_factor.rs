//! What letters say of a second factor.

use super::Otherwise;
use crate::mail::words::Language;

/// What became of somebody's second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorChange {
    /// One was set up, and counts from now on.
    Confirmed,
    /// It was removed.
    Removed,
    /// Another set of recovery codes was made.
    CodesRenewed,
    /// The last recovery code was used.
    CodesUsedUp,
}

impl FactorChange {
    pub(super) const fn otherwise(self) -> Otherwise {
        match self {
            // Another password alone does not let the person in past somebody else's app.
            Self::Confirmed => Otherwise::AskTheOperator,
            Self::Removed | Self::CodesRenewed | Self::CodesUsedUp => Otherwise::AnotherPassword,
        }
    }

    /// Subject, and what has happened.
    pub(super) const fn said(self, language: Language) -> (&'static str, &'static str) {
        match (language, self) {
            (Language::English, Self::Confirmed) => (
                "A second factor was set up",
                "Your account has a second factor now: signing in with the password needs a code as well. Your other sessions have ended.",
            ),
            (Language::English, Self::Removed) => (
                "Your second factor was removed",
                "Your account has no second factor any more: no code is asked for at a sign-in.",
            ),
            (Language::English, Self::CodesRenewed) => (
                "Your recovery codes were renewed",
                "Your account has other recovery codes now; those of before are good no more.",
            ),
            (Language::English, Self::CodesUsedUp) => (
                "Your last recovery code was used",
                "The last recovery code of your account was used. Make others with a code of your app: without the app you could not sign in any more.",
            ),
            (Language::Italian, Self::Confirmed) => (
                "È stato impostato un secondo fattore",
                "Il tuo account ha ora un secondo fattore: per accedere con la password serve anche un codice. Le altre tue sessioni sono terminate.",
            ),
            (Language::Italian, Self::Removed) => (
                "Il tuo secondo fattore è stato rimosso",
                "Il tuo account non ha più un secondo fattore: all'accesso non viene più chiesto alcun codice.",
            ),
            (Language::Italian, Self::CodesRenewed) => (
                "I tuoi codici di recupero sono stati rinnovati",
                "Il tuo account ha ora altri codici di recupero; quelli di prima non valgono più.",
            ),
            (Language::Italian, Self::CodesUsedUp) => (
                "Il tuo ultimo codice di recupero è stato usato",
                "L'ultimo codice di recupero del tuo account è stato usato. Creane altri con un codice della tua app: senza l'app non potresti più accedere.",
            ),
            (Language::German, Self::Confirmed) => (
                "Ein zweiter Faktor wurde eingerichtet",
                "Ihr Konto hat jetzt einen zweiten Faktor: Zur Anmeldung mit dem Passwort gehört nun auch ein Code. Ihre anderen Sitzungen sind beendet.",
            ),
            (Language::German, Self::Removed) => (
                "Ihr zweiter Faktor wurde entfernt",
                "Ihr Konto hat keinen zweiten Faktor mehr: Bei der Anmeldung wird kein Code mehr verlangt.",
            ),
            (Language::German, Self::CodesRenewed) => (
                "Ihre Wiederherstellungscodes wurden erneuert",
                "Ihr Konto hat jetzt andere Wiederherstellungscodes; die bisherigen gelten nicht mehr.",
            ),
            (Language::German, Self::CodesUsedUp) => (
                "Ihr letzter Wiederherstellungscode wurde verwendet",
                "Der letzte Wiederherstellungscode Ihres Kontos wurde verwendet. Erstellen Sie mit einem Code Ihrer App neue: Ohne die App könnten Sie sich nicht mehr anmelden.",
            ),
            (Language::Korean, Self::Confirmed) => (
                "2단계 인증 설정 알림",
                "계정에 2단계 인증이 설정되었습니다. 이제 비밀번호로 로그인할 때 코드도 필요합니다. 다른 세션은 종료되었습니다.",
            ),
            (Language::Korean, Self::Removed) => {
                ("2단계 인증 해제 알림", "계정의 2단계 인증이 해제되었습니다. 이제 로그인할 때 코드를 묻지 않습니다.")
            }
            (Language::Korean, Self::CodesRenewed) => (
                "복구 코드 갱신 알림",
                "계정의 복구 코드가 새로 발급되었습니다. 이전 복구 코드는 더 이상 사용할 수 없습니다.",
            ),
            (Language::Korean, Self::CodesUsedUp) => (
                "마지막 복구 코드 사용 알림",
                "계정의 마지막 복구 코드가 사용되었습니다. 인증 앱의 코드로 새 복구 코드를 발급받으세요. 앱이 없으면 더 이상 로그인할 수 없습니다.",
            ),
        }
    }
}
