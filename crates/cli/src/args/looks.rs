//! The options of the verbs that look at goroutines: `dump` and `goroutines`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::parse_duration;

/// The one process, or the core file of one, that these verbs look at.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LookedAt {
    /// The process to look at, or a core file of one
    #[arg(value_name = "PID|CORE")]
    pub(crate) target: Option<String>,

    /// The process to look at, as other verbs have it
    #[arg(short, long, value_name = "PID", conflicts_with_all = ["target", "name"])]
    pub(crate) pid: Option<i32>,

    /// The executable that a core file is of, where it is not at the path that the core names
    #[arg(long, value_name = "FILE")]
    pub(crate) exe: Option<PathBuf>,

    /// Look at the process whose name or command line matches
    #[arg(long, value_name = "REGEX")]
    pub(crate) name: Option<String>,
}

const GOROUTINES_EXAMPLES: &str = "\
Examples:
  sudo seam goroutines 4242                    three looks in two seconds
  sudo seam goroutines 4242 --for 60s --every 10s
  sudo seam goroutines 4242 --ignore-top 'net.(*pollDesc).wait' --all
  sudo seam goroutines 4242 --fail-on goroutine-leak --junit leaks.xml
  sudo seam goroutines 4242 --json | jq '.groups[] | select(.verdict == \"goroutine-leak\")'
  sudo seam goroutines --fail-on goroutine-leak -o leaks.xml -- go test ./...

The program runs on: nothing is stopped, signalled or written. A goroutine is called leaked where
nothing that can run leads to what it waits on, look after look, or where its group grows on and on.
Needs root, or CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE.
Exit codes: 0 looked, 1 --fail-on found something, 2 error, 3 something was not seen and --fail-on
not-seen asked for it. After -- the command's own exit code if that is not 0 (128 and the signal's
number if it ended by a signal), else the same.";

/// Tell which goroutines are leaked, and why
///
/// Looks several times, puts goroutines that do the same into groups, and judges each group:
/// leaked, with its cause class, suspect, with what is missing to know, or healthy.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = GOROUTINES_EXAMPLES)]
pub(crate) struct GoroutinesArgs {
    #[command(flatten)]
    pub(crate) looked_at: LookedAt,

    /// From the first look to the last
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration, default_value = "2s",
        help_heading = "Looking")]
    pub(crate) duration: Duration,

    /// Time from look to look; without it, a sixth of --for, or half of a short one
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Looking")]
    pub(crate) every: Option<Duration>,

    /// Leave out goroutines whose innermost function, the runtime's aside, is this one. Repeatable
    #[arg(long, value_name = "FUNCTION", help_heading = "What is shown")]
    pub(crate) ignore_top: Vec<String>,

    /// Leave out goroutines that this function made. Repeatable
    #[arg(long, value_name = "FUNCTION", help_heading = "What is shown")]
    pub(crate) ignore_created_by: Vec<String>,

    /// Show healthy groups too
    #[arg(short, long, help_heading = "What is shown")]
    pub(crate) all: bool,

    /// Exit with 1 where such a group is found. Repeatable
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Output")]
    pub(crate) fail_on: Vec<FailOn>,

    /// Where to write the report; .xml is JUnit's form, .json everything. Repeatable
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Vec<PathBuf>,

    /// The same as -o, in JUnit's XML whatever the extension
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) junit: Option<PathBuf>,

    /// Print the report as JSON; what a command prints goes to stderr then
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,

    /// Run a command, and tell what each Go program that it runs has left at its end: a test
    /// binary by its tests. Go's own tools are left out
    ///
    /// It runs without seam's privileges: under sudo, as the user who called it.
    #[arg(last = true, value_name = "COMMAND", conflicts_with_all = ["target", "pid", "exe", "name", "every"])]
    pub(crate) command: Vec<OsString>,
}

/// For what --fail-on exits with 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FailOn {
    /// A leaked group
    GoroutineLeak,
    /// A leaked or suspect group
    Suspect,
    /// A program that could not be looked at, or not completely (exit code 3)
    NotSeen,
}

const DUMP_EXAMPLES: &str = "\
Examples:
  sudo seam dump 4242                      groups of equal stacks, biggest first
  sudo seam dump 4242 --state 'chan receive' --without 'pool\\.'
  sudo seam dump 4242 --goroutine 18,40    each frame on its own line
  sudo seam dump 4242 --thread 4250 --asm  the instructions at each frame, too
  sudo seam dump 4242 --all | less         every group and every number
  sudo seam dump 4242 --watch 1s           again and again
  seam dump core.4242                      a core file; needs no privilege
  sudo seam dump 4242 -o goroutines.txt    the form of Go's own dump, for tools that read it
  sudo seam dump 4242 --json | jq '.groups[0]'

The program runs on: nothing is stopped, signalled or written. What changed while it was read is
marked as moving. Needs root, or CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE.
Exit codes: 0 shown, 2 error.";

/// Show what every goroutine and thread of a process does now
///
/// Goroutines with the same stack, wait and origin are one group. Those in C go on into their C
/// stack. A program without Go shows its threads.
#[derive(Debug, clap::Args)]
#[command(after_help = DUMP_EXAMPLES)]
pub(crate) struct DumpArgs {
    #[command(flatten)]
    pub(crate) looked_at: LookedAt,

    /// Show every group, all members' numbers, and each frame on a line
    #[arg(short, long, help_heading = "What is shown")]
    pub(crate) all: bool,

    /// Show only these goroutines
    #[arg(
        short,
        long,
        value_name = "N[,N…]",
        value_delimiter = ',',
        help_heading = "What is shown"
    )]
    pub(crate) goroutine: Vec<u64>,

    /// Show only these threads
    #[arg(
        short,
        long,
        value_name = "TID[,TID…]",
        value_delimiter = ',',
        help_heading = "What is shown"
    )]
    pub(crate) thread: Vec<i32>,

    /// Show the code at each frame of these threads, too: its mapping, and the instructions
    #[arg(long, requires = "thread", help_heading = "What is shown")]
    pub(crate) asm: bool,

    /// Show only stacks with a function that matches
    #[arg(long, value_name = "REGEX", help_heading = "What is shown")]
    pub(crate) with: Option<String>,

    /// Show only stacks without a function that matches
    #[arg(long, value_name = "REGEX", help_heading = "What is shown")]
    pub(crate) without: Option<String>,

    /// Show only goroutines in a state: `chan receive`, `select`, `running`, …
    #[arg(long, value_name = "WORDS", help_heading = "What is shown")]
    pub(crate) state: Option<String>,

    /// Show only goroutines that may have waited this long. Those of whose age nothing is known are
    /// left out and counted
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "What is shown")]
    pub(crate) older: Option<Duration>,

    /// Show the timers that are running, too: when each ends, its period, what it calls
    #[arg(long, help_heading = "What is shown")]
    pub(crate) timers: bool,

    /// Look again every so often until Ctrl-C; on a terminal the screen is drawn anew
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Output")]
    pub(crate) watch: Option<Duration>,

    /// Where to write all goroutines; .txt has the form of Go's own dump, .json everything, .pb.gz
    /// is a profile for go tool pprof, .html a page. Repeatable
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Vec<PathBuf>,

    /// Print the dump as JSON
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}
