//! What is written: all formats tell the same, files appear whole or not at all.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use seam_e2e::pprof::{Pprof, Stack};
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, SLACK, arg, not_rooted, parse_json, run_well, sampling};
use seam_e2e::{places, wait};

/// A recording of program d with every output, and what it printed as JSON.
fn recorded(bench: &Bench) -> serde_json::Value {
    let program = Program::start("d", 60);
    let options = "--json -d 2s -r 499 -o x.pb.gz -o x.folded -o x.json -o x.html -o x.svg \
                   -o x.speedscope.json";
    let outcome = run_well(&mut bench.record(program.pid(), options));
    assert!(outcome.stderr.is_empty(), "{}", outcome.text());
    parse_json(&outcome.stdout.join("\n"))
}

/// Stacks as the folded format has them, and their samples.
fn folded(text: &str) -> BTreeMap<String, i64> {
    let mut stacks = BTreeMap::new();
    for line in text.lines() {
        let (stack, count) = line.rsplit_once(' ').expect("a stack and a count");
        let count: i64 = count.parse().expect("a count");
        let plain: Vec<&str> = stack.split(';').map(without_mark).collect();
        *stacks.entry(plain.join(";")).or_default() += count;
    }
    stacks
}

fn without_mark(frame: &str) -> &str {
    let plain = frame.strip_suffix("_[k]");
    plain.or(frame.strip_suffix("_[i]")).unwrap_or(frame)
}

fn folded_of(profile: &Pprof) -> BTreeMap<String, i64> {
    let mut stacks = BTreeMap::new();
    for stack in &profile.stacks {
        let frames = stack.frames.iter().map(|f| f.name.replace(';', ":"));
        let words: Vec<String> = [stack.texts["thread"].clone()]
            .into_iter()
            .chain(frames)
            .collect();
        *stacks.entry(words.join(";")).or_default() += stack.count;
    }
    stacks
}

#[test]
fn all_formats_agree() {
    let bench = Bench::new();
    let printed = recorded(&bench);
    let profile = bench.pprof("x.pb.gz");
    assert!(profile.count() > 20, "{} samples", profile.count());
    assert_eq!(profile.types, ["samples/count", "cpu/nanoseconds"]);
    assert_eq!(folded(&bench.text("x.folded")), folded_of(&profile));
    let summary = bench.json("x.json");
    assert_eq!(summary["samples"], profile.count());
    assert_eq!(not_rooted(&summary), [""; 0]);
    let kinds = ["go", "go_runtime", "c", "kernel", "unknown"];
    let shares = kinds.map(|kind| summary["time"][kind].as_i64().expect("a count"));
    assert_eq!(shares.iter().sum::<i64>(), profile.count());
    let page = bench.page("x.html");
    let samples = profile.count() as usize;
    assert_eq!(page.numbers("full_total")[0] as usize, samples);
    assert_eq!(page.numbers("folded_total")[0] as usize, samples);
    let scope = bench.json("x.speedscope.json");
    assert!(scope["profiles"][0]["endValue"].as_u64() > Some(0), "time");
    assert!(bench.text("x.svg").contains("seam_d_leaf"), "the picture");
    // What --json prints is what -o x.json writes.
    assert_eq!(printed["schema"], 1);
    assert_eq!(printed, summary);
    let mut expected = vec![
        "x.folded",
        "x.html",
        "x.json",
        "x.pb.gz",
        "x.speedscope.json",
        "x.svg",
    ];
    expected.sort_unstable();
    assert_eq!(bench.names(), expected, "nothing else is left behind");
}

#[test]
fn folded_marks_kernel_and_inlined_frames() {
    let bench = Bench::new();
    let _ = recorded(&bench);
    let text = bench.text("x.folded");
    assert!(text.contains(";seam.test/harness.Spin_[i] "), "{text}");
    assert!(text.contains("_[k] "), "{text}");
    assert!(!text.contains("main.workerD_["), "{text}");
}

