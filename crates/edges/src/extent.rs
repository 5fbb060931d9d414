//! Where functions begin and end by unwind information: `.eh_frame`, found through the search table
//! that linkers add. By names, seam-symbolize tells it; hand-written code may have either one wrong
//! or none, so both are asked.

use std::ops::Range;

use gimli::{BaseAddresses, EhFrame, EhFrameOffset, EndianSlice, LittleEndian, UnwindSection};
use seam_object::{Elf, ReadRef};

/// How `.eh_frame_hdr` begins wherever a linker (ld, gold, lld, mold) writes one with a search
/// table: version 1, pointer to `.eh_frame` as pcrel sdata4, count as udata4, table as datarel
/// sdata4 (Linux Standard Base Core 5.0, 10.6.2).
const HEADER: [u8; 4] = [1, 0x1b, 0x03, 0x3b];
/// Bytes before the table: those, the pointer and the count.
const TABLE: usize = 12;

/// `.eh_frame` with its search table.
pub(crate) struct FrameIndex<'d> {
    frames: EhFrame<EndianSlice<'d, LittleEndian>>,
    frames_address: u64,
    /// Function and description, both relative to `table_address`, by rising function.
    table: &'d [[u8; 8]],
    table_address: u64,
}

impl<'d> FrameIndex<'d> {
    /// `None` where the file has no search table.
    pub(crate) fn read<R: ReadRef<'d>>(elf: &Elf<'d, R>) -> Option<Self> {
        let bytes = |name| {
            let section = elf.section(name)?;
            let bytes = elf.bytes_at(section.address, section.size)?;
            Some((section.address, bytes))
        };
        let (table_address, header) = bytes(".eh_frame_hdr")?;
        let (frames_address, frames) = bytes(".eh_frame")?;
        let table = header.strip_prefix(&HEADER).and(header.get(TABLE..))?;
        let count = u32::from_le_bytes(header.get(8..TABLE)?.try_into().ok()?);
        let mut frames = EhFrame::new(frames, LittleEndian);
        frames.set_address_size(8);
        Some(Self {
            frames,
            frames_address,
            table: table.as_chunks::<8>().0.get(..count as usize)?,
            table_address,
        })
    }

    /// The described range that covers an address.
    pub(crate) fn find(&self, address: u64) -> Option<Range<u64>> {
        let word = |entry: &[u8; 8], at: usize| {
            let word = [entry[at], entry[at + 1], entry[at + 2], entry[at + 3]];
            self.table_address
                .wrapping_add_signed(i64::from(i32::from_le_bytes(word)))
        };
        let after = self.table.partition_point(|e| word(e, 0) <= address);
        let description = word(self.table.get(after.checked_sub(1)?)?, 4);
        let offset = usize::try_from(description.checked_sub(self.frames_address)?).ok()?;
        let bases = BaseAddresses::default().set_eh_frame(self.frames_address);
        let cie = EhFrame::cie_from_offset;
        let found = self
            .frames
            .fde_from_offset(&bases, EhFrameOffset(offset), cie)
            .ok()?;
        let start = found.initial_address();
        let range = start..start.checked_add(found.len())?;
        range.contains(&address).then_some(range)
    }
}
