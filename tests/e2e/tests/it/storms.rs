//! Targets that change all the time: every sample is kept or counted, seam stays small, and the
//! targets do not notice. At full size: `cargo xtask storms`.

use std::process::Command;
use std::time::Duration;

use seam_e2e::process::Process;
use seam_e2e::seam::{Bench, run_well};
use seam_e2e::storm::{self, Seen, Size};

const SIZE: Size = Size::SMALL;

fn words(mode: &str, more: &[String]) -> Vec<String> {
    let mode = std::iter::once(mode.to_owned());
    mode.chain(more.iter().cloned()).collect()
}

/// Of the target's own samples at least so many percent have a root, and no call is impossible.
fn check(seen: &Seen, percent: f64) {
    println!("{seen:?}");
    assert!(seen.own > 5 && seen.samples > 20, "{seen:?}");
    assert!(seen.rooted_percent() >= percent, "{seen:?}");
    assert_eq!(seen.impossible, 0, "{seen:?}");
    assert!(seen.bytes <= seen.budget(), "{seen:?}");
}

#[test]
fn threads() {
    let more = [SIZE.threads.to_string()];
    let seen = storm::recorded(&SIZE, &storm::program(), &words("threads", &more), "");
    check(&seen, 100.0);
}

#[test]
fn short_lived_processes() {
    let more = [SIZE.processes.to_string()];
    let words = words("processes", &more);
    let seen = storm::recorded(&SIZE, &storm::program(), &words, "--children");
    check(&seen, 95.0);
    assert!(seen.count > 100, "{seen:?}");
}

#[test]
fn libraries_that_come_and_go() {
    let folder = storm::libraries().display().to_string();
    let more = [SIZE.loads.to_string(), folder];
    let seen = storm::recorded(&SIZE, &storm::program(), &words("loads", &more), "");
    println!("{seen:?}");
    let kept: i64 = seen.samples;
    assert!(
        kept > 20 && seen.lost == 0 && seen.impossible == 0,
        "{seen:?}"
    );
    assert!(seen.bytes <= seen.budget(), "{seen:?}");
}

#[test]
fn one_program_after_the_other() {
    let seen = storm::recorded(&SIZE, &storm::program(), &words("exec", &[]), "");
    // On a virtual machine the loader's questions to the processor (cpuid) take most of the time.
    check(&seen, 95.0);
}

#[test]
fn mappings_that_come_and_go() {
    let seen = storm::recorded(&SIZE, &storm::program(), &words("maps", &[]), "");
    check(&seen, 99.0);
}

#[test]
fn many_processes() {
    let more = [SIZE.many.to_string()];
    let seen = storm::recorded(&SIZE, &storm::program(), &words("many", &more), "--all");
    println!("{seen:?}");
    // Whatever else the machine does is recorded too, and its code counts for the memory.
    assert!(
        seen.own > 5 && seen.own_rooted * 100 >= seen.own * 95,
        "{seen:?}"
    );
}

#[test]
fn stacks_that_grow_at_every_call() {
    let seen = storm::recorded(&SIZE, &storm::go_program(), &words("grow", &[]), "");
    check(&seen, 99.9);
}

#[test]
fn short_lived_goroutines() {
    let seen = storm::recorded(&SIZE, &storm::go_program(), &words("churn", &[]), "");
    check(&seen, 99.9);
    assert!(seen.count > 10_000, "{seen:?}");
}

#[test]
fn attaching_again_and_again_leaves_nothing() {
    let (times, left) = storm::attached(&SIZE);
    assert!(left.is_empty(), "after {times} recordings: {left:?}");
}

/// A stopped target has no samples and is not woken; it goes on where it was when it is continued.
#[test]
fn a_stopped_target() {
    let mut process = Process::start(Command::new(storm::program()).args(["spin", "8"]));
    process.line("ready", |line| (line == "ready").then_some(()));
    process.signal(libc::SIGSTOP);
    let stat = || std::fs::read_to_string(format!("/proc/{}/stat", process.pid()));
    seam_e2e::wait::until("the target to stop", || {
        stat().ok().filter(|stat| stat.contains(") T ")).map(|_| ())
    });
    let bench = Bench::new();
    run_well(&mut bench.record(process.pid(), "-d 1s -r 499 -o x.pb.gz -o x.json"));
    let summary = bench.json("x.json");
    assert_eq!(summary["samples"], 0);
    let notes = summary["quality"]["notes"].to_string();
    assert!(notes.contains("it is stopped"), "{notes}");
    assert!(stat().is_ok_and(|stat| stat.contains(") T ")));
    process.signal(libc::SIGCONT);
    run_well(&mut bench.record(process.pid(), "-d 1s -r 499 -o y.pb.gz -o y.json"));
    let samples = bench.json("y.json")["samples"].as_u64();
    assert!(samples > Some(10), "{samples:?}");
    let outcome = process.end(Duration::from_secs(60));
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
}
