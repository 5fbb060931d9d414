//! A Go program that a process executes, with all that is needed to look at it beyond its end: its
//! memory, its mappings, its executable.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use seam_go::{BuildInfo, GoModule};
use seam_memory::{Opened, proc_path};
use seam_object::{Elf, ReadCache};

use crate::hold::Hold;
use crate::maps::{MapsEntry, executable_entries};
use crate::system::{ends_within, has_ended, pidfd};
use crate::target::describe;
use crate::{Image, Modules, ProcessMap, TableCache, Target};

/// The parts of Go's own toolchain have main packages with such paths.
const TOOLCHAIN: &str = "cmd/";

/// Whether a folder has Go's own tools: `GOROOT/pkg/tool/linux_amd64`.
fn is_toolchain(folder: &std::path::Path) -> bool {
    folder
        .parent()
        .is_some_and(|parent| parent.ends_with("pkg/tool"))
}

/// How long is waited for an executable to be mapped, and how often is looked.
const MAPPED_WITHIN: Duration = Duration::from_millis(50);
const MAPPED_EVERY: Duration = Duration::from_micros(200);

/// A Go program whose memory is kept.
#[derive(Debug)]
pub struct Kept {
    /// The process that executes it.
    pub target: Target,
    /// The path of its main package, as `example.com/x.test`; empty where it is not told.
    pub package: String,
    memory: Opened,
    exe: File,
    pidfd: Option<OwnedFd>,
    maps: String,
    hold: Option<Hold>,
    modules: Modules,
}

/// What a process executes.
#[derive(Debug)]
pub enum Executed {
    /// A Go program.
    Go(Box<Kept>),
    /// A part of the Go toolchain, or no Go program.
    Other,
    /// It has ended before it could be opened.
    Gone,
}

impl Executed {
    /// Opens what a process executes now, and keeps its memory if it is a Go program.
    #[must_use]
    pub fn of(pid: i32) -> Self {
        // Most of what `go test` runs are these, and each would take time that others need.
        let path = std::fs::read_link(proc_path(pid, "exe")).unwrap_or_default();
        if path.parent().is_some_and(is_toolchain) {
            return Self::Other;
        }
        let opened = || {
            let memory = Opened::new(pid)?;
            let exe = File::open(proc_path(pid, "exe"))?;
            let maps = read_maps(pid)?;
            Ok::<_, std::io::Error>((memory, exe, maps))
        };
        let Ok((memory, exe, maps)) = opened() else {
            return Self::Gone;
        };
        let Some(start) = first_address(&maps) else {
            return Self::Gone;
        };
        // First of all, since it may end at any moment.
        let hold = Hold::of(&memory, start).ok();
        let pidfd = pidfd(pid);
        let Some(package) = package(&exe) else {
            return Self::Other;
        };
        if package.starts_with(TOOLCHAIN) {
            return Self::Other;
        }
        Self::Go(Box::new(Kept {
            target: describe(pid),
            package,
            maps: mapped(pid, &exe, pidfd.as_ref(), maps),
            memory,
            exe,
            pidfd,
            hold,
            modules: Modules::with_tables(TableCache::of_user()),
        }))
    }
}

impl Kept {
    /// Its memory.
    #[must_use]
    pub fn memory(&self) -> &Opened {
        &self.memory
    }

