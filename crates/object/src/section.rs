//! Sections by name, with their bytes (decompressed where they are compressed).

use std::borrow::Cow;

use object::read::{CompressionFormat, Object, ObjectSection, ReadRef};

use crate::{Elf, Error, Result, SegmentKind};

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
        let Some(file) = self.file() else {
            return Vec::new();
        };
        file.sections()
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
        let Some(s) = self.file().and_then(|f| f.section_by_name(name)) else {
            return self.section_by_program_header(name);
        };
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
        self.section_data_within(name, DECOMPRESSED_BYTES_MAX)
    }

    /// The same for a section that is of use only up to a size.
    ///
    /// # Errors
    /// As [`Self::section_data`], and when the section is larger than `bytes_max`.
    pub fn section_data_within(
        &self,
        name: &str,
        bytes_max: u64,
    ) -> Result<Option<Cow<'data, [u8]>>> {
        let Some(section) = self.file().and_then(|f| f.section_by_name(name)) else {
            let section = self.section_by_program_header(name);
            let data = section.and_then(|s| self.bytes_at(s.address, s.size));
            return Ok(data.map(Cow::Borrowed));
        };
        let range = section
            .compressed_file_range()
            .map_err(|e| Error::malformed("section", format!("{name}: {e}")))?;
        let believed = match range.format {
            CompressionFormat::None => u64::MAX,
            _ => range.compressed_size.saturating_mul(COMPRESSION_RATIO_MAX),
        };
        let limit = believed.min(bytes_max);
        if range.uncompressed_size > limit {
            return Err(Error::TooLarge {
                what: "section",
                bytes: range.uncompressed_size,
                limit,
            });
        }
        let data = range
            .data(self.data)
            .and_then(|d| d.decompress())
            .map_err(|e| Error::malformed("section", format!("{name}: {e}")))?;
        Ok(Some(data))
    }

    /// `.eh_frame` of a file without section headers: `.eh_frame_hdr`, which a program header
    /// names, begins with where it is. Its end is unknown, but it says itself where it ends.
    fn section_by_program_header(&self, name: &str) -> Option<Section> {
        if name != ".eh_frame" || self.has_sections() {
            return None;
        }
        let mut segments = self.segments().iter();
        let header = segments.find(|s| s.kind == SegmentKind::EhFrameHdr)?;
        let bytes = self.bytes_at(header.address, 8)?;
        // Version 1; where .eh_frame is: four bytes, signed, from their own address
        // (DW_EH_PE_pcrel | DW_EH_PE_sdata4), which is what linkers write.
        let (&[1, 0x1b, _, _], distance) = bytes.split_first_chunk::<4>()? else {
            return None;
        };
        let distance = i32::from_le_bytes(distance.try_into().ok()?);
        let address = header.address.wrapping_add(4);
        let address = address.wrapping_add_signed(i64::from(distance));
        let segment = self.load_segment(address)?;
        Some(Section {
            name: name.to_owned(),
            address,
            size: segment.address + segment.file_size - address,
        })
    }
}
