//! The dynamic symbols of a file without section headers, by what the loader itself goes by: the
//! dynamic segment says where symbols, names and the hash table are, and the hash table how many
//! symbols there are.

use object::ReadRef;
use object::elf::{DT_GNU_HASH, DT_HASH, DT_NULL, DT_STRSZ, DT_STRTAB, DT_SYMTAB};

use crate::{Elf, SegmentKind};

/// An entry of the symbol table (Elf64_Sym).
pub(crate) const SYMBOL_BYTES: u64 = 24;
/// Entries of the dynamic segment that are looked at; real ones have some thirty.
const ENTRIES_MAX: u64 = 4096;
/// Symbols that are believed; Chromium has 30,000.
const SYMBOLS_MAX: u64 = 4 << 20;

/// The bytes of both tables.
pub(crate) struct LoadedSymbols<'data> {
    pub(crate) symbols: &'data [u8],
    pub(crate) names: &'data [u8],
}

impl<'data, R: ReadRef<'data>> Elf<'data, R> {
    pub(crate) fn loaded_symbols(&self) -> Option<LoadedSymbols<'data>> {
        let symbols = self.dynamic_value(DT_SYMTAB.0)?;
        let names = self.dynamic_value(DT_STRTAB.0)?;
        let names = self.bytes_up_to(names, self.dynamic_value(DT_STRSZ.0)?)?;
        let count = self
            .counted_by_gnu_hash()
            .or_else(|| self.counted_by_hash())?;
        let bytes = count.min(SYMBOLS_MAX) * SYMBOL_BYTES;
        Some(LoadedSymbols {
            symbols: self.bytes_up_to(symbols, bytes)?,
            names,
        })
    }

    /// The value of a tag of the dynamic segment.
    fn dynamic_value(&self, tag: i64) -> Option<u64> {
        let mut segments = self.segments().iter();
        let dynamic = segments.find(|s| s.kind == SegmentKind::Dynamic)?;
        for at in 0..(dynamic.file_size / 16).min(ENTRIES_MAX) {
            let address = dynamic.address.checked_add(at * 16)?;
            let found = self.word_at(address)? as i64;
            if found == tag {
                return self.word_at(address.checked_add(8)?);
            }
            if found == DT_NULL.0 {
                break;
            }
        }
        None
    }

    /// The old hash table has a link for each symbol (System V gABI, 5.8).
    fn counted_by_hash(&self) -> Option<u64> {
        let table = self.dynamic_value(DT_HASH.0)?;
        self.half_word(table.checked_add(4)?).map(u64::from)
    }

    /// GNU's has a chain for each bucket; the one that begins last ends with the last symbol.
    fn counted_by_gnu_hash(&self) -> Option<u64> {
        let table = self.dynamic_value(DT_GNU_HASH.0)?;
        let header = |at: u64| self.half_word(table.checked_add(4 * at)?).map(u64::from);
        let (buckets, first, words) = (header(0)?, header(1)?, header(2)?);
        let start = table.checked_add(16 + words.checked_mul(8)?)?;
        let heads = self.bytes_at(start, 4 * buckets)?.as_chunks::<4>().0;
        let last = heads.iter().map(|head| u32::from_le_bytes(*head)).max()?;
        let Some(mut last) = u64::from(last).checked_sub(first) else {
            // No symbol can be looked up: only those before the table's are there.
            return Some(first);
        };
        let chains = start.checked_add(4 * buckets)?;
        while last < SYMBOLS_MAX {
            let hash = self.half_word(chains.checked_add(4 * last)?)?;
            last += 1;
            if hash & 1 != 0 {
                break;
            }
        }
        Some(first + last)
    }

    fn half_word(&self, address: u64) -> Option<u32> {
        let bytes = self.bytes_at(address, 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }
}
