//! Program headers: what the loader maps, and where.

use object::LittleEndian;
use object::elf::{
    FileHeader64, PF_X, PT_DYNAMIC, PT_GNU_EH_FRAME, PT_INTERP, PT_LOAD, PT_NOTE, PT_TLS,
};
use object::read::ReadRef;
use object::read::elf::{FileHeader, ProgramHeader};

use crate::{Error, Result};

/// What a program header stands for; only the kinds that seam uses are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentKind {
    /// Mapped into memory.
    Load,
    /// The initial image of thread-local storage.
    Tls,
    /// The dynamic section.
    Dynamic,
    /// The interpreter's path.
    Interpreter,
    /// `.eh_frame_hdr`.
    EhFrameHdr,
    /// Notes, the build id among them.
    Note,
    /// Any other.
    Other,
}

/// One program header. All sizes and offsets in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Its kind.
    pub kind: SegmentKind,
    /// Whether it is mapped executable.
    pub executable: bool,
    /// Offset in the file.
    pub offset: u64,
    /// Virtual address as linked.
    pub address: u64,
    /// Bytes in the file.
    pub file_size: u64,
    /// Bytes in memory.
    pub memory_size: u64,
    /// Alignment.
    pub align: u64,
}

pub(crate) fn segments<'data, R: ReadRef<'data>>(
    header: &FileHeader64<LittleEndian>,
    data: R,
) -> Result<Vec<Segment>> {
    let endian = LittleEndian;
    let headers = header
        .program_headers(endian, data)
        .map_err(|e| Error::malformed("program headers", e))?;
    Ok(headers
        .iter()
        .map(|h| Segment {
            kind: match h.p_type(endian) {
                PT_LOAD => SegmentKind::Load,
                PT_TLS => SegmentKind::Tls,
                PT_DYNAMIC => SegmentKind::Dynamic,
                PT_INTERP => SegmentKind::Interpreter,
                PT_GNU_EH_FRAME => SegmentKind::EhFrameHdr,
                PT_NOTE => SegmentKind::Note,
                _ => SegmentKind::Other,
            },
            executable: h.p_flags(endian).0 & PF_X.0 != 0,
            offset: h.p_offset(endian),
            address: h.p_vaddr(endian),
            // A range that wraps around the address space holds nothing.
            file_size: h.p_filesz(endian).min(u64::MAX - h.p_vaddr(endian)),
            memory_size: h.p_memsz(endian).min(u64::MAX - h.p_vaddr(endian)),
            align: h.p_align(endian),
        })
        .collect())
}
