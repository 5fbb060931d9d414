//! Two Go runtimes in one process, of different versions: stacks that go through both, the first of
//! them twice, are whole, and each sample's goroutine is that of the innermost runtime.

use std::collections::BTreeMap;
use std::process::Command;

use seam_e2e::places;
use seam_e2e::pprof::{Frame, Pprof, Stack};
use seam_e2e::process::Process;
use seam_e2e::seam::{Bench, SLACK, not_rooted, run_well, sampling};
use seam_e2e::truth::is_thread_start;
use serde_json::Value;

/// The other runtime's version; the second is the machine's.
const OTHER: &str = "go1.24.11";
/// The functions of ours, outermost first. A sample can be in the middle of each.
const PATHS: [&str; 6] = [
    "host_thread;host_first;main.firstInner;main.firstSpin",
    "host_thread;host_first;main.firstInner;first_c;host_second;main.secondInner;main.secondSpin",
    "host_thread;host_first;main.firstInner;first_c;host_second;main.secondInner;second_c;\
     host_third;main.firstInner;main.firstSpin",
    "host_thread;host_first;main.firstInner;first_c;host_second;main.secondInner;second_c;\
     host_third;main.firstInner;first_c;host_leaf",
    "main.secondLoop;main.secondInner;main.secondSpin",
    "main.secondLoop;main.secondInner;second_c;host_leaf",
];

struct Host {
    process: Process,
    first: i64,
    second: i64,
}

/// Starts the host, which prints the goroutines of its thread before it is ready.
fn host(waits: bool) -> Process {
    assert_ne!(
        places::machine_go(),
        OTHER,
        "the libraries would be one file"
    );
    let first = places::go_program("two-go", Some(OTHER), &["-buildmode=c-shared"]);
    let flags = ["-buildmode=c-shared", "-tags=second"];
    let second = places::go_program("two-go", Some(places::machine_go()), &flags);
    let host = places::c_program("twogo", &[first.to_str().expect("UTF-8"), "-ldl"]);
    let mut command = Command::new(host);
    Process::start(command.arg(second).args(waits.then_some("wait")))
}

fn ready(mut process: Process) -> Host {
    let mut id = |name: &str| {
        process.line(name, |line| {
            let id = line.strip_prefix(name)?.strip_prefix(" goid=")?;
            id.parse().ok()
        })
    };
    let (first, second) = (id("first"), id("second"));
    process.line("ready", |line| (line == "ready").then_some(()));
    assert_ne!(first, second, "the test can't tell the runtimes apart");
    Host {
        process,
        first,
        second,
    }
}

fn own(name: &str) -> bool {
    let starts = ["host_", "main.first", "main.second"];
    name == "first_c" || name == "second_c" || starts.iter().any(|s| name.starts_with(s))
}

/// What is wrong with a stack.
fn fault(stack: &Stack, host: &Host) -> Option<&'static str> {
    let names = stack.frames.iter().map(|f| f.name.as_str());
    let path: Vec<&str> = names.filter(|name| own(name)).collect();
    if !path.iter().any(|name| name.starts_with("main.")) {
        return None;
    }
    let path = path.join(";");
    if !PATHS.iter().any(|whole| whole.starts_with(&path)) {
        return Some("no path of the program");
    }
    let thread = path.starts_with("host_thread");
    let outermost = &stack.frames[0];
    let rooted = match thread {
        true => is_thread_start(outermost),
        false => outermost.name == "runtime.goexit",
    };
    if !rooted {
        return Some("another root");
    }
    let goid = stack.numbers.get("goid").copied().unwrap_or(0);
    let in_go = |f: &&Frame| {
        let starts = ["main.", "runtime.", "_cgoexp_"];
        f.name == "crosscall2" || starts.iter().any(|s| f.name.starts_with(s))
    };
    let innermost = stack.frames.iter().rfind(in_go);
    let in_first = innermost.is_some_and(|f| f.module.ends_with(OTHER));
    let right = match (thread, in_first) {
        (true, true) => goid == host.first,
        (true, false) => goid == host.second,
        (false, _) => goid != 0 && goid != host.first && goid != host.second,
    };
    (!right).then_some("another goroutine")
}

fn check(profile: &Pprof, summary: &Value, host: &Host) {
    assert_eq!(not_rooted(summary), [""; 0]);
    assert_eq!(summary["quality"]["edges"]["impossible"], 0);
    let mut met: BTreeMap<&str, i64> = BTreeMap::new();
    for stack in &profile.stacks {
        if let Some(fault) = fault(stack, host) {
            panic!("{fault}: {}", stack.text());
        }
        let names = stack.frames.iter().map(|f| f.name.as_str());
        let path: Vec<&str> = names.filter(|name| own(name)).collect();
        let path = path.join(";");
        if let Some(whole) = PATHS.iter().find(|whole| **whole == path) {
            *met.entry(*whole).or_default() += stack.count;
        }
    }
    for path in PATHS {
        let count = met.get(path).copied().unwrap_or(0);
        assert!(count > 100, "{count} samples of {path}: {met:?}");
    }
}

#[test]
fn stacks_through_both() {
    let bench = Bench::new();
    let host = ready(host(false));
    run_well(&mut bench.record(host.process.pid(), "-d 4s -r 997 -o x.pb.gz -o x.json"));
    check(&bench.pprof("x.pb.gz"), &bench.json("x.json"), &host);
}

/// The loader tells where the second runtime's g lies only after it has mapped it.
#[test]
fn a_second_runtime_loaded_later() {
    let bench = Bench::new();
    let mut waiting = host(true);
    waiting.line("waiting", |line| (line == "waiting").then_some(()));
    let seam = sampling_all(&bench, waiting.pid());
    waiting.send("go\n");
    let host = ready(waiting);
    let outcome = seam.end(SLACK);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    let summary = bench.json("x.json");
    let early: Vec<String> = not_rooted(&summary)
        .into_iter()
        .filter(|r| !r.starts_with("\"table-not-ready\"") && !r.starts_with("\"go-build-unknown\""))
        .collect();
    assert_eq!(early, [""; 0]);
    let (samples, whole) = (&summary["samples"], &summary["quality"]["whole"]);
    let (samples, whole) = (samples.as_f64(), whole.as_f64());
    assert!(whole > samples.map(|n| n * 0.9), "{}", summary["quality"]);
    let profile = bench.pprof("x.pb.gz");
    let of = |path: &str| {
        let last = path.rsplit(';').next().expect("a path has a last function");
        profile.count_where(|s| s.has(last) && fault(s, &host).is_none())
    };
    for path in PATHS {
        assert!(of(path) > 100, "{} samples of {path}", of(path));
    }
}

fn sampling_all(bench: &Bench, pid: i32) -> Process {
    // A waiting process has no samples of its own.
    let mut command = bench.record(pid, "-d 6s -r 997 -o x.pb.gz -o x.json");
    sampling(&mut command)
}
