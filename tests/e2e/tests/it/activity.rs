//! What Go's runtime was busy with, as a label on each sample, as a group and as counts.

use std::collections::BTreeMap;

use seam_e2e::places;
use seam_e2e::pprof::Stack;
use seam_e2e::program::Program;
use seam_e2e::seam::{Bench, run_well};

/// An activity and functions of which one must be on the stack, in some version of Go.
const SIGNS: [(&str, &[&str]); 9] = [
    (
        "gc mark",
        &[
            "gcDrain",
            "gcBgMarkWorker",
            // Once in each cycle, by whoever begins it.
            "gcMarkTinyAllocs",
            "gcWriteBarrier",
            "wbBufFlush",
            "gcmarknew",
            "bulkBarrierPreWrite",
        ],
    ),
    ("gc assist", &["gcAssistAlloc", "gcAssistAlloc1"]),
    (
        "gc sweep",
        &[
            "sweepone",
            "(*sweepLock",
            "(*mheap).reclaim",
            "gcSweep",
            "bgsweep",
            "deductSweepCredit",
        ],
    ),
    (
        "gc scavenge",
        &["(*pageAlloc).scavenge", "bgscavenge", "(*scavenge"],
    ),
    ("gc control", &["gc", "(*gc"]),
    ("netpoll", &["netpoll"]),
    (
        "timers",
        &[
            "(*timer",
            "checkTimers",
            "runtimer",
            "addtimer",
            "modtimer",
            "deltimer",
            "resettimer",
        ],
    ),
    ("idle", &["findRunnable", "findrunnable", "stopm"]),
    (
        "scheduler",
        &[
            "schedule",
            "mcall",
            "ready",
            "startm",
            "sysmon",
            "goexit0",
            "wakep",
            "park_m",
            "gosched",
            "gopreempt_m",
            "goyield_m",
            "exitsyscall",
            "handoffp",
            "injectglist",
            "execute",
            "retake",
        ],
    ),
];

fn has_sign(stack: &Stack, activity: &str) -> bool {
    let (_, signs) = SIGNS.iter().find(|(a, _)| *a == activity).expect("known");
    let names = stack.frames.iter().map(|f| f.name.as_str());
    let mut runtime = names.filter_map(|name| name.strip_prefix("runtime."));
    runtime.any(|name| signs.iter().any(|sign| name.starts_with(sign)))
}

#[test]
fn samples_say_what_the_runtime_did() {
    for go in [places::machine_go(), "go1.21.13"] {
        let program = Program::start_file(&places::program_by(go, "g"), 60);
        let bench = Bench::new();
        let options = "-d 5s -r 1999 -o x.pb.gz -o x.json";
        run_well(&mut bench.record(program.pid(), options));
        let (profile, summary) = (bench.pprof("x.pb.gz"), bench.json("x.json"));
        let mut seen: BTreeMap<&str, i64> = BTreeMap::new();
        for stack in &profile.stacks {
            let activity = stack.texts.get("activity").map(String::as_str);
            if let Some(activity) = activity {
                assert!(has_sign(stack, activity), "{go}: {}", stack.text());
                *seen.entry(activity).or_default() += stack.count;
            }
            // A worker does nothing but mark, and assists are never taken for workers.
            let helps = activity == Some("gc assist");
            let leaf = stack.frames.last().map(|f| f.name.as_str());
            let scans = [
                "runtime.scanobject",
                "runtime.greyobject",
                "runtime.scanObject",
            ];
            if leaf.is_some_and(|leaf| scans.contains(&leaf)) {
                let assists = stack.has("runtime.gcAssistAlloc");
                assert!(helps == assists, "{go}: {}", stack.text());
                assert!(
                    helps || activity == Some("gc mark"),
                    "{go}: {}",
                    stack.text()
                );
            }
        }
        println!("{go}: {seen:?} of {}", profile.count());
        for (activity, _) in SIGNS {
            let samples = seen.get(activity).copied().unwrap_or(0);
            assert!(samples > 0, "{go}: {activity} was never seen");
            let told = &summary["time"]["activities"][activity];
            assert_eq!(told.as_i64(), Some(samples), "{go}: {activity}");
        }
    }
}

#[test]
fn stacks_are_grouped_by_activity() {
    let program = Program::start("g", 60);
    let bench = Bench::new();
    run_well(&mut bench.record(program.pid(), "-d 2s -r 999 --group activity -o x.folded"));
    let text = bench.text("x.folded");
    for group in ["gc mark", "gc assist", "no activity"] {
        assert!(text.contains(&format!("g;[{group}];")), "no {group}");
    }
}
