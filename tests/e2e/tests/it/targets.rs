//! Choosing what is recorded: by name, several, many threads; and targets that end.

use seam_e2e::places;
use seam_e2e::process::Process;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, SLACK, not_rooted, run_well, sampling};

#[test]
fn by_name() {
    let bench = Bench::new();
    let copy = bench.file(&format!("named-{}", std::process::id()));
    std::fs::copy(places::program("b"), &copy).expect("the folder is ours");
    let (first, second) = (
        Program::start_file(&copy, 60),
        Program::start_file(&copy, 60),
    );
    let pattern = format!("^named-{}$", std::process::id());
    run_well(&mut bench.seam(&[
        "record", "--name", &pattern, "-d", "2s", "-r", "299", "-o", "x.json", "-o", "x.pb.gz",
    ]));
    let summary = bench.json("x.json");
    let mut expected = [first.pid(), second.pid()].map(i64::from);
    expected.sort_unstable();
    assert_eq!(pids(&summary), expected);
    assert_eq!(not_rooted(&summary), [""; 0]);
    assert!(bench.pprof("x.pb.gz").count_where(|s| s.has("seam_b_leaf")) > 20);
}

fn pids(summary: &serde_json::Value) -> Vec<i64> {
    let targets = summary["recording"]["targets"].as_array().expect("targets");
    let mut pids: Vec<i64> = targets.iter().filter_map(|t| t["pid"].as_i64()).collect();
    pids.sort_unstable();
    pids
}

#[test]
fn two_processes() {
    let bench = Bench::new();
    let (go, c) = (Program::start("b", 60), Program::start("p-c", 60));
    let both = format!("{},{}", go.pid(), c.pid());
    run_well(&mut bench.seam(&[
        "record", "-p", &both, "-d", "2s", "-r", "299", "-o", "x.json", "-o", "x.pb.gz",
    ]));
    let summary = bench.json("x.json");
    let mut expected = [go.pid(), c.pid()].map(i64::from);
    expected.sort_unstable();
    assert_eq!(pids(&summary), expected);
    assert_eq!(not_rooted(&summary), [""; 0]);
    let profile = bench.pprof("x.pb.gz");
    for function in ["seam_b_leaf", "seam_p_leaf"] {
        let samples = profile.count_where(|s| s.has(function));
        assert!(samples > 20, "{samples} samples of {function}");
    }
}

#[test]
fn a_target_that_is_idle_gives_an_empty_profile() {
    let bench = Bench::new();
    let program = Process::start(std::process::Command::new("sleep").arg("60"));
    let options = "-d 500ms -o x.pb.gz -o x.folded -o x.json -o x.html";
    run_well(&mut bench.record(program.pid(), options));
    assert_eq!(bench.json("x.json")["samples"], 0);
    assert_eq!(bench.pprof("x.pb.gz").count(), 0);
    assert_eq!(bench.text("x.folded"), "");
    assert_eq!(bench.page("x.html").numbers("full_total"), [0]);
}

#[test]
fn a_target_that_ends_ends_the_recording() {
    let bench = Bench::new();
    let program = Program::start("b", 2);
    let seam = sampling(&mut bench.record(program.pid(), "-d 50s -r 499 -o x.json"));
    let (said, _) = program.end(SLACK);
    assert!(said.ok, "the program was not disturbed");
    let outcome = seam.end(std::time::Duration::from_secs(20));
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    let told = outcome.stdout.iter().find(|l| l.starts_with("ended"));
    assert!(told.is_some_and(|l| l.contains('b')), "{}", outcome.text());
    let summary = bench.json("x.json");
    assert!(
        summary["samples"].as_i64() > Some(20),
        "{}",
        summary["samples"]
    );
    assert_eq!(not_rooted(&summary), [""; 0]);
}

#[test]
fn one_of_two_targets_ends() {
    let bench = Bench::new();
    let (short, long) = (Program::start("b", 1), Program::start("a", 60));
    let both = format!("{},{}", short.pid(), long.pid());
    let words = [
        "record", "-p", &both, "-d", "4s", "-r", "299", "-o", "x.pb.gz",
    ];
    let outcome = run_well(&mut bench.seam(&words));
    let told = outcome.stdout.iter().find(|l| l.starts_with("ended"));
    assert!(told.is_some_and(|l| l.contains('b')), "{}", outcome.text());
    let after = bench
        .pprof("x.pb.gz")
        .count_where(|s| s.has("main.workerA"));
    assert!(after > 50, "the other one goes on: {after} samples");
}

#[test]
fn two_seams_at_once() {
    let bench = Bench::new();
    let program = Program::start("d", 60);
    let start = |file| {
        let options = format!("-d 3s -r 299 -o {file}");
        sampling(&mut bench.record(program.pid(), &options))
    };
    let (one, two) = (start("1.json"), start("2.json"));
    for (seam, file) in [(one, "1.json"), (two, "2.json")] {
        let outcome = seam.end(SLACK);
        assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
        let summary = bench.json(file);
        assert!(
            summary["samples"].as_i64() > Some(20),
            "{file}: {}",
            summary["samples"]
        );
        assert_eq!(not_rooted(&summary), [""; 0], "{file}");
    }
}

#[test]
fn a_thousand_threads() {
    let bench = Bench::new();
    let file = places::c_program("threads", &[]);
    let mut crowd = Process::start(std::process::Command::new(file).arg("1000"));
    crowd.line("ready", |line| (line == "ready").then_some(()));
    run_well(&mut bench.record(crowd.pid(), "-d 4s -r 999 -o x.json -o x.pb.gz"));
    assert_eq!(not_rooted(&bench.json("x.json")), [""; 0]);
    let profile = bench.pprof("x.pb.gz");
    let threads: std::collections::BTreeSet<i64> =
        profile.stacks.iter().map(|s| s.numbers["tid"]).collect();
    assert!(threads.len() > 400, "{} threads were seen", threads.len());
    for stack in profile.stacks.iter().filter(|s| s.has("crowd_work")) {
        assert!(stack.has("crowd_thread"), "{}", stack.text());
    }
}

#[test]
fn a_replaced_executable_keeps_its_names() {
    let bench = Bench::new();
    let copy = bench.file("replaced");
    std::fs::copy(places::program("b"), &copy).expect("the folder is ours");
    let program = Program::start_file(&copy, 60);
    std::fs::remove_file(&copy).expect("it is ours");
    std::fs::write(&copy, "something else").expect("the folder is ours");
    run_well(&mut bench.record(program.pid(), "-d 1s -o x.pb.gz"));
    let profile = bench.pprof("x.pb.gz");
    assert!(profile.count() > 20);
    for stack in profile.stacks.iter().filter(|s| s.has("seam_b_leaf")) {
        assert!(stack.has("main.workerB"), "{}", stack.text());
    }
    assert!(profile.count_where(|s| s.has("seam_b_leaf")) > 20);
}
