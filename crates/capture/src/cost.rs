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

/// The resident set's peak in bytes. Not getrusage's: that keeps the peak of the process which
/// executed this program (setmax_mm_hiwater_rss in exec_mmap, Linux 2.6.32 to 6.18).
pub(crate) fn peak_rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    peak_of(&status).unwrap_or(0)
}

fn peak_of(status: &str) -> Option<u64> {
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = peak.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

fn usage() -> libc::rusage {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `usage` is a valid rusage, and RUSAGE_SELF always exists.
    unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_this_programs_own() {
        assert_eq!(
            peak_of("VmPeak:\t 9 kB\nVmHWM:\t   12 kB\n"),
            Some(12 << 10)
        );
        assert_eq!(peak_of("VmHWM: much"), None);
        assert!(peak_rss() > 0);
    }
}
