//! Output files: whole or not at all, replaced only when everything is ready, owned by the user
//! who called sudo.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use seam_profile::Profile;

use crate::failure::Failure;

/// What a file's extension asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Html,
    Pprof,
    Folded,
    Svg,
    Speedscope,
    Json,
}

/// A file to be written.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    path: PathBuf,
    format: Format,
}

/// The longer of two endings goes first.
const EXTENSIONS: [(&str, Format); 6] = [
    (".html", Format::Html),
    (".pb.gz", Format::Pprof),
    (".folded", Format::Folded),
    (".svg", Format::Svg),
    (".speedscope.json", Format::Speedscope),
    (".json", Format::Json),
];

impl Output {
    /// Checks, before anything is recorded, that the file can be written.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let known = EXTENSIONS
            .iter()
            .find(|(extension, _)| name.ends_with(extension));
        let Some((_, format)) = known else {
            let hint = format!(
                "the extension says what to write: {}",
                EXTENSIONS.map(|(extension, _)| extension).join(" ")
            );
            return Err(Failure::new(
                format!("{} has no extension that seam knows", path.display()),
                hint,
            )
            .into());
        };
        writable(path, "cpu.html")?;
        Ok(Self {
            path: path.to_owned(),
            format: *format,
        })
    }

    /// The page that is written when the user names nothing.
    pub(crate) fn default_page(name: &str, pid: i32) -> Result<Self> {
        let plain: String = name
            .chars()
            .map(|c| {
                if c.is_alphanumeric() || "-_.".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        Self::new(Path::new(&format!("seam-{plain}-{pid}.html")))
    }

    fn bytes(&self, profile: &Profile) -> Result<Vec<u8>> {
        Ok(match self.format {
            Format::Html => seam_export::html(profile)?.into_bytes(),
            Format::Pprof => seam_export::pprof(profile),
            Format::Folded => seam_export::folded(profile).into_bytes(),
            Format::Svg => seam_export::svg(profile).into_bytes(),
            Format::Speedscope => seam_export::speedscope(profile)?.into_bytes(),
            Format::Json => {
                let folder = seam_analyze::Folder::new(profile);
                let facts = seam_analyze::facts(&folder, seam_analyze::Limits::NONE);
                seam_export::summary_json(profile, &facts).into_bytes()
            }
        })
    }

    fn words(&self, path: &Path) -> String {
        let hint = match self.format {
            Format::Html => "   (open it in a browser)",
            Format::Pprof => "   (go tool pprof reads it)",
            Format::Svg => "   (a picture, for any browser or viewer)",
            Format::Speedscope => "   (speedscope.app reads it, from your disk)",
            Format::Folded | Format::Json => "",
        };
        format!("{}{hint}", path.display())
    }
}

/// Writes every output and gives what to say of each.
pub(crate) fn write_all(outputs: &[Output], profile: &Profile) -> Result<Vec<String>> {
    let mut written = Vec::new();
    for output in outputs {
        let bytes = output.bytes(profile)?;
        match write_whole(&output.path, &bytes) {
            Ok(()) => written.push(output.words(&output.path)),
            Err(first) => {
                let rescued = rescue(&output.path, &bytes).ok_or_else(|| {
                    Failure::new(
                        format!("{} can't be written: {first}", output.path.display()),
                        "make room on that disk or name another place with -o, and record again",
                    )
                })?;
                eprintln!(
                    "warning: {} can't be written: {first}",
                    output.path.display()
                );
                eprintln!("hint:    the data is in {} instead", rescued.display());
                written.push(output.words(&rescued));
            }
        }
    }
    Ok(written)
}

/// Checks that a file can be written there, before anything is read for it.
pub(crate) fn writable(path: &Path, example: &str) -> Result<()> {
    if path.is_dir() || path.as_os_str().as_bytes().ends_with(b"/") {
        let hint = format!("name a file in it: -o {}", path.join(example).display());
        return Err(Failure::new(format!("{} is a folder", path.display()), hint).into());
    }
    let folder = folder(path);
    let probe = temporary(path);
    match create(&probe) {
        Ok(_) => {
            let _ = std::fs::remove_file(&probe);
            Ok(())
        }
        Err(e) => Err(Failure::new(
            format!("{} can't be written: {e}", path.display()),
            format!(
                "check that {} exists and is yours to write to",
                folder.display()
            ),
        )
        .into()),
    }
}

/// Writes beside the final name, then renames: no reader ever sees half a file.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = temporary(path);
    let result = (|| {
        let mut file = create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        give_to_invoker(&file);
        std::fs::rename(&temporary, path)
    })();
    if result.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

/// When the place the user named fails, other places that usually have room.
fn rescue(path: &Path, bytes: &[u8]) -> Option<PathBuf> {
    let name = path.file_name()?;
    let places = [
        std::env::temp_dir(),
        PathBuf::from("/var/tmp"),
        PathBuf::from("/dev/shm"),
    ];
    let candidates = places
        .iter()
        .map(|place| place.join(name))
        .filter(|p| !p.exists());
    candidates
        .into_iter()
        .find(|candidate| write_whole(candidate, bytes).is_ok())
}

/// A new file and nothing else: a link that someone put there beforehand is not followed.
fn create(path: &Path) -> std::io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    folder(path).join(format!(".{name}.{}.partial", std::process::id()))
}

/// Under sudo, what seam writes belongs to the user who called it.
fn give_to_invoker(file: &File) {
    let id = |name: &str| std::env::var(name).ok()?.parse::<u32>().ok();
    if let (Some(uid), Some(gid)) = (id("SUDO_UID"), id("SUDO_GID")) {
        // SAFETY: the descriptor is open; a failure leaves the file with its owner, which is no
        // reason to lose the data.
        unsafe { libc::fchown(file.as_raw_fd(), uid, gid) };
    }
}
