//! Dynamic relocations that give words their load-time values: in a PIE the runtime's tables hold
//! addends, not addresses, and a word's value must be looked up here.

use std::collections::HashMap;

use object::read::{Object, ObjectSection, ReadRef};

use crate::{Elf, Result};

/// `R_X86_64_RELATIVE` and `R_AARCH64_RELATIVE`.
const RELATIVE: [u32; 2] = [8, 1027];
/// Bytes of an `Elf64_Rela` entry.
const RELA_BYTES: usize = 24;

impl<'data, R: ReadRef<'data>> Elf<'data, R> {
    /// The values that RELATIVE relocations put at addresses (as linked, bias 0), for the
    /// `(address, value)` pairs that are wanted: a large file has millions.
    ///
    /// # Errors
    /// When the relocation section lies outside of the file.
    pub fn relative_words(&self, wanted: impl Fn(u64, u64) -> bool) -> Result<HashMap<u64, u64>> {
        let mut words = HashMap::new();
        let Some(data) = self.section_data(".rela.dyn")? else {
            return Ok(words);
        };
        for entry in data.as_chunks::<RELA_BYTES>().0 {
            let word = |i: usize| {
                u64::from_le_bytes(entry[8 * i..8 * i + 8].try_into().expect("8 bytes of 24"))
            };
            let (address, info, addend) = (word(0), word(1), word(2));
            if RELATIVE.contains(&(info as u32)) && wanted(address, addend) {
                words.insert(address, addend);
            }
        }
        Ok(words)
    }

    /// Whether the file has sections at all (some packers and `sstrip` leave none).
    #[must_use]
    pub fn has_sections(&self) -> bool {
        self.file.sections().any(|s| s.size() > 0)
    }
}
