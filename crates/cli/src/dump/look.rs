//! One look at a process or a core, from its mappings to a dump with names.

use std::time::Instant;

use anyhow::Result;
use seam_capture::{CoreImage, Image, Target};
use seam_dump::Dump;
use seam_memory::{Opened, Resident, Source, proc_path};

use super::goroutines::{self, Goroutines, Raw};
use super::join::joined;
use super::stacks::RawStacks;
use super::threads::Threads;
use crate::failure::Failure;

/// What is looked at.
pub(crate) enum Origin {
    /// A running process.
    Process(Target),
    /// A core file.
    Core(Box<CoreImage>),
}

/// A look with what a mark over the memory needs.
pub(crate) struct Full {
    pub(crate) dump: Dump,
    pub(crate) image: Image,
    /// In the order of the dump's goroutines; empty unless asked for.
    pub(crate) raw: Vec<Raw>,
    /// Every g, those without a goroutine too.
    pub(crate) gs: Vec<u64>,
    /// The records of all that wait.
    pub(crate) sudogs: Vec<u64>,
    /// The addresses of the dump's stacks.
    pub(crate) frames: Vec<Vec<u64>>,
    /// The threads that sleep, by their stacks.
    pub(crate) thread_stacks: Vec<ThreadStack>,
    /// Registers of the threads that were interrupted; `None` where they can't be had.
    pub(crate) registers: Option<Vec<u64>>,
    /// What it was read from.
    pub(crate) memory: Source,
    /// What was mapped then, in the form of `/proc/PID/maps`.
    pub(crate) maps: String,
}

/// The stack of a thread that sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ThreadStack {
    pub(crate) sp: u64,
    /// It is in C, be it below Go. An M that rests has only C that starts threads.
    pub(crate) in_c: bool,
}

/// Looks at a process, or at what a core has of one.
pub(super) fn at(origin: Origin, wanted: Wanted) -> Result<Full> {
    match origin {
        Origin::Process(target) => full(&target, wanted),
        Origin::Core(core) => Ok(of_core(*core, wanted)),
    }
}

/// What is read beyond a dump.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted {
    /// What a mark needs.
    pub(crate) raw: bool,
    pub(crate) timers: bool,
    /// A sample of each thread that runs.
    pub(crate) sample: bool,
    /// The kernel's stacks of threads.
    pub(crate) kernel: bool,
}

/// Looks at a process, and keeps what is asked for.
pub(crate) fn full(target: &Target, wanted: Wanted) -> Result<Full> {
    let keep_raw = wanted.raw;
    let pid = target.pid;
    let program = program(pid);
    let image = Image::read(pid)?;
    let resident = Resident::new(pid);
    let memory = Source::Live(resident.clone());
    let mut stacks = RawStacks::default();
    let started = Instant::now();
    let mut threads = Threads::look(pid, &resident, &image, &mut stacks, keep_raw)?;
    let mut dump = Dump {
        pid,
        name: target.name.clone(),
        notes: threads.note.take().into_iter().collect(),
        ..Dump::default()
    };
    let runtimes = runtimes(&image, &memory, &mut stacks, keep_raw, &mut dump.notes);
    threads.verify(pid);
    if wanted.sample {
        threads.sample(target, &mut stacks);
        dump.notes.extend(threads.note.take());
    }
    dump.read_ns = started.elapsed().as_nanos() as u64;
    seam_capture::check_target(pid)?;
    if self::program(pid) != program {
        return Err(Failure::new(
            format!("process {pid} executed another program while it was read"),
            format!("try again: seam {} {pid}", crate::args::verb()),
        )
        .into());
    }
    if resident.left_alone() > 0 {
        dump.notes.push(format!(
            "what is swapped out was left alone, for reading would bring it back: {} reads",
            resident.left_alone()
        ));
    }
    dump.now_ns = monotonic_ns();
    let maps = std::fs::read_to_string(proc_path(pid, "maps")).unwrap_or_default();
    let read = Read {
        image,
        memory,
        maps,
        stacks,
        threads,
        runtimes,
    };
    Ok(joined(dump, wanted, read))
}

/// Looks at a core, in which nothing moves.
pub(crate) fn of_core(opened: CoreImage, wanted: Wanted) -> Full {
    let CoreImage {
        image, core, notes, ..
    } = opened;
    let started = Instant::now();
    let mut stacks = RawStacks::default();
    let threads = Threads::of_core(&core, &image, &mut stacks);
    let executable = opened.executable.rsplit('/').next().unwrap_or_default();
    let mut dump = Dump {
        pid: core.pid(),
        name: match executable {
            "" => core.name().to_owned(),
            file => file.to_owned(),
        },
        core: true,
        notes,
        ..Dump::default()
    };
    // The kernel names it at all threads; the first is the one that it came to.
    let died = core.threads().first().filter(|t| t.signal != 0);
    let died = died.map(|t| format!("thread {} died of signal {}", t.tid, t.signal));
    dump.notes.extend(died);
    let maps = core.maps();
    let memory = Source::Core(core);
    let runtimes = runtimes(&image, &memory, &mut stacks, wanted.raw, &mut dump.notes);
    dump.read_ns = started.elapsed().as_nanos() as u64;
    let read = Read {
        image,
        memory,
        maps,
        stacks,
        threads,
        runtimes,
    };
    joined(dump, wanted, read)
}

/// Looks at what is kept of a process that has ended: its threads are gone, all else is there.
pub(crate) fn of_kept(target: &Target, image: Image, memory: Opened, maps: &str) -> Full {
    let wanted = Wanted {
        raw: true,
        ..Wanted::default()
    };
    let started = Instant::now();
    let mut stacks = RawStacks::default();
    let mut dump = Dump {
        pid: target.pid,
        name: target.name.clone(),
        core: true,
        ..Dump::default()
    };
    let memory = Source::Opened(memory);
    let runtimes = runtimes(&image, &memory, &mut stacks, wanted.raw, &mut dump.notes);
    dump.read_ns = started.elapsed().as_nanos() as u64;
    let read = Read {
        image,
        memory,
        maps: maps.to_owned(),
        stacks,
        threads: Threads::none(),
        runtimes,
    };
    joined(dump, wanted, read)
}

/// What was read, without names.
pub(super) struct Read {
    pub(super) image: Image,
    pub(super) memory: Source,
    pub(super) maps: String,
    pub(super) stacks: RawStacks,
    pub(super) threads: Threads,
    pub(super) runtimes: Vec<(usize, Goroutines)>,
}

/// The goroutines of every runtime, with its number.
fn runtimes(
    image: &Image,
    memory: &Source,
    stacks: &mut RawStacks,
    keep_raw: bool,
    notes: &mut Vec<String>,
) -> Vec<(usize, Goroutines)> {
    let mut all = Vec::new();
    for (number, runtime) in image.own_runtimes() {
        match goroutines::read(memory, image, number, stacks, keep_raw) {
            Ok(mut found) => {
                notes.append(&mut found.notes);
                all.push((number, found));
            }
            Err(why) => {
                let name = runtime.module.name();
                notes.push(format!("{name}: no goroutines: {why}"));
            }
        }
    }
    all
}

/// What changes when a process executes a program, be it the same one: the kernel puts the vdso and
/// the random bytes elsewhere (`create_elf_tables`, fs/binfmt_elf.c, Linux 5.17 to 6.18).
fn program(pid: i32) -> Option<Vec<u8>> {
    std::fs::read(proc_path(pid, "auxv")).ok()
}

/// The clock of the runtime's `nanotime`.
fn monotonic_ns() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid timespec for the call to fill.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
