//! `seam goroutines`: looks several times, judges groups, shows which are leaked and why.

mod barriers;
mod c_memory;
mod command;
mod holds;
mod left;
mod pace;
mod reach;
mod watch;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use seam_capture::Target;
use seam_dump::{Dump, Goroutine, Kind};
use seam_leaks::{History, Look, Report, Verdict, judge};

use crate::args::{FailOn, GoroutinesArgs};
use crate::dump::look::{self, Full, Origin, Wanted};
use crate::failure::Failure;
use crate::terminal;
use pace::{Pace, Times};

/// The exit code where --fail-on found something.
const EXIT_FOUND: u8 = 1;
/// The exit code where it could not find what there may be.
const EXIT_UNSEEN: u8 = 3;

/// Runs the verb.
pub(crate) fn run(args: &GoroutinesArgs) -> Result<ExitCode> {
    check_outputs(args)?;
    if !args.command.is_empty() {
        return command::run(args);
    }
    let times = Times::new(args)?;
    let watched = match crate::dump::origin("goroutines", &args.looked_at)? {
        Origin::Process(target) => watched(&target, times)?,
        // Nothing moves in a core: one look is all there is, and enough for the mark.
        Origin::Core(core) => Watched {
            last: kept_look(0, look::of_core(*core, WITH_RAW)),
            ..Watched::default()
        },
    };
    let report = report(args, watched);
    if report.go.is_empty() {
        let what = if report.core {
            "the core"
        } else {
            "the process"
        };
        return Err(Failure::new(
            format!("{what} has no Go runtime, so there are no goroutines"),
            "seam dump shows its threads",
        )
        .into());
    }
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
        FailOn::NotSeen => false,
    });
    let unseen = report.incomplete.is_some() || report.goroutines == 0;
    Ok(match failed {
        true => ExitCode::from(EXIT_FOUND),
        false if unseen && args.fail_on.contains(&FailOn::NotSeen) => ExitCode::from(EXIT_UNSEEN),
        false => ExitCode::SUCCESS,
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

/// What several looks have seen.
#[derive(Default)]
struct Watched {
    before: History,
    last: Look,
    /// Why there were other looks than asked for.
    notes: Vec<String>,
}

/// Looks as often as was asked for, and then again while looks contradict each other: a word left
/// over on a stack that runs can hide a leak from one of them. Where a look takes long, there are
/// fewer, so that the target and the machine have most of the time for themselves.
fn watched(target: &Target, times: Times) -> Result<Watched> {
    let started = Instant::now();
    let mut watched = Watched::default();
    let mut pace = Pace::new(times);
    loop {
        let begun = started.elapsed();
        watched.last = kept_look(begun.as_nanos() as u64, look::full(target, WITH_RAW)?);
        let due = pace.looked(begun, started.elapsed(), || {
            watched.before.undecided(&watched.last)
        });
        let Some(due) = due else { break };
        watched.before.add(&watched.last);
        // What was seen is kept in few words: there is one whole look at a time.
        watched.last = Look::default();
        std::thread::sleep(due.saturating_sub(started.elapsed()));
    }
    watched.notes.extend(pace.note());
    Ok(watched)
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

fn report(args: &GoroutinesArgs, watched: Watched) -> Report {
    let Watched {
        mut before,
        last,
        mut notes,
    } = watched;
    let keep = |dump: &Dump, goroutine: &Goroutine| !ignores(args, dump, goroutine);
    let groups = before.facts(&last, keep).into_iter().map(judge).collect();
    let Look { at_ns, dump, reach } = last;
    let ignored = dump.goroutines.iter().filter(|g| ignores(args, &dump, g));
    let why = before.incomplete().map(str::to_owned);
    notes.extend(dump.notes.iter().cloned());
    let mut report = Report {
        pid: dump.pid,
        ignored: ignored.count() as u64,
        name: dump.name,
        go: dump.go,
        goroutines: dump.goroutines.len() as u64,
        core: dump.core,
        looks: before.len() as u32 + 1,
        span_ns: at_ns - before.begun_ns().unwrap_or(at_ns),
        groups,
        incomplete: why.or(reach.incomplete),
        notes,
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
    let creator = goroutine.common.creator.as_ref().map(|c| &*c.function);
    let named = |names: &[String], function: Option<&str>| {
        function.is_some_and(|function| names.iter().any(|name| name == function))
    };
    named(&args.ignore_top, top) || named(&args.ignore_created_by, creator)
}
