//! `seam goroutines`: looks several times, judges groups, shows which are leaked and why.

mod c_memory;
mod command;
mod left;
mod reach;
mod watch;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use seam_capture::Target;
use seam_dump::{Dump, Goroutine, Kind};
use seam_leaks::{Look, Report, Verdict, facts, judge};

use crate::args::{FailOn, GoroutinesArgs};
use crate::dump::Named;
use crate::dump::look::{self, Full, Origin, Wanted};
use crate::failure::Failure;
use crate::terminal;

/// The exit code where --fail-on found something.
const EXIT_FOUND: u8 = 1;
/// Looks that are kept: each has every goroutine.
const LOOKS_MAX: u32 = 100;

/// Runs the verb.
pub(crate) fn run(args: &GoroutinesArgs) -> Result<ExitCode> {
    check_outputs(args)?;
    if !args.command.is_empty() {
        return command::run(args);
    }
    let times = Times::new(args)?;
    let named = Named {
        target: args.target.as_deref(),
        exe: args.exe.as_deref(),
        name: args.name.as_deref(),
    };
    let looks = match crate::dump::origin("goroutines", &named)? {
        Origin::Process(target) => looks(&target, times)?,
        // Nothing moves in a core: one look is all there is, and enough for the mark.
        Origin::Core(core) => vec![kept_look(0, look::of_core(*core, WITH_RAW))],
    };
    let report = report(args, &looks);
    let (json, junit) = (seam_leaks::json, seam_leaks::junit);
    write_report(args, || json(&report), || junit(&report))?;
    let text = if args.json {
        seam_leaks::json(&report)
    } else {
        seam_leaks::text(&report, args.all)
    };
    terminal::print(&text, "goroutines")?;
    let failed = args.fail_on.iter().any(|on| match on {
        FailOn::GoroutineLeak => report.of(Verdict::Leak).next().is_some(),
        FailOn::Suspect => report.groups.iter().any(|g| g.verdict != Verdict::Healthy),
    });
    Ok(if failed {
        ExitCode::from(EXIT_FOUND)
    } else {
        ExitCode::SUCCESS
    })
}

/// A form of the report in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Junit,
    /// None that is known.
    Other,
}

/// The files to be written.
fn outputs(args: &GoroutinesArgs) -> impl Iterator<Item = (&Path, Form)> {
    let form = |path: &Path| match path.extension().and_then(|e| e.to_str()) {
        Some("json") => Form::Json,
        Some("xml") => Form::Junit,
        _ => Form::Other,
    };
    let junit = args.junit.iter().map(|path| (path.as_path(), Form::Junit));
    let output = args.output.iter();
    output
        .map(move |path| (path.as_path(), form(path)))
        .chain(junit)
}

/// Before anything is run: files can be written, in forms that are known.
fn check_outputs(args: &GoroutinesArgs) -> Result<()> {
    for (path, form) in outputs(args) {
        if form == Form::Other {
            return Err(Failure::new(
                format!("what to write is not told by the name {}", path.display()),
                "end it with .xml (JUnit) or .json: -o leaks.xml",
            )
            .into());
        }
        crate::record::writable(path, "goroutines.xml")?;
    }
    Ok(())
}

fn write_report(
    args: &GoroutinesArgs,
    json: impl Fn() -> String,
    junit: impl Fn() -> String,
) -> Result<()> {
    for (path, form) in outputs(args) {
        let text = match form {
            Form::Json => json(),
            Form::Junit | Form::Other => junit(),
        };
        crate::record::write_whole(path, text.as_bytes())?;
    }
    Ok(())
}

/// When to look.
#[derive(Clone, Copy)]
struct Times {
    every: Duration,
    count: u32,
}

impl Times {
    fn new(args: &GoroutinesArgs) -> Result<Self> {
        let whole = args.duration;
        // A short look has three, a longer one seven.
        let steps = if whole < Duration::from_secs(6) { 2 } else { 6 };
        let every = args.every.unwrap_or(whole / steps);
        if every.is_zero() || whole < every {
            return Err(Failure::new(
                "--for is shorter than --every: there would be one look only",
                "seam goroutines PID --for 60s --every 10s",
            )
            .into());
        }
        let count = whole.as_nanos() / every.as_nanos() + 1;
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if count > LOOKS_MAX {
            return Err(Failure::new(
                format!("{count} looks are too many: {LOOKS_MAX} are kept"),
                "choose a longer --every",
            )
            .into());
        }
        Ok(Self { every, count })
    }
}

fn looks(target: &Target, times: Times) -> Result<Vec<Look>> {
    let started = Instant::now();
    let mut looks = Vec::new();
    for number in 0..times.count {
        let due = times.every * number;
        std::thread::sleep(due.saturating_sub(started.elapsed()));
        let at_ns = started.elapsed().as_nanos() as u64;
        looks.push(kept_look(at_ns, look::full(target, WITH_RAW)?));
    }
    Ok(looks)
}

/// What a mark needs is read, too.
const WITH_RAW: Wanted = Wanted {
    sample: false,
    raw: true,
    timers: false,
    kernel: false,
};

/// Marks, and keeps what verdicts need.
fn kept_look(at_ns: u64, full: Full) -> Look {
    let reach = reach::reach(&full);
    let dump = full.dump;
    Look { at_ns, dump, reach }
}

fn report(args: &GoroutinesArgs, looks: &[Look]) -> Report {
    let mut ignored = 0;
    let keep = |dump: &Dump, goroutine: &Goroutine| !ignores(args, dump, goroutine);
    let last = looks.last();
    if let Some(last) = last {
        let all = last.dump.goroutines.iter();
        ignored = all.filter(|g| ignores(args, &last.dump, g)).count() as u64;
    }
    let groups = facts(looks, keep).into_iter().map(judge).collect();
    let dump = last.map(|look| &look.dump);
    let span = looks
        .first()
        .zip(last)
        .map_or(0, |(a, b)| b.at_ns - a.at_ns);
    let why = looks.iter().find_map(|look| look.reach.incomplete.clone());
    let mut report = Report {
        pid: dump.map_or(0, |d| d.pid),
        name: dump.map_or_else(String::new, |d| d.name.clone()),
        go: dump.map_or_else(Vec::new, |d| d.go.clone()),
        goroutines: dump.map_or(0, |d| d.goroutines.len() as u64),
        core: dump.is_some_and(|d| d.core),
        looks: looks.len() as u32,
        span_ns: span,
        groups,
        ignored,
        incomplete: why,
        notes: dump.map_or_else(Vec::new, |d| d.notes.clone()),
    };
    report.sort();
    report
}

/// Whether a goroutine is left out, in goleak's terms: by the innermost function that is not the
/// runtime's, or by the function that made it.
fn ignores(args: &GoroutinesArgs, dump: &Dump, goroutine: &Goroutine) -> bool {
    let stack = goroutine.stack.and_then(|id| dump.stacks.get(id as usize));
    let mut frames = stack.into_iter().flat_map(|stack| &stack.frames);
    let top = frames.find(|frame| frame.kind != Kind::Runtime);
    let top = top.map(|frame| &*frame.place.function);
    let creator = goroutine.creator.as_ref().map(|c| &*c.function);
    let named = |names: &[String], function: Option<&str>| {
        function.is_some_and(|function| names.iter().any(|name| name == function))
    };
    named(&args.ignore_top, top) || named(&args.ignore_created_by, creator)
}
