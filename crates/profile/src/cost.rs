//! What recording cost.
//!
//! Owns the figures as told by the recorder; nothing here measures.

/// What recording cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// CPU time of seam itself, in nanoseconds.
    pub seam_cpu_ns: u64,
    /// Greatest resident memory of seam, in bytes.
    pub rss_bytes: u64,
    /// Kernel memory of the BPF maps, in bytes.
    pub map_bytes: u64,
    /// Time spent in the BPF program, kernel stack included, in nanoseconds.
    pub bpf_time_ns: u64,
    /// Runs of the BPF program.
    pub bpf_runs: u64,
    /// Unwind tables that earlier recordings had kept.
    pub tables_found: u32,
}

impl Cost {
    /// Time per run of the BPF program; none if the kernel counted none.
    pub fn bpf_ns_per_run(&self) -> Option<u64> {
        self.bpf_time_ns.checked_div(self.bpf_runs)
    }

    /// Resident memory and maps together, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.rss_bytes.saturating_add(self.map_bytes)
    }
}
