//! `seam dump`: what goroutines wait on. Program w has one for each way of waiting; where its
//! variables lie, its symbols say.

use std::collections::BTreeSet;
use std::process::Command;

use seam_e2e::places;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, arg, parse_json, run_well};
use serde_json::Value;

fn dump(bench: &Bench, pid: i32, options: &[&str]) -> Value {
    let pid = arg(pid);
    let words = [&["dump", &pid, "--json"], options].concat();
    parse_json(&run_well(&mut bench.seam(&words)).stdout.join("\n"))
}

/// What the goroutines wait on that have a function on their stack.
fn of<'a>(dump: &'a Value, function: &str) -> Vec<&'a Value> {
    let has = |g: &&Value| {
        let number = g["stack"].as_u64().unwrap_or(u64::MAX) as usize;
        let frames = dump["stacks"][number]["frames"].as_array();
        frames.is_some_and(|frames| frames.iter().any(|f| f["function"] == function))
    };
    let all = dump["goroutines"].as_array().expect("goroutines").iter();
    all.filter(has).map(|g| &g["waits_on"]).collect()
}

fn one<'a>(dump: &'a Value, function: &str) -> &'a Value {
    let found = of(dump, function);
    assert_eq!(found.len(), 1, "{function}: {found:?}");
    found[0]
}

/// Where a variable lies, by the program's symbols.
fn variable(file: &std::path::Path, name: &str) -> String {
    let output = Command::new("nm").arg(file).output();
    let output = output.expect("nm is installed; cargo xtask setup does it");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .find(|l| l.split_whitespace().nth(2) == Some(name));
    let line = line.unwrap_or_else(|| panic!("no {name}"));
    let address = line.split_whitespace().next().expect("an address");
    let address = u64::from_str_radix(address, 16).expect("hexadecimal");
    format!("{address:#x}")
}

#[test]
fn everything_that_is_waited_on_is_named() {
    for go in [places::machine_go(), "go1.21.13"] {
        let file = places::program_by(go, "w");
        let program = Program::start_file(&file, 60);
        let dump = dump(&Bench::new(), program.pid(), &[]);
        // One channel, by many ways.
        let never = &one(&dump, "main.lockedW")[0]["address"];
        let ways = [
            "main.receiveW",
            "main.rangeW",
            "main.deepW",
            "main.goWaitW",
            "main.labelledW",
        ];
        for way in ways {
            for on in of(&dump, way) {
                assert_eq!(on[0]["address"], *never, "{go}: {way}");
                assert_eq!(on[0]["direction"], "receive", "{go}: {way}");
                assert_eq!((&on[0]["len"], &on[0]["capacity"]), (&0.into(), &0.into()));
                assert_eq!(on[0]["element_bytes"], 8, "{go}: {way}");
            }
        }
        let full: BTreeSet<String> = of(&dump, "main.sendW")
            .iter()
            .map(|on| on.to_string())
            .collect();
        assert_eq!(full.len(), 1, "{go}: all send to one channel");
        for on in of(&dump, "main.selectW") {
            let cases: BTreeSet<(String, &str)> = on
                .as_array()
                .expect("cases")
                .iter()
                .map(|c| {
                    (
                        c["direction"].to_string(),
                        c["address"].as_str().unwrap_or(""),
                    )
                })
                .collect();
            let directions: Vec<&str> = cases.iter().map(|(d, _)| d.as_str()).collect();
            assert_eq!(directions, ["\"receive\"", "\"send\""], "{go}: {on}");
            let receives = cases.iter().find(|(d, _)| d == "\"receive\"");
            assert_eq!(receives.map(|(_, a)| *a), never.as_str(), "{go}");
        }
        assert_eq!(one(&dump, "main.nilW")[0]["address"], "0x0", "{go}");
        assert_eq!(*one(&dump, "main.emptyW"), Value::Array(Vec::new()), "{go}");
        let locks = [
            ("main.mutexW", "main.mutex", "sync.Mutex"),
            ("main.readLockW", "main.shared", "sync.RWMutex"),
            ("main.groupW", "main.group", "sync.WaitGroup"),
        ];
        for (function, name, kind) in locks {
            let on = &one(&dump, function)[0];
            assert_eq!(on["address"], variable(&file, name), "{go}: {function}");
            assert_eq!(on["of"], kind, "{go}: {function}");
        }
        // Another waits for the readers to go, on the lock that writers take first.
        let write = &one(&dump, "main.writeLockW")[0]["address"];
        assert_eq!(*write, variable(&file, "main.shared"), "{go}");
        assert_eq!(one(&dump, "main.condW")[0]["of"], "sync.Cond", "{go}");
        let accept = &one(&dump, "main.acceptW")[0];
        assert_eq!(
            (&accept["write"], &accept["deadline"]),
            (&false.into(), &"none".into())
        );
        let what = accept["what"].as_str().unwrap_or_default();
        assert!(
            what.starts_with("tcp 127.0.0.1:") && what.ends_with("listening"),
            "{what}"
        );
        let left = one(&dump, "main.sleepW")[0]["ends_in_ns"].as_i64();
        let hour = 3_600_000_000_000;
        assert!(
            left.is_some_and(|left| (hour / 2..hour).contains(&left)),
            "{left:?}"
        );
        assert_eq!(dump["notes"], Value::Array(Vec::new()), "{go}");
    }
}

#[test]
fn timers_are_listed() {
    for go in [places::machine_go(), "go1.21.13"] {
        let file = places::program_by(go, "y");
        let program = Program::start_command(Command::new(file).args(["60", "cron"]));
        let dump = dump(&Bench::new(), program.pid(), &["--timers"]);
        let timers = dump["timers"].as_array().expect("timers");
        let periods: BTreeSet<u64> = timers
            .iter()
            .filter_map(|t| t["period_ns"].as_u64())
            .filter(|period| *period > 0)
            .collect();
        let tenths = (1..=10).map(|n| n * 100_000_000);
        assert_eq!(periods, tenths.collect(), "{go}");
        let after = timers.iter().filter_map(|t| t["calls"].as_str());
        let after = after.filter(|f| f.starts_with("main.cron.func"));
        assert_eq!(after.count(), 1, "{go}: {timers:?}");
    }
}

#[test]
fn age_chooses_what_is_shown() {
    let program = Program::start("w", 60);
    let bench = Bench::new();
    let pid = arg(program.pid());
    let shown = |time: &str| {
        let words = ["dump", &pid, "--older", time];
        run_well(&mut bench.seam(&words)).stdout.join("\n")
    };
    // The one in C is the one whose age is known for sure.
    let text = shown("1ms");
    assert!(
        text.contains("main.cW") && text.contains("no age is known"),
        "{text}"
    );
    let text = shown("1h");
    assert!(!text.contains("main.cW"), "{text}");
}
