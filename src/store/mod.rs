//! The store: the only room that speaks SQL, to SQLite and to PostgreSQL alike.
//!
//! What enters: functions of one noun a file, which take and return plain records. What may not: entities in a signature, a
//! decision about who may do what (writes take a [`Permit`](crate::access::Permit) that proves one, lists a
//! [`Visibility`](crate::access::Visibility)), a clock, an API type.
//!
//! Reads take any [`Reader`]: the pool ([`Store::read`]) or an open transaction. Writes take the [`Tx`] that only
//! [`Store::write`] opens: it locks the organizations concerned, runs the work where a client's disconnect cannot cancel it,
//! and hands back the stamps that moved.
//!
//! ```no_run
//! # use gatehouse::store::{Store, StoreError, WriteScope, organization};
//! # use uuid::Uuid;
//! # async fn example(store: Store, id: Uuid) -> Result<(), StoreError> {
//! let found = organization::find_by_id(&store.read(), id).await?;
//! let committed = store
//!     .write(WriteScope::organization(id), move |tx| {
//!         Box::pin(async move { organization::find_by_id(tx, id).await })
//!     })
//!     .await?;
//! assert_eq!(found, committed.value);
//! # Ok(())
//! # }
//! ```

pub mod blueprint;
pub mod condition;
pub mod connect;
pub mod error;
pub mod facts;
pub mod organization;
pub mod page;
pub(in crate::store) mod select;
pub mod stamp;
pub mod tx;
pub(in crate::store) mod visibility;

pub mod activity;
pub mod api_token;
pub mod app;
pub mod custom_role;
pub mod erasure;
pub mod external_identity;
pub mod grant;
pub mod idempotency;
pub mod invitation;
pub mod invoice;
pub mod mail;
pub mod member;
pub mod one_time_code;
pub mod payment_method;
pub(in crate::store) mod search;
pub mod seat;
pub mod second_factor;
pub mod service_account;
pub mod session;
pub mod signing_key;
pub mod team;
pub mod team_member;
pub mod token_notice;
pub mod usage;
pub mod user;
pub(in crate::store) mod write;

pub use connect::{Backend, ConnectOptions, Store};
pub use error::StoreError;
pub use page::{Page, PageRequest, Position, SortKey};
pub use tx::{Committed, Limits, Reader, Reading, Tx, Work, WriteScope};
