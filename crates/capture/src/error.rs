//! What can keep a recording from starting or going on.

use seam_wire::Arch;

/// What gives seam everything it needs without root.
pub(crate) const SETCAP: &str = "sudo setcap \
    cap_bpf,cap_perfmon,cap_sys_ptrace,cap_checkpoint_restore+ep $(command -v seam)";

/// Why something could not be captured. [`Error::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such process.
    #[error("process {0} does not exist")]
    NoProcess(i32),
    /// The id of a thread, not of a process.
    #[error("{tid} is a thread of process {pid}, not a process")]
    NotLeader {
        /// The id given.
        tid: i32,
        /// The process it belongs to.
        pid: i32,
    },
    /// A zombie has no memory any more.
    #[error("process {0} has already ended and waits for its parent (a zombie)")]
    Zombie(i32),
    /// Kernel threads have no user stacks.
    #[error("process {0} is a kernel thread")]
    KernelThread(i32),
    /// 32-bit programs are not supported.
    #[error("process {0} is a 32-bit program, which seam can't record")]
    ThirtyTwoBit(i32),
    /// A 32-bit program that was to be started.
    #[error("{0} is a 32-bit program, which seam can't record")]
    ThirtyTwoBitFile(String),
    /// No process has such a name.
    #[error("no process matches the name {0:?}")]
    NoMatch(String),
    /// There is no such control group, or it is of no use.
    #[error("no control group {path}: {detail}")]
    Cgroup {
        /// What was asked for.
        path: String,
        /// Why not.
        detail: String,
    },
    /// The process may not be looked at.
    #[error("process {pid} can't be looked at: {source}")]
    Inspect {
        /// The process.
        pid: i32,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// Perf events are refused.
    #[error("perf events are refused (perf_event_paranoid is {paranoid}): {source}")]
    Perf {
        /// The setting.
        paranoid: String,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// BPF is refused or fails.
    #[error("the kernel side can't be {step}: {detail}")]
    Bpf {
        /// loaded, attached, filled.
        step: &'static str,
        /// What libbpf said.
        detail: String,
        /// Capabilities that are missing for it.
        missing: Vec<&'static str>,
    },
    /// A core file can't be used.
    #[error("{path}: {why}")]
    Core {
        /// The file.
        path: String,
        /// Why not.
        why: String,
        /// What would help.
        hint: String,
    },
    /// Only the kernel side can do it.
    #[error("{0} needs BPF")]
    NeedsBpf(&'static str),
    /// Without BPF each thread needs descriptors.
    #[error("process {pid} has more threads than there may be open files (RLIMIT_NOFILE)")]
    TooManyThreads {
        /// The process.
        pid: i32,
    },
    /// Processes can't be seen at all.
    #[error("/proc is not mounted")]
    NoProc,
    /// Type information is missing.
    #[error("this kernel has no type information (/sys/kernel/btf/vmlinux is missing)")]
    NoBtf,
    /// The program could not be started.
    #[error("{program} can't be started: {source}")]
    Spawn {
        /// What was to be started.
        program: String,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// Anything else of the operating system.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the kernel said.
        source: std::io::Error,
    },
}

impl Error {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// What the user can do about it, without the word "hint". `verb` is the one that was used.
    #[must_use]
    pub fn hint(&self, verb: &str) -> Option<String> {
        let of = |pid: &i32| match verb {
            "record" => format!("seam record -p {pid}"),
            verb => format!("seam {verb} {pid}"),
        };
        Some(match self {
            Self::NoProcess(_) => {
                "ps -e lists the processes; --name REGEX finds one by its name".to_owned()
            }
            Self::Zombie(_) | Self::KernelThread(_) => {
                "choose a process that runs a program of its own".to_owned()
            }
            Self::ThirtyTwoBit(_) | Self::ThirtyTwoBitFile(_) => {
                format!("build the program for {}", Arch::HOST.name())
            }
            Self::NoMatch(_) => {
                "the regular expression is matched with the process's name and command line"
                    .to_owned()
            }
            Self::Cgroup { .. } => {
                "systemd-cgls lists control groups; of a process: cat /proc/PID/cgroup".to_owned()
            }
            Self::NotLeader { pid, .. } => format!("name the process: {}", of(pid)),
            Self::Inspect { pid, .. } => {
                format!(
                    "CAP_SYS_PTRACE is missing: sudo {}, or once: {SETCAP}",
                    of(pid)
                )
            }
            Self::Perf { paranoid, .. } => {
                let own = match paranoid.parse::<i32>() {
                    Ok(value) if value > 2 => {
                        "; or, for processes of your own: sudo sysctl kernel.perf_event_paranoid=2"
                    }
                    _ => "",
                };
                format!(
                    "CAP_PERFMON and CAP_BPF are missing: sudo seam {verb} …, or once: \
                     {SETCAP}{own}"
                )
            }
            Self::Bpf { missing, .. } if !missing.is_empty() => format!(
                "missing: {}; sudo seam {verb} …, or once: {SETCAP}",
                missing.join(", ")
            ),
            Self::Bpf { .. } => {
                "seam needs Linux 5.10 or newer with BPF; -v prints what the kernel's verifier said"
                    .to_owned()
            }
            Self::Core { hint, .. } => hint.clone(),
            Self::NeedsBpf(_) => format!("sudo seam {verb} …, or once: {SETCAP}"),
            Self::TooManyThreads { pid } => {
                format!("sudo {} needs none; or ulimit -n higher", of(pid))
            }
            Self::NoProc => "mount -t proc proc /proc".to_owned(),
            Self::NoBtf if !std::path::Path::new("/sys/kernel").exists() => {
                "/sys is not mounted: mount -t sysfs sysfs /sys".to_owned()
            }
            Self::NoBtf => {
                "use a kernel built with CONFIG_DEBUG_INFO_BTF (all current distributions have it)"
                    .to_owned()
            }
            Self::Spawn { .. } => "check the path and that it is executable".to_owned(),
            Self::Io { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_the_verb_that_was_used() {
        let denied = || std::io::Error::from_raw_os_error(libc::EACCES);
        let all = [
            Error::NotLeader { tid: 5, pid: 4 },
            Error::Inspect {
                pid: 4,
                source: denied(),
            },
            Error::Perf {
                paranoid: "3".to_owned(),
                source: denied(),
            },
            Error::TooManyThreads { pid: 4 },
        ];
        for error in all {
            let of = |verb| error.hint(verb).expect("a hint");
            assert!(of("record").contains("seam record "), "{error}");
            assert!(of("goroutines").contains("seam goroutines "), "{error}");
            assert!(!of("dump").contains("record"), "{error}");
        }
    }
}
