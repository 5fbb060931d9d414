//! Where a process tells the names of the code that it makes: `/tmp/perf-PID.map`, in its own mount
//! namespace and by its own number. The folder is kept open from the moment such code is seen, so
//! that the file can still be read when the process has ended. Anybody can put a file there:
//! symbolic links, devices, pipes and files of strangers are refused.

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use seam_memory::proc_path;

/// Where the names of one process's run-time code are looked for.
#[derive(Debug)]
pub(crate) struct NamePlace {
    root: OwnedFd,
    /// The process's number as it knows it itself.
    own_pid: i32,
    uids: Vec<u32>,
}

/// The file in which a process tells its names, or why it was not taken.
#[derive(Debug)]
pub struct MadeNames {
    /// The process.
    pub pid: i32,
    /// The open file; on refusal the reason.
    pub file: Result<File, String>,
}

impl NamePlace {
    /// The place of a process that still runs.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let root = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_PATH | libc::O_DIRECTORY)
            .open(proc_path(pid, "root"))
            .ok()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let words = |key: &str| {
            let line = status.lines().find_map(|l| l.strip_prefix(key));
            line.unwrap_or_default().split_whitespace()
        };
        Some(Self {
            root: root.into(),
            own_pid: words("NSpid:").last().and_then(|n| n.parse().ok())?,
            uids: words("Uid:").filter_map(|n| n.parse().ok()).collect(),
        })
    }

    /// Opens the file; `None` if there is none.
    pub(crate) fn open(&self) -> Option<Result<File, String>> {
        let path = format!("tmp/perf-{}.map", self.own_pid);
        let place = match place_beneath(&self.root, &path) {
            Ok(place) => place,
            Err(e) if e.raw_os_error() == Some(libc::ENOENT) => return None,
            Err(e) => return Some(Err(format!("/{path}: {e}"))),
        };
        let refused = match place.metadata() {
            Err(e) => Some(e.to_string()),
            Ok(m) if !m.is_file() => Some("it is not a file".to_owned()),
            Ok(m) if m.uid() != 0 && !self.uids.contains(&m.uid()) => {
                Some(format!("it belongs to user {}", m.uid()))
            }
            Ok(_) => None,
        };
        let opened = match refused {
            Some(why) => Err(why),
            // What was looked at, whatever has the name by now.
            None => File::open(format!("/proc/self/fd/{}", place.as_raw_fd()))
                .map_err(|e| e.to_string()),
        };
        Some(opened.map_err(|why| format!("/{path}: {why}")))
    }
}

/// Finds a file without following any symbolic link; it can't be read yet, so that looking at it
/// has no effect.
fn place_beneath(root: &OwnedFd, path: &str) -> std::io::Result<File> {
    let path = std::ffi::CString::new(path)?;
    // SAFETY: open_how is a plain structure of integers, for which zeros are the defaults.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = (libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC) as u64;
    how.resolve = libc::RESOLVE_BENEATH | libc::RESOLVE_NO_SYMLINKS;
    // SAFETY: the path is a C string and `how` is of the size that is passed.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_openat2,
            root.as_raw_fd(),
            path.as_ptr(),
            &raw const how,
            size_of_val(&how),
        )
    };
    if fd < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { File::from_raw_fd(fd as i32) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place in a folder of ours, where this process has the number 7.
    fn place(folder: &std::path::Path, uids: &[u32]) -> NamePlace {
        std::fs::create_dir_all(folder.join("tmp")).expect("ours");
        NamePlace {
            root: File::open(folder).expect("it is there").into(),
            own_pid: 7,
            uids: uids.to_vec(),
        }
    }

    fn refusal(place: &NamePlace) -> String {
        let opened = place.open().expect("something is there");
        opened.expect_err("it must not be taken")
    }

    #[test]
    fn only_a_file_of_the_process_or_of_root_is_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tmp/perf-7.map");
        let own = std::fs::metadata(folder.path()).expect("it is there").uid();
        let place = place(folder.path(), &[own]);
        assert!(place.open().is_none(), "there is no file yet");
        std::fs::write(&file, "1000 10 a\n").expect("ours");
        assert!(place.open().is_some_and(|opened| opened.is_ok()));
        let stranger = NamePlace {
            uids: vec![own + 1],
            ..place
        };
        let opened = stranger.open().expect("it is there");
        assert_eq!(opened.is_ok(), own == 0, "root's files are always taken");
    }

    #[test]
    fn links_pipes_and_folders_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tmp/perf-7.map");
        let place = place(folder.path(), &[0]);
        std::os::unix::fs::symlink("/etc/passwd", &file).expect("ours");
        assert!(!refusal(&place).is_empty());
        std::fs::remove_file(&file).expect("ours");
        nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).expect("ours");
        assert!(refusal(&place).ends_with("it is not a file"));
        std::fs::remove_file(&file).expect("ours");
        std::fs::create_dir(&file).expect("ours");
        assert!(refusal(&place).ends_with("it is not a file"));
        let tmp = folder.path().join("tmp");
        std::fs::rename(&tmp, folder.path().join("other")).expect("ours");
        std::os::unix::fs::symlink("other", &tmp).expect("ours");
        assert!(!refusal(&place).is_empty());
    }
}
