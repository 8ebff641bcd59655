//! Outgoing mail: what is said in it, and where it goes.
//!
//! A mail is a plain value ([`InvitationMail`]), is turned into a [`Letter`] (text and HTML, every name escaped), and is given
//! to an [`Outbox`]. In development that is a folder of `.eml` files; a server that speaks SMTP is another implementation of
//! the same trait.
//!
//! What may not enter: who gets a mail and when (that is `service`), tokens before they are part of a link, the store.
//!
//! ```
//! use gatehouse::mail::InvitationMail;
//! let letter = InvitationMail {
//!     to: "bob@example.com".into(),
//!     organization: "Gizmo <b>Works</b>".into(),
//!     invited_by: Some("alice".into()),
//!     link: "https://gate.example/invitation#giv_…".into(),
//!     expires_at: chrono::DateTime::UNIX_EPOCH,
//! }
//! .letter();
//! assert!(letter.html.contains("Gizmo &lt;b&gt;Works&lt;/b&gt;"));
//! ```

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub mod account;
pub mod folder;
pub mod letter;
pub mod notice;
pub mod secret_ends;

pub use self::{
    account::{AccountMail, Matter},
    folder::FolderOutbox,
    letter::{InvitationMail, Letter},
    notice::NoticeMail,
    secret_ends::SecretEndsMail,
};

/// Where mail goes.
#[async_trait]
pub trait Outbox: std::fmt::Debug + Send + Sync + 'static {
    /// Sends a letter. `id` is a new id, `now` the date of the letter.
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
}
