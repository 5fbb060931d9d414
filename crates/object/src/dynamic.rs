//! The dynamic section: which libraries are needed and where they are looked for.

use object::LittleEndian;
use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME};
use object::read::ReadRef;
use object::read::elf::Dyn;

use crate::{Elf, Error, Result};

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
