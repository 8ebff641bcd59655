//! The states that were found, in the order of finding: the memory of a check, its queue and the way back.

use crate::{check::CheckError, packed::Packed, state::State, step::Step};

/// The states of one check.
#[derive(Debug)]
pub(crate) struct Seen {
    found: Vec<Packed>,
    /// For each state, the place of the one that it was found from. Only the story needs this.
    parents: Vec<u32>,
    /// A hash table of the same states, a power of two in size, with linear probing. It holds them, not their places: what takes
    /// the time is waiting for memory, and so there is one place to wait for instead of two.
    slots: Vec<Option<Packed>>,
    most: usize,
    /// Kept between calls for its memory alone.
    looks: Vec<Look>,
}

/// A state that is looked for.
#[derive(Debug)]
struct Look {
    state: Packed,
    home: usize,
    known: bool,
}

impl Seen {
    pub(crate) fn new(start: State, most: usize) -> Result<Self, CheckError> {
        let (found, parents, looks) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = Self { found, parents, slots: vec![None; 1 << 10], most, looks };
        seen.insert(&[Step { name: "start", after: start }], 0)?;
        Ok(seen)
    }

    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// The state at a place, and the place that it was found from.
    pub(crate) fn get(&self, place: u32) -> Option<(State, u32)> {
        let place = usize::try_from(place).ok()?;
        Some((self.found.get(place)?.unpack(), *self.parents.get(place)?))
    }

    /// Remembers where steps lead to, as far as that is new.
    pub(crate) fn insert(&mut self, steps: &[Step], parent: u32) -> Result<(), CheckError> {
        if self.slots.len() / 4 * 3 < self.found.len() + steps.len() {
            self.grow();
        }
        let mut looks = std::mem::take(&mut self.looks);
        looks.clear();
        for Step { after, .. } in steps {
            let state = Packed::new(*after).ok_or(CheckError::Outgrown)?;
            looks.push(Look { state, home: home(state, &self.slots), known: false });
        }
        // All are looked up before any is put in: so the memory answers all of them at once, which halves the time of a check.
        for look in &mut looks {
            look.known = self.slots.get(look.home) == Some(&Some(look.state));
        }
        for look in looks.iter().filter(|look| !look.known) {
            if put(&mut self.slots, look.state, look.home) {
                self.found.push(look.state);
                self.parents.push(parent);
            }
        }
        self.looks = looks;
        if self.found.len() > self.most { Err(CheckError::TooManyStates) } else { Ok(()) }
    }

    /// Doubles the table.
    fn grow(&mut self) {
        let slots = self.slots.len() * 2;
        // The old table goes first, so that the two are never in memory together.
        self.slots = Vec::new();
        self.slots = vec![None; slots];
        for state in &self.found {
            let home = home(*state, &self.slots);
            put(&mut self.slots, *state, home);
        }
    }
}

/// The slot where the search for a state begins. The bytes are swapped because a product's high bits depend on all of a state.
fn home(state: Packed, slots: &[Option<Packed>]) -> usize {
    let mixed = state.bits().wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).swap_bytes();
    usize::try_from(mixed & (slots.len() as u128 - 1)).unwrap_or_default()
}

/// Puts a state into the table, and says whether it was new.
fn put(slots: &mut [Option<Packed>], state: Packed, home: usize) -> bool {
    // INVARIANT: there is always a free slot, and the search meets it, once around the end at the latest.
    let (before, after) = slots.split_at_mut(home);
    for slot in after.iter_mut().chain(before) {
        match slot {
            Some(known) if *known == state => return false,
            Some(_) => {}
            None => {
                *slot = Some(state);
                return true;
            }
        }
    }
    false
}
