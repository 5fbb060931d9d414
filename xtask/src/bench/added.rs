//! What being profiled costs the target.

use anyhow::Result;

use super::page::{Section, median, percent, row, spread, verdict, with_range};
use super::parts::Parts;
use super::tools::{self, Target, Tool, field, number};
use crate::run::Run;

const RATES: [u32; 2] = [99, 999];
const BUDGETS: [f64; 2] = [0.3, 2.0];
const METHOD: &str = "\
A program does a fixed amount of work on one thread, 12 frames deep in Go and C, alone and under
each profiler in turn, several rounds. Its work is reading the CPU's cycle counter: what is missing
between two readings (400 to 200,000 cycles), something else took. *Interrupted* is that share of
its time, and *added* what the profiler adds to it, round by round: BPF or perf's handler, the
interrupt around it, its own threads on the same CPU. An empty BPF program on the same clock shows
what being interrupted costs by itself here, which in a virtual machine is much. *CPU time* is the
kernel's account of the whole run (the work is fixed, so a slower target uses more). Differences
that are smaller than the spread of the runs alone are below what this machine can show. *Own CPU*
is that of the profiler itself from its start to its end, which with seam includes building tables,
finding names and writing.";

/// What a profiler is in this comparison.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Nobody,
    /// A program that does nothing on the same clock: the interrupt alone.
    Nothing(usize),
    Tool(Tool, usize),
    Go(usize),
}

#[derive(Default)]
struct Runs {
    interrupted: Vec<f64>,
    cpu: Vec<f64>,
    own: Vec<f64>,
    bpf: Vec<f64>,
}

pub(super) fn measure(parts: &Parts) -> Result<Section> {
    let (rounds, seconds) = parts.pick((7, 5.0), (2, 2.0));
    let calls = calibrated(parts, seconds)?;
    let mut cases = vec![By::Nobody];
    for place in 0..RATES.len() {
        cases.push(By::Nothing(place));
        cases.extend(Tool::ALL.map(|tool| By::Tool(tool, place)));
        cases.push(By::Go(place));
    }
    let mut results: Vec<Runs> = cases.iter().map(|_| Runs::default()).collect();
    for round in 0..rounds {
        println!("   round {} of {rounds}", round + 1);
        for (case, runs) in cases.iter().zip(&mut results) {
            once(parts, *case, calls, runs)?;
        }
    }
    let mut section = Section::new("Cost for the target", METHOD);
    section.table(&table(&cases, &results));
    let alone = &results[0];
    section.say(&format!(
        "Alone it was interrupted {} % of its time (median, lowest–highest), and its CPU time \
         varied by\n{:.1} %.",
        with_range(&alone.interrupted, 2),
        percent(spread(&alone.cpu), median(&alone.cpu))
    ));
    for (place, rate) in RATES.iter().enumerate() {
        let by_seam = By::Tool(Tool::Seam, place);
        let found = cases.iter().position(|case| *case == by_seam);
        let bpf = found.map_or(0.0, |at| median(&results[at].bpf));
        section.say(&format!(
            "seam's program at {rate} Hz, by the kernel's statistics: {bpf:.3} % of the time of \
             the one core that the\ntarget uses (budget for it and its interrupts {} %).",
            BUDGETS[place]
        ));
    }
    Ok(section)
}

