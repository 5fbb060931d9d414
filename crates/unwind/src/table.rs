//! The table as it lies in memory, in the kernel and on the host alike.
//!
//! Words of 32 bits: first the rules (4 words each, number 0 upward), then the page index (one word
//! for every 256 bytes of code: first row in the upper 24 bits, number of rows - 1 in the lower 8),
//! then the rows (low byte of the pc in the lower 8 bits, rule number above). A page's rows are
//! sorted, never cross a block of 1,024 words, and begin with one for the page's first byte. Pages
//! with equal rows share them.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use seam_wire::{SEAM_BLOCK_WORDS, SEAM_PAGE_BYTES, bytes_of};

use crate::range_list::RangeList;
use crate::{Error, Result, RuleSet};

const BLOCK: usize = SEAM_BLOCK_WORDS as usize;
/// What 24 bits can number.
const WORDS_MAX: u64 = 1 << 24;

/// A finished table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The words, a whole number of blocks.
    pub words: Vec<u32>,
    /// The address (as linked) of the first page.
    pub base: u64,
    /// Where the page index starts, in words.
    pub index_word: u32,
    /// Pages covered.
    pub pages: u32,
    /// Rows, shared ones counted once.
    pub rows: u32,
}

impl Table {
    /// Makes a table of ranges whose offsets count from `base`, which is a multiple of 256.
    ///
    /// # Errors
    /// When the table would be larger than the format can address.
    pub(crate) fn new(base: u64, list: &RangeList, rules: &RuleSet) -> Result<Self> {
        debug_assert!(base.is_multiple_of(u64::from(SEAM_PAGE_BYTES)));
        let end = list.ranges().last().map_or(0, |r| r.end);
        let pages = end.div_ceil(SEAM_PAGE_BYTES);
        let index_word = 4 * rules.all().len() as u64;
        let mut words = Vec::with_capacity(index_word as usize + pages as usize);
        for rule in rules.all() {
            words.extend(
                bytes_of(rule)
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .map(|w| u32::from_le_bytes(*w)),
            );
        }
        words.resize(words.len() + pages as usize, 0);
        let mut writer = RowWriter {
            words,
            hasher: RandomState::new(),
            shared: HashMap::new(),
            rows: 0,
        };
        let mut next = 0;
        for page in 0..pages {
            let rows = page_rows(list, page, &mut next);
            let first = writer.write(&rows)?;
            writer.words[index_word as usize + page as usize] =
                (first << 8) | (rows.len() as u32 - 1);
        }
        let RowWriter {
            mut words, rows, ..
        } = writer;
        words.resize(words.len().next_multiple_of(BLOCK), 0);
        // It lives as long as the recording.
        words.shrink_to_fit();
        Ok(Self {
            words,
            base,
            index_word: index_word as u32,
            pages,
            rows,
        })
    }

    /// Bytes of the table.
    #[must_use]
    pub fn bytes(&self) -> usize {
        4 * self.words.len()
    }
}

/// The rows of one page. `next` is the first range that may reach into it, kept between calls.
fn page_rows(list: &RangeList, page: u32, next: &mut usize) -> Vec<u32> {
    let start = u64::from(page) * u64::from(SEAM_PAGE_BYTES);
    let end = start + u64::from(SEAM_PAGE_BYTES);
    let ranges = list.ranges();
    while ranges.get(*next).is_some_and(|r| u64::from(r.end) <= start) {
        *next += 1;
    }
    let mut rows: Vec<u32> = Vec::new();
    let mut at = start;
    let mut add = |from: u64, rule: u32| {
        let row = (rule << 8) | (from - start) as u32;
        // Equal neighbours are one row.
        if rows.last().is_none_or(|last| last >> 8 != rule) {
            rows.push(row);
        }
    };
    for range in ranges[*next..]
        .iter()
        .take_while(|r| u64::from(r.start) < end)
    {
        let (from, to) = (
            u64::from(range.start).max(start),
            u64::from(range.end).min(end),
        );
        if from > at {
            add(at, 0);
        }
        add(from, range.rule);
        at = to;
    }
    if at < end {
        add(at, 0);
    }
    rows
}

struct RowWriter {
    words: Vec<u32>,
    hasher: RandomState,
    /// First word of rows already written, by the rows' hash. The rows themselves are in `words`: a
    /// large file has so many that a second copy would be the most of what building takes.
    shared: HashMap<u64, u32>,
    rows: u32,
}

impl RowWriter {
    fn write(&mut self, rows: &[u32]) -> Result<u32> {
        let hash = self.hasher.hash_one(rows);
        if let Some(first) = self.shared.get(&hash) {
            let written = self.words.get(*first as usize..).unwrap_or_default();
            // Others with the same hash are merely not shared.
            if written.starts_with(rows) {
                return Ok(*first);
            }
        }
        let room = BLOCK - self.words.len() % BLOCK;
        if room < rows.len() {
            self.words.resize(self.words.len() + room, 0);
        }
        let first = self.words.len() as u64;
        if first + rows.len() as u64 >= WORDS_MAX {
            return Err(Error::TooLarge { words: first });
        }
        self.words.extend(rows);
        self.rows += rows.len() as u32;
        self.shared.insert(hash, first as u32);
        Ok(first as u32)
    }
}
