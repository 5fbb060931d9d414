//! Modules: files (and the vdso) that processes map code from. A module is opened once, by what the
//! kernel says is mapped and not by its path, and keeps its unwind table and what is needed to find
//! names later.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use seam_go::TlsOffset;
use seam_memory::{Live, Memory, proc_path, reached_by};
use seam_object::{BuildId, Elf, ReadCache, Segment, SegmentKind};
use seam_unwind::ModuleTable;
use seam_wire::{FileEntry, FileKey, SEAM_FILE_GO, SEAM_FILE_GO_LOADED, SEAM_FILE_NO_GO};

use crate::maps::{FileId, MapsEntry};
use crate::process_map::go_runtime;
use crate::table_cache::{FileFacts, Found, TableCache};

/// The name of code in memory without a file.
const ANONYMOUS: &str = "[anonymous]";
/// The most that is read as a vdso.
const VDSO_BYTES_MAX: u64 = 1 << 20;

/// Code that processes map.
#[derive(Debug)]
pub struct Module {
    /// Counts from 0 in the order of discovery.
    pub number: u32,
    /// What kind of code it is.
    pub kind: ModuleKind,
    /// The file's identity; `None` without a file.
    pub id: Option<FileId>,
    /// The path in the process's own view, or a name in brackets.
    pub path: String,
    /// The GNU build id.
    pub build_id: Option<BuildId>,
    /// Its program headers.
    pub segments: Vec<Segment>,
    /// Linked to run at any address.
    pub position_independent: bool,
    /// It has a full symbol table.
    pub has_symtab: bool,
    /// The unwind table, or why there is none.
    pub table: Result<ModuleTable, String>,
    /// The open file, which stays readable when its path is gone; `None` for the vdso and for
    /// files that could not be opened.
    pub file: Option<File>,
    /// The vdso's bytes.
    pub image: Vec<u8>,
    /// The process that makes the code; `None` for code that any process may have.
    pub maker: Option<i32>,
}

/// Kinds of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleKind {
    /// A file.
    File,
    /// The kernel's library in every process.
    Vdso,
    /// Code that a process makes at run time.
    Anonymous,
    /// Code that the kernel puts in for probes.
    Probe,
}

impl Module {
    /// Its table as the kernel side finds it at an exec; `None` without a table.
    #[must_use]
    pub fn kernel_entry(&self, slot: u32) -> Option<(FileKey, FileEntry)> {
        let built = self.table.as_ref().ok().filter(|_| slot != 0)?;
        let code = self
            .segments
            .iter()
            .find(|s| s.kind == SegmentKind::Load && s.executable)?;
        let key = match self.kind {
            ModuleKind::Vdso => FileKey::default(),
            ModuleKind::File => self.id?.kernel_key(),
            ModuleKind::Anonymous | ModuleKind::Probe => return None,
        };
        let fixed = built
            .go
            .as_ref()
            .filter(|go| matches!(go.tls, Some(TlsOffset::Fixed(_) | TlsOffset::Nowhere)));
        let go = match (&built.go, fixed) {
            (None, _) => SEAM_FILE_NO_GO,
            (Some(_), Some(_)) => SEAM_FILE_GO,
            (Some(_), None) => SEAM_FILE_GO_LOADED,
        };
        let entry = FileEntry {
            table: slot,
            index_word: built.table.index_word,
            pages: built.table.pages,
            go,
            table_base: built.table.base,
            code_offset: code.offset,
            code_address: code.address,
            code_bytes: code.memory_size,
            runtime: fixed
                .map(|go| go_runtime(&Live::new(0), go, 0))
                .unwrap_or_default(),
        };
        Some((key, entry))
    }

    /// Where in the file an address as linked lies; 0 if nowhere.
    #[must_use]
    pub fn offset_of(&self, address: u64) -> u64 {
        let mut loaded = self.segments.iter().filter(|s| s.kind == SegmentKind::Load);
        let page = |s: &&Segment| {
            let first = s.address & !0xfff;
            address >= first && address - first < s.memory_size.saturating_add(0x1000)
        };
        let holding = loaded.find(page);
        holding.map_or(0, |s| {
            address.wrapping_sub(s.address).wrapping_add(s.offset)
        })
    }

