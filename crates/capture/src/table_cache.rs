//! Tables kept on disk, so that a large file is read once and not in every recording:
//! `$XDG_CACHE_HOME/seam/tables`, by build id. Owns the folder: whose it must be, how large it may
//! become, how files appear in it. A table is used only if it was made by this very seam of this
//! very file; whatever is wrong with the folder or a file costs nothing but the time saved.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use nix::fcntl::OFlag;
use seam_object::{Elf, ReadRef};
use seam_unwind::{ModuleTable, Rows};

use crate::Module;

/// Tables of smaller files are built as fast as they would be read.
const FILE_BYTES_MIN: u64 = 1 << 20;
/// What all tables may take together.
const FOLDER_BYTES_MAX: u64 = 256 << 20;
/// What one may take.
const TABLE_BYTES_MAX: u64 = FOLDER_BYTES_MAX / 4;
/// A table that is used is marked as such no more often than this.
const MARKED: Duration = Duration::from_secs(24 * 3600);
/// What a seam that was killed has left half-written may go after this.
const ABANDONED: Duration = Duration::from_secs(3600);
const UNFINISHED: &str = "new-";

/// The folder of tables, if there is one to be used.
#[derive(Debug)]
pub struct TableCache {
    folder: Result<Folder, String>,
    /// What this seam is.
    stamp: String,
    /// Tables that were not there.
    missing: Vec<(String, Arc<Module>)>,
    /// Tables that were.
    found: u32,
}

#[derive(Debug)]
struct Folder {
    shown: PathBuf,
    open: File,
}

impl Default for TableCache {
    /// No folder: every table is built.
    fn default() -> Self {
        Self {
            folder: Err("not asked for".to_owned()),
            stamp: String::new(),
            missing: Vec::new(),
            found: 0,
        }
    }
}

impl TableCache {
    /// The user's folder, made if it is not there.
    #[must_use]
    pub fn of_user() -> Self {
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let base = base.filter(|base| base.is_absolute()).or_else(home);
        let base = base.ok_or_else(|| "neither XDG_CACHE_HOME nor HOME is set".to_owned());
        Self {
            folder: base.and_then(|base| Folder::open(&base)),
            stamp: own_stamp(),
            ..Self::default()
        }
    }

    /// Where tables are kept, or why they are not.
    ///
    /// # Errors
    /// The reason.
    pub fn folder(&self) -> Result<&Path, &str> {
        match &self.folder {
            Ok(folder) => Ok(&folder.shown),
            Err(why) => Err(why),
        }
    }

    /// Files and their bytes in the folder.
    #[must_use]
    pub fn size(&self) -> (usize, u64) {
        let all = self.folder.as_ref().map(Folder::tables).unwrap_or_default();
        (all.len(), all.iter().map(|t| t.bytes).sum())
    }

    /// Tables that did not have to be built.
    #[must_use]
    pub fn found(&self) -> u32 {
        self.found
    }

    /// The table of a file from the folder, else what it is to be built of.
    pub(crate) fn table<'d, R: ReadRef<'d>>(
        &mut self,
        elf: &Elf<'d, R>,
        file: FileFacts,
    ) -> (Result<Found, String>, Option<String>) {
        let key = key(elf, file).filter(|_| self.folder.is_ok());
        if let (Some(key), Ok(folder)) = (&key, &self.folder) {
            let stored = folder.read(key);
            let stamp = format!("{key} {}", self.stamp);
            let table = stored.and_then(|bytes| ModuleTable::from_stored(&bytes, &stamp).ok());
            if let Some(table) = table {
                self.found += 1;
                return (Ok(Found::Table(Box::new(table))), None);
            }
        }
        let rows = seam_unwind::rows(elf).map_err(|e| e.to_string());
        (rows.map(|rows| Found::Rows(Box::new(rows))), key)
    }

    /// Notes a module whose table was built, to be kept later.
    pub(crate) fn built(&mut self, key: String, module: &Arc<Module>) {
        self.missing.push((key, Arc::clone(module)));
    }

    /// Writes what was built. Where that fails, the next recording builds it again.
    pub(crate) fn keep(&mut self) {
        let missing = std::mem::take(&mut self.missing);
        let Ok(folder) = &self.folder else { return };
        for (key, module) in missing {
            let Ok(table) = &module.table else { continue };
            let bytes = table.to_stored(&format!("{key} {}", self.stamp));
            if bytes.len() as u64 <= TABLE_BYTES_MAX && folder.make_room(bytes.len() as u64) {
                folder.write(&key, &bytes);
            }
        }
    }
}

/// A table, or what it is built of.
#[derive(Debug)]
pub(crate) enum Found {
    Table(Box<ModuleTable>),
    Rows(Box<Rows>),
}

impl Found {
    /// The table. What was read of the file is no longer needed.
    pub(crate) fn table(self) -> Result<ModuleTable, String> {
        match self {
            Self::Table(table) => Ok(*table),
            Self::Rows(rows) => rows.table().map_err(|e| e.to_string()),
        }
    }
}

/// A table in the folder.
#[derive(Debug)]
struct Stored {
    name: String,
    bytes: u64,
    used: SystemTime,
}

impl Folder {
    /// Every part below `base` must be a folder of ours that nobody else may write to.
    fn open(base: &Path) -> Result<Self, String> {
        make(base)?;
        // The user may well have put the whole of the cache elsewhere by a link.
        let real = std::fs::canonicalize(base).map_err(|e| format!("{}: {e}", base.display()))?;
        let mut open = own_folder(&real, base)?;
        let mut shown = base.to_owned();
        for part in ["seam", "tables"] {
            shown.push(part);
            let path = within(&open).join(part);
            make(&path)?;
            open = own_folder(&path, &shown)?;
        }
        Ok(Self { shown, open })
    }

