//! Sections by name, with their bytes (decompressed where they are compressed).

use std::borrow::Cow;

use object::read::{CompressionFormat, Object, ObjectSection, ReadRef};

use crate::{Elf, Error, Result};

/// The most that one section may decompress to.
const DECOMPRESSED_BYTES_MAX: u64 = 4 << 30;
/// No real DWARF compresses better; a claimed size beyond it is a lie.
const COMPRESSION_RATIO_MAX: u64 = 1100;

/// A section header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The name.
    pub name: String,
    /// Virtual address, 0 when not loaded.
    pub address: u64,
    /// Bytes in memory.
    pub size: u64,
}

impl<'data, R: ReadRef<'data>> Elf<'data, R> {
    /// All sections with names that are text.
    #[must_use]
    pub fn sections(&self) -> Vec<Section> {
        self.file
            .sections()
            .filter_map(|s| {
                let name = s.name().ok()?.to_owned();
                Some(Section {
                    name,
                    address: s.address(),
                    size: s.size(),
                })
            })
            .collect()
    }

    /// A section's header.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<Section> {
        let s = self.file.section_by_name(name)?;
        Some(Section {
            name: name.to_owned(),
            address: s.address(),
            size: s.size(),
        })
    }

    /// A section's bytes, `None` where there is no such section.
    ///
    /// # Errors
    /// When the section lies outside of the file or its compression is malformed or absurd.
    pub fn section_data(&self, name: &str) -> Result<Option<Cow<'data, [u8]>>> {
        let Some(section) = self.file.section_by_name(name) else {
            return Ok(None);
        };
        let range = section
            .compressed_file_range()
            .map_err(|e| Error::malformed("section", format!("{name}: {e}")))?;
        if range.format != CompressionFormat::None {
            let limit = range
                .compressed_size
                .saturating_mul(COMPRESSION_RATIO_MAX)
                .min(DECOMPRESSED_BYTES_MAX);
            if range.uncompressed_size > limit {
                return Err(Error::TooLarge {
                    what: "compressed section",
                    bytes: range.uncompressed_size,
                    limit,
                });
            }
        }
        let data = range
            .data(self.data)
            .and_then(|d| d.decompress())
            .map_err(|e| Error::malformed("section", format!("{name}: {e}")))?;
        Ok(Some(data))
    }
}
