//! Starting a program to be recorded: made ready, held before exec, then let go.

use std::ffi::{CString, OsString};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// How often a child's end is looked for.
const END_POLL: Duration = Duration::from_millis(5);

/// A child that waits before its exec.
#[derive(Debug)]
pub struct Command {
    pid: i32,
    program: PathBuf,
    go: Option<std::fs::File>,
    failed: std::fs::File,
}

/// The user who called sudo.
#[derive(Debug, Clone, Copy)]
struct Invoker {
    uid: libc::uid_t,
    gid: libc::gid_t,
}

impl Command {
    /// Forks; the child runs as the user who called sudo, if there is one, and holds before exec.
    ///
    /// # Errors
    /// When the program is not found or no process can be made.
    pub fn hold(words: &[OsString]) -> Result<Self> {
        Self::hold_printing(words, false)
    }

    /// The same; with `to_stderr` what it prints goes where its errors go.
    ///
    /// # Errors
    /// As [`Command::hold`].
    pub fn hold_printing(words: &[OsString], to_stderr: bool) -> Result<Self> {
        let name = words.first().cloned().unwrap_or_default();
        let spawn_error = |source| Error::Spawn {
            program: name.to_string_lossy().into_owned(),
            source,
        };
        let program = find_program(Path::new(&name))
            .ok_or_else(|| spawn_error(std::io::ErrorKind::NotFound.into()))?;
        let c_string = |s: &std::ffi::OsStr| {
            CString::new(s.as_bytes()).map_err(|e| spawn_error(std::io::Error::other(e)))
        };
        if is_32_bit(&program) {
            return Err(Error::ThirtyTwoBitFile(program.display().to_string()));
        }
        let path = c_string(program.as_os_str())?;
        let arguments: Vec<CString> = words.iter().map(|w| c_string(w)).collect::<Result<_>>()?;
        let mut pointers: Vec<*const libc::c_char> = arguments.iter().map(|a| a.as_ptr()).collect();
        pointers.push(std::ptr::null());
        let (go_read, go_write) = pipe().map_err(spawn_error)?;
        let (failed_read, failed_write) = pipe().map_err(spawn_error)?;
        let invoker = invoker();
        let groups = invoker.map(groups_of).unwrap_or_default();
        let go = go_read.into_raw_fd();
        let failed = failed_write.into_raw_fd();
        // The child's copies of our ends: while it held one, it would never see us end.
        let ours = [go_write.as_raw_fd(), failed_read.as_raw_fd()];
        // SAFETY: the child calls only async-signal-safe functions on memory made before the fork,
        // and never returns from `child`.
        let pid = unsafe { libc::fork() };
        if pid == 0 && to_stderr {
            // SAFETY: a system call on descriptors; it fails where there is no stderr.
            unsafe { libc::dup2(2, 1) };
        }
        if pid == 0 {
            // SAFETY: as above; the descriptors and pointers are valid in the child.
            unsafe { child(&path, &pointers, [go, failed], ours, invoker, &groups) }
        }
        // SAFETY: both are this process's own copies, used by nothing else.
        drop(unsafe { (OwnedFd::from_raw_fd(go), OwnedFd::from_raw_fd(failed)) });
        if pid < 0 {
            return Err(spawn_error(std::io::Error::last_os_error()));
        }
        let go = Some(std::fs::File::from(go_write));
        Ok(Self {
            pid,
            program,
            go,
            failed: failed_read.into(),
        })
    }

    /// The child's process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The program's path and those of the libraries it names, directly or through others.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        needed_files(&self.program)
    }

    /// Lets the child execute its program.
    ///
    /// # Errors
    /// When the exec fails.
    pub fn release(&mut self) -> Result<()> {
        let error = |source| Error::Spawn {
            program: self.program.display().to_string(),
            source,
        };
        if let Some(mut go) = self.go.take() {
            go.write_all(&[1]).map_err(error)?;
        }
        let mut code = [0; 4];
        // The pipe closes at exec; anything that comes through it is an error number.
        match self.failed.read(&mut code) {
            Ok(4) => Err(error(std::io::Error::from_raw_os_error(
                i32::from_le_bytes(code),
            ))),
            _ => Ok(()),
        }
    }

    /// The exit status in words, if the child ends within `patience`.
    #[must_use]
    pub fn exit_status(&self, patience: Duration) -> Option<String> {
        let status = self.status(patience)?;
        Some(if libc::WIFSIGNALED(status) {
            format!("ended by signal {}", libc::WTERMSIG(status))
        } else {
            format!("exit status {}", libc::WEXITSTATUS(status))
        })
    }

    /// The exit code as a shell gives it, 128 and the number of a signal for one that ended by it,
    /// if the child ends within `patience`. To be asked until it tells, no further.
    #[must_use]
    pub fn exit_code(&self, patience: Duration) -> Option<u8> {
        let status = self.status(patience)?;
        let code = if libc::WIFSIGNALED(status) {
            128 + libc::WTERMSIG(status)
        } else {
            libc::WEXITSTATUS(status)
        };
        Some(code as u8)
    }

    fn status(&self, patience: Duration) -> Option<i32> {
        let mut status = 0;
        let until = Instant::now() + patience;
        loop {
            // SAFETY: a wait for our own child that does not block.
            let ended = unsafe { libc::waitpid(self.pid, &raw mut status, libc::WNOHANG) };
            if ended != 0 || Instant::now() >= until {
                return (ended == self.pid).then_some(status);
            }
            std::thread::sleep(END_POLL);
        }
    }
}

