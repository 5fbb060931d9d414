//! `seam goroutines` on program y: each fault is found with its cause, the same program without the
//! fault is not, and neither is what only looks like one.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use seam_e2e::places;
use seam_e2e::process::Process;
use seam_e2e::program::Program;
use seam_e2e::refusal::Refusal;
use seam_e2e::seam::{Bench, arg, parse_json, run, run_well};
use seam_e2e::strangers::{as_nobody, open_bench, program_of_nobody};
use serde_json::Value;

/// Faults that one look at what can be reached shows.
const CERTAIN: [(&str, &str); 16] = [
    ("send", "send-no-partner"),
    ("receive", "receive-no-partner"),
    ("select", "receive-no-partner"),
    ("stale", "receive-no-partner"),
    ("nil", "nil-channel"),
    ("nils", "nil-channel"),
    ("collected", "context-never-cancelled"),
    ("context", "context-never-cancelled"),
    ("pipeline", "send-no-partner"),
    ("mutex", "lock-never-released"),
    ("order", "lock-never-released"),
    ("ring", "lock-never-released"),
    ("rwmutex", "lock-never-released"),
    ("group", "waitgroup-never-done"),
    ("cond", "cond-never-signalled"),
    ("sql", "context-never-cancelled"),
];

/// Faults that only growth shows.
const GROWING: [(&str, &str); 6] = [
    ("chain", "ctx-chain-broken"),
    ("queue", "lock-never-released"),
    ("ticker", "timer-loop"),
    ("sleep", "timer-loop"),
    ("c", "stuck-in-c"),
    ("io", "io-no-deadline"),
];

const HEALTHY: [&str; 20] = [
    "http",
    "rests",
    "passed",
    "pool",
    "database",
    "streams",
    "cron",
    "callbacks",
    "compute",
    "gc",
    "churn",
    "signals",
    "empty",
    "contention",
    "conditions",
    "replies",
    "timeouts",
    "barrier",
    "finalizer",
    "register",
];

fn start(go: &str, mode: &str) -> Program {
    let file = places::program_by(go, "y");
    Program::start_command(Command::new(file).args(["120", mode]))
}

fn look(program: &Program, options: &[&str]) -> Value {
    let bench = Bench::new();
    let pid = arg(program.pid());
    let words = [&["goroutines", &pid, "--json"], options].concat();
    parse_json(&run_well(&mut bench.seam(&words)).stdout.join("\n"))
}

/// The groups with a verdict.
fn groups<'a>(report: &'a Value, verdict: &str) -> Vec<&'a Value> {
    let groups = report["groups"].as_array().expect("groups").iter();
    groups.filter(|g| g["verdict"] == verdict).collect()
}

/// What seam says of a program with a fault. An old word on a stack can hide a leak, so that it
/// need not be found in each run: one of three starts must show it.
fn leaking(go: &str, mode: &str, options: &[&str]) -> Value {
    let mut report = Value::Null;
    for _ in 0..3 {
        report = look(&start(go, mode), options);
        if !groups(&report, "goroutine-leak").is_empty() {
            return report;
        }
    }
    panic!("{go}: {mode}: nothing found in {report}");
}

/// Only what leaks is called leaked, by the names of its functions, and for the right cause.
fn only_this_leaks(report: &Value, mode: &str, cause: &str) {
    let leaks = groups(report, "goroutine-leak");
    assert!(!leaks.is_empty(), "{mode}: nothing found in {report}");
    for leak in leaks {
        let stack = leak["stack"].as_array().expect("a stack").iter();
        let functions: Vec<&str> = stack.filter_map(|f| f["function"].as_str()).collect();
        let own = |f: &&str| {
            f.starts_with("main.leak")
                || f.starts_with("context.")
                || f.contains("connectionOpener")
        };
        assert!(functions.iter().any(own), "{mode}: {functions:?}");
        assert_eq!(leak["cause"], cause, "{mode}: {functions:?}");
    }
}

fn nothing_leaks(report: &Value, mode: &str) {
    let leaks = groups(report, "goroutine-leak");
    assert!(leaks.is_empty(), "{mode}: {leaks:?}");
}

