//! Programs around libraries that nobody here wrote: stacks are whole, the code agrees with every
//! call, and functions that must stand in one stack do (tests/programs/real).

use std::process::Command;
use std::time::Duration;

use seam_e2e::places;
use seam_e2e::pprof::Stack;
use seam_e2e::process::Process;
use seam_e2e::seam::{Bench, not_rooted, parse_json, run_well};

/// How often it is recorded on a machine too busy to see everything at once.
const ROUNDS: usize = 4;

/// Whether the frames hold these functions in this order.
fn holds(stack: &Stack, together: &[String]) -> bool {
    let mut names = stack.frames.iter().map(|f| f.name.as_str());
    together
        .iter()
        .all(|wanted| names.any(|name| name == wanted))
}

fn check(name: &str) {
    let folder = places::repository().join("tests/programs/real").join(name);
    let text = std::fs::read_to_string(folder.join("real.json")).expect("it is there");
    let real = parse_json(&text);
    let list = |value: &serde_json::Value| -> Vec<String> {
        let words = value.as_array().into_iter().flatten();
        words
            .filter_map(|w| w.as_str().map(str::to_owned))
            .collect()
    };
    let library = real["library"] == true;
    let file = places::real(if library {
        format!("{name}.so")
    } else {
        name.to_owned()
    });
    let words = match list(&real["command"]) {
        command if command.is_empty() => vec![file.display().to_string(), "15".to_owned()],
        command => command
            .into_iter()
            .map(|word| match word.as_str() {
                "SECONDS" => "15".to_owned(),
                "LIBRARY" => file.display().to_string(),
                _ => word,
            })
            .collect(),
    };
    let mut process = Process::start(
        Command::new(&words[0])
            .args(&words[1..])
            .current_dir(&folder),
    );
    process.line("ready", |line| (line == "ready").then_some(()));
    let together = real["together"].as_array().expect("a list");
    let mut missing: Vec<Vec<String>> = together.iter().map(list).collect();
    let (mut samples, mut judged) = (0, 0);
    for _ in 0..ROUNDS {
        let bench = Bench::new();
        run_well(&mut bench.record(process.pid(), "-d 3s -r 997 -o x.pb.gz -o x.json"));
        let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
        samples += profile.count();
        let broken = profile.count_where(|s| s.texts.contains_key("end"));
        assert!(
            broken * 200 <= profile.count(),
            "{name}: {:?}",
            not_rooted(&summary)
        );
        let edges = &summary["quality"]["edges"];
        assert_eq!(
            edges["impossible"], 0,
            "{name}: {}",
            summary["quality"]["notes"]
        );
        let of = |key: &str| edges[key].as_u64().unwrap_or_default();
        let known = of("verified") + of("plausible");
        assert!(of("unchecked") * 200 <= known, "{name}: {edges}");
        judged += known;
        missing.retain(|chain| !profile.stacks.iter().any(|stack| holds(stack, chain)));
        if missing.is_empty() {
            println!("{name}: {samples} samples, {judged} calls judged");
            // It must not have noticed; what it does takes its time.
            assert!(process.runs(), "{name} has ended");
            let outcome = process.end(Duration::from_secs(60));
            let said = outcome.stdout.iter().any(|line| line.starts_with("ok"));
            assert!(said && outcome.code() == Some(0), "{}", outcome.text());
            return;
        }
    }
    panic!("{name}: in {samples} samples never together: {missing:?}");
}

#[test]
fn rocksdb_compares_in_go() {
    check("rocksdb");
}

#[test]
fn duckdb_below_database_sql() {
    check("duckdb");
}

#[test]
fn kafka_has_threads_of_its_own() {
    check("kafka");
}

#[test]
fn go_in_python() {
    check("cpython");
}
