//! Ending a recording: Ctrl-C, SIGTERM, twice; and what is left after kill -9.

use seam_e2e::bpf;
use seam_e2e::process::Process;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, SLACK, sampling};

/// A recording without a time limit.
fn endless(bench: &Bench, program: &Program) -> Process {
    sampling(&mut bench.record(program.pid(), "-o x.html -o x.json"))
}

fn finishes_at(signal: i32) {
    let bench = Bench::new();
    let program = Program::start("b", 60);
    let seam = endless(&bench, &program);
    seam.signal(signal);
    let outcome = seam.end(SLACK);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    assert_eq!(bench.names(), ["x.html", "x.json"]);
    assert!(bench.json("x.json")["samples"].is_i64());
    let wrote = outcome.stdout.iter().any(|l| l.starts_with("wrote"));
    assert!(wrote, "{}", outcome.text());
    assert!(program.process.runs(), "the target goes on");
}

#[test]
fn ctrl_c_finishes() {
    finishes_at(libc::SIGINT);
}

#[test]
fn sigterm_finishes() {
    finishes_at(libc::SIGTERM);
}

#[test]
fn a_second_one_aborts() {
    let bench = Bench::new();
    std::fs::write(bench.file("x.html"), "old").expect("the folder is ours");
    let program = Program::start("b", 60);
    let seam = endless(&bench, &program);
    // Both are pending before it goes on.
    for signal in [libc::SIGSTOP, libc::SIGINT, libc::SIGTERM, libc::SIGCONT] {
        seam.signal(signal);
    }
    let outcome = seam.end(SLACK);
    assert!(
        matches!(outcome.code(), Some(130 | 143)),
        "{}",
        outcome.text()
    );
    assert_eq!(bench.names(), ["x.html"]);
    assert_eq!(bench.text("x.html"), "old");
}

#[test]
fn nothing_is_left_after_kill_9() {
    let bench = Bench::new();
    let program = Program::start("b", 60);
    let seam = endless(&bench, &program);
    let held = bpf::held_by(seam.pid());
    for kind in ["prog", "map"] {
        assert!(held.iter().any(|(k, _)| *k == kind), "no {kind}: {held:?}");
    }
    assert!(bpf::perf_events(seam.pid()) > 0);
    assert!(held.is_subset(&bpf::all()), "{held:?}");
    seam.signal(libc::SIGKILL);
    let outcome = seam.end(SLACK);
    assert_eq!(outcome.code(), None, "{}", outcome.text());
    bpf::await_gone(&held);
    assert_eq!(bpf::perf_events(program.pid()), 0);
    assert_eq!(bench.names(), [""; 0], "no half files");
    assert!(program.process.runs(), "the target goes on");
}
