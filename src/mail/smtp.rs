//! Mail by SMTP: to one server, which takes it from there.
//!
//! `smtps://` is TLS from the first byte; `smtp://` begins in the clear and must turn to TLS (STARTTLS) before anything is said,
//! except on this machine itself. The server's certificate is checked against the system's roots.

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{
        Error, PoolConfig,
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};
use percent_encoding::percent_decode_str;
use url::Url;
use uuid::Uuid;

use super::{Letter, MailError, Outbox};

/// How long the server may take for one answer.
const ANSWER: Duration = Duration::from_secs(20);
/// How many connections to it may be open.
const CONNECTIONS: u32 = 4;
/// Refusals of ourselves, not of the letter: it can be sent once the operator has set that right (RFC 4954, 4.7).
const OF_OURSELVES: [u16; 4] = [530, 534, 535, 538];

/// An SMTP server that every mail is given to.
pub struct SmtpOutbox {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    place: String,
}

// Without the password.
impl std::fmt::Debug for SmtpOutbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpOutbox").field("place", &self.place).field("from", &self.from).finish_non_exhaustive()
    }
}

/// How the connection is kept from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secrecy {
    /// TLS from the start.
    Tls,
    /// STARTTLS, or nothing.
    StartTls,
    /// None: it does not leave the machine.
    Loopback,
}

/// A server, as its URL names it.
#[derive(PartialEq, Eq)]
struct Place {
    host: String,
    port: u16,
    secrecy: Secrecy,
    user: Option<(String, String)>,
}

impl Place {
    fn parse(text: &str) -> Result<Self, MailError> {
        let url = Url::parse(text.trim()).map_err(|_| MailError::Url("it is no URL"))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(MailError::Url("it names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(MailError::Url("nothing follows the port"));
        }
        let (secrecy, port) = match url.scheme() {
            "smtps" => (Secrecy::Tls, 465),
            "smtp" if is_loopback(&host) => (Secrecy::Loopback, 587),
            "smtp" => (Secrecy::StartTls, 587),
            _ => return Err(MailError::Url("it begins with smtp:// or smtps://")),
        };
        let decoded = |text: &str| {
            let text = percent_decode_str(text).decode_utf8();
            text.map(std::borrow::Cow::into_owned).map_err(|_| MailError::Url("user or password is not UTF-8"))
        };
        let user = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) | (_, None) => return Err(MailError::Url("user and password go together")),
            (user, Some(password)) => Some((decoded(user)?, decoded(password)?)),
        };
        Ok(Self { host, port: url.port().unwrap_or(port), secrecy, user })
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl SmtpOutbox {
    /// An outbox to the server of this URL, `smtp://user:password@host:port` or `smtps://…`; mails are from this address. User
    /// and password are percent-encoded.
    ///
    /// # Errors
    /// When the URL or the address makes no sense; the message does not repeat the URL.
    pub fn open(url: &str, from: &str) -> Result<Self, MailError> {
        let from: Mailbox = from.parse().map_err(|_| MailError::Address(from.to_owned()))?;
        let Place { host, port, secrecy, user } = Place::parse(url)?;
        let tls = || TlsParameters::new(host.clone()).map_err(|_| MailError::Url("TLS to this host is not possible"));
        let tls = match secrecy {
            Secrecy::Tls => Tls::Wrapper(tls()?),
            Secrecy::StartTls => Tls::Required(tls()?),
            Secrecy::Loopback => Tls::None,
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host.clone())
            .port(port)
            .tls(tls)
            .timeout(Some(ANSWER))
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS));
        if let Some((user, password)) = user {
            transport = transport.credentials(Credentials::new(user, password));
        }
        Ok(Self { transport: transport.build(), from, place: format!("{host}:{port}") })
    }
}

/// What an error means for the letter. The server's own words are left out: they repeat the address.
fn meant(error: &Error) -> MailError {
    match error.status() {
        Some(code) => {
            let code = u16::from(code);
            MailError::Refused { code, permanent: error.is_permanent() && !OF_OURSELVES.contains(&code) }
        }
        None if error.is_timeout() => MailError::Unreachable("it did not answer in time".to_owned()),
        None if error.is_tls() => MailError::Unreachable("TLS with it failed".to_owned()),
        None if error.is_response() => MailError::Unreachable("its answer made no sense".to_owned()),
        None => MailError::Unreachable("there was no connection".to_owned()),
    }
}

#[async_trait]
impl Outbox for SmtpOutbox {
    async fn send(&self, letter: &Letter, id: Uuid, now: DateTime<Utc>) -> Result<(), MailError> {
        let message = letter.message(&self.from, id, now)?;
        self.transport.send(message).await.map(drop).map_err(|error| meant(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> (String, u16, Secrecy) {
        let Place { host, port, secrecy, .. } = Place::parse(url).unwrap();
        (host, port, secrecy)
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        assert_eq!(place("smtp://mail.example.com"), ("mail.example.com".to_owned(), 587, Secrecy::StartTls));
        assert_eq!(place("smtp://mail.example.com:25"), ("mail.example.com".to_owned(), 25, Secrecy::StartTls));
        assert_eq!(place("smtps://mail.example.com").1, 465);
        assert_eq!(place("smtps://127.0.0.1:1").2, Secrecy::Tls);
        for host in ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "LOCALHOST"] {
            assert_eq!(place(&format!("smtp://{host}:2525")).2, Secrecy::Loopback, "{host}");
        }
        for host in ["10.0.0.1", "0.0.0.0", "localhost.example.com", "127.0.0.1.example.com", "[::2]", "example"] {
            assert_eq!(place(&format!("smtp://{host}")).2, Secrecy::StartTls, "{host}");
        }
    }

    // The pool of connections wants a runtime.
    #[tokio::test]
    async fn a_url_that_makes_no_sense_is_refused_and_not_repeated() {
        for url in [
            "",
            "mail.example.com",
            "http://u:hunter2@mail.example.com",
            "smtp://",
            "smtp://u:hunter2@",
            "smtp://u:hunter2@mail.example.com?tls=none",
            "smtp://u:hunter2@mail.example.com/x",
            "smtp://user@mail.example.com",
            "smtp://:hunter2@mail.example.com",
        ] {
            let error = SmtpOutbox::open(url, "gate@example.com").unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        let parsed = Place::parse("smtp://us%40er:p%3Aw@mail.example.com").unwrap();
        assert!(parsed.user == Some(("us@er".to_owned(), "p:w".to_owned())));
        let outbox = SmtpOutbox::open("smtps://u:hunter2@mail.example.com", "gate@example.com").unwrap();
        assert!(!format!("{outbox:?}").contains("hunter2"));
    }
}
