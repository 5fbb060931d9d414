//! Stacks are whole however a program was built. `cargo xtask truth --builds` tries more ways, by
//! several Go minors.

use std::time::Duration;

use seam_e2e::places;
use seam_e2e::pprof::Pprof;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, arg, not_rooted, parse_json, run_well};
use seam_e2e::truth::Truth;
use seam_e2e::wait;

const ENOUGH: i64 = 300;
const ROUNDS: usize = 4;

/// In a plugin the functions of package main have the module's name.
fn as_main(name: &str, profile: &mut Pprof) {
    let start = format!("seam.test/{name}.");
    for frame in profile.stacks.iter_mut().flat_map(|s| &mut s.frames) {
        if let Some(rest) = frame.name.strip_prefix(&start) {
            frame.name = format!("main.{rest}");
        }
    }
}

/// Every stack of a program built in one way.
fn check(name: &str, shape: &str) {
    let mut application = 0;
    for _ in 0..ROUNDS {
        let bench = Bench::new();
        let program = Program::start_file(&places::program_as(shape, name), 5);
        run_well(&mut bench.record(program.pid(), "-d 2s -r 499 -o x.pb.gz -o x.json"));
        let over = wait::monotonic_ns();
        let (said, outcome) = program.end(Duration::from_secs(30));
        assert!(said.ok && outcome.code() == Some(0), "{}", outcome.text());
        if said.stop_ns.is_none_or(|stop| stop < over) {
            continue;
        }
        let (mut profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
        as_main(name, &mut profile);
        assert_eq!(not_rooted(&summary), [""; 0], "{name} as {shape}");
        let edges = &summary["quality"]["edges"];
        assert_eq!(edges["impossible"], 0, "{name} as {shape}: {edges}");
        let verdict = Truth::of(name).check(&profile, &said);
        let wrong = verdict.wrong.first();
        assert_eq!(wrong, None, "{name} as {shape}");
        application += verdict.application;
        if application >= ENOUGH {
            return;
        }
    }
    panic!("{name} as {shape}: only {application} application samples");
}

#[test]
fn static_programs() {
    check("n", "static");
    // Without unwind information in the C library, whose thread start has no size either.
    check("e", "musl");
}

#[test]
fn archives_and_libraries() {
    check("n", "archive");
    check("e", "linked");
    check("n", "opened");
}

#[test]
fn plugins() {
    check("e", "plugin");
    check("n", "plugin");
}

/// A plugin has a runtime of its own in its file, which is never begun.
#[test]
fn goroutines_of_programs_with_plugins() {
    let bench = Bench::new();
    let program = Program::start_file(&places::program_as("plugin", "e"), 30);
    let pid = arg(program.pid());
    let dump = parse_json(
        &run_well(&mut bench.seam(&["dump", &pid, "--json"]))
            .stdout
            .join("\n"),
    );
    let goroutines = dump["goroutines"].as_array().map_or(0, Vec::len);
    assert!(goroutines > 4, "{goroutines}");
    let go = dump["target"]["go"].as_array().map(Vec::len);
    assert_eq!(go, Some(1), "{}", dump["target"]);
    let looked = run_well(&mut bench.seam(&["goroutines", &pid, "--json"]));
    let report = parse_json(&looked.stdout.join("\n"));
    let incomplete = &report["target"]["mark_incomplete"];
    assert!(incomplete.is_null(), "{incomplete}");
}

#[test]
fn c_without_unwind_tables() {
    // A function that aligns its stack and has variable room on it is followed by its code alone.
    check("n", "gcc-O2-fp-bare");
    check("n", "clang-O2-bare");
}

#[test]
fn c_optimised_at_link_time() {
    check("n", "gcc-lto-bare");
}