    /// The address at which the module's address 0 is loaded, given one of its mappings.
    #[must_use]
    pub fn load_bias(&self, start: u64, offset: u64) -> Option<u64> {
        if self.kind == ModuleKind::Vdso {
            let first = self.segments.iter().find(|s| s.kind == SegmentKind::Load)?;
            return Some(start.wrapping_sub(first.address));
        }
        let loaded = self.segments.iter().filter(|s| s.kind == SegmentKind::Load);
        let mut holding = loaded.filter(|s| {
            // The kernel maps whole pages around a segment's bytes.
            let first = s.offset & !0xfff;
            offset >= first && offset < s.offset.saturating_add(s.file_size.max(1))
        });
        let segment = holding
            .clone()
            .find(|s| s.executable)
            .or_else(|| holding.next())?;
        Some(
            start
                .wrapping_sub(offset)
                .wrapping_add(segment.offset)
                .wrapping_sub(segment.address),
        )
    }

    /// The last part of the path.
    #[must_use]
    pub fn name(&self) -> &str {
        let path = self.path.strip_suffix(" (deleted)").unwrap_or(&self.path);
        path.rsplit('/').next().unwrap_or(path)
    }
}

/// All modules seen, by what they are.
#[derive(Debug, Default)]
pub struct Modules {
    by_file: HashMap<FileId, Arc<Module>>,
    /// Files that could not be opened when they were met: a process that maps one again may live
    /// longer, or have the right.
    unopened: HashSet<FileId>,
    vdso: Option<Arc<Module>>,
    /// What processes make, by who made it and under which name.
    made: HashMap<(Option<i32>, String), Arc<Module>>,
    all: Vec<Arc<Module>>,
    tables: TableCache,
}

/// What the kernel calls the pages that it adds for probes (kernel/events/uprobes.c since Linux
/// 3.5; arch/x86/kernel/uprobes.c, 6.18).
const PROBE_PAGES: [&str; 2] = ["[uprobes]", "[uprobes-trampoline]"];

impl Modules {
    /// No modules yet; tables are taken from `tables` where they are there.
    #[must_use]
    pub fn with_tables(tables: TableCache) -> Self {
        Self {
            tables,
            ..Self::default()
        }
    }

    /// Keeps the tables that were built for other recordings. Gives how many of all were not built.
    pub fn keep_tables(&mut self) -> u32 {
        self.tables.keep();
        self.tables.found()
    }

    /// The module of a mapping, opened and read now if it is new.
    pub fn of_mapping(&mut self, pid: i32, entry: &MapsEntry) -> Arc<Module> {
        if entry.has_file() {
            let known = self.by_file.get(&entry.file).map(Arc::clone);
            let again = self.unopened.contains(&entry.file);
            if let Some(module) = known.as_ref().filter(|_| !again) {
                return Arc::clone(module);
            }
            if let Some(module) = self.made.get(&(Some(pid), entry.path.clone())) {
                return Arc::clone(module);
            }
            let file = open_mapped(pid, entry);
            if let (Some(module), Err(_)) = (known, &file) {
                return module;
            }
            match &file {
                Ok(_) => self.unopened.remove(&entry.file),
                Err(_) => self.unopened.insert(entry.file),
            };
            let number = self.all.len() as u32;
            let path = entry.path.clone();
            let (module, key) = file_module(number, entry.file, path, file, &mut self.tables);
            if module.table.is_err() && entry.is_made() {
                return self.made(Some(pid), &entry.path);
            }
            return self.add_file(entry.file, module, key);
        }
        if entry.path == "[vdso]" {
            if let Some(module) = &self.vdso {
                return Arc::clone(module);
            }
            return self.vdso_of(&Live::new(pid), entry);
        }
        if PROBE_PAGES.contains(&entry.path.as_str()) {
            return self.made(None, &entry.path);
        }
        self.made(Some(pid), ANONYMOUS)
    }

