//! The walk at every instruction of a program that does everything that changes stacks, built with
//! several Go versions and in several ways.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use seam_replay::check::contradiction;
use seam_replay::names::Namer;
use seam_replay::program::{Running, build};
use seam_replay::stepper::Stepper;
use seam_wire::end;

/// Steps at least, and at most when something that must be met was not met yet.
const STEPS_MIN: u64 = 100_000;
const STEPS_MAX: u64 = 1_200_000;
/// One at a time: a second stepped program would take the CPU from the first one's other threads.
static ALONE: Mutex<()> = Mutex::new(());
/// Steps without a goroutine after which the thread is let run.
const IDLE_STEPS: u32 = 500;

/// Rules that walks must have taken, or the run has not tested what it is for. (The recorded cases
/// hold each rule's leaf instructions.)
const MUST_MEET: [&str; 6] = [
    "asmcgocall",
    "systemstack",
    "cgocallback",
    "morestack",
    "signal",
    "cfa",
];

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
    let mut steps = 0;
    for step in 0..STEPS_MAX {
        if step >= STEPS_MIN && MUST_MEET.iter().all(|m| met.contains(*m)) {
            break;
        }
        steps = step + 1;
        let code = stepper.bytes(before.regs.rip).expect("code");
        let leaf = namer.name(&stepper.map, before.regs.rip);
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
    println!("go {go} {flags:?}: {rooted} of {steps} walks rooted; rules {met:?}");
    assert!(faults.is_empty(), "go {go} {flags:?}: {faults:#?}");
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
