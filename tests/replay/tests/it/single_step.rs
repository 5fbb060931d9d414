//! The walk at every instruction of a program that does everything that changes stacks, built with
//! several Go versions and in several ways.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use seam_replay::check::contradiction;
use seam_replay::names::Namer;
use seam_replay::program::{Running, build};
use seam_replay::registers::pc;
use seam_replay::stepper::Stepper;
use seam_wire::end;

const STEPS: u64 = 150_000;
/// One at a time: a second stepped program would take the CPU from the first one's other threads.
static ALONE: Mutex<()> = Mutex::new(());
/// Steps without a goroutine after which the thread is let run.
const IDLE_STEPS: u32 = 500;

/// Rules that every run meets. Which others it meets depends on when the runtime preempts a thread
/// that is a thousand times slower than it thinks; the recorded cases hold all of them.
const MUST_MEET: [&str; 4] = ["cfa", "root", "gogo", "morestack"];

/// The runtime writes some structures in several instructions (recovery sets g.sched word by word):
/// between two of them a walk may be torn. A wrong rule contradicts itself hundreds of times.
const TORN_MAX: u64 = 5;

/// The tail of libgcc's unwinder has no unwind information: its own frame is half gone while
/// `__builtin_eh_return` installs the handler's. A dozen instructions for each exception.
const KNOWN: [&str; 4] = [
    "_Unwind_RaiseException",
    "_Unwind_Resume",
    "_Unwind_ForcedUnwind",
    "libgcc_s.so.1",
];

fn check(go: &str, flags: &[&str]) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = build(go, flags, folder).expect("the stepped program builds");
    let running = Running::start(&program).expect("it starts");
    let mut stepper = Stepper::attach(running.pid(), running.pid()).expect("our own child");
    let namer = Namer::default();
    let mut before = stepper.now().expect("stopped");
    let mut met: BTreeSet<String> = BTreeSet::new();
    let mut faults: BTreeMap<String, u64> = BTreeMap::new();
    let (mut idle, mut rooted) = (0, 0u64);
    for step in 0..STEPS {
        let code = stepper.bytes(pc(&before.regs)).expect("code");
        let leaf = namer.name(&stepper.map, pc(&before.regs));
        let after = stepper.step(before.deliver(step)).expect("a step");
        if let Some(what) = contradiction(&before, &after, &code, &leaf)
            && !KNOWN.iter().any(|k| leaf.starts_with(k))
        {
            *faults.entry(format!("{what} in {leaf}")).or_default() += 1;
        }
        let rules = stepper.rules(&after);
        met.extend(rules.split([':', ' ']).map(str::to_owned));
        let ended = end(after.walked.header.end);
        rooted += u64::from(ended.root);
        idle = if ended.id == "root-scheduler" {
            idle + 1
        } else {
            0
        };
        before = if idle > IDLE_STEPS {
            idle = 0;
            stepper
                .run(after.deliver(step), Duration::from_millis(1))
                .expect("it goes on")
        } else {
            after
        };
    }
    println!("go {go} {flags:?}: {rooted} of {STEPS} walks rooted; rules {met:?}");
    println!("contradictions: {faults:?}");
    let contradictions: u64 = faults.values().sum();
    assert!(contradictions <= TORN_MAX, "go {go} {flags:?}: {faults:#?}");
    let missing: Vec<_> = MUST_MEET.iter().filter(|m| !met.contains(**m)).collect();
    assert!(
        missing.is_empty(),
        "go {go} {flags:?} never met {missing:?}"
    );
}

#[test]
fn machines_go() {
    check("local", &[]);
}

#[test]
fn go_1_21_without_symbols_position_independent() {
    check("1.21.13", &["-buildmode=pie", "-ldflags=-s -w"]);
}

#[test]
fn go_1_24() {
    check("1.24.11", &[]);
}