    /// The vdso at a place in a memory.
    pub(crate) fn vdso_of(&mut self, memory: &dyn Memory, entry: &MapsEntry) -> Arc<Module> {
        let module = self.add(|number| vdso_module(number, memory, entry));
        self.vdso = Some(Arc::clone(&module));
        module
    }

    fn made(&mut self, maker: Option<i32>, path: &str) -> Arc<Module> {
        let key = (maker, path.to_owned());
        if let Some(module) = self.made.get(&key) {
            return Arc::clone(module);
        }
        let module = self.add(|number| made_module(number, maker, path));
        self.made.insert(key, Arc::clone(&module));
        module
    }

    /// Bytes of code of a process in files that were not read yet.
    pub(crate) fn bytes_to_read(&self, pid: i32) -> u64 {
        let text = std::fs::read(proc_path(pid, "maps")).unwrap_or_default();
        let entries = crate::maps::executable_entries(&String::from_utf8_lossy(&text));
        let new = entries
            .iter()
            .filter(|e| e.has_file() && !self.by_file.contains_key(&e.file));
        new.map(|e| e.end - e.start).sum()
    }

    /// Reads a file before anything maps it, so that its table is there at once.
    pub fn prepare(&mut self, path: &Path) -> Option<Arc<Module>> {
        let file = File::open(path).ok()?;
        let metadata = file.metadata().ok()?;
        let id = FileId {
            major: libc::major(metadata.dev()),
            minor: libc::minor(metadata.dev()),
            inode: metadata.ino(),
        };
        if let Some(module) = self.by_file.get(&id) {
            return Some(Arc::clone(module));
        }
        let path = path.to_string_lossy().into_owned();
        let number = self.all.len() as u32;
        let (module, key) = file_module(number, id, path, Ok(file), &mut self.tables);
        Some(self.add_file(id, module, key))
    }

    /// Reads a file that was opened already, as the one that is mapped.
    pub(crate) fn prepare_opened(&mut self, entry: &MapsEntry, file: File) {
        if !self.by_file.contains_key(&entry.file) {
            let number = self.all.len() as u32;
            let path = entry.path.clone();
            let (module, key) = file_module(number, entry.file, path, Ok(file), &mut self.tables);
            self.add_file(entry.file, module, key);
        }
    }

    /// Reads the vdso, which is the same in every process.
    pub fn prepare_vdso(&mut self) -> Option<Arc<Module>> {
        let pid = std::process::id() as i32;
        let text = std::fs::read_to_string("/proc/self/maps").ok()?;
        let entries = crate::maps::executable_entries(&text);
        let vdso = entries.iter().find(|e| e.path == "[vdso]")?;
        Some(self.of_mapping(pid, vdso))
    }

    /// All modules by number.
    #[must_use]
    pub fn all(&self) -> &[Arc<Module>] {
        &self.all
    }

    fn add_file(&mut self, id: FileId, module: Module, key: Option<String>) -> Arc<Module> {
        let module = self.add(|_| module);
        if let Some(key) = key {
            self.tables.built(key, &module);
        }
        self.by_file.insert(id, Arc::clone(&module));
        module
    }

    fn add(&mut self, make: impl FnOnce(u32) -> Module) -> Arc<Module> {
        let module = Arc::new(make(self.all.len() as u32));
        self.all.push(Arc::clone(&module));
        module
    }
}

/// Opens what is mapped, not what the path names now: a replaced or deleted file, or one of another
/// mount namespace, is reached through map_files (CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN, and a
/// folder that is its owner's), else the executable by its own link, which needs no right to its
/// folder, else through the process's root if the inode still agrees. Of a process that has ended
/// meanwhile only the path is left: it is the same file if seam sees it there, too.
fn open_mapped(pid: i32, entry: &MapsEntry) -> Result<File, String> {
    open_of_process(pid, entry).or_else(|e| open_here(entry).ok_or(e))
}

/// The file as seam's own root has it; a path in another one may mean another file here.
fn open_here(entry: &MapsEntry) -> Option<File> {
    // Opening something else than a file may wait, or do something.
    let file = std::fs::metadata(&entry.path).ok().filter(|m| m.is_file());
    let file = file.and_then(|_| File::open(&entry.path).ok())?;
    let metadata = file.metadata().ok()?;
    let device = metadata.dev();
    let same = libc::major(device) == entry.file.major
        && libc::minor(device) == entry.file.minor
        && metadata.ino() == entry.file.inode;
    same.then_some(file)
}

