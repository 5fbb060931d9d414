//! Another tool has probes in the target: at entries, whose instructions then run elsewhere, and at
//! returns, whose return addresses it replaces. Stacks stay what they are.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use seam_e2e::places;
use seam_e2e::pprof::Stack;
use seam_e2e::probe::{At, Probe};
use seam_e2e::process::Process;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, not_rooted, run_well};
use seam_e2e::truth::Truth;

/// The functions of `probed.c` between its root and its leaf.
const CHAIN: [&str; 7] = [
    "main",
    "probed_outer",
    "probed_push",
    "probed_step",
    "probed_nop",
    "probed_inner",
    "probed_leaf",
];

/// Whether the kernel is at work on a probe, at its breakpoint or in its system call, or the code
/// that it has put there runs: only then may a stack end at one.
fn in_a_probe(stack: &Stack) -> bool {
    let mut names = stack.frames.iter().map(|f| f.name.as_str());
    let words = ["uprobe", "uretprobe", "asm_exc_int3"];
    names.any(|name| words.iter().any(|word| name.contains(word)))
}

/// Stacks that end while the kernel notes a return address: how often depends on how long the
/// machine takes for it, 0.2 to 1.1 % so far.
const ENDED_PERCENT: i64 = 3;

fn probes(file: &Path, functions: &[&str], kinds: &[At]) -> Vec<Probe> {
    let places = functions
        .iter()
        .flat_map(|f| kinds.iter().map(move |at| (f, at)));
    places.map(|(f, at)| Probe::set(file, f, *at)).collect()
}

fn probed(kinds: &[At]) {
    let bench = Bench::new();
    let file = places::c_program("probed", &[]);
    let mut process = Process::start(&mut Command::new(&file));
    process.line("ready", |line| (line == "ready").then_some(()));
    let probes = probes(&file, &CHAIN[2..], kinds);
    run_well(&mut bench.record(process.pid(), "-d 4s -r 4999 -o x.pb.gz -o x.json"));
    for probe in &probes {
        assert!(
            probe.hits() > 1000,
            "{} hits: nothing was tried",
            probe.hits()
        );
    }
    let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
    let (mut wrong, mut ended) = (Vec::new(), 0);
    let mut reached = [0; CHAIN.len() + 1];
    for stack in &profile.stacks {
        if stack.texts.get("end").is_some_and(|end| end == "uretprobe") {
            // The kernel is about to note a return address: told, and rare.
            ended += stack.count;
            assert!(in_a_probe(stack), "{}", stack.text());
            continue;
        }
        let of_us = |name: &&str| *name == "main" || name.starts_with("probed_");
        let names = stack.frames.iter().map(|f| f.name.as_str());
        let path: Vec<&str> = names.filter(of_us).collect();
        reached[path.len().min(CHAIN.len())] += stack.count;
        if path != CHAIN[..path.len().min(CHAIN.len())] || stack.frames[0].name != "_start" {
            wrong.push(stack.text());
        }
    }
    let sum: i64 = wrong.len() as i64;
    assert_eq!(
        sum,
        0,
        "{kinds:?} {:?}:\n{}",
        not_rooted(&summary),
        wrong[..wrong.len().min(3)].join("\n")
    );
    let all = profile.count_where(|_| true);
    assert!(ended * 100 < all * ENDED_PERCENT, "{ended} of {all}");
    assert_eq!(summary["quality"]["whole"], all - ended, "{kinds:?}");
    println!("{kinds:?}: {all} samples, {ended} ended at a probe");
    assert_eq!(summary["quality"]["edges"]["impossible"], 0, "{kinds:?}");
    assert_eq!(summary["quality"]["guessed"], 0, "{kinds:?}");
    assert!(reached[3..].iter().all(|count| *count > 0), "{reached:?}");
}

#[test]
fn at_entries() {
    probed(&[At::Entry]);
}

#[test]
fn at_returns() {
    probed(&[At::Return]);
}

#[test]
fn at_both() {
    probed(&[At::Entry, At::Return]);
}

/// Programs of known stacks, C and Go over C, stay right with probes at returns in the midst.
#[test]
fn stacks_of_known_programs() {
    for (name, functions) in [
        (
            "p-c",
            &["seam_p_direct", "seam_p_compare", "seam_p_work"][..],
        ),
        (
            "n",
            &["seam_n_first", "seam_n_second", "seam_n_third", "goSecondN"][..],
        ),
    ] {
        let bench = Bench::new();
        let program = Program::start(name, 7);
        let kinds = [At::Entry, At::Return];
        let probes = probes(&places::program(name), functions, &kinds);
        run_well(&mut bench.record(program.pid(), "-d 4s -r 997 -o x.pb.gz -o x.json"));
        assert!(probes.iter().all(|probe| probe.hits() > 0), "{name}");
        drop(probes);
        let (said, _) = program.end(Duration::from_secs(30));
        let (mut profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
        let all = profile.count_where(|_| true);
        let ends = |s: &&Stack| s.texts.get("end").is_some_and(|end| end == "uretprobe");
        let strange = profile.stacks.iter().filter(ends).find(|s| !in_a_probe(s));
        assert!(strange.is_none(), "{name}: {strange:?}");
        profile
            .stacks
            .retain(|s| s.texts.get("end").is_none_or(|end| end != "uretprobe"));
        let ended = all - profile.count_where(|_| true);
        assert!(
            ended * 100 < all * ENDED_PERCENT,
            "{name}: {ended} of {all}"
        );
        let other = not_rooted(&summary);
        let other: Vec<_> = other
            .iter()
            .filter(|r| !r.contains("\"uretprobe\""))
            .collect();
        assert_eq!(other, [""; 0], "{name}");
        let verdict = Truth::of(name).check(&profile, &said);
        assert_eq!(verdict.wrong, [""; 0], "{name}");
        assert!(verdict.application > 50, "{name}");
        let inside = |s: &Stack| functions.iter().any(|f| s.has(f));
        assert!(profile.count_where(inside) > 50, "{name}");
        assert_eq!(summary["quality"]["edges"]["impossible"], 0, "{name}");
    }
}