/// Programs that are looked at together: seam and they mostly sleep.
const TOGETHER: usize = 4;

/// Checks each, some at a time.
fn each<T: Sync>(all: &[T], check: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    check(one);
                }
            });
        }
    });
}

/// Every one of some modes by two versions of Go.
fn by_both<T: Copy>(modes: &[T]) -> Vec<(&'static str, T)> {
    let versions = [places::machine_go(), "go1.21.13"];
    // An older one is built when it is first wanted: before several want it.
    for go in versions {
        let _ = places::program_by(go, "y");
    }
    let all = versions.map(|go| modes.iter().map(move |mode| (go, *mode)));
    all.into_iter().flatten().collect()
}

#[test]
fn what_nothing_can_wake_is_leaked() {
    each(&by_both(&CERTAIN), |(go, (mode, cause))| {
        let report = leaking(go, mode, &[]);
        assert_eq!(
            report["target"]["mark_incomplete"],
            Value::Null,
            "{go}: {mode}"
        );
        only_this_leaks(&report, mode, cause);
        let fixed = format!("{mode}-fixed");
        nothing_leaks(&look(&start(go, &fixed), &[]), &fixed);
    });
}

/// What Go has only since 1.23: iter.Pull, and channels that know their timer.
#[test]
fn what_only_new_versions_have() {
    let newest = |mode: &str| {
        let file = places::program_by(places::machine_go(), "y");
        let mut command = Command::new(file);
        // The program's go.mod asks for the timers of before.
        command.args(["120", mode]);
        Program::start_command(command.env("GODEBUG", "asynctimerchan=0"))
    };
    for (mode, cause, creator) in [
        ("pull", "iterator-never-stopped", "iter.Pull["),
        ("stopped", "receive-no-partner", "main.stopped"),
    ] {
        // An old word somewhere hides one now and then.
        let found = (0..3).any(|_| {
            let report = look(&newest(mode), &[]);
            let leaks = groups(&report, "goroutine-leak");
            for leak in &leaks {
                assert_eq!(leak["cause"], cause, "{leak}");
                let by = leak["created_by"]["function"].as_str();
                assert!(by.is_some_and(|by| by.starts_with(creator)), "{leak}");
            }
            let counts = leaks.iter().filter_map(|leak| leak["count"].as_u64());
            counts.sum::<u64>() >= 6
        });
        assert!(found, "{mode}: not 6 of 7 in one of three runs");
        let fixed = format!("{mode}-fixed");
        nothing_leaks(&look(&newest(&fixed), &[]), &fixed);
    }
    for healthy in ["iterators", "weak"] {
        nothing_leaks(&look(&newest(healthy), &[]), healthy);
    }
}

#[test]
fn what_grows_without_end_is_leaked() {
    each(&GROWING, |(mode, cause)| {
        let options = ["--for", "6s", "--every", "1s"];
        let report = leaking(places::machine_go(), mode, &options);
        only_this_leaks(&report, mode, cause);
        let fixed = format!("{mode}-fixed");
        nothing_leaks(
            &look(&start(places::machine_go(), &fixed), &options),
            &fixed,
        );
    });
}

#[test]
fn what_only_looks_like_a_leak_is_none() {
    each(&by_both(&HEALTHY), |(go, mode)| {
        nothing_leaks(&look(&start(go, mode), &[]), mode);
    });
}

/// Not even suspect: the finalizer's closure is a root.
#[test]
fn what_a_finalizer_closes_is_healthy() {
    let report = look(&start(places::machine_go(), "finalizer"), &[]);
    nothing_leaks(&report, "finalizer");
    let suspects = groups(&report, "suspect");
    assert!(suspects.is_empty(), "{suspects:?}");
}

