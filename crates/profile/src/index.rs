//! A hash index over rows that live elsewhere.
//!
//! Owns the search for an equal row while a profile is being built: 4 bytes per slot and no copy
//! of the keys, since the rows themselves are the keys. Dropped when the profile is finished.

use std::hash::{BuildHasher, Hash, RandomState};

use crate::ids::NONE;

/// Open addressing over row numbers, at most 3/4 full. Hashes are keyed, because names come from
/// programs we do not trust.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    slots: Vec<u32>,
    used: usize,
    hasher: RandomState,
}

impl Index {
    pub(crate) fn hash(&self, key: &impl Hash) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The row with this hash for which `same` holds.
    pub(crate) fn find(&self, hash: u64, mut same: impl FnMut(usize) -> bool) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        // Ends: at least a quarter of the slots is free.
        loop {
            match self.slots[slot] {
                NONE => return None,
                row if same(row as usize) => return Some(row as usize),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    /// Adds a row known to be absent. `hash_of` gives the hash of any row added before.
    pub(crate) fn insert(&mut self, hash: u64, row: usize, hash_of: impl Fn(&Self, usize) -> u64) {
        if (self.used + 1) * 4 > self.slots.len() * 3 {
            self.grow(hash_of);
        }
        self.place(hash, row as u32);
        self.used += 1;
    }

    fn grow(&mut self, hash_of: impl Fn(&Self, usize) -> u64) {
        let slots = (self.slots.len() * 2).max(16);
        let old = std::mem::replace(&mut self.slots, vec![NONE; slots]);
        for row in old.into_iter().filter(|row| *row != NONE) {
            self.place(hash_of(self, row as usize), row);
        }
    }

    fn place(&mut self, hash: u64, row: u32) {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while self.slots[slot] != NONE {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = row;
    }
}

/// Rows of a plain type, each stored once.
#[derive(Clone, Debug)]
pub(crate) struct Interned<T> {
    rows: Vec<T>,
    index: Index,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            index: Index::default(),
        }
    }
}

impl<T: Copy + Eq + Hash> Interned<T> {
    /// The number of the row equal to `row`, added if new.
    pub(crate) fn intern(&mut self, row: T) -> usize {
        let hash = self.index.hash(&row);
        if let Some(found) = self.index.find(hash, |at| self.rows[at] == row) {
            return found;
        }
        let at = self.rows.len();
        self.rows.push(row);
        let rows = &self.rows;
        self.index
            .insert(hash, at, |index, row| index.hash(&rows[row]));
        at
    }

    /// The number of the row equal to `row`, if there is one.
    pub(crate) fn find(&self, row: &T) -> Option<usize> {
        self.index
            .find(self.index.hash(row), |at| self.rows[at] == *row)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn rows(&self) -> &[T] {
        &self.rows
    }

    pub(crate) fn into_rows(mut self) -> Vec<T> {
        self.rows.shrink_to_fit();
        self.rows
    }
}
