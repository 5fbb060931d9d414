//! The command line.

mod looks;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ColorChoice, CommandFactory, Parser};

use crate::record::Group;
pub(crate) use looks::{DumpArgs, FailOn, GoroutinesArgs, LookedAt};

/// Samples a second: below, nothing is learned; above, the target is slowed down.
const RATES_HZ: std::ops::RangeInclusive<u32> = 1..=10_000;

/// Profile and diagnose running programs that mix Go and C.
///
/// Whole stacks across kernel, C and Go, from outside: the program is not changed, not stopped and
/// not restarted.
#[derive(Debug, Parser)]
#[command(
    name = "seam",
    bin_name = "seam",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Args {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Verb,
}

/// The verbs.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Record where CPU time goes, and write a flame graph
    Record(RecordArgs),
    /// Show what every goroutine and thread of a process does now
    Dump(DumpArgs),
    /// Tell which goroutines are leaked, and why
    Goroutines(GoroutinesArgs),
    /// Tell whether seam can record here, and what a process will show
    Doctor(DoctorArgs),
    /// Print a manual page in roff: `seam man record | man -l -`
    #[command(hide = true)]
    Man {
        /// The verb to describe; without one, seam itself
        verb: Option<String>,
    },
    /// Print completions for a shell: `seam completions bash`
    #[command(hide = true)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

const RECORD_EXAMPLES: &str = "\
Examples:
  seam record -p 4242                      until Ctrl-C; writes seam-NAME-4242.html
  seam record -p 4242 -d 30s               for half a minute
  seam record --name 'api-server' -o cpu.pb.gz -o cpu.html
  seam record -d 10s -- ./server --port 8080
  seam record -d 10s --all                 the whole machine; writes seam-machine.html
  seam record -p 4242 -d 10s --json | jq .quality
  seam record -p 4242 -d 10s --compare     what perf and pprof would keep of the same samples

Sees everything as root, or with CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_CHECKPOINT_RESTORE.
With less, your own processes are recorded, and what is not seen is told. Nothing in the target
changes.
Exit codes: 0 recorded, 2 error.";

/// Record where CPU time goes, and write a flame graph
///
/// Samples every thread of the targets on every CPU, walks kernel, C and Go stacks as one, prints a
/// summary and writes what -o names (default: a flame graph page).
#[derive(Debug, clap::Args)]
#[command(after_help = RECORD_EXAMPLES)]
pub(crate) struct RecordArgs {
    /// Processes to record, separated by commas
    #[arg(
        short,
        long,
        value_name = "PID[,PID…]",
        value_delimiter = ',',
        help_heading = "Target"
    )]
    pub(crate) pid: Vec<i32>,

    /// Record every process whose name or command line matches
    #[arg(long, value_name = "REGEX", help_heading = "Target")]
    pub(crate) name: Option<String>,

    /// Record every process of the machine, and kernel threads
    #[arg(short, long, help_heading = "Target")]
    pub(crate) all: bool,

    /// Record every process under a control group (version 2), now and later
    #[arg(long, value_name = "PATH", help_heading = "Target")]
    pub(crate) cgroup: Option<PathBuf>,

    /// Record every process of a container, by its id or the beginning of it
    #[arg(long, value_name = "ID", help_heading = "Target")]
    pub(crate) container: Option<String>,

    /// Also record processes that the targets start
    #[arg(long, help_heading = "Target")]
    pub(crate) children: bool,

    /// Start a program and record it from its first instruction
    ///
    /// It runs without seam's privileges: under sudo, as the user who called it. After -d it goes
    /// on running; at Ctrl-C both end.
    #[arg(last = true, value_name = "COMMAND", help_heading = "Target")]
    pub(crate) command: Vec<OsString>,

    /// How long: 10s, 1m30s, 500ms; without it, until Ctrl-C or the target's end
    #[arg(short, long, value_name = "TIME", value_parser = parse_duration, help_heading = "Recording")]
    pub(crate) duration: Option<Duration>,

    /// Samples a second on each CPU
    #[arg(short, long, value_name = "HZ", default_value = "99", value_parser = parse_rate,
          help_heading = "Recording")]
    pub(crate) rate: u32,

    /// Also tell what frame pointers, DWARF copies and Go's own profiler would have kept of the
    /// same samples
    #[arg(long, conflicts_with = "started_by", help_heading = "Recording")]
    pub(crate) compare: bool,

    /// Where to write; the extension says what: .html .pb.gz .folded .svg
    /// .speedscope.json .json. Repeatable
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Vec<PathBuf>,

    /// Put all stacks under a frame: process, thread, goroutine, state, module, activity or
    /// label:KEY
    #[arg(long, value_name = "BY", help_heading = "Output")]
    pub(crate) group: Option<Group>,

    /// Put the stacks of threads made while recording under the stack that made the thread
    #[arg(long, help_heading = "Output")]
    pub(crate) started_by: bool,

    /// Print the summary as JSON
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,

    /// When to use colours
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Output"
    )]
    pub(crate) color: ColorChoice,

    /// Print neither progress nor summary
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,

    /// Also print what the kernel says while loading
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

