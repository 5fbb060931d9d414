//! Perf side-band records: who mapped what, executed, forked, ended (layout:
//! include/uapi/linux/perf_event.h, enum perf_event_type).

use std::os::fd::RawFd;

use crate::maps::{FileId, MapsEntry};
use crate::ring::Ring;
use crate::{Result, perf};

/// Pages of data per CPU (a power of two). mmap storms fit: a record has some 130 bytes.
const DATA_PAGES: usize = 64;
/// sample_id_all with TIME alone: the time is a record's last word.
const TRAILER: Trailer = Trailer { bytes: 8, time: 8 };
const PROT_EXEC: u32 = 4;
const PROT_WRITE: u32 = 2;
const MISC_COMM_EXEC: u16 = 1 << 13;

/// Something that happened to a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// Executable memory was mapped.
    Mapped { pid: i32, entry: MapsEntry },
    /// The process runs another program now.
    Executed {
        pid: i32,
        /// As the kernel shortens it.
        name: String,
    },
    /// A new process (not a thread) was made.
    Forked { parent: i32, pid: i32 },
    /// A process's main thread ended.
    Exited { pid: i32 },
    /// The kernel dropped this many records.
    Lost { records: u64 },
}

/// The rings of all CPUs.
#[derive(Debug)]
pub(crate) struct Sideband {
    rings: Vec<Ring>,
}

impl Sideband {
    /// Opens a ring on every CPU.
    pub(crate) fn open(cpus: &[i32]) -> Result<Self> {
        let rings = cpus
            .iter()
            .map(|cpu| Ring::open(perf::sideband(*cpu)?, DATA_PAGES));
        Ok(Self {
            rings: rings.collect::<Result<_>>()?,
        })
    }

    /// The descriptors to poll.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        self.rings.iter().map(Ring::as_raw_fd)
    }

    /// Takes all records that are there, by time.
    pub(crate) fn drain(&mut self) -> Vec<Event> {
        let mut timed = Vec::new();
        for ring in &mut self.rings {
            ring.drain(|record| timed.extend(parse(record, TRAILER)));
        }
        timed.sort_by_key(|(time, _)| *time);
        timed.into_iter().map(|(_, event)| event).collect()
    }

    /// Bytes of the rings, for the memory that seam uses.
    pub(crate) fn bytes(&self) -> usize {
        self.rings.iter().map(Ring::bytes).sum()
    }
}

/// What the kernel puts behind each record (struct sample_id).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trailer {
    pub(crate) bytes: usize,
    /// How far before the record's end the time is.
    pub(crate) time: usize,
}

fn until_nul(bytes: &[u8]) -> String {
    let len = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..len]).into_owned()
}

/// Reads one record; `None` for kinds that do not matter and for malformed ones.
pub(crate) fn parse(record: &[u8], trailer: Trailer) -> Option<(u64, Event)> {
    let u16_at = |at: usize| Some(u16::from_le_bytes(record.get(at..at + 2)?.try_into().ok()?));
    let u32_at = |at: usize| Some(u32::from_le_bytes(record.get(at..at + 4)?.try_into().ok()?));
    let u64_at = |at: usize| Some(u64::from_le_bytes(record.get(at..at + 8)?.try_into().ok()?));
    let pid_at = |at: usize| Some(u32_at(at)? as i32);
    let time = u64_at(record.len().checked_sub(trailer.time)?)?;
    let event = match u32_at(0)? {
        // PERF_RECORD_LOST: header, id, lost
        2 => Event::Lost {
            records: u64_at(16)?,
        },
        // PERF_RECORD_COMM: header, pid, tid, comm
        3 if u16_at(4)? & MISC_COMM_EXEC != 0 => Event::Executed {
            pid: pid_at(8)?,
            name: until_nul(record.get(16..)?),
        },
        // PERF_RECORD_EXIT: header, pid, ppid, tid, ptid
        4 if pid_at(8)? == pid_at(16)? => Event::Exited { pid: pid_at(8)? },
        // PERF_RECORD_FORK: the same; a thread has its parent's pid
        7 if pid_at(8)? != pid_at(12)? => Event::Forked {
            parent: pid_at(12)?,
            pid: pid_at(8)?,
        },
        // PERF_RECORD_MMAP2: header, pid, tid, addr, len, pgoff, maj, min, ino, gen, prot, flags
        10 if u32_at(64)? & PROT_EXEC != 0 => {
            let name = record.get(72..record.len().checked_sub(trailer.bytes)?)?;
            let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
            let start = u64_at(16)?;
            let path = String::from_utf8_lossy(&name[..end]).into_owned();
            Event::Mapped {
                pid: pid_at(8)?,
                entry: MapsEntry {
                    start,
                    end: start.checked_add(u64_at(24)?)?,
                    offset: u64_at(32)?,
                    file: FileId {
                        major: u32_at(40)?,
                        minor: u32_at(44)?,
                        inode: u64_at(48)?,
                    },
                    path: if path == "//anon" {
                        String::new()
                    } else {
                        path
                    },
                    writable: u32_at(64)? & PROT_WRITE != 0,
                },
            }
        }
        _ => return None,
    };
    Some((time, event))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mmap2() -> Vec<u8> {
        let mut record = Vec::new();
        record.extend(10u32.to_le_bytes());
        record.extend([0; 4]);
        record.extend(77u32.to_le_bytes());
        record.extend(78u32.to_le_bytes());
        for word in [0x1000u64, 0x2000, 0x3000] {
            record.extend(word.to_le_bytes());
        }
        record.extend(8u32.to_le_bytes());
        record.extend(1u32.to_le_bytes());
        record.extend(99u64.to_le_bytes());
        record.extend([0; 8]);
        record.extend(5u32.to_le_bytes());
        record.extend([0; 4]);
        record.extend(b"/lib/x.so\0\0\0\0\0\0\0");
        record.extend(123u64.to_le_bytes());
        record
    }

    #[test]
    fn a_mapping() {
        let (time, event) = parse(&mmap2(), TRAILER).expect("a record");
        let Event::Mapped { pid, entry } = event else {
            panic!("{event:?}")
        };
        assert_eq!(
            (time, pid, entry.start, entry.end),
            (123, 77, 0x1000, 0x3000)
        );
        assert_eq!((entry.offset, entry.path.as_str()), (0x3000, "/lib/x.so"));
        assert_eq!(
            entry.file,
            FileId {
                major: 8,
                minor: 1,
                inode: 99
            }
        );
    }

    #[test]
    fn cut_records_are_ignored() {
        let whole = mmap2();
        for len in 0..whole.len() {
            let _ = parse(&whole[..len], TRAILER);
        }
    }
}
