//! Probes in a program's functions, as another tool would set them: the kernel's uprobes, through
//! perf events that only count.

use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;
use std::process::Command;

/// `struct perf_event_attr` up to and with config2: its first published sizes end there
/// (PERF_ATTR_SIZE_VER1).
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    /// Bit 0: at the return.
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup: u32,
    bp_type: u32,
    path: u64,
    offset: u64,
}

/// PERF_FLAG_FD_CLOEXEC, include/uapi/linux/perf_event.h
const FD_CLOEXEC: libc::c_ulong = 8;

/// A probe that is set until it is dropped.
pub struct Probe {
    /// One for each CPU.
    events: Vec<OwnedFd>,
}

/// Where a probe is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The function's first instruction.
    Entry,
    /// Its return.
    Return,
}

impl Probe {
    /// Sets a probe in a function of a file, in every process that runs it.
    ///
    /// # Panics
    /// When there is no such function, or the kernel refuses.
    #[must_use]
    pub fn set(file: &Path, function: &str, at: At) -> Self {
        let path = std::ffi::CString::new(file.to_str().expect("UTF-8")).expect("no zero bytes");
        let attributes = Attributes {
            kind: event_type(),
            size: size_of::<Attributes>() as u32,
            config: u64::from(at == At::Return),
            path: path.as_ptr() as u64,
            offset: offset_of(file, function),
            ..Attributes::default()
        };
        let cpus = std::thread::available_parallelism().expect("there are CPUs");
        let open = |cpu: usize| {
            // SAFETY: the structure has the size that it names, and the path lives until the call
            // ends.
            let fd = unsafe {
                libc::syscall(
                    libc::SYS_perf_event_open,
                    &raw const attributes,
                    -1,
                    cpu as libc::c_int,
                    -1,
                    FD_CLOEXEC,
                )
            };
            let why = std::io::Error::last_os_error();
            assert!(fd >= 0, "no probe in {function}: {why}");
            // SAFETY: the kernel has just given us this descriptor.
            unsafe { OwnedFd::from_raw_fd(fd as i32) }
        };
        let events = (0..cpus.get()).map(open).collect();
        Self { events }
    }

    /// How often it was hit.
    ///
    /// # Panics
    /// When an event can't be read.
    #[must_use]
    pub fn hits(&self) -> u64 {
        let count = |event| {
            let mut count = [0; 8];
            let read = nix::unistd::read(event, &mut count).expect("an open event");
            assert_eq!(read, 8);
            u64::from_le_bytes(count)
        };
        self.events.iter().map(count).sum()
    }
}

fn event_type() -> u32 {
    let text = std::fs::read_to_string("/sys/bus/event_source/devices/uprobe/type");
    let text = text.expect("the kernel has uprobes");
    text.trim().parse().expect("a number")
}

/// Where a function lies in its file.
fn offset_of(file: &Path, function: &str) -> u64 {
    let hex = |word: &str| u64::from_str_radix(word.trim_start_matches("0x"), 16).ok();
    let symbols = output(Command::new("nm").arg(file));
    let address = symbols.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words.len() == 3 && words[2] == function).then(|| hex(words[0]))?
    });
    let address = address.unwrap_or_else(|| panic!("{} has no {function}", file.display()));
    let headers = output(Command::new("readelf").arg("-lW").arg(file));
    // LOAD offset address physical file-size memory-size flags align
    let offset = headers.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let code = words.first() == Some(&"LOAD") && words.contains(&"E");
        let (offset, start) = (hex(words.get(1)?)?, hex(words.get(2)?)?);
        let size = hex(words.get(4)?)?;
        let inside = code && address >= start && address - start < size;
        inside.then(|| address - start + offset)
    });
    offset.unwrap_or_else(|| panic!("{function} is not in the code of {}", file.display()))
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("binutils are installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
