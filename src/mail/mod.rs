//! Outgoing mail: what is said in it, and where it goes.
//!
//! A mail is a plain value ([`InvitationMail`]), is turned into a [`Letter`] in its reader's language (text and HTML, every name
//! escaped, see [`words`]), and is given to an [`Outbox`]: a folder of `.eml` files ([`FolderOutbox`]), or a server by SMTP
//! ([`SmtpOutbox`]).
//!
//! A letter that waits to be delivered is kept sealed ([`LetterKey`]).
//!
//! What may not enter: who gets a mail and when (that is `service`), tokens before they are part of a link, the store.
//!
//! ```
//! use gatehouse::mail::{InvitationMail, Reader};
//! let letter = InvitationMail {
//!     to: "bob@example.com".into(),
//!     organization: "Gizmo <b>Works</b>".into(),
//!     invited_by: Some("alice".into()),
//!     link: "https://gate.example/invitation#giv_…".into(),
//!     expires_at: chrono::DateTime::UNIX_EPOCH,
//!     reader: Reader::of("en", "UTC"),
//! }
//! .letter();
//! assert!(letter.html.contains("Gizmo &lt;b&gt;Works&lt;/b&gt;"));
//! ```

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub mod account;
pub mod folder;
pub mod invitation;
pub mod letter;
pub mod notice;
pub mod seal;
pub mod secret_ends;
pub mod smtp;
pub mod words;

pub use self::{
    account::{AccountMail, FactorChange, Matter},
    folder::FolderOutbox,
    invitation::InvitationMail,
    letter::Letter,
    notice::{AccessNotice, NoticeMail},
    seal::LetterKey,
    secret_ends::SecretEndsMail,
    smtp::SmtpOutbox,
    words::{Language, Reader},
};

/// Where mail goes.
#[async_trait]
pub trait Outbox: std::fmt::Debug + Send + Sync + 'static {
    /// Sends a letter. `id` is the letter's own, the same at each attempt; `now` is the date of the letter.
    ///
    /// # Errors
    /// When it was not taken over; it may be tried again.
    async fn send(&self, letter: &Letter, id: Uuid, now: DateTime<Utc>) -> Result<(), MailError>;
}

/// Why a letter was not taken over.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The address cannot be written to.
    #[error("`{0}` is not an address that mail can be sent to")]
    Address(String),
    /// The letter could not be put together.
    #[error("the mail could not be written: {0}")]
    Compose(#[from] lettre::error::Error),
    /// It could not be stored.
    #[error("the mail could not be stored: {0}")]
    Store(#[from] std::io::Error),
    /// It cannot be sealed, or what was sealed cannot be opened with this deployment's secret.
    #[error("the mail cannot be sealed or opened")]
    Seal,
    /// The URL of the server cannot be used; it is not repeated, as a password may be in it.
    #[error("the mail URL cannot be used: {0}; write it as smtp://user:password@host:port or smtps://…")]
    Url(&'static str),
    /// The server was not reached, or did not answer.
    #[error("the mail server is out of reach: {0}")]
    Unreachable(String),
    /// The server said no.
    #[error("the mail server refused with {code}")]
    Refused {
        /// Its answer (RFC 5321, 4.2).
        code: u16,
        /// Whether it would say the same the next time.
        permanent: bool,
    },
}

impl MailError {
    /// Whether trying again is in vain.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        match self {
            Self::Address(_) | Self::Compose(_) | Self::Seal | Self::Url(_) => true,
            Self::Store(_) | Self::Unreachable(_) => false,
            Self::Refused { permanent, .. } => *permanent,
        }
    }

    /// What was in the way, without the address.
    #[must_use]
    pub fn without_names(&self) -> String {
        match self {
            Self::Address(_) => "the address was refused".to_owned(),
            Self::Compose(_)
            | Self::Store(_)
            | Self::Seal
            | Self::Url(_)
            | Self::Unreachable(_)
            | Self::Refused { .. } => self.to_string(),
        }
    }
}
