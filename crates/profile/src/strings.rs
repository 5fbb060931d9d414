//! Every distinct string of a profile, once, in one buffer.
//!
//! Owns storage and interning. Strings are UTF-8: whoever reads names from a target converts
//! foreign bytes (lossily) before they get here.

use crate::ids::StringId;
use crate::index::Index;

/// Interned strings. Row 0 is always `""`.
#[derive(Clone, Debug)]
pub struct StringTable {
    text: String,
    /// End of each string in `text`; a string starts where the one before it ends.
    ends: Vec<usize>,
}

impl Default for StringTable {
    fn default() -> Self {
        Self {
            text: String::new(),
            ends: vec![0],
        }
    }
}

impl StringTable {
    /// The string with this id.
    ///
    /// # Panics
    /// When the id is not of this profile.
    pub fn get(&self, id: StringId) -> &str {
        self.row(id.index())
    }

    /// The number of strings, the empty one included.
    #[allow(clippy::len_without_is_empty)] // never empty: row 0 always exists
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// All strings in order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|row| self.row(row))
    }

    fn row(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.text[start..self.ends[row]]
    }
}

/// A string table that is still growing.
#[derive(Clone, Debug, Default)]
pub(crate) struct StringInterner {
    table: StringTable,
    index: Index,
}

impl StringInterner {
    pub(crate) fn intern(&mut self, text: &str) -> StringId {
        if text.is_empty() {
            return StringId::EMPTY;
        }
        let hash = self.index.hash(&text);
        if let Some(found) = self.index.find(hash, |row| self.table.row(row) == text) {
            return StringId::new(found);
        }
        let row = self.table.len();
        self.table.text.push_str(text);
        self.table.ends.push(self.table.text.len());
        let table = &self.table;
        self.index
            .insert(hash, row, |index, row| index.hash(&table.row(row)));
        StringId::new(row)
    }

    pub(crate) fn table(&self) -> &StringTable {
        &self.table
    }

    pub(crate) fn finish(mut self) -> StringTable {
        self.table.text.shrink_to_fit();
        self.table.ends.shrink_to_fit();
        self.table
    }
}