/// The child: waits for a byte, gives up privileges, executes.
///
/// # Safety
/// Only to be called right after fork, with pointers that end with null.
unsafe fn child(
    path: &CString,
    arguments: &[*const libc::c_char],
    [go, failed]: [i32; 2],
    others: [i32; 2],
    invoker: Option<Invoker>,
    groups: &[libc::gid_t],
) -> ! {
    let mut byte = 0u8;
    // SAFETY: async-signal-safe calls on valid descriptors and memory, as the caller promises.
    unsafe {
        // Rust ignores SIGPIPE, and what is ignored stays so across exec.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::close(others[0]);
        libc::close(others[1]);
        if libc::read(go, (&raw mut byte).cast(), 1) != 1 {
            // seam ended before it let us go.
            libc::_exit(127);
        }
        let dropped = invoker.is_none_or(|user| {
            libc::setgroups(groups.len(), groups.as_ptr()) == 0
                && libc::setgid(user.gid) == 0
                && libc::setuid(user.uid) == 0
        });
        if dropped {
            libc::execv(path.as_ptr(), arguments.as_ptr());
        }
        let code = (*libc::__errno_location()).to_le_bytes();
        libc::write(failed, code.as_ptr().cast(), 4);
        libc::_exit(127)
    }
}

fn pipe() -> std::io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [0; 2];
    // SAFETY: `fds` has room for the two descriptors, which are ours on success.
    unsafe {
        if libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok((OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])))
    }
}

fn invoker() -> Option<Invoker> {
    // SAFETY: geteuid always succeeds.
    if unsafe { libc::geteuid() } != 0 {
        return None;
    }
    let id = |name: &str| std::env::var(name).ok()?.parse().ok();
    Some(Invoker {
        uid: id("SUDO_UID")?,
        gid: id("SUDO_GID")?,
    })
    .filter(|i| i.uid != 0)
}

/// The groups of the user, by name from the user database.
fn groups_of(user: Invoker) -> Vec<libc::gid_t> {
    let Ok(Some(entry)) = nix::unistd::User::from_uid(user.uid.into()) else {
        return vec![user.gid];
    };
    let Ok(name) = CString::new(entry.name) else {
        return vec![user.gid];
    };
    nix::unistd::getgrouplist(&name, user.gid.into())
        .map(|groups| groups.into_iter().map(|g| g.as_raw()).collect())
        .unwrap_or_else(|_| vec![user.gid])
}

fn is_32_bit(program: &Path) -> bool {
    let mut ident = [0; 5];
    let read = std::fs::File::open(program).and_then(|mut f| f.read_exact(&mut ident));
    read.is_ok() && ident[..4] == *b"\x7fELF" && ident[4] == 1
}

fn find_program(name: &Path) -> Option<PathBuf> {
    if name.components().count() > 1 || name.is_absolute() {
        return name.is_file().then(|| name.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|p| p.is_file())
}

/// A program's file and its needed libraries', looked for where the loader looks by default.
fn needed_files(program: &Path) -> Vec<PathBuf> {
    let mut files = vec![program.to_owned()];
    let mut at = 0;
    while let Some(file) = files.get(at).filter(|_| at < 512).cloned() {
        at += 1;
        let Ok(opened) = std::fs::File::open(&file) else {
            continue;
        };
        let cache = seam_object::ReadCache::new(opened);
        let Ok(elf) = seam_object::Elf::parse(&cache) else {
            continue;
        };
        let Ok(dynamic) = elf.dynamic() else { continue };
        let mut found: Vec<PathBuf> = elf.interpreter().map(PathBuf::from).into_iter().collect();
        let directories = library_directories(&file, dynamic.runpath.as_deref());
        for name in &dynamic.needed {
            found.extend(
                directories
                    .iter()
                    .map(|d| d.join(name))
                    .find(|p| p.is_file()),
            );
        }
        for new in found {
            if !files.contains(&new) {
                files.push(new);
            }
        }
    }
    files
}

/// Debian's name for what the machine runs.
#[cfg(target_arch = "aarch64")]
macro_rules! multiarch {
    () => {
        "aarch64-linux-gnu"
    };
}
#[cfg(not(target_arch = "aarch64"))]
macro_rules! multiarch {
    () => {
        "x86_64-linux-gnu"
    };
}

fn library_directories(file: &Path, runpath: Option<&str>) -> Vec<PathBuf> {
    let origin = file
        .parent()
        .unwrap_or(Path::new("/"))
        .to_string_lossy()
        .into_owned();
    let environment = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let system = [
        concat!("/lib/", multiarch!()),
        concat!("/usr/lib/", multiarch!()),
        "/usr/local/lib",
        "/lib64",
        "/usr/lib64",
        "/lib",
        "/usr/lib",
    ];
    let listed = runpath
        .unwrap_or_default()
        .split(':')
        .chain(environment.split(':'));
    listed
        .filter(|d| !d.is_empty())
        .map(|d| d.replace("$ORIGIN", &origin).replace("${ORIGIN}", &origin))
        .chain(system.map(str::to_owned))
        .map(PathBuf::from)
        .collect()
}
