//! The two forms of the kernel side: by `bpf_loop`, and by tail calls as on kernels without it.
//! Both run here, so both are tried; the stacks that the second gives of the test programs are held
//! against the truth in `truth`.

use std::process::Command;

use seam_e2e::places;
use seam_e2e::process::Process;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, arg, not_rooted, run, run_well};

const FORMS: [(&str, &str); 2] = [("bpf-loop", "bpf_loop"), ("tail-calls", "tail calls")];
/// Calls of the function on itself: more than 512 frames, and more than 29 programs walk.
const CALLS: u64 = 7_000;
/// Beyond what any walk follows (`SEAM_STEPS`).
const TOO_MANY_CALLS: u64 = 9_000;

fn deep(calls: u64) -> Process {
    let file = places::c_program("deep", &[]);
    let mut process = Process::start(Command::new(file).arg(calls.to_string()));
    process.line("ready", |line| (line == "ready").then_some(()));
    process
}

/// How many calls of a line of folded stacks: those kept and those counted.
fn calls_in(line: &str) -> u64 {
    let (stack, _) = line.rsplit_once(' ').expect("a count");
    let left_out = |frame: &str| {
        let number = frame.strip_prefix('[')?.strip_suffix(" frames not kept]");
        number.and_then(|number| number.parse::<u64>().ok())
    };
    let frames = stack.split(';');
    frames
        .map(|frame| left_out(frame).unwrap_or(u64::from(frame == "seam_deep")))
        .sum()
}

#[test]
fn thousands_of_frames_are_walked_to_the_root() {
    let process = deep(CALLS);
    for (form, _) in FORMS {
        let bench = Bench::new();
        let options = "-d 2s -r 199 -o x.folded -o x.json";
        run_well(bench.record(process.pid(), options).env("SEAM_WALK", form));
        let summary = bench.json("x.json");
        assert_eq!(not_rooted(&summary), [""; 0], "{form}");
        let samples = summary["samples"].as_u64().expect("a count");
        assert!(samples > 20, "{form}: {samples}");
        for line in bench.text("x.folded").lines() {
            assert_eq!(calls_in(line), CALLS + 1, "{form}: {line}");
            assert!(line.starts_with("deep;_start;"), "{form}: {line}");
        }
    }
}

#[test]
fn what_is_too_deep_is_counted() {
    let process = deep(TOO_MANY_CALLS);
    for (form, _) in FORMS {
        let bench = Bench::new();
        let options = "-d 2s -r 199 -o x.json";
        run_well(bench.record(process.pid(), options).env("SEAM_WALK", form));
        let summary = bench.json("x.json");
        let samples = summary["samples"].as_u64().expect("a count");
        assert!(samples > 20, "{form}: {samples}");
        let expected = format!("\"too-deep\": {samples}");
        assert_eq!(not_rooted(&summary), [expected], "{form}");
    }
}

#[test]
fn the_doctor_names_the_form() {
    let bench = Bench::new();
    for (form, words) in FORMS {
        let outcome = run(bench.seam(&["doctor"]).env("SEAM_WALK", form));
        let line = format!("walk by {words}");
        assert!(
            outcome.stdout.iter().any(|l| l.ends_with(&line)),
            "{}",
            outcome.text()
        );
    }
}

#[test]
fn threads_are_looked_at_by_both_forms() {
    let program = Program::start("w", 60);
    for (form, _) in FORMS {
        let bench = Bench::new();
        let pid = arg(program.pid());
        let outcome = run(bench.seam(&["dump", &pid]).env("SEAM_WALK", form));
        assert_eq!(outcome.code(), Some(0), "{form}: {}", outcome.text());
        let waits = outcome.stdout.iter().filter(|l| l.contains("seam_w_wait"));
        assert!(waits.count() > 0, "{form}: {}", outcome.text());
    }
}