    /// Whether the memory will be there when the process has ended.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.hold.as_ref().is_some_and(Hold::keeps)
    }

    /// Whether the process has ended.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.pidfd.as_ref().is_none_or(has_ended)
    }

    /// Waits so long, or until the process has ended. Gives whether it has.
    #[must_use]
    pub fn ends_within(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.pidfd.as_ref().is_none_or(|p| ends_within(p, left)) {
                return true;
            }
            if left.is_zero() {
                return false;
            }
        }
    }

    /// The text of its `maps`, as it was when they were last read.
    #[must_use]
    pub fn maps(&self) -> &str {
        &self.maps
    }

    /// Reads its mappings anew, unless it has ended. Gives whether its code is mapped otherwise
    /// than before.
    pub fn follow(&mut self) -> bool {
        let Ok(now) = read_maps(self.target.pid) else {
            return false;
        };
        // The number may be another process's by now.
        if now.is_empty() || self.ended() {
            return false;
        }
        let code = |text: &str| executable_entries(text);
        let changed = code(&now) != code(&self.maps);
        self.maps = now;
        changed
    }

    /// Its image by the mappings that were last read. Files that it has mapped are opened now, so
    /// libraries of a process that has ended are found by their paths only.
    pub fn image(&mut self) -> Image {
        let mut map = ProcessMap::default();
        for entry in executable_entries(&self.maps) {
            if entry.path == "[vsyscall]" {
                continue;
            }
            if entry.has_file() {
                self.prepare(&entry);
            }
            map.insert(self.target.pid, &entry, &mut self.modules);
        }
        Image::new(map, &self.modules, &self.memory)
    }

    /// The executable is open since it began; another file is there under its path, if it is the
    /// same file.
    fn prepare(&mut self, entry: &MapsEntry) {
        use std::os::unix::fs::MetadataExt;
        let is = |file: &File| file.metadata().is_ok_and(|m| m.ino() == entry.file.inode);
        let file = match self.exe.try_clone() {
            Ok(exe) if is(&exe) => Some(exe),
            _ if self.ended() => File::open(&entry.path).ok().filter(is),
            _ => None,
        };
        if let Some(file) = file {
            self.modules.prepare_opened(entry, file);
        }
    }
}

impl Image {
    /// The addresses of functions whose names begin with `prefix`, in every Go module.
    #[must_use]
    pub fn functions_of(&self, prefix: &str) -> Vec<std::ops::Range<u64>> {
        let mut found = Vec::new();
        for runtime in &self.runtimes {
            let Some(file) = &runtime.module.file else {
                continue;
            };
            let cache = ReadCache::new(file);
            let Ok(elf) = Elf::parse(&cache) else {
                continue;
            };
            let Ok(Some(go)) = GoModule::find(&elf) else {
                continue;
            };
            let place = |address: u64| address.wrapping_add(runtime.load_bias);
            let named = go
                .pclntab
                .functions()
                .filter(|f| f.name.starts_with(prefix));
            found.extend(named.map(|f| place(f.entry)..place(f.end)));
        }
        found
    }
}

fn read_maps(pid: i32) -> std::io::Result<String> {
    let mut text = Vec::new();
    File::open(proc_path(pid, "maps"))?.read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The mappings once the executable is among them: the kernel tells of an exec before it has mapped
/// anything (`begin_new_exec` and then `elf_load`, fs, Linux 5.10 to 6.18). A program that is over
/// soon would otherwise be one without code.
fn mapped(pid: i32, exe: &File, pidfd: Option<&OwnedFd>, mut maps: String) -> String {
    use std::os::unix::fs::MetadataExt;
    let until = Instant::now() + MAPPED_WITHIN;
    let inode = exe.metadata().map_or(0, |m| m.ino());
    while !executable_entries(&maps)
        .iter()
        .any(|e| e.file.inode == inode)
    {
        let gone = pidfd.is_none_or(has_ended);
        if gone || Instant::now() > until {
            break;
        }
        std::thread::sleep(MAPPED_EVERY);
        match read_maps(pid) {
            Ok(now) if !now.is_empty() => maps = now,
            _ => break,
        }
    }
    maps
}

/// The first address that can be read.
fn first_address(maps: &str) -> Option<u64> {
    let readable = |line: &&str| line.split(' ').nth(1).is_some_and(|p| p.starts_with('r'));
    let line = maps.lines().find(readable)?;
    u64::from_str_radix(line.split_once('-')?.0, 16).ok()
}

/// The main package's path; `None` for what Go did not build.
fn package(exe: &File) -> Option<String> {
    let cache = ReadCache::new(exe);
    let elf = Elf::parse(&cache).ok()?;
    Some(BuildInfo::read(&elf)?.path)
}
