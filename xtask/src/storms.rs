//! Targets that change all the time, at full size: docs/storms.md. The storms themselves are those
//! of the end-to-end tests (tests/e2e/src/storm.rs).

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use crate::bench::page::{self, Section, percent, row};
use crate::bench::tools::number;
use crate::run::{Run, need_root, step};
use crate::{demo, paths, setup, test};

/// How large.
#[derive(Args)]
pub(crate) struct Options {
    /// At the size of the tests, printed and not written: to see that it works
    #[arg(long)]
    quick: bool,
}

const METHOD: &str = "\
Each target runs beside seam on the same processors while it is recorded at 499 samples a second,
and then comes to its own end: it must end well, and none of its waiting system calls may have been
interrupted. *Rooted* are samples whose stack begins at a root; every other one is counted by its
reason. *Own* are samples that show the target's own functions; short programs spend most of their
time in the kernel and in the loader. *Memory* is seam's largest resident set with its maps in the
kernel; the budget is 40 MiB and a tenth of the target's file. With `--all` everything on the
machine is recorded, so that its budget is not comparable. Recordings one after the other are 1,000,
or what 400 s allow.";

const WORDS: &[(&str, &str)] = &[
    ("threads", "threads, each busy now and then"),
    ("processes", "short-lived processes made, `--children`"),
    ("loads", "libraries opened, called and closed"),
    (
        "exec",
        "programs executed by one process, one after the other",
    ),
    ("maps", "mappings of code made and taken away"),
    ("many", "processes beside each other, `--all`"),
    (
        "grow",
        "goroutines whose stack grows at every call, below C",
    ),
    ("churn", "goroutines made"),
    (
        "attach",
        "recordings one after the other; kernel objects left behind",
    ),
];

/// The task `storms`.
pub(crate) fn run(options: &Options) -> Result<()> {
    need_root("storms")?;
    let go = setup::build()?;
    let seam = step("building seam (release)", demo::build_seam)?;
    step("building the storms", || {
        Run::new(test::cargo())
            .args(["build", "--release", "-p", "seam-bench-storms"])
            .dir(paths::root())
            .seconds(2400)
            .ok()
    })?;
    let mut run = Run::new(paths::target().join("release/seam-bench-storms"))
        .env("SEAM_BIN", &seam)
        .dir(paths::root())
        .seconds(3000);
    if options.quick {
        run = run.arg("--quick");
    }
    let text = step("the storms", || run.text())?;
    let seen = text.lines().map(serde_json::from_str);
    let seen: Vec<Value> = seen.collect::<Result<_, _>>().context("what they said")?;
    let mut section = Section::new("Storms", METHOD);
    section.table(&table(&seen));
    let command = "cargo xtask storms";
    page::publish(&section, command, &seam, go.version(), options.quick)
}

fn table(seen: &[Value]) -> Vec<Vec<String>> {
    let mut rows = vec![row([
        "target",
        "how many",
        "samples",
        "rooted",
        "own rooted",
        "by reason",
        "lost",
        "impossible calls",
        "memory, MiB (budget)",
    ])];
    rows.extend(seen.iter().map(cells));
    rows
}

fn cells(seen: &Value) -> Vec<String> {
    let mode = seen["mode"].as_str().unwrap_or_default();
    let words = WORDS.iter().find(|(known, _)| *known == mode);
    let words = words.map_or(mode, |(_, words)| words).to_owned();
    if seen["failed"] == true {
        return vec![words, "failed".to_owned()];
    }
    let of = |key: &str| number(&seen[key]);
    let mib = |key: &str| format!("{:.0}", of(key) / (1024.0 * 1024.0));
    if mode == "attach" {
        let left = format!("{} left", seen["left"]);
        return vec![words, seen["count"].to_string(), left];
    }
    let share = |part: &str, all: &str| format!("{:.2} %", percent(of(part), of(all)));
    let reasons = seen["not_rooted"].as_array().into_iter().flatten();
    let reasons: Vec<&str> = reasons.filter_map(Value::as_str).collect();
    vec![
        words,
        format!("{} in {} s", seen["count"], of("seconds") + 12.0),
        seen["samples"].to_string(),
        share("rooted", "samples"),
        match of("own") > 0.0 {
            true => format!("{} of {}", share("own_rooted", "own"), seen["own"]),
            false => "–".to_owned(),
        },
        reasons.join(", ").replace('"', "`"),
        seen["lost"].to_string(),
        seen["impossible"].to_string(),
        format!("{} ({})", mib("bytes"), mib("budget")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows() {
        let seen = json!({
            "mode": "exec", "seconds": 10, "count": 7, "samples": 200, "own": 10,
            "own_rooted": 10, "rooted": 199, "not_rooted": ["\"no-mapping\": 1"], "lost": 0,
            "impossible": 0, "bytes": 12 << 20, "budget": 40 << 20,
        });
        let cells = cells(&seen);
        assert_eq!(cells[1..4], ["7 in 22 s", "200", "99.50 %"]);
        assert_eq!(cells[5], "`no-mapping`: 1");
        assert_eq!(cells[8], "12 (40)");
    }

    #[test]
    fn every_failure_is_a_row() {
        assert_eq!(
            cells(&json!({ "mode": "maps", "failed": true }))[1],
            "failed"
        );
        let attached = cells(&json!({ "mode": "attach", "count": 1000, "left": 0 }));
        assert_eq!(attached[1..], ["1000", "0 left"]);
    }
}
