//! The notes of a core: threads with their registers, the process, mapped files, the auxiliary
//! vector. Notes that are too short for what they should hold are left out.

use super::{int, long};

/// `NT_…` in include/uapi/linux/elf.h.
const PRSTATUS: u32 = 1;
const PRPSINFO: u32 = 3;
const AUXV: u32 = 6;
const FILE: u32 = 0x4649_4c45;
/// struct elf_prstatus, x86-64: the signal, the thread, its registers.
const PRSTATUS_SIGNAL: usize = 12;
const PRSTATUS_PID: usize = 32;
const PRSTATUS_REGISTERS: usize = 112;
const PRSTATUS_BYTES: usize = 336;
/// struct elf_prpsinfo, x86-64.
const PRPSINFO_PID: usize = 24;
const PRPSINFO_NAME: usize = 40;
const PRPSINFO_BYTES: usize = 136;
/// Numbers of DWARF for the first of user_regs_struct: r15, r14, r13, r12, rbp, rbx, r11, r10, r9,
/// r8, rax, rcx, rdx, rsi, rdi.
const DWARF: [usize; 15] = [15, 14, 13, 12, 6, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5];
const ORIG_RAX: usize = 15;
const RIP: usize = 16;
const RSP: usize = 19;
const FS_BASE: usize = 21;
/// More mapped files than there may be mappings.
const FILES_MAX: u64 = 1 << 22;

/// A thread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CoreThread {
    /// Its id, in the namespace of who wrote the core.
    pub tid: i32,
    /// The signal that it died of; 0 = none.
    pub signal: u16,
    /// By DWARF number.
    pub registers: [u64; 16],
    /// The program counter.
    pub pc: u64,
    /// The thread pointer.
    pub fsbase: u64,
    /// The system call that it was in; negative = none.
    pub syscall: i64,
}

/// A mapping of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreFile {
    /// First address.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// Where in the file it begins, in bytes.
    pub offset: u64,
    /// The file's path when the core was written.
    pub path: String,
}

#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) threads: Vec<CoreThread>,
    pub(super) files: Vec<CoreFile>,
    pub(super) auxiliary: Vec<(u64, u64)>,
    pub(super) pid: Option<i32>,
    pub(super) name: String,
}

impl Notes {
    /// Takes in all notes of a segment, as far as they are whole.
    pub(super) fn read(&mut self, mut bytes: &[u8]) {
        while bytes.len() >= 12 {
            let (name, size, kind) = (int(bytes, 0), int(bytes, 4), int(bytes, 8));
            let padded = |len: u32| (len as usize).checked_next_multiple_of(4);
            let start = padded(name).and_then(|len| len.checked_add(12));
            let end = start.zip(padded(size)).and_then(|(a, b)| a.checked_add(b));
            let (Some(start), Some(end)) = (start, end) else {
                return;
            };
            let Some(data) = bytes.get(start..).and_then(|b| b.get(..size as usize)) else {
                return;
            };
            // Notes of other writers have other names.
            if bytes.get(12..16) == Some(b"CORE") {
                self.note(kind, data);
            }
            bytes = bytes.get(end..).unwrap_or_default();
        }
    }

    fn note(&mut self, kind: u32, data: &[u8]) {
        match kind {
            PRSTATUS if data.len() >= PRSTATUS_BYTES => self.threads.push(thread(data)),
            PRPSINFO if data.len() >= PRPSINFO_BYTES => {
                self.pid = Some(int(data, PRPSINFO_PID) as i32);
                let name = &data[PRPSINFO_NAME..PRPSINFO_NAME + 16];
                let name = name.split(|b| *b == 0).next().unwrap_or_default();
                self.name = String::from_utf8_lossy(name).into_owned();
            }
            AUXV => {
                let pairs = data.chunks_exact(16);
                self.auxiliary = pairs.map(|p| (long(p, 0), long(p, 8))).collect();
            }
            FILE => self.files = files(data).unwrap_or_default(),
            _ => {}
        }
    }
}

fn thread(data: &[u8]) -> CoreThread {
    let register = |at: usize| long(data, PRSTATUS_REGISTERS + 8 * at);
    let mut registers = [0; 16];
    for (at, number) in DWARF.iter().enumerate() {
        registers[*number] = register(at);
    }
    registers[7] = register(RSP);
    CoreThread {
        tid: int(data, PRSTATUS_PID) as i32,
        signal: int(data, PRSTATUS_SIGNAL) as u16,
        registers,
        pc: register(RIP),
        fsbase: register(FS_BASE),
        syscall: register(ORIG_RAX) as i64,
    }
}

/// Count, page size; for each start, end, offset in pages; then all names.
fn files(data: &[u8]) -> Option<Vec<CoreFile>> {
    let (count, page) = (long(data, 0), long(data, 8));
    let table = usize::try_from(count.checked_mul(24)?).ok()?;
    let names = data.get(16usize.checked_add(table)?..)?;
    if count > FILES_MAX {
        return None;
    }
    let mut names = names.split(|b| *b == 0);
    let entries = data.get(16..16 + table)?.chunks_exact(24);
    entries
        .map(|entry| {
            Some(CoreFile {
                start: long(entry, 0),
                end: long(entry, 8),
                offset: long(entry, 16).checked_mul(page)?,
                path: String::from_utf8_lossy(names.next()?).into_owned(),
            })
        })
        .collect()
}
