//! A state in sixteen bytes: millions of them are kept, and a check spends its time waiting for the memory that they are in.
//!
//! One list of all fields, [`State::visit`], serves both directions, so that they cannot differ.

use std::num::NonZeroU128;

use crate::{
    party::{Database, Filler, FillerPhase, Node, Query, QueryPhase, Writer, WriterPhase},
    redis::{Entry, FillLease, Floor, Marker, Redis},
    state::{Late, Snapshot, Spent, State},
};

/// A state, packed. It is never 0, as the database's stamp never is; a table has its free slots for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packed(NonZeroU128);

impl Packed {
    /// Packs a state; `None` where a value has outgrown its bits.
    pub(crate) fn new(mut state: State) -> Option<Self> {
        let mut pack = Pack { bits: 0, at: 0, outgrown: 0 };
        state.visit(&mut pack);
        NonZeroU128::new(pack.bits).filter(|_| pack.outgrown == 0).map(Self)
    }

    pub(crate) fn unpack(self) -> State {
        let mut state = State::default();
        state.visit(&mut Unpack { bits: self.0.get() });
        state
    }

    pub(crate) fn bits(self) -> u128 {
        self.0.get()
    }
}

/// Goes from field to field, and reads or writes each.
trait Visitor {
    /// A number of so many bits.
    fn number(&mut self, value: &mut u8, width: u32);

    fn flag(&mut self, value: &mut bool) {
        let mut number = u8::from(*value);
        self.number(&mut number, 1);
        *value = number == 1;
    }

    fn one_of<T: Copy + PartialEq>(&mut self, value: &mut T, all: &[T]) {
        let mut number = 0;
        for (place, one) in (0..).zip(all) {
            if one == value {
                number = place;
            }
        }
        self.number(&mut number, 3);
        if let Some(one) = all.get(usize::from(number)) {
            *value = *one;
        }
    }
}

struct Pack {
    bits: u128,
    at: u32,
    outgrown: u8,
}

impl Visitor for Pack {
    #[inline]
    fn number(&mut self, value: &mut u8, width: u32) {
        self.bits |= u128::from(*value) << self.at;
        self.at += width;
        self.outgrown |= *value >> width;
    }
}

/// The bits that are still to be taken, lowest first.
struct Unpack {
    bits: u128,
}

impl Visitor for Unpack {
    #[inline]
    fn number(&mut self, value: &mut u8, width: u32) {
        let [lowest, ..] = self.bits.to_le_bytes();
        *value = lowest & ((1 << width) - 1);
        self.bits >>= width;
    }
}

impl State {
    /// Every field, with its bits: taken apart by name, so that none is forgotten. Inlined, because only then are the
    /// places constants and the whole a row of shifts: that is a third of a check's time.
    #[inline]
    fn visit(&mut self, to: &mut impl Visitor) {
        let Self { now, database, redis, snapshot, late, node, revoker, bystander, fillers, leases, query, spent } =
            self;
        to.number(now, 4);
        let Database { version, revoked, since_commit } = database;
        to.number(version, 2);
        to.flag(revoked);
        to.number(since_commit, 2);
        let Redis { entry, floor, marker, lease } = redis;
        let Snapshot { taken, entry: kept_entry, floor: kept_floor, lease: kept_lease } = snapshot;
        for Entry { version, revoked, ttl } in [entry, kept_entry] {
            to.number(version, 2);
            to.flag(revoked);
            to.number(ttl, 4);
        }
        for Floor { version, ttl } in [floor, kept_floor] {
            to.number(version, 2);
            to.number(ttl, 4);
        }
        for FillLease { token, ttl } in [lease, kept_lease] {
            to.number(token, 2);
            to.number(ttl, 2);
        }
        let Marker { writers, ttl } = marker;
        to.number(writers, 2);
        to.number(ttl, 4);
        to.flag(taken);
        let Late { mark, settle } = late;
        to.flag(mark);
        to.number(settle, 2);
        let Node { floor, age, polled, polled_age } = node;
        for value in [floor, age, polled, polled_age] {
            to.number(value, 2);
        }
        for Writer { phase, version } in [revoker, bystander] {
            to.one_of(phase, WriterPhase::ALL);
            to.number(version, 2);
        }
        for Filler { phase, token, version, revoked } in fillers {
            to.one_of(phase, FillerPhase::ALL);
            to.number(token, 2);
            to.number(version, 2);
            to.flag(revoked);
        }
        to.number(leases, 2);
        let Query { phase, version, revoked, after_return, since_commit } = query;
        to.one_of(phase, QueryPhase::ALL);
        to.number(version, 2);
        to.flag(revoked);
        to.flag(after_return);
        to.number(since_commit, 2);
        let Spent { commands, wipes, restarts, rollback, eviction } = spent;
        for times in [commands, wipes, restarts] {
            to.number(times, 2);
        }
        to.flag(rollback);
        to.flag(eviction);
    }
}