fn table(cases: &[By], results: &[Runs]) -> Vec<Vec<String>> {
    let alone = &results[0];
    let mut rows = vec![row([
        "profiler",
        "rate, Hz",
        "interrupted, %",
        "added, %",
        "budget",
        "CPU time, % of alone",
        "own CPU, % of a core",
    ])];
    for (case, runs) in cases.iter().zip(results) {
        let (name, place) = match *case {
            By::Nobody => ("alone", None),
            By::Nothing(place) => ("an empty BPF program", Some(place)),
            By::Go(place) => ("Go's `runtime/pprof`", Some(place)),
            By::Tool(tool, place) => (tool.name(), Some(place)),
        };
        let added = added(runs, alone);
        let noise = spread(&alone.interrupted);
        let clear = added.abs() >= noise;
        let budget = match *case {
            By::Tool(Tool::Seam, place) if clear => {
                format!("{}: {}", BUDGETS[place], verdict(added, BUDGETS[place]))
            }
            By::Tool(Tool::Seam, place) => format!("{}: below noise", BUDGETS[place]),
            _ => String::new(),
        };
        let changed = percent(median(&runs.cpu), median(&alone.cpu));
        let steady = (changed - 100.0).abs() >= percent(spread(&alone.cpu), median(&alone.cpu));
        let own = match runs.own.is_empty() {
            true => "–".to_owned(),
            false => with_range(&runs.own, 1),
        };
        let marked = |text: String, clear: bool| match (clear, place) {
            (_, None) => "–".to_owned(),
            (true, _) => text,
            (false, _) => format!("{text}, below noise"),
        };
        rows.push(vec![
            name.to_owned(),
            place.map_or_else(|| "–".to_owned(), |place| RATES[place].to_string()),
            with_range(&runs.interrupted, 2),
            marked(format!("{added:.2}"), clear),
            budget,
            marked(format!("{changed:.1}"), steady),
            own,
        ]);
    }
    rows
}

/// The median of the differences in each round, so that a load that comes and goes does not count.
fn added(runs: &Runs, alone: &Runs) -> f64 {
    let pairs = runs.interrupted.iter().zip(&alone.interrupted);
    median(
        &pairs
            .map(|(with, without)| with - without)
            .collect::<Vec<f64>>(),
    )
}

/// Calls that take about this long.
fn calibrated(parts: &Parts, seconds: f64) -> Result<u64> {
    let calls = 500.0;
    let line = Target::start(target(parts, calls as u64, 0.0), "ready")?.end("done")?;
    let each = field(&line, "cpu_ns")? / calls;
    Ok((seconds * 1e9 / each) as u64)
}

fn target(parts: &Parts, calls: u64, delay: f64) -> Run {
    let (calls, delay) = (calls.to_string(), delay.to_string());
    Run::new(&parts.depth).args(["-leaf", "gaps", "-calls", &calls, "-delay", &delay])
}

fn once(parts: &Parts, by: By, calls: u64, runs: &mut Runs) -> Result<()> {
    // The work begins when every profiler has attached.
    let delay = if by == By::Nobody { 0.2 } else { 1.5 };
    let mut run = target(parts, calls, delay);
    if let By::Go(place) = by {
        let rate = RATES[place].to_string();
        run = run
            .arg("-profile")
            .arg(parts.file("depth.pprof"))
            .args(["-rate", &rate]);
    }
    let target = Target::start(run, "ready")?;
    if let By::Tool(tool, place) = by {
        let begun = std::time::Instant::now();
        // All end with their target.
        let own = tool.record(parts, &target.pid, RATES[place], None)?;
        runs.own.push(percent(own, begun.elapsed().as_secs_f64()));
        if tool == Tool::Seam {
            let cost = &tools::summary(parts)?;
            let time = number(&cost["cost"]["bpf_time_ns"]);
            runs.bpf
                .push(percent(time, number(&cost["recording"]["duration_ns"])));
        }
    }
    let nothing = match by {
        By::Nothing(place) => {
            let rate = RATES[place].to_string();
            let args = ["nothing", "--seconds", "60", "--rate", &rate];
            Some(Target::start(parts.bench("kernel").args(args), "attached")?)
        }
        _ => None,
    };
    let line = target.end("done")?;
    drop(nothing);
    runs.interrupted
        .push(percent(field(&line, "gap_ns")?, field(&line, "user_ns")?));
    runs.cpu.push(field(&line, "cpu_ns")? / 1e9);
    Ok(())
}
