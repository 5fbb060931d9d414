//! What recording cost: our own CPU time and memory, and the kernel side's.

use std::time::Duration;

/// The cost of a recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// CPU time of this process while recording.
    pub cpu: Duration,
    /// The largest resident set so far, in bytes.
    pub rss_bytes: u64,
    /// Memory of BPF maps and ring buffers, in bytes.
    pub map_bytes: u64,
    /// Run time of the sampling program, all runs (also those on other processes).
    pub bpf_time: Duration,
    /// Its runs.
    pub bpf_runs: u64,
    /// Unwind tables that earlier recordings had kept.
    pub tables_found: u32,
}

/// CPU time of this process so far.
pub(crate) fn own_cpu() -> Duration {
    let usage = usage();
    let time = |t: libc::timeval| {
        Duration::from_secs(t.tv_sec as u64) + Duration::from_micros(t.tv_usec as u64)
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// The resident set's peak in bytes.
pub(crate) fn peak_rss() -> u64 {
    usage().ru_maxrss as u64 * 1024
}

fn usage() -> libc::rusage {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `usage` is a valid rusage, and RUSAGE_SELF always exists.
    unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    }
}
