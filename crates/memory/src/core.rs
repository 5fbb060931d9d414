//! A core file: what a process had in memory when it died or was copied, its threads' registers and
//! which files it had mapped (core(5); fs/binfmt_elf.c, Linux 5.10 to 6.18; gcore writes the same).
//! Nothing in it is trusted: every length is checked, and what is not there is an error.
//!
//! Pages of files are mostly left out of a core: they come from the files, which others open
//! and add ([`Core::back`]).

mod notes;

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::{Memory, Unreadable};
pub use notes::{CoreFile, CoreThread};

/// Program headers of a process with a mapping for each are 65,530 (`vm.max_map_count`); some set
/// more.
const SEGMENTS_MAX: u64 = 1 << 22;
/// Notes of 10,000 threads with all their registers are 40 MiB.
const NOTES_MAX: u64 = 1 << 30;
const HEADER_BYTES: usize = 64;
const SEGMENT_BYTES: usize = 56;
const LOAD: u32 = 1;
const NOTE: u32 = 4;
const EXECUTABLE: u32 = 1;
const WRITABLE: u32 = 2;

/// Why a core can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CoreError {
    /// Reading failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is something else.
    #[error("it is no core file of a 64-bit x86 program")]
    NotACore,
    /// It says that it has more than there is.
    #[error("it is cut off: {0} lies beyond its end")]
    Cut(&'static str),
    /// A size that no process has.
    #[error("it makes no sense: {0}")]
    Nonsense(&'static str),
    /// No thread, no registers: nothing can be said.
    #[error("it has no threads")]
    NoThreads,
}

/// A part of the address space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreSegment {
    /// Its addresses.
    pub range: Range<u64>,
    /// Where its bytes are in the core, and how many of them.
    stored: Range<u64>,
    /// Code may run there.
    pub executable: bool,
    /// It may be written to.
    pub writable: bool,
}

/// Where the bytes of a core are.
#[derive(Debug)]
enum Bytes {
    File(File),
    Memory(Vec<u8>),
}

impl Bytes {
    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> std::io::Result<()> {
        let bytes = match self {
            Self::File(file) => return file.read_exact_at(buffer, at),
            Self::Memory(bytes) => bytes,
        };
        let at = usize::try_from(at).ok();
        let piece = at.and_then(|at| bytes.get(at..at.checked_add(buffer.len())?));
        let piece = piece.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(piece);
        Ok(())
    }
}

/// A core file.
#[derive(Debug)]
pub struct Core {
    bytes: Bytes,
    len: u64,
    segments: Vec<CoreSegment>,
    notes: notes::Notes,
    /// Addresses, the file that has their bytes, and where.
    backed: Vec<(Range<u64>, Arc<File>, u64)>,
}

impl Core {
    /// Reads headers and notes.
    ///
    /// # Errors
    /// When it is no core, or one that is cut off before its notes.
    pub fn open(file: File) -> Result<Self, CoreError> {
        let len = file.metadata()?.len();
        Self::read_from(Bytes::File(file), len)
    }