/// The only way to the channel is a register of a goroutine that runs. Where that is stopped is
/// chance, so it is done several times.
#[test]
fn what_only_a_register_leads_to_is_healthy() {
    let program = start(places::machine_go(), "register");
    for _ in 0..4 {
        program.signal(libc::SIGSTOP);
        let report = look(&program, &["--for", "200ms", "--every", "100ms"]);
        program.signal(libc::SIGCONT);
        nothing_leaks(&report, "register, stopped");
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// Without BPF there are no registers of threads that run, so that the mark can't be complete.
#[test]
fn what_is_not_seen_of_a_process_can_be_asked_for() {
    let (bench, _tools, seam) = open_bench();
    let (_home, program) = program_of_nobody("a", 60);
    let pid = arg(program.pid());
    let words = ["goroutines", "--for", "200ms", "--every", "100ms", &pid];
    let mut plain = as_nobody(&bench, "", &seam, &words);
    let outcome = run_well(&mut plain);
    let text = outcome.stdout.join("\n");
    let asked = [&words[..], &["--fail-on", "not-seen"]].concat();
    let outcome = run(&mut as_nobody(&bench, "", &seam, &asked));
    assert_eq!(outcome.code(), Some(3), "{text}");
    let mut by_root = bench.seam(&asked);
    assert_eq!(run(&mut by_root).code(), Some(0));
}

#[test]
fn processes_without_go_have_no_goroutines() {
    let sleeps = Process::start(Command::new("sleep").arg("60"));
    let _ = Refusal::of(&["goroutines", &arg(sleeps.pid())]).error_has("no Go");
}

#[test]
fn a_lock_that_everybody_knows_is_suspect() {
    let report = look(&start(places::machine_go(), "global"), &[]);
    nothing_leaks(&report, "global");
    let suspects = groups(&report, "suspect");
    assert_eq!(suspects.len(), 1, "{report}");
    assert_eq!(suspects[0]["cause"], "lock-never-released");
    assert_eq!(suspects[0]["count"], 7);
}

/// Two that wait for each other's lock, and stages of which each waits for the next, and a
/// ticker that is stopped at an end which never comes.
#[test]
fn what_others_wait_for_is_held() {
    for (mode, held) in [
        ("order", "sync.Mutex 0x"),
        ("pipeline", "others want to send"),
        ("ticker", "every 20ms"),
    ] {
        // Leaked, or suspect as long as only growth tells.
        let report = look(&start(places::machine_go(), mode), &[]);
        let faulty = ["goroutine-leak", "suspect"].map(|verdict| groups(&report, verdict));
        let holds = faulty.iter().flatten().map(|group| &group["holds"]);
        let holds = holds.flat_map(|holds| holds.as_array().expect("a list"));
        let holds: Vec<&str> = holds.filter_map(Value::as_str).collect();
        assert!(
            holds.iter().any(|text| text.contains(held)),
            "{mode}: {holds:?}"
        );
    }
    // Each of four locks is held by one, though they are small and lie side by side.
    let report = leaking(places::machine_go(), "ring", &[]);
    let leaks = groups(&report, "goroutine-leak");
    let held = leaks[0]["holds"].as_array().expect("a list");
    let held: BTreeSet<&str> = held.iter().filter_map(Value::as_str).collect();
    assert_eq!(held.len(), 4, "{leaks:?}");
    // Whoever holds nothing is not said to.
    let report = leaking(places::machine_go(), "receive", &[]);
    let leaks = groups(&report, "goroutine-leak");
    assert!(
        leaks
            .iter()
            .all(|group| group["holds"] == serde_json::json!([])),
        "{leaks:?}"
    );
}

#[test]
fn groups_have_the_same_id_in_every_run() {
    let id = |go: &str| {
        let report = leaking(go, "context", &[]);
        let leaks = groups(&report, "goroutine-leak");
        leaks[0]["id"].as_str().expect("an id").to_owned()
    };
    let once = id(places::machine_go());
    assert_eq!(once, id(places::machine_go()));
    assert_eq!(once, id("go1.21.13"));
}

#[test]
fn the_schema_is_kept() {
    let report = leaking(places::machine_go(), "context", &["--all"]);
    let keys = |value: &Value| {
        let keys = value.as_object().expect("an object").keys();
        keys.cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys(&report), ["groups", "schema", "target"]);
    let own = [
        "age",
        "cause",
        "cluster",
        "count",
        "created_by",
        "growth_per_s",
        "holds",
        "id",
    ];
    let all = [
        &own[..],
        &["package", "severity", "stack", "unreachable"],
        &["verdict", "waits_on"],
    ]
    .concat();
    for group in report["groups"].as_array().expect("groups") {
        assert_eq!(keys(group), all);
    }
    let leak = groups(&report, "goroutine-leak")[0];
    assert_eq!(leak["count"], 7);
    assert_eq!(leak["package"], "main");
    assert_eq!(leak["cluster"], leak["id"]);
    let created = leak["created_by"]["function"].as_str();
    assert_eq!(created, Some("main.request"));
    let least = leak["age"]["at_least_ns"].as_u64().expect("a number");
    assert!(least >= 2_000_000_000, "{least}");
}

#[test]
fn a_context_is_shown_with_its_parents() {
    let program = start(places::machine_go(), "context");
    let bench = Bench::new();
    let pid = arg(program.pid());
    let text = run_well(&mut bench.seam(&["goroutines", &pid, "--all"]));
    let text = text.stdout.join("\n");
    let chain = "context.cancelCtx ← context.valueCtx ← context.backgroundCtx";
    assert!(text.contains(chain), "{text}");
}

#[test]
fn the_exit_code_and_junit_say_what_was_found() {
    // The nil channel needs no mark: it is found in every run.
    let program = start(places::machine_go(), "nil");
    let bench = Bench::new();
    let pid = arg(program.pid());
    let words = [
        "goroutines",
        &pid,
        "--fail-on",
        "goroutine-leak",
        "--junit",
        "x.xml",
    ];
    let outcome = bench.seam(&words).output().expect("seam runs");
    assert_eq!(outcome.status.code(), Some(1));
    let xml = bench.text("x.xml");
    assert!(
        xml.contains("failures=\"1\"") && xml.contains("main.leakNil"),
        "{xml}"
    );
    // What is ignored does not count.
    let ignoring = [&words[..], &["--ignore-created-by", "main.unset"]].concat();
    let outcome = bench.seam(&ignoring).output().expect("seam runs");
    assert_eq!(outcome.status.code(), Some(0));
    assert!(bench.text("x.xml").contains("failures=\"0\""));
}

#[test]
fn stripped_and_stopped_programs_are_read() {
    let bench = Bench::new();
    let copy = bench.file("stripped");
    let output = Command::new("strip")
        .arg("-o")
        .arg(&copy)
        .arg(places::program("y"))
        .output()
        .expect("strip is installed; cargo xtask setup does it");
    assert!(output.status.success(), "{output:?}");
    let tries = (0..3).map(|_| {
        let leaking = Program::start_command(Command::new(&copy).args(["120", "mutex"]));
        look(&leaking, &[])
    });
    let mut found = tries.filter(|report| !groups(report, "goroutine-leak").is_empty());
    let report = found
        .next()
        .expect("the leak is found in one of three runs");
    only_this_leaks(&report, "mutex", "lock-never-released");
    // A stopped program holds still, and is none the worse for it.
    let stopped = Program::start_command(Command::new(&copy).args(["120", "pool"]));
    stopped.signal(libc::SIGSTOP);
    nothing_leaks(&look(&stopped, &[]), "pool, stopped");
    stopped.signal(libc::SIGCONT);
}

#[test]
fn wrong_times_are_refused() {
    let program = start(places::machine_go(), "pool");
    let bench = Bench::new();
    let pid = arg(program.pid());
    for options in [
        ["--for", "1s", "--every", "2s"],
        ["--for", "1h", "--every", "1s"],
    ] {
        let words = [&["goroutines", &pid], &options[..]].concat();
        let outcome = bench.seam(&words).output().expect("seam runs");
        let told = String::from_utf8_lossy(&outcome.stderr).into_owned();
        assert_eq!(outcome.status.code(), Some(2), "{told}");
        assert!(
            told.starts_with("error: ") && told.contains("\nhint:  "),
            "{told}"
        );
    }
}
