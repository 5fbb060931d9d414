//! What dumps of very many goroutines take, beside the runtime's own, in one run: docs/dumps.md.

use std::fs;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use nix::sys::resource::{UsageWho, getrusage};

use crate::bench::page::{self, Section, row};
use crate::run::{Run, Running, need_root, step};
use crate::setup::Go;
use crate::{demo, paths, setup};

/// How much.
#[derive(Args)]
pub(crate) struct Options {
    /// 100,000 goroutines, once, printed and not written: to see that it works
    #[arg(long)]
    quick: bool,
}

const METHOD: &str = "\
The program in [benches/goroutines](../benches/goroutines) parks goroutines five frames deep on one
channel, beside one that is busy and notes how long it did not run. Then, in turn: nothing for as
long as a dump takes, `seam dump`, `debug=2` by the program itself, and at last `seam goroutines`
with its three looks. *Time* is the whole command's, from its start to its end, or that of the
runtime's call. *Read* is what seam says of it: how long the program was looked at. *Gap* is the
longest time that the busy goroutine did not run meanwhile. *Memory* is the largest resident set of
seam; the runtime's own dump takes its memory in the program. Each figure is of one round.";

/// Of everything that is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
const ROUNDS: usize = 3;

/// What one command took.
struct Took {
    what: String,
    seconds: f64,
    cpu: Option<f64>,
    mib: Option<f64>,
    read: String,
    gap: String,
}

/// The task `dumps`.
pub(crate) fn run(options: &Options) -> Result<()> {
    need_root("dumps")?;
    let go = setup::build()?;
    let seam = step("building seam (release)", demo::build_seam)?;
    let program = step("building the program", || program(&go))?;
    let (counts, rounds): (&[u64], usize) = match options.quick {
        true => (&[100_000], 1),
        false => (&[100_000, 1_000_000], ROUNDS),
    };
    let mut section = Section::new("Dumps", METHOD);
    for count in counts {
        let title = format!("{} goroutines", thousands(*count));
        let seen = step(&title, || measure(&seam, &program, *count, rounds))?;
        section.say(&format!("**{title}**"));
        section.table(&table(&seen));
    }
    let command = "cargo xtask dumps";
    page::publish(&section, command, &seam, go.version(), options.quick)
}

fn program(go: &Go) -> Result<std::path::PathBuf> {
    let binary = paths::target().join("dumps/goroutines");
    go.run(go.version())
        .args(["build", "-o"])
        .arg(&binary)
        .arg(".")
        .dir(paths::root().join("benches/goroutines"))
        .seconds(600)
        .ok()?;
    Ok(binary)
}

fn measure(seam: &Path, program: &Path, count: u64, rounds: usize) -> Result<Vec<Took>> {
    let run = Run::new(program).arg(count.to_string()).talked_to();
    let mut target = run.start_piped()?;
    let lines = target.lines();
    target.wait_for(&lines, "ready", PATIENCE)?;
    let pid = target.pid().to_string();
    let mut all = Vec::new();
    for _ in 0..rounds {
        gap(&mut target, &lines)?;
        let dump = command(seam, &["dump", &pid])?;
        let dump_gap = gap(&mut target, &lines)?;
        std::thread::sleep(Duration::from_secs_f64(dump.seconds));
        let idle_gap = gap(&mut target, &lines)?;
        all.push(Took {
            gap: idle_gap,
            what: "nothing".to_owned(),
            cpu: None,
            mib: None,
            read: "–".to_owned(),
            ..dump
        });
        all.push(Took {
            gap: dump_gap,
            ..dump_of(&dump)
        });
        target.say("debug2")?;
        let said = target.wait_for(&lines, "debug2", PATIENCE)?;
        all.push(Took {
            what: "`debug=2`".to_owned(),
            seconds: go_seconds(&said),
            cpu: None,
            mib: None,
            read: "–".to_owned(),
            gap: gap(&mut target, &lines)?,
        });
    }
    let looks = command(seam, &["goroutines", &pid])?;
    all.push(Took {
        gap: gap(&mut target, &lines)?,
        ..looks
    });
    target.stop();
    Ok(all)
}