    fn path(&self, name: &str) -> PathBuf {
        within(&self.open).join(name)
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
        let file = options.open(self.path(name)).ok()?;
        let about = file.metadata().ok()?;
        if !about.is_file() || about.len() > TABLE_BYTES_MAX {
            return None;
        }
        let mut bytes = Vec::with_capacity(about.len() as usize);
        (&file).take(TABLE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        let now = SystemTime::now();
        let used = about.modified().ok();
        let old = used.and_then(|t| now.duration_since(t).ok());
        if old.is_none_or(|age| age > MARKED) {
            // Only the order in which tables are dropped depends on it.
            let _ = file.set_modified(now);
        }
        Some(bytes)
    }

    /// The file appears whole or not at all.
    fn write(&self, name: &str, bytes: &[u8]) {
        let unfinished = self.path(&format!("{UNFINISHED}{}-{name}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let Ok(mut file) = options.open(&unfinished) else {
            return;
        };
        let written = file.write_all(bytes);
        if written.is_err() || std::fs::rename(&unfinished, self.path(name)).is_err() {
            let _ = std::fs::remove_file(&unfinished);
        }
    }

    fn tables(&self) -> Vec<Stored> {
        let Ok(entries) = std::fs::read_dir(within(&self.open)) else {
            return Vec::new();
        };
        let stored = entries.filter_map(|entry| {
            let entry = entry.ok()?;
            let about = entry.metadata().ok()?;
            Some(Stored {
                name: entry.file_name().into_string().ok()?,
                bytes: about.len(),
                used: about.modified().ok()?,
            })
        });
        stored.collect()
    }

    /// Drops what was not used for longest until there is room for `bytes` more.
    fn make_room(&self, bytes: u64) -> bool {
        let now = SystemTime::now();
        let mut tables = self.tables();
        tables.sort_by_key(|t| t.used);
        let mut sum: u64 = tables.iter().map(|t| t.bytes).sum();
        for table in tables {
            let age = now.duration_since(table.used).unwrap_or_default();
            let unfinished = table.name.starts_with(UNFINISHED);
            let abandoned = unfinished && age > ABANDONED;
            let too_much = sum + bytes > FOLDER_BYTES_MAX && !unfinished;
            if (abandoned || too_much) && std::fs::remove_file(self.path(&table.name)).is_ok() {
                sum -= table.bytes;
            }
        }
        sum + bytes <= FOLDER_BYTES_MAX
    }
}

/// A name by which an open folder is reached whatever happens to its path.
fn within(open: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()))
}

fn make(path: &Path) -> Result<(), String> {
    let made = std::fs::DirBuilder::new().mode(0o700).create(path);
    match made {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(format!("{}: {e}", path.display()))
        }
        _ => Ok(()),
    }
}

fn own_folder(path: &Path, shown: &Path) -> Result<File, String> {
    let told = |why: &str| format!("{}: {why}", shown.display());
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_DIRECTORY).bits());
    let file = options.open(path).map_err(|e| match e.raw_os_error() {
        Some(libc::ELOOP | libc::ENOTDIR) => told("not a folder"),
        _ => told(&e.to_string()),
    })?;
    let about = file.metadata().map_err(|e| told(&e.to_string()))?;
    if about.uid() != nix::unistd::geteuid().as_raw() {
        return Err(told("it belongs to another user"));
    }
    if about.mode() & 0o022 != 0 {
        return Err(told("others may write to it"));
    }
    Ok(file)
}

/// What tells versions of a file apart that have the same build id.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FileFacts {
    pub(crate) bytes: u64,
    /// When it was last written to, in seconds and nanoseconds.
    pub(crate) modified: (i64, i64),
}

impl FileFacts {
    pub(crate) fn of(file: &File) -> Self {
        let about = file.metadata();
        about.map_or_else(
            |_| Self::default(),
            |about| Self {
                bytes: about.len(),
                modified: (about.mtime(), about.mtime_nsec()),
            },
        )
    }
}

/// A file's name in the folder; none for files not worth it or without a build id. A stripped file
/// has the build id of the whole one, and so has one that was changed afterwards: its sections and
/// the time of its last change count as well. Copies in containers keep both.
fn key<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, file: FileFacts) -> Option<String> {
    let build_id = elf.build_id().filter(|id| (4..=64).contains(&id.0.len()))?;
    if file.bytes < FILE_BYTES_MIN {
        return None;
    }
    let mut sections = crc32fast::Hasher::new();
    for section in elf.sections() {
        sections.update(section.name.as_bytes());
        sections.update(&section.address.to_le_bytes());
        sections.update(&section.size.to_le_bytes());
    }
    let sections = sections.finalize();
    let (seconds, nanoseconds) = file.modified;
    Some(format!(
        "{build_id}-{:x}-{sections:08x}-{seconds:x}.{nanoseconds:x}",
        file.bytes
    ))
}

/// What tells this seam's tables from those of another build of it.
fn own_stamp() -> String {
    let own = std::fs::metadata("/proc/self/exe");
    let own = own.map(|m| (m.len(), m.mtime(), m.mtime_nsec()));
    let (bytes, seconds, nanoseconds) = own.unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    format!("{version} {bytes} {seconds}.{nanoseconds:09}")
}

#[cfg(test)]
mod tests;