const DOCTOR_EXAMPLES: &str = "\
Examples:
  sudo seam doctor                         this machine: kernel, rights, BPF
  sudo seam doctor 4242                    and what a recording of a process will show
  sudo seam doctor --name 'api-server'
  seam doctor --json | jq '.host[] | select(.state != \"ok\")'

Works without root, too: what can't be tried then says which capability it needs. Nothing in the
target changes.
Exit codes: 0 all fine, 1 problems found, 2 error.";

/// Tell whether seam can record here, and what a process will show
///
/// Tries what a recording needs of the kernel. For a process: its Go builds, its modules and what
/// describes their functions, which stacks will be whole and which functions will have names. Each
/// problem comes with its fix.
#[derive(Debug, clap::Args)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// A process to look at
    pub(crate) pid: Option<i32>,

    /// Look at every process whose name or command line matches
    #[arg(long, value_name = "REGEX")]
    pub(crate) name: Option<String>,

    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
}

impl RecordArgs {
    /// Whether more is recorded than processes that were named.
    pub(crate) fn is_wide(&self) -> bool {
        self.all || self.cgroup.is_some() || self.container.is_some()
    }
}

/// Prints what clap has to say: help and version to stdout, errors in our form.
pub(crate) fn report(error: &clap::Error) -> std::process::ExitCode {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // A closed pipe is no error of ours.
            let _ = error.print();
            let asked = error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
            std::process::ExitCode::from(if asked { 0 } else { 2 })
        }
        _ => {
            let text = error.render().to_string();
            let message = text.lines().next().unwrap_or_default();
            eprintln!("{message}");
            let tip = text.lines().find_map(|l| l.trim().strip_prefix("tip: "));
            match tip {
                Some(tip) => eprintln!("hint:  {tip}"),
                None => eprintln!(
                    "hint:  seam {} --help shows all options, with examples",
                    verb()
                ),
            }
            std::process::ExitCode::from(2)
        }
    }
}

/// The verb that was meant, as far as the arguments tell.
pub(crate) fn verb() -> &'static str {
    let mut verbs = ["doctor", "dump", "goroutines"].into_iter();
    let word = std::env::args_os().nth(1).unwrap_or_default();
    verbs.find(|verb| word == *verb).unwrap_or("record")
}

/// The command, for help texts and man pages.
pub(crate) fn command() -> clap::Command {
    Args::command()
}

/// `1h2m3s`, `500ms`, `1.5s`, or a plain number of seconds.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time; write 10s, 1m30s or 500ms");
    let mut rest = text.trim();
    let mut seconds = 0.0f64;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        seconds += number
            * match &rest[..letters] {
                "h" => 3600.0,
                "m" | "min" => 60.0,
                "s" | "sec" => 1.0,
                "ms" => 1e-3,
                "" if parts == 0 && letters == rest.len() => 1.0,
                _ => return Err(wrong()),
            };
        rest = &rest[letters..];
        parts += 1;
    }
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() && time <= Duration::from_secs(7 * 24 * 3600) => Ok(time),
        _ if parts == 0 => Err(wrong()),
        _ => Err(format!("{text:?} is not between 1ms and 7 days")),
    }
}

fn parse_rate(text: &str) -> Result<u32, String> {
    let rate = text.parse().ok().filter(|rate| RATES_HZ.contains(rate));
    rate.ok_or_else(|| {
        let (low, high) = (RATES_HZ.start(), RATES_HZ.end());
        format!("{text:?} is not a rate between {low} and {high} samples a second; 99 is usual")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let ok = |text: &str, ms: u64| {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(ms)),
                "{text}"
            );
        };
        ok("10s", 10_000);
        ok("1m30s", 90_000);
        ok("500ms", 500);
        ok("1.5s", 1500);
        ok("7", 7000);
        for wrong in [
            "",
            "s",
            "10x",
            "-1s",
            "0s",
            "10s5",
            "1e9h",
            "999999999h",
            "10 s",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn rates() {
        assert_eq!(parse_rate("99"), Ok(99));
        for wrong in ["0", "-1", "10001", "x", "99.5"] {
            assert!(parse_rate(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }
}