fn dump_of(dump: &Took) -> Took {
    Took {
        what: dump.what.clone(),
        read: dump.read.clone(),
        gap: String::new(),
        ..*dump
    }
}

/// Runs seam and watches its memory.
fn command(seam: &Path, words: &[&str]) -> Result<Took> {
    let before = cpu()?;
    let begun = Instant::now();
    let mut running = Run::new(seam).args(words).start_piped()?;
    let lines = running.lines();
    let (mut head, mut kib) = (String::new(), 0);
    while !running.has_ended() {
        if begun.elapsed() > PATIENCE {
            bail!("seam {} takes more than {PATIENCE:?}", words.join(" "));
        }
        kib = resident_kib(running.pid()).max(kib);
        if let Ok(line) = lines.recv_timeout(Duration::from_millis(5))
            && head.is_empty()
        {
            head = line;
        }
    }
    let read = ["read in ", "looked "].iter().find_map(|start| {
        let said = head.split_once(start)?.1;
        Some(said.split(',').next()?.to_owned())
    });
    Ok(Took {
        what: format!("`seam {}`", words[0]),
        seconds: begun.elapsed().as_secs_f64(),
        cpu: Some(cpu()? - before),
        mib: Some(kib as f64 / 1024.0),
        read: read.with_context(|| format!("seam said {head:?}"))?,
        gap: String::new(),
    })
}

/// The largest resident set so far.
fn resident_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0)
}

/// CPU time of the processes that were waited for.
fn cpu() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

fn gap(target: &mut Running, lines: &Receiver<String>) -> Result<String> {
    target.say("gap")?;
    let said = target.wait_for(lines, "gap", PATIENCE)?;
    let seconds = go_seconds(&said);
    Ok(if seconds < 1.0 {
        format!("{:.0} ms", 1000.0 * seconds)
    } else {
        format!("{seconds:.1} s")
    })
}

/// The time at the end of a line, as Go writes it: `1m2.5s`, `83.1ms`, `7µs`.
fn go_seconds(line: &str) -> f64 {
    let mut rest = line.rsplit(' ').next().unwrap_or_default();
    let mut total = 0.0;
    let units = [
        ("ns", 1e-9),
        ("µs", 1e-6),
        ("ms", 1e-3),
        ("h", 3600.0),
        ("m", 60.0),
        ("s", 1.0),
    ];
    while let Some(end) = rest.find(|c: char| !c.is_ascii_digit() && c != '.') {
        let (number, unit) = rest.split_at(end);
        let Some((word, worth)) = units.iter().find(|(word, _)| unit.starts_with(word)) else {
            break;
        };
        total += number.parse::<f64>().unwrap_or(0.0) * worth;
        rest = &unit[word.len()..];
    }
    total
}

fn table(seen: &[Took]) -> Vec<Vec<String>> {
    let mut rows = vec![row(["", "time", "read", "CPU time", "memory", "gap"])];
    let or = |value: Option<f64>, unit: &str, digits: usize| match value {
        Some(value) => format!("{value:.digits$} {unit}"),
        None => "–".to_owned(),
    };
    rows.extend(seen.iter().map(|took| {
        vec![
            took.what.clone(),
            format!("{:.2} s", took.seconds),
            took.read.clone(),
            or(took.cpu, "s", 2),
            or(took.mib, "MiB", 0),
            took.gap.clone(),
        ]
    }));
    rows
}

fn thousands(number: u64) -> String {
    let text = number.to_string();
    let digits = text.as_bytes().rchunks(3).rev();
    let parts: Vec<&str> = digits.filter_map(|d| std::str::from_utf8(d).ok()).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_go_are_read() {
        let all = [
            ("gap 83.1ms", 0.0831),
            ("gap 7µs", 7e-6),
            ("debug2 1m2.5s", 62.5),
            ("debug2 1.5s", 1.5),
            ("gap", 0.0),
        ];
        for (text, seconds) in all {
            assert!((go_seconds(text) - seconds).abs() < 1e-9, "{text}");
        }
        assert_eq!(thousands(1_000_000), "1,000,000");
    }
}