#[test]
fn inlined_calls_of_cpp_are_told_as_those_of_go() {
    let bench = Bench::new();
    let program = Program::start("p-cpp", 60);
    let options = "-d 2s -r 499 -o x.pb.gz -o x.folded -o x.html";
    run_well(&mut bench.record(program.pid(), options));
    let text = bench.text("x.folded");
    assert!(
        text.contains(";seam_cpp::Square::turn;spin_rounds_[i] "),
        "{text}"
    );
    assert!(!text.contains("seam_cpp::work_["), "{text}");
    let profile = bench.pprof("x.pb.gz");
    assert_eq!(folded(&text), folded_of(&profile));
    let mut frames = profile.stacks.iter().flat_map(|s| &s.frames);
    let turn = frames.find(|f| f.name == "seam_cpp::Square::turn");
    let turn = turn.expect("a caller of the inlined function");
    assert!(turn.file.ends_with("p-cpp/main.cpp"), "{turn:?}");
    assert!(turn.line > 0, "{turn:?}");
}

#[test]
fn pprof_is_read_by_go() {
    let bench = Bench::new();
    let _ = recorded(&bench);
    let profile = bench.pprof("x.pb.gz");
    let show = |how: &str| {
        let mut go = places::go();
        bench.at_home(go.args(["tool", "pprof", how, "-nodecount=500", "x.pb.gz"]));
        // Since Go 1.25 the tool is compiled when it is first asked for.
        go.env("GOCACHE", places::scratch().join("go-cache"));
        run_well(go.env("HOME", bench.path())).stdout.join("\n")
    };
    let top = show("-top");
    assert!(top.contains("Type: cpu"), "{top}");
    for function in [
        "seam_d_leaf",
        "main.workerD",
        "seam_d_outer",
        "runtime.goexit",
    ] {
        assert!(top.contains(function), "no {function} in\n{top}");
    }
    let raw = show("-raw");
    assert!(raw.contains("samples/count cpu/nanoseconds[dflt]"), "{raw}");
    let rows = raw.lines().filter(|l| is_sample_row(l)).count();
    assert_eq!(rows, profile.stacks.len());
}

/// `   14   28056112: 1 2 3`
fn is_sample_row(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(values, _)| {
        let words: Vec<&str> = values.split_whitespace().collect();
        words.len() == 2 && words.iter().all(|w| w.parse::<u64>().is_ok())
    })
}

#[test]
fn labels_say_where_a_sample_was() {
    let bench = Bench::new();
    let _ = recorded(&bench);
    let profile = bench.pprof("x.pb.gz");
    let app: Vec<&Stack> = profile
        .stacks
        .iter()
        .filter(|s| s.has("main.workerD"))
        .collect();
    assert!(!app.is_empty());
    for stack in &app {
        for key in ["goid", "tid", "m", "cpu"] {
            assert!(
                stack.numbers.contains_key(key),
                "no {key}: {}",
                stack.text()
            );
        }
        for key in ["thread", "state"] {
            assert!(stack.texts.contains_key(key), "no {key}: {}", stack.text());
        }
        let in_c = stack.frames.last().is_some_and(|f| f.name == "seam_d_leaf");
        let state = if in_c {
            "syscall"
        } else {
            &stack.texts["state"]
        };
        assert_eq!(stack.texts["state"], state, "{}", stack.text());
    }
    let held = app.iter().filter(|s| s.numbers.contains_key("p")).count();
    assert!(
        held * 2 > app.len(),
        "{held} of {} stacks have a P",
        app.len()
    );
    let period = 1_000_000_000 / 499;
    for stack in &profile.stacks {
        assert_eq!(stack.nanoseconds, stack.count * period, "{}", stack.text());
    }
}

#[test]
fn mappings_have_build_ids() {
    let bench = Bench::new();
    let _ = recorded(&bench);
    let profile = bench.pprof("x.pb.gz");
    let files: Vec<_> = profile
        .modules
        .iter()
        .filter(|m| m.path.starts_with('/'))
        .collect();
    assert!(!files.is_empty());
    for module in files {
        assert_eq!(module.build_id, build_id(&module.path), "{}", module.path);
        assert!(!module.range.is_empty(), "{module:?}");
    }
    // The first mapping is the program: pprof takes its name from there.
    assert!(
        profile.modules[0].path.ends_with("/d"),
        "{:?}",
        profile.modules
    );
}

