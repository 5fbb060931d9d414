//! A module's table as a file: what it takes to have it again without building it. Owns the form
//! and its checks; where files lie and when they are used is for `capture`.
//!
//! ```text
//! 0   "seamtbl1"
//! 8   length of the head in bytes, u32
//! 12  CRC-32 of everything behind these 16 bytes, u32
//! 16  the head: JSON
//! …   the table's words, u32 each
//! ```
//!
//! Numbers are little-endian. Words are not judged: the walk stays within any table, and the stamp
//! and the checksum keep foreign and damaged ones away.

use serde::{Deserialize, Serialize};

use crate::{GoRuntimeFacts, ModuleTable, Table, TableFacts};

const MAGIC: &[u8; 8] = b"seamtbl1";
const FIXED: usize = 16;

/// Everything but the words.
#[derive(Serialize, Deserialize)]
struct Head {
    /// What the table is of, and by which seam.
    stamp: String,
    base: u64,
    index_word: u32,
    pages: u32,
    rows: u32,
    words: usize,
    go: Option<GoRuntimeFacts>,
    facts: TableFacts,
}

/// Why stored bytes are no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoredError {
    /// Too short, cut off, or changed.
    #[error("the stored table is damaged")]
    Damaged,
    /// Of another file or by another seam.
    #[error("the stored table is of another file or version")]
    Foreign,
}

impl ModuleTable {
    /// The table's file. `stamp` says what it is of; only who knows it gets the table back.
    #[must_use]
    pub fn to_stored(&self, stamp: &str) -> Vec<u8> {
        let head = Head {
            stamp: stamp.to_owned(),
            base: self.table.base,
            index_word: self.table.index_word,
            pages: self.table.pages,
            rows: self.table.rows,
            words: self.table.words.len(),
            go: self.go.clone(),
            facts: self.facts.clone(),
        };
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let mut bytes = Vec::with_capacity(FIXED + head.len() + self.table.bytes());
        bytes.extend(MAGIC);
        bytes.extend((head.len() as u32).to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(&head);
        for word in &self.table.words {
            bytes.extend(word.to_le_bytes());
        }
        let sum = crc32fast::hash(&bytes[FIXED..]);
        bytes[12..FIXED].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads a table's file.
    ///
    /// # Errors
    /// When it is damaged, or its stamp is another.
    pub fn from_stored(bytes: &[u8], stamp: &str) -> Result<Self, StoredError> {
        let (fixed, rest) = bytes.split_at_checked(FIXED).ok_or(StoredError::Damaged)?;
        let number = |at: usize| {
            let word = fixed[at..].first_chunk().copied().unwrap_or_default();
            u32::from_le_bytes(word)
        };
        if &fixed[..8] != MAGIC || crc32fast::hash(rest) != number(12) {
            return Err(StoredError::Damaged);
        }
        let split = rest.split_at_checked(number(8) as usize);
        let (head, words) = split.ok_or(StoredError::Damaged)?;
        let head: Head = serde_json::from_slice(head).map_err(|_| StoredError::Damaged)?;
        if head.stamp != stamp {
            return Err(StoredError::Foreign);
        }
        let (words, []) = words.as_chunks::<4>() else {
            return Err(StoredError::Damaged);
        };
        if words.len() != head.words {
            return Err(StoredError::Damaged);
        }
        Ok(Self {
            table: Table {
                words: words.iter().map(|w| u32::from_le_bytes(*w)).collect(),
                base: head.base,
                index_word: head.index_word,
                pages: head.pages,
                rows: head.rows,
            },
            go: head.go,
            facts: head.facts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use seam_object::Elf;

    fn table() -> ModuleTable {
        let own = std::fs::read(std::env::current_exe().expect("a test")).expect("its file");
        crate::build(&Elf::parse(own.as_slice()).expect("an ELF file")).expect("a table")
    }

    #[test]
    fn a_table_comes_back_as_it_was() {
        let table = table();
        assert!(table.table.rows > 100);
        let stored = table.to_stored("this file");
        assert_eq!(
            ModuleTable::from_stored(&stored, "this file"),
            Ok(table.clone())
        );
        assert_eq!(
            ModuleTable::from_stored(&stored, "that file"),
            Err(StoredError::Foreign)
        );
    }

    #[test]
    fn every_cut_and_any_changed_byte_is_noticed() {
        let stored = table().to_stored("x");
        for len in [0, 1, 15, 16, 100, stored.len() / 2, stored.len() - 1] {
            assert_eq!(
                ModuleTable::from_stored(&stored[..len], "x"),
                Err(StoredError::Damaged)
            );
        }
        for at in (0..stored.len()).step_by(stored.len() / 61) {
            let mut changed = stored.clone();
            changed[at] ^= 0x10;
            assert!(ModuleTable::from_stored(&changed, "x").is_err(), "{at}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut all = MAGIC.to_vec();
            all.extend((bytes.len() as u32 / 2).to_le_bytes());
            all.extend(crc32fast::hash(&bytes).to_le_bytes());
            all.extend(&bytes);
            prop_assert!(ModuleTable::from_stored(&all, "x").is_err());
        }
    }
}
