//! Targets that change all the time (tests/e2e/programs/storm.c and storm-go), recorded: what came
//! of their samples, what seam took for it, and whether the targets noticed. The tests run these at
//! a size for any machine, `cargo xtask storms` at full size.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::pprof::Stack;
use crate::process::Process;
use crate::seam::{Bench, not_rooted, run_well};
use crate::{bpf, places, wait};

/// How large.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Seconds that are recorded.
    pub seconds: u32,
    /// Threads of one process.
    pub threads: u32,
    /// Short-lived processes a second.
    pub processes: u32,
    /// Libraries opened and closed a second.
    pub loads: u32,
    /// Processes beside each other.
    pub many: u32,
    /// Times that seam attaches and detaches.
    pub attaches: u32,
}

impl Size {
    /// For the tests.
    pub const SMALL: Self = Self {
        seconds: 3,
        threads: 500,
        processes: 200,
        loads: 100,
        many: 100,
        attaches: 8,
    };
    /// What seam is made for.
    pub const FULL: Self = Self {
        seconds: 10,
        threads: 10_000,
        processes: 2_000,
        loads: 500,
        many: 2_000,
        attaches: 1_000,
    };
}

/// How long attaching goes on where the machine is too slow for so many times.
const ATTACHING_NS: u64 = 400_000_000_000;

/// What a storm gave.
#[derive(Debug)]
pub struct Seen {
    /// What the target counted: threads, processes, calls.
    pub count: u64,
    /// Samples.
    pub samples: i64,
    /// Samples that show the target's own functions.
    pub own: i64,
    /// Those of them that begin at a root.
    pub own_rooted: i64,
    /// Samples that begin at a root, of all.
    pub rooted: i64,
    /// Those that do not, by reason.
    pub not_rooted: Vec<String>,
    /// Samples that were lost and counted.
    pub lost: u64,
    /// Calls that the code does not allow.
    pub impossible: u64,
    /// seam's largest resident set and its maps.
    pub bytes: u64,
    /// Executable text of the program, for the budget.
    pub text_bytes: u64,
}

impl Seen {
    /// 40 MiB and a tenth of the targets' executable text.
    #[must_use]
    pub fn budget(&self) -> u64 {
        (40 << 20) + self.text_bytes / 10
    }

    /// The share of samples that are rooted, in percent; the lower of all and of the target's own.
    #[must_use]
    pub fn rooted_percent(&self) -> f64 {
        let share = |part: i64, of: i64| 100.0 * part as f64 / (of as f64).max(1.0);
        share(self.rooted, self.samples).min(share(self.own_rooted, self.own))
    }
}

/// The C program.
#[must_use]
pub fn program() -> PathBuf {
    places::c_program("storm", &["-ldl"])
}

/// The Go program.
#[must_use]
pub fn go_program() -> PathBuf {
    places::go_program("storm-go", None, &[])
}

/// Starts a program in a mode, waits until it says `made` where it says so, records it, and lets it
/// come to its end.
///
/// # Panics
/// When it fails, or was interrupted in a system call.
#[must_use]
pub fn recorded(size: &Size, file: &Path, words: &[String], options: &str) -> Seen {
    let mode = words[0].as_str();
    let seconds = (size.seconds + 12).to_string();
    let mut command = Command::new(file);
    command.arg(mode).arg(seconds).args(&words[1..]);
    let mut process = Process::start(&mut command);
    let until = if ["threads", "many"].contains(&mode) {
        "made"
    } else {
        "ready"
    };
    process.line(until, |line| (line == until).then_some(()));
    let bench = Bench::new();
    let options = format!("{options} -d {}s -r 499 -o x.pb.gz -o x.json", size.seconds);
    let mut seam = match options.contains("--all") {
        true => bench.record_all(&options),
        false => bench.record(process.pid(), &options),
    };
    run_well(&mut seam);
    let seen = seen(&bench, file);
    // A slow machine may need long to end them all.
    let outcome = process.end(Duration::from_secs(120));
    assert_eq!(outcome.code(), Some(0), "{mode}: {}", outcome.text());
    let done = outcome
        .stdout
        .iter()
        .find_map(|line| line.strip_prefix("done "));
    let done = done.unwrap_or_else(|| panic!("{mode}: {}", outcome.text()));
    let number = |key: &str| {
        let word = done.split(' ').find_map(|word| word.strip_prefix(key));
        word.and_then(|n| n.parse::<u64>().ok())
    };
    assert_eq!(number("interrupted="), Some(0), "{mode}: {done}");
    Seen {
        count: number("count=").unwrap_or_default(),
        ..seen
    }
}

fn seen(bench: &Bench, file: &Path) -> Seen {
    let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
    let own = |s: &Stack| {
        let mut names = s.frames.iter().map(|f| f.name.as_str());
        names.any(|name| name.starts_with("storm_") || name.starts_with("main.storm"))
    };
    let rooted = |s: &Stack| own(s) && !s.texts.contains_key("end");
    let quality = &summary["quality"];
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let cost = &summary["cost"];
    Seen {
        count: 0,
        samples: profile.count(),
        own: profile.count_where(own),
        own_rooted: profile.count_where(rooted),
        rooted: profile.count_where(|s| !s.texts.contains_key("end")),
        not_rooted: not_rooted(&summary),
        lost: number(&quality["lost_records"]) + number(&quality["lost_elsewhere"]),
        impossible: number(&quality["edges"]["impossible"]),
        bytes: number(&cost["rss_bytes"]) + number(&cost["map_bytes"]),
        text_bytes: std::fs::metadata(file).map_or(0, |file| file.len()),
    }
}

/// Attaches and detaches under load, again and again; gives how often it came to, and what was left
/// behind.
///
/// # Panics
/// When a recording fails or the target does not go on.
#[must_use]
pub fn attached(size: &Size) -> (u32, BTreeSet<bpf::Object>) {
    let mut command = Command::new(program());
    let mut process = Process::start(command.args(["spin", "590"]));
    process.line("ready", |line| (line == "ready").then_some(()));
    let before = bpf::all();
    let bench = Bench::new();
    let (mut times, begun) = (0, wait::monotonic_ns());
    while times < size.attaches && wait::monotonic_ns() - begun < ATTACHING_NS {
        run_well(&mut bench.record(process.pid(), "-q -d 20ms -r 4999 -o x.folded"));
        times += 1;
    }
    assert!(process.runs(), "the target has ended");
    // Links and maps go a grace period after their owner.
    let end = wait::monotonic_ns() + 10_000_000_000;
    let mut left: BTreeSet<_> = bpf::all().difference(&before).copied().collect();
    while !left.is_empty() && wait::monotonic_ns() < end {
        std::thread::sleep(Duration::from_millis(50));
        left = bpf::all().difference(&before).copied().collect();
    }
    (times, left)
}

/// A folder with numbered copies of a library.
///
/// # Panics
/// When it can't be built.
#[must_use]
pub fn libraries() -> PathBuf {
    let library = places::c_program("plugin", &["-shared", "-fPIC"]);
    let folder = places::scratch().join("libraries");
    std::fs::create_dir_all(&folder).expect("the folder is writable");
    for number in 0..16 {
        let copy = folder.join(format!("{number}.so"));
        std::fs::copy(&library, copy).expect("the folder is writable");
    }
    folder
}
