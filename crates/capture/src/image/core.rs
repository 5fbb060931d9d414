//! The image of a core file: its mappings' files are found by their paths, and taken only if they
//! are the very build that the process had.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use seam_memory::{Core, CoreFile, Memory};
use seam_object::{BuildId, Elf, ReadCache, Segment, SegmentKind};

use super::Image;
use crate::maps::{FileId, MapsEntry};
use crate::{Error, Modules, ProcessMap, Result, TableCache};

/// `AT_ENTRY` and `AT_SYSINFO_EHDR`, include/uapi/linux/auxvec.h and arch/x86.
const ENTRY: u64 = 9;
const VDSO: u64 = 33;
/// Where a file's headers and build id are.
const HEADERS_MAX: usize = 64 << 10;

/// A core with what belongs to it.
#[derive(Debug)]
pub struct CoreImage {
    /// Mappings, tables, runtimes.
    pub image: Image,
    /// The core, which reads what it lacks from the files.
    pub core: Arc<Core>,
    /// The path of the executable.
    pub executable: String,
    /// What is missing.
    pub notes: Vec<String>,
}

/// A mapped file that was found.
struct Opened {
    module: Arc<crate::Module>,
    file: Arc<File>,
}

impl CoreImage {
    /// Opens a core. `executable` is taken instead of what the core names.
    ///
    /// # Errors
    /// When it is no core, is cut off before its threads, or is of another build of the executable.
    pub fn open(path: &Path, executable: Option<&Path>) -> Result<Self> {
        let shown = path.display().to_string();
        let failed = |why: String, hint: &str| Error::Core {
            path: shown.clone(),
            why,
            hint: hint.to_owned(),
        };
        const NAMES: &str = "name a core file, or the id of a process";
        // Opening a pipe would wait for somebody to write to it.
        let kind = std::fs::metadata(path).map_err(|e| failed(e.to_string(), NAMES))?;
        if !kind.is_file() {
            return Err(failed("it is no file".to_owned(), NAMES));
        }
        let file = File::open(path).map_err(|e| failed(e.to_string(), NAMES))?;
        let mut core = Core::open(file).map_err(|e| {
            failed(
                e.to_string(),
                "cores are written by the kernel (ulimit -c unlimited), by gcore, or by \
                 GOTRACEBACK=crash",
            )
        })?;
        let entry = core.auxiliary(ENTRY).unwrap_or(0);
        let files = core.files().to_vec();
        let own = files.iter().find(|f| (f.start..f.end).contains(&entry));
        let own = own.or(files.first()).map_or("", |f| f.path.as_str());
        let own = own.to_owned();
        let mut modules = Modules::with_tables(TableCache::of_user());
        let (mut opened, mut notes) = (BTreeMap::new(), Vec::new());
        for mapped in &files {
            if opened.contains_key(&mapped.path) {
                continue;
            }
            let is_own = mapped.path == own;
            let chosen = executable.filter(|_| is_own);
            let chosen = chosen.unwrap_or(Path::new(&mapped.path));
            let found = open(&core, mapped, chosen, &mut modules);
            let found = match found {
                Ok(found) => Some(found),
                Err(Missing::OtherBuild(why)) if is_own => {
                    return Err(failed(why, "name the executable that it is of: --exe FILE"));
                }
                Err(Missing::OtherBuild(why) | Missing::NoFile(why)) => {
                    notes.push(why);
                    None
                }
            };
            opened.insert(mapped.path.clone(), found);
        }
        for mapped in &files {
            if let Some(Some(found)) = opened.get(&mapped.path) {
                core.back(
                    mapped.start..mapped.end,
                    Arc::clone(&found.file),
                    mapped.offset,
                );
            }
        }
        let map = map(&core, &opened, &mut modules);
        let cut = core.missing_stacks();
        if cut > 0 {
            notes.push(format!(
                "the core has no stack of {cut} threads: it was cut off"
            ));
        }
        Ok(Self {
            image: Image::new(map, &modules, &core),
            core: Arc::new(core),
            executable: own,
            notes,
        })
    }
}

enum Missing {
    NoFile(String),
    OtherBuild(String),
}

/// Opens a file that was mapped, if it is the same build.
fn open(
    core: &Core,
    mapped: &CoreFile,
    path: &Path,
    modules: &mut Modules,
) -> std::result::Result<Opened, Missing> {
    let shown = path.display();
    let file = File::open(path).map_err(|e| Missing::NoFile(format!("{shown}: {e}")))?;
    let cache = ReadCache::new(&file);
    let on_disk = Elf::parse(&cache).ok().and_then(|elf| elf.build_id());
    drop(cache);
    let in_core = build_id(core, mapped);
    if let (Some(here), Some(then)) = (&on_disk, &in_core)
        && here != then
    {
        return Err(Missing::OtherBuild(format!(
            "{shown} has the build id {here}, in the core it is {then}"
        )));
    }
    let none = || Missing::NoFile(format!("{shown} can't be read"));
    let module = modules.prepare(path).ok_or_else(none)?;
    let file = Arc::new(file);
    Ok(Opened { module, file })
}

/// The build id that the core has in a file's first page; the kernel keeps those of ELF files
/// (bit 4 of coredump_filter).
fn build_id(core: &Core, mapped: &CoreFile) -> Option<BuildId> {
    if mapped.offset != 0 {
        return None;
    }
    let most = usize::try_from(mapped.end.checked_sub(mapped.start)?).ok()?;
    let mut headers = vec![0; most.min(HEADERS_MAX)];
    while core.read(mapped.start, &mut headers).is_err() {
        let half = headers.len() / 2;
        if half < 1024 {
            return None;
        }
        headers.truncate(half);
    }
    Elf::parse(headers.as_slice()).ok()?.build_id()
}

/// The executable mappings. gcore leaves their segments out altogether, so which ones of a file
/// they are, the file's own program headers tell.
fn map(
    core: &Core,
    opened: &BTreeMap<String, Option<Opened>>,
    modules: &mut Modules,
) -> ProcessMap {
    let mut map = ProcessMap::default();
    for mapped in core.files() {
        let Some(Some(found)) = opened.get(&mapped.path) else {
            continue;
        };
        let here = |s: &&Segment| s.executable && s.offset & !0xfff == mapped.offset;
        let mut code = found.module.segments.iter();
        if code.any(|s| s.kind == SegmentKind::Load && here(&s)) {
            let entry = entry(mapped.start, mapped.end, mapped.offset, &mapped.path);
            map.insert_module(&entry, Arc::clone(&found.module));
        }
    }
    let vdso = core.auxiliary(VDSO);
    let of_file = |at: u64| core.files().iter().any(|f| (f.start..f.end).contains(&at));
    let code = core.segments().iter().filter(|s| s.executable);
    for segment in code.filter(|s| !of_file(s.range.start) && s.range.start < 1 << 63) {
        let (start, end) = (segment.range.start, segment.range.end);
        if vdso == Some(start) {
            let entry = entry(start, end, 0, "[vdso]");
            map.insert_module(&entry, modules.vdso_of(core, &entry));
        } else {
            map.insert(core.pid(), &entry(start, end, 0, ""), modules);
        }
    }
    map
}

fn entry(start: u64, end: u64, offset: u64, path: &str) -> MapsEntry {
    MapsEntry {
        start,
        end,
        offset,
        file: FileId::default(),
        path: path.to_owned(),
        writable: false,
    }
}
