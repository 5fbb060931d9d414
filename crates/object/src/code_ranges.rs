//! Where a file's code lies.

use object::elf::SHF_EXECINSTR;
use object::read::{Object, ObjectSection, ReadRef, SectionFlags};

use crate::{Elf, SegmentKind};

impl<'data, R: ReadRef<'data>> Elf<'data, R> {
    /// Addresses of code, start and end, sorted: the executable sections that the file holds, or
    /// where there are no section headers its executable segments. PLTs are left out.
    #[must_use]
    pub fn code_ranges(&self) -> Vec<(u64, u64)> {
        let held = |start: u64, end: u64| {
            let inside = self.load_segment(start)?;
            let last = inside.address.checked_add(inside.file_size)?;
            (start < end && end <= last).then_some((start, end))
        };
        let mut has_code_sections = false;
        let mut ranges = Vec::new();
        for section in self.file().into_iter().flat_map(|f| f.sections()) {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
                continue;
            };
            if !sh_flags.contains(SHF_EXECINSTR) {
                continue;
            }
            has_code_sections = true;
            let name = section.name_bytes().unwrap_or_default();
            if name.starts_with(b".plt") || name.starts_with(b".iplt") {
                continue;
            }
            let start = section.address();
            ranges.extend(held(start, start.saturating_add(section.size())));
        }
        if !has_code_sections {
            let code = |s: &&crate::Segment| s.kind == SegmentKind::Load && s.executable;
            ranges.extend(
                self.segments()
                    .iter()
                    .filter(code)
                    .filter_map(|s| held(s.address, s.address.saturating_add(s.file_size))),
            );
        }
        ranges.sort_unstable();
        ranges
    }
}
