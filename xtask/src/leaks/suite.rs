//! Program y: faults with their causes, the same without the fault, and programs that only look
//! like it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Row, seam};
use crate::run::{Run, Running};

/// A mode, its causes, and whether only growth shows it.
type Fault = (&'static str, &'static [&'static str], bool);

/// Modes with a fault, their cause classes, and whether only growth shows them.
const FAULTS: [Fault; 24] = [
    ("send", &["send-no-partner"], false),
    ("receive", &["receive-no-partner"], false),
    ("select", &["receive-no-partner"], false),
    ("stale", &["receive-no-partner"], false),
    ("nil", &["nil-channel"], false),
    ("nils", &["nil-channel"], false),
    ("collected", &["context-never-cancelled"], false),
    ("context", &["context-never-cancelled"], false),
    (
        "pipeline",
        &["send-no-partner", "receive-no-partner"],
        false,
    ),
    ("sql", &["context-never-cancelled"], false),
    ("mutex", &["lock-never-released"], false),
    ("order", &["lock-never-released"], false),
    ("ring", &["lock-never-released"], false),
    ("rwmutex", &["lock-never-released"], false),
    ("queue", &["lock-never-released"], true),
    ("group", &["waitgroup-never-done"], false),
    ("cond", &["cond-never-signalled"], false),
    // From Go 1.23 on.
    ("pull", &["iterator-never-stopped"], false),
    ("stopped", &["receive-no-partner"], false),
    ("chain", &["ctx-chain-broken"], true),
    ("ticker", &["timer-loop"], true),
    ("sleep", &["timer-loop"], true),
    ("c", &["stuck-in-c"], true),
    ("io", &["io-no-deadline"], true),
];
/// A lock that a variable leads to and that nobody releases: anything could, at any time. All that
/// can be said is that it is suspect.
const UNPROVABLE: &str = "global";
/// Programs that run at once.
const AT_ONCE: usize = 4;

/// Runs every mode and looks at each.
pub(super) fn measure(seam: &Path, binary: &Path, build: &str) -> Result<Row> {
    let text = Run::new(binary).args(["1", ""]).text()?;
    let all = text.split_whitespace().skip(1).map(str::to_owned);
    let all: Vec<String> = all.collect();
    let with_fault = all.iter().filter(|mode| fault(mode).is_some());
    let fixed = with_fault.map(|mode| format!("{mode}-fixed"));
    let modes: Vec<String> = all.iter().cloned().chain(fixed).collect();
    let mut row = Row {
        build: build.to_owned(),
        ..Row::default()
    };
    for some in modes.chunks(AT_ONCE) {
        let mut started = Vec::new();
        for mode in some {
            let run = Run::new(binary).args(["300", mode]).quiet();
            let grows = fault(mode).is_some_and(|(.., grows)| *grows);
            started.push((mode, (grows, run.start_piped()?)));
        }
        let looked = super::at_once(started, |(grows, mut running)| {
            look(seam, grows, &mut running)
        });
        for (mode, groups) in looked {
            let groups = groups.with_context(|| format!("looking at {mode}"))?;
            if mode == UNPROVABLE {
                unprovable(&mut row, &groups);
                continue;
            }
            let fault = fault(mode).filter(|(name, ..)| name == mode);
            count(&mut row, mode, fault, &seam::leaks(groups));
        }
    }
    Ok(row)
}

/// The fault of a mode, be it mended or not.
fn fault(mode: &str) -> Option<&'static Fault> {
    let plain = mode.trim_end_matches("-fixed");
    FAULTS.iter().find(|(name, ..)| *name == plain)
}

fn look(seam: &Path, grows: bool, running: &mut Running) -> Result<Vec<seam::Group>> {
    let lines = running.lines();
    running.wait_for(&lines, "start", Duration::from_secs(60))?;
    let options: &[&str] = if grows {
        &["--for", "4s", "--every", "500ms"]
    } else {
        &[]
    };
    seam::groups(seam, running.pid(), options)
}

fn unprovable(row: &mut Row, groups: &[seam::Group]) {
    let verdicts: Vec<&str> = groups.iter().map(|g| g.verdict.as_str()).collect();
    row.flagged += u64::from(verdicts.contains(&"goroutine-leak"));
    if !verdicts.contains(&"suspect") {
        row.misses.push(format!("{UNPROVABLE}: not suspect"));
    }
}

fn count(row: &mut Row, mode: &str, fault: Option<&Fault>, leaks: &[seam::Leak]) {
    let Some((_, causes, _)) = fault else {
        row.sound += 1;
        row.flagged += u64::from(!leaks.is_empty());
        if !leaks.is_empty() {
            row.misses.push(format!("{mode}: called leaked"));
        }
        return;
    };
    row.shown += 1;
    row.found += u64::from(!leaks.is_empty());
    if leaks.is_empty() {
        row.misses.push(format!("{mode}: not found"));
    }
    for leak in leaks {
        let own = |f: &String| {
            f.starts_with("main.leak")
                || f.starts_with("context.")
                || f.contains("connectionOpener")
        };
        let right = leak.functions.iter().any(own);
        row.right += if right { leak.count } else { 0 };
        row.wrong += if right { 0 } else { leak.count };
        row.groups += 1;
        row.classed += u64::from(causes.contains(&leak.cause.as_str()));
    }
}
