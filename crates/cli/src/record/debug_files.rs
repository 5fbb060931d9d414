//! Finds the separate files that a module's debug information may lie in. A file counts only if its
//! build id, or without one its checksum, says that it belongs to the module.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use flate2::Crc;
use seam_object::{BuildId, Elf, ReadCache, ReadRef};

/// The largest file whose checksum is computed.
const CHECKED_BYTES_MAX: u64 = 2 << 30;

/// The folder with debug files.
pub(crate) const DEBUG_FOLDER: &str = "/usr/lib/debug";

/// A file that belongs to a module.
pub(crate) struct DebugFile {
    pub(crate) file: File,
    pub(crate) path: PathBuf,
}

/// The file with a module's debug information: by its build id below `folder`, else by the name in
/// `.gnu_debuglink`, beside the module's own file and below `folder`.
pub(crate) fn separate<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    module: &Path,
    folder: &Path,
) -> Option<DebugFile> {
    let id = elf.build_id();
    if let Some(found) = id.as_ref().and_then(|id| by_build_id(id, folder)) {
        return Some(found);
    }
    let (name, crc) = elf.debug_link()?;
    // A name in the same folder, not a way out of it.
    if name.contains('/') || name.is_empty() {
        return None;
    }
    let beside = module.parent()?;
    let below = folder.join(beside.strip_prefix("/").unwrap_or(beside));
    let places = [
        beside.join(&name),
        beside.join(".debug").join(&name),
        below.join(&name),
    ];
    places
        .into_iter()
        .filter(|path| path != module)
        .find_map(|path| {
            let file = open(&path)?;
            let belongs = match (&id, build_id(&file)) {
                (Some(wanted), Some(found)) => *wanted == found,
                _ => checksum(&file) == Some(crc),
            };
            belongs.then_some(DebugFile { file, path })
        })
}

/// The file that a debug file shares with others: `.gnu_debugaltlink`, as dwz writes it.
pub(crate) fn shared<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    debug_file: &Path,
    folder: &Path,
) -> Option<DebugFile> {
    let (path, id) = elf.shared_debug_link()?;
    let path = debug_file.parent()?.join(path);
    let named = open(&path).filter(|file| build_id(file).as_ref() == Some(&id));
    named
        .map(|file| DebugFile { file, path })
        .or_else(|| by_build_id(&id, folder))
}

fn by_build_id(id: &BuildId, folder: &Path) -> Option<DebugFile> {
    let digits = id.to_string();
    let (first, rest) = digits.split_at_checked(2)?;
    let path = folder.join(format!(".build-id/{first}/{rest}.debug"));
    let file = open(&path)?;
    (build_id(&file).as_ref() == Some(id)).then_some(DebugFile { file, path })
}

fn build_id(file: &File) -> Option<BuildId> {
    let cache = ReadCache::new(file);
    Elf::parse(&cache).ok()?.build_id()
}

/// Opens a file whose folder may belong to anybody: what is not a plain file must not block.
fn open(path: &Path) -> Option<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = options.open(path).ok()?;
    file.metadata().ok()?.is_file().then_some(file)
}

/// The CRC-32 of a whole file.
fn checksum(file: &File) -> Option<u32> {
    if file.metadata().ok()?.len() > CHECKED_BYTES_MAX {
        return None;
    }
    let mut crc = Crc::new();
    let mut buffer = vec![0; 1 << 16];
    let mut at = 0;
    loop {
        let read = file.read_at(&mut buffer, at).ok()?;
        if read == 0 {
            return Some(crc.sum());
        }
        crc.update(&buffer[..read]);
        at += read as u64;
    }
}
