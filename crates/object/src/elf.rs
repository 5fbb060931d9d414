//! The file as a whole: header facts and access to everything else.

use object::LittleEndian;
use object::elf::{ET_DYN, ET_EXEC, FileHeader64};
use object::read::elf::FileHeader;
use object::read::{Object, ReadRef};

use crate::{Error, Result, Segment, SegmentKind};

/// The bytes of a GNU build id (usually 20).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BuildId(pub Vec<u8>);

impl std::fmt::Display for BuildId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// How the file is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElfKind {
    /// Linked at fixed addresses.
    Executable,
    /// Position independent: an executable or a library.
    Dynamic,
    /// Anything else (relocatable, core).
    Other,
}

/// A parsed 64-bit little-endian ELF file over readable bytes.
#[derive(Debug)]
pub struct Elf<'data, R: ReadRef<'data>> {
    pub(crate) data: R,
    /// With section headers, or without any; `None` where they are malformed or cut off.
    file: Option<object::read::elf::ElfFile64<'data, LittleEndian, R>>,
    segments: Vec<Segment>,
    kind: ElfKind,
    machine: u16,
    entry: u64,
}

impl<'data, R: ReadRef<'data>> Elf<'data, R> {
    /// Parses the headers; sections are read when asked for. A file whose section headers are
    /// malformed (the loader does not look at them) or cut off counts as one without sections.
    ///
    /// # Errors
    /// When the bytes are no 64-bit little-endian ELF file or its headers are malformed.
    pub fn parse(data: R) -> Result<Self> {
        check_ident(data)?;
        let header = FileHeader64::<LittleEndian>::parse(data)
            .map_err(|e| Error::malformed("headers", e))?;
        let file = object::read::elf::ElfFile64::<LittleEndian, R>::parse(data).ok();
        let endian = LittleEndian;
        let kind = match header.e_type(endian) {
            ET_EXEC => ElfKind::Executable,
            ET_DYN => ElfKind::Dynamic,
            _ => ElfKind::Other,
        };
        let machine = header.e_machine(endian);
        let entry = header.e_entry(endian);
        let segments = crate::segment::segments(header, data)?;
        Ok(Self {
            data,
            file,
            segments,
            kind,
            machine: machine.0,
            entry,
        })
    }

    /// The file's sections and symbols, if its section headers can be read.
    pub(crate) fn file(&self) -> Option<&object::read::elf::ElfFile64<'data, LittleEndian, R>> {
        self.file.as_ref()
    }

    /// Program headers in file order.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// How the file is linked.
    #[must_use]
    pub fn kind(&self) -> ElfKind {
        self.kind
    }

    /// Where the program starts; 0 in most libraries.
    #[must_use]
    pub fn entry(&self) -> u64 {
        self.entry
    }

    /// `e_machine`: 62 is x86-64, 183 aarch64.
    #[must_use]
    pub fn machine(&self) -> u16 {
        self.machine
    }

    /// The program interpreter, for dynamically linked executables.
    #[must_use]
    pub fn interpreter(&self) -> Option<String> {
        let segment = self
            .segments
            .iter()
            .find(|s| s.kind == SegmentKind::Interpreter)?;
        let bytes = self
            .data
            .read_bytes_at(segment.offset, segment.file_size.min(4096))
            .ok()?;
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
        String::from_utf8(bytes[..end].to_vec()).ok()
    }

    /// The GNU build id, from the notes.
    #[must_use]
    pub fn build_id(&self) -> Option<BuildId> {
        let id = self.file()?.build_id().ok()??;
        (!id.is_empty() && id.len() <= 64).then(|| BuildId(id.to_vec()))
    }

    /// Bytes at a virtual address, as the file gives them (before relocation). `None` where the
    /// file holds none.
    #[must_use]
    pub fn bytes_at(&self, address: u64, len: u64) -> Option<&'data [u8]> {
        let offset = self.file_offset(address, len)?;
        self.data.read_bytes_at(offset, len).ok()
    }

    /// Everything the file holds from `address` to the end of its segment, at most `len` bytes.
    #[must_use]
    pub fn bytes_up_to(&self, address: u64, len: u64) -> Option<&'data [u8]> {
        let segment = self.load_segment(address)?;
        let available = segment.address + segment.file_size - address;
        self.bytes_at(address, len.min(available))
    }

    /// A little-endian word at a virtual address.
    #[must_use]
    pub fn word_at(&self, address: u64) -> Option<u64> {
        let bytes = self.bytes_at(address, 8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    /// The loaded segment whose file bytes hold `address`.
    #[must_use]
    pub fn load_segment(&self, address: u64) -> Option<&Segment> {
        self.segments.iter().find(|s| {
            s.kind == SegmentKind::Load && address >= s.address && address - s.address < s.file_size
        })
    }

    fn file_offset(&self, address: u64, len: u64) -> Option<u64> {
        let segment = self.load_segment(address)?;
        let skip = address - segment.address;
        (len <= segment.file_size - skip).then_some(segment.offset.checked_add(skip)?)
    }
}

/// Tells other kinds of ELF from malformed ones before the parser proper sees them.
fn check_ident<'data>(data: impl ReadRef<'data>) -> Result<()> {
    let ident = data.read_bytes_at(0, 16).map_err(|()| Error::NotElf)?;
    if &ident[..4] != b"\x7fELF" {
        return Err(Error::NotElf);
    }
    if ident[4] != 2 {
        return Err(Error::Unsupported("32-bit"));
    }
    if ident[5] != 1 {
        return Err(Error::Unsupported("big-endian"));
    }
    Ok(())
}
