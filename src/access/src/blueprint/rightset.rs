//! Sets of rights in compact form: bits for organization permissions, and for each app kind bits for its actions.

use serde::{Deserialize, Serialize};

/// Organization permissions and, for each app kind of the blueprint, actions, as bits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightSet {
    /// Bits of organization permissions, by their place in the blueprint's vocabulary.
    pub(crate) permissions: u128,
    /// Bits of actions, by app kind.
    pub(crate) kinds: Vec<u128>,
}

impl RightSet {
    /// The empty set for a blueprint with this many app kinds.
    pub(crate) fn empty(kinds: usize) -> Self {
        Self { permissions: 0, kinds: vec![0; kinds] }
    }

    /// The actions on every app of a kind.
    #[must_use]
    pub(crate) fn kind(&self, kind: usize) -> u128 {
        self.kinds.get(kind).copied().unwrap_or(0)
    }

    /// Adds what the other holds.
    pub(crate) fn add(&mut self, other: &Self) {
        self.permissions |= other.permissions;
        for (mine, theirs) in self.kinds.iter_mut().zip(&other.kinds) {
            *mine |= theirs;
        }
    }

    /// Takes out what the other holds.
    pub(crate) fn remove(&mut self, other: &Self) {
        self.permissions &= !other.permissions;
        for (mine, theirs) in self.kinds.iter_mut().zip(&other.kinds) {
            *mine &= !theirs;
        }
    }

    /// Keeps only what the other holds too.
    pub(crate) fn keep(&mut self, other: &Self) {
        self.permissions &= other.permissions;
        for (mine, theirs) in self.kinds.iter_mut().zip(&other.kinds) {
            *mine &= theirs;
        }
    }

    /// What is held here and not there.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        rest.remove(other);
        rest
    }

    /// How many permissions and actions are held.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.kinds.iter().fold(self.permissions.count_ones(), |sum, bits| sum.saturating_add(bits.count_ones()))
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.permissions == 0 && self.kinds.iter().all(|bits| *bits == 0)
    }

    /// Whether everything the other holds is held here too.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.permissions & !self.permissions == 0
            && other.kinds.iter().enumerate().all(|(kind, theirs)| theirs & !self.kind(kind) == 0)
    }
}
