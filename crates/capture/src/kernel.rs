//! Facts about the machine that a recording notes.

/// The running kernel and machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KernelFacts {
    /// `uname -r`
    pub release: String,
    /// The host's name.
    pub hostname: String,
    /// Online CPUs.
    pub cpus: u32,
}

/// Reads them; what can't be read stays empty.
#[must_use]
pub fn kernel_facts() -> KernelFacts {
    let read = |name: &str| {
        std::fs::read_to_string(format!("/proc/sys/kernel/{name}"))
            .map(|s| s.trim().to_owned())
            .unwrap_or_default()
    };
    KernelFacts {
        release: read("osrelease"),
        hostname: read("hostname"),
        cpus: crate::perf::online_cpus().map_or(0, |cpus| cpus.len() as u32),
    }
}