fn open_of_process(pid: i32, entry: &MapsEntry) -> Result<File, String> {
    let by = format!("/proc/{}", reached_by(pid));
    let mapped = format!("{by}/map_files/{:x}-{:x}", entry.start, entry.end);
    let first = match File::open(&mapped) {
        Ok(file) => return Ok(file),
        Err(e) => e,
    };
    if let Ok(file) = File::open(format!("{by}/exe"))
        && file.metadata().is_ok_and(|m| m.ino() == entry.file.inode)
    {
        return Ok(file);
    }
    let path = PathBuf::from(format!("{by}/root{}", entry.path));
    let file = File::open(&path).map_err(|e| format!("opening {}: {e}; {first}", entry.path))?;
    let inode = file.metadata().map(|m| m.ino()).unwrap_or(0);
    if inode != entry.file.inode {
        return Err(format!(
            "{} was replaced, and the mapped file: {first}",
            entry.path
        ));
    }
    Ok(file)
}

/// Also gives the name under which its table is to be kept, if it is.
fn file_module(
    number: u32,
    id: FileId,
    path: String,
    file: Result<File, String>,
    tables: &mut TableCache,
) -> (Module, Option<String>) {
    let mut module = Module {
        number,
        kind: ModuleKind::File,
        id: Some(id),
        path,
        build_id: None,
        segments: Vec::new(),
        position_independent: false,
        has_symtab: false,
        table: Err(String::new()),
        file: None,
        image: Vec::new(),
        maker: None,
    };
    let file = match file {
        Ok(file) => file,
        Err(e) => {
            module.table = Err(e);
            return (module, None);
        }
    };
    let (mut key, mut found) = (None, None);
    let cache = ReadCache::new(&file);
    match Elf::parse(&cache) {
        Ok(elf) => {
            module.build_id = elf.build_id();
            module.segments = elf.segments().to_vec();
            module.position_independent = elf.kind() == seam_object::ElfKind::Dynamic;
            module.has_symtab = elf.section(".symtab").is_some();
            let (table, missing) = tables.table(&elf, FileFacts::of(&file));
            (key, found) = (missing, Some(table));
        }
        Err(e) => module.table = Err(e.to_string()),
    }
    // What was read of the file is more than its table: it goes before that is laid out.
    drop(cache);
    if let Some(found) = found {
        module.table = found.and_then(Found::table);
    }
    module.file = Some(file);
    (module, key)
}

fn vdso_module(number: u32, memory: &dyn Memory, entry: &MapsEntry) -> Module {
    let mut image = vec![0; (entry.end - entry.start).min(VDSO_BYTES_MAX) as usize];
    let read = memory
        .read(entry.start, &mut image)
        .map_err(|e| e.to_string());
    let elf = read.and_then(|()| Elf::parse(image.as_slice()).map_err(|e| e.to_string()));
    let (build_id, segments, table) = match elf {
        Ok(elf) => (
            elf.build_id(),
            elf.segments().to_vec(),
            seam_unwind::build(&elf).map_err(|e| e.to_string()),
        ),
        Err(e) => (None, Vec::new(), Err(e)),
    };
    let path = entry.path.clone();
    Module {
        number,
        kind: ModuleKind::Vdso,
        id: None,
        path,
        build_id,
        segments,
        position_independent: true,
        has_symtab: false,
        table,
        file: None,
        image,
        maker: None,
    }
}

fn made_module(number: u32, maker: Option<i32>, path: &str) -> Module {
    Module {
        number,
        kind: match maker {
            Some(_) => ModuleKind::Anonymous,
            None => ModuleKind::Probe,
        },
        id: None,
        path: path.to_owned(),
        build_id: None,
        segments: Vec::new(),
        position_independent: false,
        has_symtab: false,
        table: Err("code made at run time has no unwind information".to_owned()),
        file: None,
        image: Vec::new(),
        maker,
    }
}
