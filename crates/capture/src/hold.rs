//! Keeping a process's memory beyond its end, with no change to the process: it ends when and as it
//! would, its parent hears of it at once, and its memory can still be read until the hold is let
//! go.
//!
//! A read of `/proc/PID/mem` holds the address space (`mmget_not_zero` in `mem_rw`, fs/proc/base.c,
//! Linux 6.18) until the bytes have been copied to the reader. Here they are copied to a
//! page of seam's own that userfaultfd does not fill: the read waits in the middle, as long as is
//! wanted. Nothing of the target is locked meanwhile.

use std::io::{Error, Result};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use seam_memory::Opened;

/// include/uapi/linux/userfaultfd.h
const UFFD_API: u64 = 0xaa;
const UFFDIO_API: libc::c_ulong = 0xc018_aa3f;
const UFFDIO_REGISTER: libc::c_ulong = 0xc020_aa00;
const UFFDIO_ZEROPAGE: libc::c_ulong = 0xc020_aa04;
const REGISTER_MODE_MISSING: u64 = 1;
/// x86-64
const PAGE: usize = 4096;
/// How long the read may take to get to the page.
const PATIENCE: Duration = Duration::from_secs(1);

/// Keeps an address space until it is dropped.
#[derive(Debug)]
pub struct Hold {
    faults: OwnedFd,
    page: Page,
    reader: Option<JoinHandle<()>>,
}

impl Hold {
    /// Keeps the address space of `memory`, in which `address` must be readable.
    ///
    /// # Errors
    /// When the process has ended before, or the system has no userfaultfd for this user.
    pub fn of(memory: &Opened, address: u64) -> Result<Self> {
        let faults = userfaultfd()?;
        let page = Page::new()?;
        let api = &mut [UFFD_API, 0, 0][..];
        request(&faults, UFFDIO_API, api)?;
        let missing = &mut [page.0 as u64, PAGE as u64, REGISTER_MODE_MISSING, 0][..];
        request(&faults, UFFDIO_REGISTER, missing)?;
        let (memory, at) = (memory.clone(), page.0);
        let reader = std::thread::Builder::new().name("seam-hold".to_owned());
        let reader = reader.spawn(move || {
            block_signals();
            // SAFETY: the page is mapped until this thread was joined, and used by nothing else.
            let into = unsafe { std::slice::from_raw_parts_mut(at as *mut u8, 8) };
            let _ = memory.file().read_at(into, address);
        })?;
        let hold = Self {
            faults,
            page,
            reader: Some(reader),
        };
        hold.wait().map(|()| hold)
    }

    /// Whether memory can be kept here at all.
    ///
    /// # Errors
    /// What the system says if not: without `CAP_SYS_PTRACE` it takes
    /// `vm.unprivileged_userfaultfd`, and the kernel may have none.
    pub fn possible() -> Result<()> {
        userfaultfd().map(drop)
    }

    /// Whether the memory is still kept: a stop of seam (Ctrl-Z) ends the read.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.reader.as_ref().is_some_and(|r| !r.is_finished())
    }

    /// Until the read stands at the page.
    fn wait(&self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut polled = libc::pollfd {
                fd: self.faults.as_raw_fd(),
                events: libc::POLLIN,
                revents: 0,
            };
            // SAFETY: one valid pollfd.
            if unsafe { libc::poll(&raw mut polled, 1, 1) } == 1 {
                return Ok(());
            }
            if !self.keeps() || Instant::now() > until {
                return Err(Error::from_raw_os_error(libc::ESRCH));
            }
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let zeros = &mut [self.page.0 as u64, PAGE as u64, 0, 0][..];
        // It fails if the read has ended before.
        let _ = request(&self.faults, UFFDIO_ZEROPAGE, zeros);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// A page of memory.
#[derive(Debug)]
struct Page(usize);

impl Page {
    fn new() -> Result<Self> {
        let (protection, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        );
        // SAFETY: a new mapping at a place that the kernel chooses.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), PAGE, protection, flags, -1, 0) };
        if at == libc::MAP_FAILED {
            return Err(Error::last_os_error());
        }
        Ok(Self(at as usize))
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: our own mapping; Hold's drop has joined the thread that used it before.
        unsafe { libc::munmap(self.0 as *mut _, PAGE) };
    }
}

fn userfaultfd() -> Result<OwnedFd> {
    // SAFETY: flags only; a non-negative result is a descriptor that is ours.
    let fd = unsafe { libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | libc::O_NONBLOCK) };
    if fd < 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: as above.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// An ioctl whose argument is a structure of words.
fn request(fd: &OwnedFd, number: libc::c_ulong, words: &mut [u64]) -> Result<()> {
    // SAFETY: each caller gives as many words as the request's structure has (its number says so).
    let done = unsafe { libc::ioctl(fd.as_raw_fd(), number, words.as_mut_ptr()) };
    if done < 0 {
        return Err(Error::last_os_error());
    }
    Ok(())
}

/// A signal that this thread took would end the read.
fn block_signals() {
    // SAFETY: a zeroed set is filled before use; the mask is this thread's own.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use seam_memory::Memory;

    use super::*;

    /// The first mapping of a process.
    fn some_address(pid: i32) -> u64 {
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("it runs");
        let (start, _) = maps.split_once('-').expect("a range");
        u64::from_str_radix(start, 16).expect("an address")
    }

    #[test]
    fn memory_outlives_its_process_until_it_is_let_go() {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("cat runs");
        let pid = child.id() as i32;
        let memory = Opened::new(pid).expect("our own child");
        let address = some_address(pid);
        let before = memory.word(address).expect("it is mapped");
        let hold = Hold::of(&memory, address).expect("it runs");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(b"x").expect("it reads");
        drop(stdin);
        // It ends as it would, and its parent hears of it.
        assert!(child.wait().expect("it ends").success());
        assert!(hold.keeps());
        assert_eq!(memory.word(address), Ok(before));
        drop(hold);
        assert!(memory.word(address).is_err());
        assert!(Hold::of(&memory, address).is_err());
    }
}
