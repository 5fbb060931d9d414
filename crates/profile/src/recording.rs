//! What was recorded, when, where and how.
//!
//! Owns the description that heads every report. All of it is told by the caller.

/// How deep a recording reaches into its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Nothing in the target changes.
    #[default]
    ReadOnly,
    /// Probes that the kernel places and removes.
    Probes,
    /// Code of ours runs inside the target, asked for by the user.
    Inside,
}

impl Tier {
    /// Its number: 0, 1 or 2.
    pub const fn number(self) -> u8 {
        match self {
            Self::ReadOnly => 0,
            Self::Probes => 1,
            Self::Inside => 2,
        }
    }

    /// Its words, as in "tier 0: read-only".
    pub const fn words(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Probes => "kernel probes",
            Self::Inside => "code in the target",
        }
    }
}

/// How much could be seen with the privileges there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Grade {
    /// Stacks were walked in the kernel at the sample.
    #[default]
    Bpf,
    /// Stacks were copied by perf events and walked later.
    Copied,
    /// The same, and nothing of the time in the kernel.
    CopiedUserMode,
}

impl Grade {
    /// Its stable id, in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Bpf => "bpf",
            Self::Copied => "copied",
            Self::CopiedUserMode => "copied-user-mode",
        }
    }

    /// What is to be told behind the tier; nothing for the best one.
    pub const fn limits(self) -> &'static str {
        match self {
            Self::Bpf => "",
            Self::Copied => ", without BPF",
            Self::CopiedUserMode => ", without BPF, user mode only",
        }
    }
}

/// One recorded process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Process id.
    pub pid: u32,
    /// Short name.
    pub name: String,
    /// Its command line, one string per argument.
    pub command_line: Vec<String>,
    /// Such as "1.26.8"; none if it holds no Go.
    pub go_version: Option<String>,
    /// Short facts about the build: "cgo", "PIE", "stripped".
    pub facts: Vec<String>,
}

/// What a sample stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Counted {
    /// CPU time, one period of it.
    #[default]
    CpuTime,
    /// A goroutine at one moment.
    Goroutines,
}

impl Counted {
    /// The plural for reports.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::CpuTime => "samples",
            Self::Goroutines => "goroutines",
        }
    }
}

/// How samples were taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sampling {
    /// Samples per second asked for, of each CPU.
    pub rate_hz: u32,
    /// The CPU time one sample stands for, in nanoseconds.
    pub period_ns: u64,
    /// What is counted, in the words of reports: "on-CPU".
    pub event: String,
    /// What one sample stands for.
    pub counted: Counted,
}

/// The machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Host name.
    pub name: String,
    /// Kernel release as `uname -r` prints it.
    pub kernel_release: String,
}

/// The description of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// The processes, the one to name in titles first.
    pub targets: Vec<Target>,
    /// When it began, in nanoseconds since 1970-01-01 UTC.
    pub start_unix_ns: u64,
    /// How long it took, in nanoseconds.
    pub duration_ns: u64,
    /// How samples were taken.
    pub sampling: Sampling,
    /// How deep it reached in.
    pub tier: Tier,
    /// How much could be seen.
    pub grade: Grade,
    /// On which machine.
    pub host: Host,
    /// Version of seam that recorded.
    pub seam_version: String,
}
