//! Small system calls that a recording needs: clocks, priorities, process handles.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// A new mapping's samples can't be walked until this process has run: on a busy machine it must
/// not wait its turn. It uses too little CPU time to take any from others. Best effort.
pub(crate) fn hurry() {
    // SAFETY: a plain system call on this process; without the right to do so nothing changes.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -15) };
}

/// Takes that back, for a thread that has inherited it and works more.
pub(crate) fn at_ease() {
    // SAFETY: as above; a lower priority needs no right.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 0) };
}

/// Large buffers go back to the kernel as soon as they are let go. The C library's own bound rises
/// up to 32 MiB with the buffers that it has seen (mallopt(3), M_MMAP_THRESHOLD), and what building
/// the table of a large file has touched would be kept for as long as the recording.
pub(crate) fn keep_no_buffers() {
    #[cfg(target_env = "gnu")]
    {
        const LARGE: libc::c_int = 1 << 20;
        // SAFETY: sets a number of the allocator's.
        unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE) };
    }
}

pub(crate) fn monotonic_ns() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid timespec, and CLOCK_MONOTONIC always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Asks the kernel to count the run time of BPF programs while the descriptor is open.
pub(crate) fn enable_stats() -> Option<OwnedFd> {
    // SAFETY: a plain system call; BPF_STATS_RUN_TIME is 0.
    let fd = unsafe { libbpf_rs::libbpf_sys::bpf_enable_stats(0) };
    // SAFETY: a non-negative result is a descriptor that is ours.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}

pub(crate) fn pidfd(pid: i32) -> Option<OwnedFd> {
    // SAFETY: pidfd_open takes a process id and no flags.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    // SAFETY: a non-negative result is a descriptor that is ours.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// A pidfd becomes readable when its process has ended.
pub(crate) fn has_ended(pidfd: &OwnedFd) -> bool {
    ends_within(pidfd, Duration::ZERO)
}

/// The same, after waiting so long at most; a signal cuts the wait short.
pub(crate) fn ends_within(pidfd: &OwnedFd, patience: Duration) -> bool {
    let mut polled = libc::pollfd {
        fd: pidfd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // Rounded up: a wait of less than a millisecond is none.
    let ms = i32::try_from(patience.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
    // SAFETY: one valid pollfd.
    unsafe { libc::poll(&raw mut polled, 1, ms) == 1 }
}
