//! The debug sections of a file, decompressed, within a limit for all of them.

use std::borrow::Cow;

use gimli::{DwarfSections, EndianSlice, LittleEndian, SectionId};
use seam_object::{Elf, Error, ReadRef};

use super::{Dwarf, DwarfError};

/// Debug sections as bytes.
#[derive(Debug)]
pub struct DebugSections<'d> {
    sections: DwarfSections<Cow<'d, [u8]>>,
    bytes: u64,
}

impl<'d> DebugSections<'d> {
    /// Reads the sections that tell functions and lines; `None` where there are none.
    ///
    /// # Errors
    /// When one is malformed, or when they are larger than `bytes_max` together.
    pub fn read<R: ReadRef<'d>>(
        elf: &Elf<'d, R>,
        bytes_max: u64,
    ) -> Result<Option<Self>, DwarfError> {
        if elf.section(SectionId::DebugInfo.name()).is_none() {
            return Ok(None);
        }
        let mut read = 0;
        let sections = DwarfSections::load(|id| {
            if !needed(id) {
                return Ok(Cow::default());
            }
            let data = match elf.section_data_within(id.name(), bytes_max - read) {
                Err(Error::TooLarge { bytes, .. }) if bytes > bytes_max - read => {
                    return Err(DwarfError::TooLarge(bytes_max));
                }
                other => other?.unwrap_or_default(),
            };
            read += data.len() as u64;
            Ok::<_, DwarfError>(data)
        })?;
        Ok(Some(Self {
            sections,
            bytes: read,
        }))
    }

    /// What they take, decompressed.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn borrow<'a>(&'a self, shared: Option<&'a DebugSections<'_>>) -> Dwarf<'a> {
        let slice = |bytes: &'a [u8]| EndianSlice::new(bytes, LittleEndian);
        let mut dwarf = self.sections.borrow(|section| slice(section));
        if let Some(shared) = shared {
            dwarf.set_sup(shared.sections.borrow(|section| slice(section)));
        }
        dwarf
    }
}

/// Variables, macros, types and indexes are of no use here, and often the larger part.
fn needed(id: SectionId) -> bool {
    matches!(
        id,
        SectionId::DebugAbbrev
            | SectionId::DebugAddr
            | SectionId::DebugInfo
            | SectionId::DebugLine
            | SectionId::DebugLineStr
            | SectionId::DebugRanges
            | SectionId::DebugRngLists
            | SectionId::DebugStr
            | SectionId::DebugStrOffsets
    )
}
