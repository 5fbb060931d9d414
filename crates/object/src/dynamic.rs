//! The dynamic section: which libraries are needed and where they are looked for.

use object::LittleEndian;
use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME};
use object::read::ReadRef;
use object::read::elf::Dyn;

use crate::{Elf, Error, Result, SegmentKind};

/// Entries that are looked at; libraries have some thirty.
const ENTRIES_MAX: u64 = 4096;

/// What the dynamic section says of libraries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dynamic {
    /// `DT_NEEDED`, in order.
    pub needed: Vec<String>,
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// `DT_RUNPATH`, else `DT_RPATH`.
    pub runpath: Option<String>,
}

impl<'data, R: ReadRef<'data>> Elf<'data, R> {
    /// Whether it is marked as a position-independent program (`DF_1_PIE`), which linkers do since
    /// binutils 2.26 and lld 3.9; those that need no library have the mark, too.
    #[must_use]
    pub fn is_pie(&self) -> bool {
        const ENTRY_BYTES: u64 = 16;
        const NULL: u64 = 0;
        const FLAGS_1: u64 = 0x6fff_fffb;
        const PIE: u64 = 0x0800_0000;
        let mut segments = self.segments().iter();
        let Some(segment) = segments.find(|s| s.kind == SegmentKind::Dynamic) else {
            return false;
        };
        // As the loader finds it: section headers may be gone.
        let len = segment.file_size.min(ENTRIES_MAX * ENTRY_BYTES);
        let bytes = self.data.read_bytes_at(segment.offset, len);
        let entries = bytes.unwrap_or_default().as_chunks::<8>().0.iter();
        let words: Vec<u64> = entries.map(|word| u64::from_le_bytes(*word)).collect();
        let entries = words.as_chunks::<2>().0.iter();
        let mut entries = entries.take_while(|[tag, _]| *tag != NULL);
        entries.any(|[tag, flags]| *tag == FLAGS_1 && flags & PIE != 0)
    }

    /// Reads the dynamic section; an empty value for static files.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn dynamic(&self) -> Result<Dynamic> {
        let endian = LittleEndian;
        let malformed = |e: object::read::Error| Error::malformed("dynamic section", e);
        let mut dynamic = Dynamic::default();
        let Some(file) = self.file() else {
            return Ok(dynamic);
        };
        let sections = file.elf_section_table();
        let Some((entries, link)) = sections.dynamic(endian, self.data).map_err(malformed)? else {
            return Ok(dynamic);
        };
        let strings = sections
            .strings(endian, self.data, link)
            .map_err(malformed)?;
        for entry in entries {
            let text = |d: &object::elf::Dyn64<LittleEndian>| {
                let bytes = strings.get(d.d_val(endian).try_into().ok()?).ok()?;
                Some(String::from_utf8_lossy(bytes).into_owned())
            };
            match entry.d_tag(endian) {
                DT_NEEDED => dynamic.needed.extend(text(entry)),
                DT_SONAME => dynamic.soname = text(entry),
                DT_RUNPATH => dynamic.runpath = text(entry),
                DT_RPATH if dynamic.runpath.is_none() => {
                    dynamic.runpath = text(entry);
                }
                _ => {}
            }
        }
        Ok(dynamic)
    }
}
