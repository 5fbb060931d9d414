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

/// More than the notes of any file; a core has its own reader.
const NOTES_MAX: u64 = 1 << 20;
/// A note's owner and type.
type NoteKind = ([u8; 4], u32);
/// `NT_GNU_BUILD_ID`
const BUILD_ID: NoteKind = (*b"GNU\0", 3);
/// `ELF_NOTE_GOBUILDID_TAG` (cmd/link/internal/ld/elf.go)
const GO_BUILD_ID: NoteKind = (*b"Go\0\0", 4);

/// The first note of a kind among those of a segment, which are padded to `align` bytes.
fn note_among(mut bytes: &[u8], align: usize, (owner, kind): NoteKind) -> Option<&[u8]> {
    loop {
        let (header, rest) = bytes.split_first_chunk::<12>()?;
        let word = |at: usize| {
            let word = header[at..at + 4].try_into().expect("four bytes");
            u32::from_le_bytes(word)
        };
        let (name, data) = (word(0) as usize, word(4) as usize);
        let start = name.checked_add(12)?.checked_next_multiple_of(align)? - 12;
        let found = rest.get(start..)?.get(..data)?;
        if word(8) == kind && rest.get(..4) == Some(&owner) {
            return Some(found);
        }
        let end = start.checked_add(data)?.checked_add(12)?;
        bytes = bytes.get(end.checked_next_multiple_of(align)?..)?;
    }
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

    /// The GNU build id, from the notes; those of segments where there are no sections.
    #[must_use]
    pub fn build_id(&self) -> Option<BuildId> {
        let of_sections = self.file().and_then(|file| file.build_id().ok().flatten());
        let id = of_sections.or_else(|| self.note(BUILD_ID))?;
        (!id.is_empty() && id.len() <= 64).then(|| BuildId(id.to_vec()))
    }

    /// Go's own build id, which its linker puts into every file.
    #[must_use]
    pub fn go_build_id(&self) -> Option<&'data [u8]> {
        self.note(GO_BUILD_ID)
    }

    fn note(&self, kind: NoteKind) -> Option<&'data [u8]> {
        let notes = self.segments.iter().filter(|s| s.kind == SegmentKind::Note);
        let mut bytes = notes.filter_map(|s| {
            let len = s.file_size.min(NOTES_MAX);
            Some((self.data.read_bytes_at(s.offset, len).ok()?, s.align))
        });
        bytes.find_map(|(bytes, align)| note_among(bytes, if align == 8 { 8 } else { 4 }, kind))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn note(name: &[u8], kind: u32, data: &[u8], align: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [name.len() as u32, data.len() as u32, kind] {
            bytes.extend(word.to_le_bytes());
        }
        for part in [name, data] {
            bytes.extend(part);
            bytes.resize(bytes.len().next_multiple_of(align), 0);
        }
        bytes
    }

    #[test]
    fn the_build_id_stands_among_other_notes() {
        for align in [4, 8] {
            let mut bytes = note(b"GNU\0", 5, &[1; 13], align);
            bytes.extend(note(b"Go\0\0", 3, &[2; 9], align));
            bytes.extend(note(b"GNU\0", 3, &[7; 20], align));
            bytes.extend(note(b"Go\0\0", 4, &[4; 9], align));
            let id = note_among(&bytes, align, BUILD_ID);
            assert_eq!(id, Some(&[7; 20][..]), "{align}");
            let of_go = note_among(&bytes, align, GO_BUILD_ID);
            assert_eq!(of_go, Some(&[4; 9][..]), "{align}");
            for len in 0..bytes.len() {
                let _ = note_among(&bytes[..len], align, GO_BUILD_ID);
            }
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] = 0xff;
                let _ = note_among(&changed, align, GO_BUILD_ID);
            }
        }
    }
}
