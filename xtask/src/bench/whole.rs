//! How many stacks are whole, for each profiler, on programs whose stacks are known.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::page::{Section, percent, row};
use super::parts::Parts;
use super::tools::{self, Tool, number, shown};
use crate::paths;
use crate::run::Run;

const PROGRAMS: &[(&str, &str)] = &[
    ("a", "Go"),
    ("b", "Go → C"),
    ("c", "Go → C → Go"),
    ("d", "Go → C → Go → C"),
    ("e", "C thread → Go → C"),
    ("f", "Go → C → Go, the stack moves → C"),
    ("n", "Go → C → Go → C → Go → C, nested"),
];
const RATE: u32 = 199;
const METHOD: &str = "\
Each program is recorded by one profiler after the other while it works. A stack counts when it
holds a frame of the program's own; it is whole when its own frames are a path of the program's
known calls with nothing missing or added, no caller is without a name, and it begins at its root
(the rules and the code of the end-to-end tests, see tests/programs/README.md; goroutine and
thread numbers, which only seam records, are not asked for). Go's profiler leaves `runtime.goexit`
out of every stack: here it is taken as there. It shows time in C as time in `runtime.cgocall`:
such a stack lacks its C part. perf's unwinder reads no unwind information of Go's, and the
goroutine's stack is not in what it copies while C runs; [truth.md](truth.md) has how that was
found, more profilers and all Go minors. A cell says: whole stacks as % of those that count; in
brackets the number that count and their % of all samples (a profiler that loses all frames of the
program has few that count).";

pub(super) fn measure(parts: &Parts) -> Result<Section> {
    let seconds = parts.pick(8, 2);
    let mut section = Section::new("Whole stacks", METHOD);
    let mut rows = vec![row(["program", "stacks"])];
    rows[0].extend(Tool::ALL.map(|tool| tool.name().to_owned()));
    rows[0].push("Go's `runtime/pprof`, 100 Hz".to_owned());
    for (name, shape) in PROGRAMS {
        let mut cells = row([*name, *shape]);
        let program = parts.program(name)?;
        for tool in Tool::ALL {
            let life = (seconds + 30).to_string();
            let target = tools::Target::start(Run::new(&program).arg(life), "start ns=")?;
            tool.record(parts, &target.pid, RATE, Some(seconds))?;
            drop(target);
            cells.push(judged(parts, name, tool)?);
        }
        cells.push(by_go(parts, name, seconds)?);
        println!("   {}", cells.join("   "));
        rows.push(cells);
    }
    section.table(&rows);
    let commands = Tool::ALL.map(|tool| shown(&tool.command(parts, "PID", RATE, Some(seconds))));
    section.commands(&commands);
    Ok(section)
}

fn judged(parts: &Parts, name: &str, tool: Tool) -> Result<String> {
    let output = tool.output(parts);
    if tool == Tool::Seam {
        return judge(parts, name, "seam", &output);
    }
    let script = output.with_extension("script");
    tools::perf_script(&output, &script)?;
    judge(parts, name, "perf", &script)
}

/// Go profiles itself, so the program must be built and run for it.
fn by_go(parts: &Parts, name: &str, seconds: u64) -> Result<String> {
    let program = parts.profiled_program(name)?;
    let profile = parts.file("go.pprof");
    let text = Run::new(program)
        .arg(seconds.to_string())
        .env("SEAM_CPUPROFILE", &profile)
        .seconds(seconds + 60)
        .text()?;
    anyhow::ensure!(text.trim_end().ends_with("ok"), "{name} failed");
    judge(parts, name, "go", &profile)
}

fn judge(parts: &Parts, name: &str, format: &str, file: &Path) -> Result<String> {
    let text = parts
        .bench("whole")
        .args(["whole", name, format])
        .arg(file)
        .dir(paths::root())
        .text()?;
    let counts: Value = serde_json::from_str(&text).context("the judge's answer")?;
    let of = |key: &str| number(&counts[key]);
    let (all, own, whole) = (of("all"), of("counted"), of("whole"));
    Ok(format!(
        "{} ({own:.0}, {:.0} %)",
        share(whole, own),
        percent(own, all)
    ))
}

/// 100 % only when nothing is missing.
fn share(part: f64, all: f64) -> String {
    let percentage = percent(part, all);
    if all == 0.0 {
        return "–".to_owned();
    }
    if part < all && percentage >= 99.95 {
        return "99.9 %".to_owned();
    }
    format!("{percentage:.1} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_all_is_not_all() {
        assert_eq!(share(9999.0, 10000.0), "99.9 %");
        assert_eq!(share(10.0, 10.0), "100.0 %");
        assert_eq!(share(0.0, 0.0), "–");
    }
}
