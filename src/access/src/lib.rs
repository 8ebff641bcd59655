//! The permission core: who may do what, and why.
//!
//! A [`Blueprint`] says in data how one kind of product shares out rights: app kinds with features and actions, roles, plans.
//! [`Facts`] are what the store knows of one principal: state, teams and the grants that reach it. From both come
//!
//! - [`decide()`]: one question answered with reasons, total and pure;
//! - [`Rights`]: the same answers in compact form, compiled once, a few nanoseconds a question;
//! - [`Permit`]: the value that proves an allow and that a write of the store consumes;
//! - [`Visibility`]: the condition by which lists are filtered where the rows are.
//!
//! Nothing in here waits, reads a clock, draws a random number or panics; what is needed comes in as an argument.
//!
//! ```text
//!  blueprint.toml ─▶ Blueprint ─┐
//!                               ├─▶ decide ─▶ Decision (reasons)
//!  database ─▶ Facts ───────────┤
//!                               └─▶ Rights ─▶ Permit<Verb> · Visibility · capabilities
//! ```
//!
//! The laws, held by property tests against a naive second model (`tests/laws.rs`): allowed only if some grant gives it;
//! default deny; an inactive principal or organization is denied everything; order and duplicates of grants do not matter;
//! removing a grant never allows more; the compact form agrees with the naive reference.
#![deny(missing_docs)]

pub mod blueprint;
pub mod compare;
pub mod decide;
pub mod decision;
pub mod delegation;
pub mod explain;
pub mod facts;
pub mod grant;
pub mod lint;
pub mod permit;
pub mod principal;
pub mod rights;
pub mod seat;
pub mod share;
pub mod verb;
pub mod versions;
pub mod visibility;

pub use blueprint::Blueprint;
pub use decide::{Question, decide};
pub use decision::{Decision, Denial, Reason};
pub use facts::{AppRef, Facts};
pub use grant::{Grant, Grantee, Held, Place};
pub use permit::{Author, Authority, Permit, authorize, authorize_on};
pub use principal::{PrincipalId, PrincipalKind};
pub use rights::{Capability, Rights};
pub use verb::{SystemTask, Verb};
pub use visibility::Visibility;