    /// The same for a core that is in memory.
    ///
    /// # Errors
    /// As [`Core::open`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, CoreError> {
        let len = bytes.len() as u64;
        Self::read_from(Bytes::Memory(bytes), len)
    }

    fn read_from(bytes: Bytes, len: u64) -> Result<Self, CoreError> {
        let mut core = Self {
            bytes,
            len,
            segments: Vec::new(),
            notes: notes::Notes::default(),
            backed: Vec::new(),
        };
        core.read_headers()?;
        if core.notes.threads.is_empty() {
            return Err(CoreError::NoThreads);
        }
        Ok(core)
    }

    fn read_headers(&mut self) -> Result<(), CoreError> {
        let header = self.piece(0, HEADER_BYTES as u64, "its header");
        let header = header.map_err(|_| CoreError::NotACore)?;
        // ELF, 64 bits, little endian; ET_CORE; EM_X86_64.
        let magic = header.starts_with(b"\x7fELF\x02\x01");
        if !magic || short(&header, 16) != 4 || short(&header, 18) != 62 {
            return Err(CoreError::NotACore);
        }
        let at = long(&header, 32);
        if usize::from(short(&header, 54)) != SEGMENT_BYTES {
            return Err(CoreError::Nonsense("the size of program headers"));
        }
        let mut count = u64::from(short(&header, 56));
        if count == 0xffff {
            // PN_XNUM: the true number is in the first section header.
            let section = self.piece(long(&header, 40), 64, "its section header")?;
            count = u64::from(int(&section, 44));
        }
        if count > SEGMENTS_MAX {
            return Err(CoreError::Nonsense("the number of program headers"));
        }
        let headers = self.piece(at, count * SEGMENT_BYTES as u64, "its program headers")?;
        for header in headers.chunks_exact(SEGMENT_BYTES) {
            let (kind, flags) = (int(header, 0), int(header, 4));
            let (offset, address) = (long(header, 8), long(header, 16));
            let (stored, size) = (long(header, 32), long(header, 40));
            match kind {
                LOAD => self.add_segment(address, size, offset, stored, flags),
                NOTE if stored > NOTES_MAX => {
                    return Err(CoreError::Nonsense("the size of its notes"));
                }
                NOTE => {
                    let notes = self.piece(offset, stored, "its notes")?;
                    self.notes.read(&notes);
                }
                _ => {}
            }
        }
        self.segments.sort_by_key(|s| s.range.start);
        Ok(())
    }

    fn add_segment(&mut self, address: u64, size: u64, offset: u64, stored: u64, flags: u32) {
        let Some(end) = address.checked_add(size).filter(|_| size > 0) else {
            return;
        };
        // A core that a full disk has cut off has the first part of its memory.
        let from = offset.min(self.len);
        let to = offset.saturating_add(stored.min(size)).min(self.len);
        self.segments.push(CoreSegment {
            range: address..end,
            stored: from..to.max(from),
            executable: flags & EXECUTABLE != 0,
            writable: flags & WRITABLE != 0,
        });
    }

    fn piece(&self, at: u64, len: u64, what: &'static str) -> Result<Vec<u8>, CoreError> {
        let end = at.checked_add(len).filter(|end| *end <= self.len);
        end.ok_or(CoreError::Cut(what))?;
        let mut bytes = vec![0; usize::try_from(len).map_err(|_| CoreError::Nonsense(what))?];
        self.bytes.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }

    /// The threads; the first is the one that died, or the one that was looked at.
    #[must_use]
    pub fn threads(&self) -> &[CoreThread] {
        &self.notes.threads
    }

    /// What was mapped of files.
    #[must_use]
    pub fn files(&self) -> &[CoreFile] {
        &self.notes.files
    }

    /// The process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        let first = self.notes.threads.first().map_or(0, |t| t.tid);
        self.notes.pid.unwrap_or(first)
    }

    /// The name of the executable's file, at most 15 bytes of it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.notes.name
    }

    /// A value that the kernel gave the program at its start (`AT_…`, linux/auxvec.h).
    #[must_use]
    pub fn auxiliary(&self, key: u64) -> Option<u64> {
        let found = self.notes.auxiliary.iter().find(|(k, _)| *k == key);
        found.map(|(_, value)| *value)
    }

    /// The address space, by rising address.
    #[must_use]
    pub fn segments(&self) -> &[CoreSegment] {
        &self.segments
    }

    /// The address space in the form of `/proc/PID/maps`, without names but those of files.
    #[must_use]
    pub fn maps(&self) -> String {
        let name = |at: u64| {
            let mut files = self.files().iter();
            files.find(|file| (file.start..file.end).contains(&at))
        };
        let line = |segment: &CoreSegment| {
            let Range { start, end } = segment.range;
            let write = if segment.writable { 'w' } else { '-' };
            let execute = if segment.executable { 'x' } else { '-' };
            let path = name(start).map_or("", |file| file.path.as_str());
            format!("{start:x}-{end:x} r{write}{execute}p 00000000 00:00 0 {path}\n")
        };
        self.segments.iter().map(line).collect()
    }

    /// Bytes that the core itself does not have although it should: it was cut off.
    #[must_use]
    pub fn missing_stacks(&self) -> usize {
        let sp = |t: &&CoreThread| self.word(t.registers[7]).is_err();
        self.notes.threads.iter().filter(sp).count()
    }

    /// Has what the core lacks of a mapping read from a file.
    pub fn back(&mut self, range: Range<u64>, file: Arc<File>, offset: u64) {
        self.backed.push((range, file, offset));
        self.backed.sort_by_key(|(range, ..)| range.start);
    }

    /// As much as the piece of memory at an address has in one place.
    fn some(&self, address: u64, buffer: &mut [u8]) -> Option<usize> {
        let after = self.segments.partition_point(|s| s.range.start <= address);
        let segment = after.checked_sub(1).and_then(|at| self.segments.get(at));
        if let Some(segment) = segment.filter(|s| address < s.range.end) {
            let at = segment
                .stored
                .start
                .checked_add(address - segment.range.start)?;
            let left = segment.stored.end.saturating_sub(at);
            if left > 0 {
                let len = buffer
                    .len()
                    .min(usize::try_from(left).unwrap_or(usize::MAX));
                self.bytes.read_exact_at(&mut buffer[..len], at).ok()?;
                return Some(len);
            }
        }
        let after = self
            .backed
            .partition_point(|(range, ..)| range.start <= address);
        let (range, file, offset) = self.backed.get(after.checked_sub(1)?)?;
        let left = range.end.checked_sub(address).filter(|left| *left > 0)?;
        let len = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let at = offset.checked_add(address - range.start)?;
        file.read_exact_at(&mut buffer[..len], at).ok()?;
        Some(len)
    }
}

impl Memory for Core {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let len = buffer.len();
        let unreadable = Unreadable { address, len };
        let mut done = 0;
        while done < len {
            let at = address.checked_add(done as u64).ok_or(unreadable)?;
            done += self.some(at, &mut buffer[done..]).ok_or(unreadable)?;
        }
        Ok(())
    }
}

fn short(bytes: &[u8], at: usize) -> u16 {
    let word = bytes.get(at..at + 2).and_then(|b| b.try_into().ok());
    word.map_or(0, u16::from_le_bytes)
}

fn int(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
    word.map_or(0, u32::from_le_bytes)
}

fn long(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at..at + 8).and_then(|b| b.try_into().ok());
    word.map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests;
