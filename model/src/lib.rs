//! The model of the revocation protocol: every order of events is tried, and no stale grant comes out.
//!
//! A gateway that asks its cache *may she?* must never be told yes after somebody took the right away. The protocol that sees to it
//! (zero-stale.md) stands on races: a command that arrives late, a load that began too early, a cache that forgets. Tests try some of
//! those orders. This crate tries all of them, on a world small enough that all can be tried.
//!
//! # The world
//!
//! There is one subject with one grant. In the database it has a *stamp*, a version that moves with every change. Around it:
//!
//! | Who | Does |
//! |---|---|
//! | [the database](party::Database) | holds the stamp, and whether the grant is revoked |
//! | [Redis](redis::Redis) | holds an *entry* (the cached grant and its stamp), a *floor* (the lowest stamp still acceptable), a *marker* (writers at work) and a *fill lease* (who may store an entry); each expires |
//! | [the revoker](party::Writer) | marks, commits, settles (raises the floor, takes its mark away), returns; waits first where Redis did not answer |
//! | [a bystander](party::Writer) | changes the same subject and takes nothing away |
//! | [a node](party::Node) | polls the database in the background, and knows how old its reading is |
//! | [two fillers](party::Filler) | missed earlier: take a lease, load from the database, store what they loaded |
//! | [the request](party::Query) | starts after the commit, reads Redis, and accepts the entry or does not |
//!
//! A [`State`](state::State) is where all of them stand at one moment, with the ticks that each key has left. A
//! [`Step`](step::Step) is one thing that happens: a tick, a command, a fault. From a state, everything that *can* happen next is
//! [listed](step::list); [`check`](check::check) starts at the beginning and follows every list until nothing new turns up, shortest
//! stories first. Time is ticks, and the durations keep the proportions that the proof asks for.
//!
//! # What must hold
//!
//! The three [properties](property::Property), each about a request that would be decided on the old grant:
//!
//! - **P1**, the promise: none that started after the revoking mutation had returned.
//! - **P2**, the bound: none that started later than `L` after the commit, whatever failed.
//! - **P3**, the switch: none that started after the commit, while Redis can be reached.
//!
//! A request that goes to the database is right by itself, so the model follows only those that do not.
//!
//! # One configuration
//!
//! A [`Setting`](setting::Setting) says which guards are on, what may go wrong, and how far to look. Here nothing goes wrong, and the
//! switch is at the commit; without the marker it is not, and the check tells the story:
//!
//! ```
//! use gatehouse_model::{
//!     check::{Outcome, check},
//!     property::Property,
//!     setting::{Faults, Guard, Limits, Setting},
//! };
//!
//! let limits = Limits { marker_ttl: 9, ..Setting::FULL.limits };
//! let calm = Setting { property: Property::Switch, faults: Faults::NONE, limits, ..Setting::FULL };
//! assert_eq!(check(&calm)?, Outcome::Holds { states: 126_618 });
//!
//! let unmarked = Setting { off: &[Guard::Marker], ..calm };
//! let steps = vec!["mark", "commit", "request", "hit", "accept"];
//! assert_eq!(check(&unmarked)?, Outcome::Violated { steps, states: 1_202 });
//! # Ok::<(), gatehouse_model::check::CheckError>(())
//! ```
//!
//! `tests/revocation.rs` holds the protocol to all three properties and shows each guard to be needed. A change to the protocol is
//! made here first: a guard whose absence breaks nothing is not understood yet.

pub mod check;
mod packed;
pub mod party;
pub mod property;
pub mod redis;
mod seen;
pub mod setting;
pub mod state;
pub mod step;