/// The build id by binutils.
fn build_id(path: &str) -> String {
    let mut readelf = std::process::Command::new("readelf");
    let outcome = run_well(readelf.args(["--notes", "--wide", path]));
    let lines = outcome.stdout.iter();
    let id = lines
        .filter_map(|line| line.split_once("Build ID: "))
        .next();
    id.expect("gcc's linker writes one").1.trim().to_owned()
}

#[test]
fn an_existing_file_stays_when_the_recording_fails() {
    let bench = Bench::new();
    std::fs::write(bench.file("x.html"), "old").expect("the folder is ours");
    let outcome = bench.run(&["record", "-p", "999999999", "-d", "1s", "-o", "x.html"]);
    assert_eq!(outcome.code(), Some(2), "{}", outcome.text());
    assert_eq!(bench.text("x.html"), "old");
    assert_eq!(bench.names(), ["x.html"]);
}

#[test]
fn an_existing_file_is_replaced_as_a_whole() {
    let bench = Bench::new();
    std::fs::write(bench.file("x.folded"), "old").expect("the folder is ours");
    let before = std::fs::metadata(bench.file("x.folded")).expect("it is there");
    let program = Program::start("b", 60);
    let seam = sampling(&mut bench.record(program.pid(), "-q -d 1s -o x.folded"));
    // While recording, the old one is there in full.
    assert_eq!(bench.text("x.folded"), "old");
    let outcome = seam.end(SLACK);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.text());
    let after = std::fs::metadata(bench.file("x.folded")).expect("it is there");
    assert_ne!(before.ino(), after.ino(), "it was renamed over the old one");
    assert!(bench.text("x.folded").contains("seam_b_leaf"));
    assert_eq!(bench.names(), ["x.folded"]);
}

#[test]
fn under_sudo_files_belong_to_the_caller() {
    let bench = Bench::new();
    let program = Program::start("b", 60);
    let options = "-q -d 1s -o x.pb.gz -o x.folded -o x.json -o x.html";
    let mut seam = bench.record(program.pid(), options);
    run_well(seam.env("SUDO_UID", "65534").env("SUDO_GID", "65533"));
    for name in bench.names() {
        let facts = std::fs::metadata(bench.file(&name)).expect("it is there");
        assert_eq!((facts.uid(), facts.gid()), (65534, 65533), "{name}");
    }
    assert_eq!(bench.names().len(), 4);
}

#[test]
fn without_o_a_page_is_written() {
    let bench = Bench::new();
    let program = Program::start("b", 60);
    let pid = arg(program.pid());
    let outcome = run_well(&mut bench.record(program.pid(), "-d 1s"));
    let name = format!("seam-b-{pid}.html");
    assert_eq!(bench.names(), [name.as_str()]);
    assert!(
        outcome.stdout.iter().any(|l| l.contains(&name)),
        "{}",
        outcome.text()
    );
    let page = bench.page(&name);
    assert!(page.header["title"] == "b", "{}", page.header["title"]);
}

#[test]
fn the_summary_fits_a_screen() {
    let bench = Bench::new();
    let program = Program::start("n", 60);
    let outcome = run_well(&mut bench.record(program.pid(), "-d 2s"));
    let lines = &outcome.stdout;
    assert!((8..=40).contains(&lines.len()), "{}", outcome.text());
    let wide = lines.iter().find(|l| l.chars().count() > 100);
    assert!(wide.is_none(), "{wide:?}");
    let begins = |word: &str| lines.iter().any(|l| l.trim_start().starts_with(word));
    for word in ["quality", "time", "cgo edges", "cost", "wrote", "next"] {
        assert!(begins(word), "no {word} in {}", outcome.text());
    }
}

#[test]
fn quiet_prints_nothing() {
    let bench = Bench::new();
    let program = Program::start("b", 60);
    let begun = wait::monotonic_ns();
    let outcome = run_well(&mut bench.record(program.pid(), "-q -d 500ms"));
    assert!(
        outcome.stdout.is_empty() && outcome.stderr.is_empty(),
        "{}",
        outcome.text()
    );
    assert!(wait::monotonic_ns() - begun > 50_000_000, "-d is kept");
}
