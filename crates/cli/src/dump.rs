//! `seam dump`: what every goroutine and thread of a process does now. Reads, names, chooses,
//! shows.

mod asm;
mod blocks;
pub(crate) mod code;
pub(crate) mod goroutines;
mod join;
pub(crate) mod look;
mod names;
mod profile;
mod running;
mod stacks;
mod threads;
mod timers;
mod written;

use std::io::IsTerminal;
use std::num::NonZeroU64;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use regex::Regex;
use seam_capture::{CoreImage, Target};
use seam_dump::{Dump, Goroutine, StackId, TextOptions, Thread};

use crate::args::{DumpArgs, LookedAt};
use crate::failure::Failure;
use crate::{by_name, give_way, signals, terminal};
use look::{Origin, Wanted};

/// Groups of goroutines, and of threads, on the screen without --all.
const GROUPS_MAX: usize = 20;

/// How soon Ctrl-C is noticed.
const NOTICE: Duration = Duration::from_millis(50);

/// Runs the verb.
pub(crate) fn run(args: &DumpArgs) -> Result<()> {
    let choice = Choice::new(args)?;
    args.output
        .iter()
        .try_for_each(|path| written::check(path))?;
    let origin = origin("dump", &args.looked_at)?;
    let Some(every) = args.watch else {
        let text = show(args, &choice, origin)?;
        return terminal::print(&text, "dump");
    };
    let Origin::Process(target) = origin else {
        return Err(Failure::new(
            "--watch goes with a running process only",
            "leave it out: a core does not change",
        )
        .into());
    };
    watch(args, &choice, &target, every)
}

/// Looks again and again, until Ctrl-C or until the process ends.
fn watch(args: &DumpArgs, choice: &Choice<'_>, target: &Target, every: Duration) -> Result<()> {
    /// Goes to the upper left corner and clears the screen.
    const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";
    signals::install();
    let redraws = std::io::stdout().is_terminal() && !args.json;
    loop {
        let begun = Instant::now();
        let text = show(args, choice, Origin::Process(target.clone()))?;
        let cleared = if redraws { CLEAR } else { "" };
        terminal::print(&format!("{cleared}{text}"), "dump")?;
        while begun.elapsed() < every {
            if signals::asked_to_finish() {
                return Ok(());
            }
            // Short, so that Ctrl-C is noticed at once.
            std::thread::sleep((every - begun.elapsed().min(every)).min(NOTICE));
        }
        if signals::asked_to_finish() {
            return Ok(());
        }
    }
}

/// One look: writes the files that were asked for and gives what is printed.
fn show(args: &DumpArgs, choice: &Choice<'_>, origin: Origin) -> Result<String> {
    let full = args.all || !args.goroutine.is_empty() || !args.thread.is_empty();
    let wanted = Wanted {
        raw: args.asm,
        timers: args.timers,
        sample: true,
        kernel: full || args.json || !args.output.is_empty(),
    };
    let mut looked = look::at(origin, wanted)?;
    choice.note_unknown_ages(&mut looked.dump);
    let dump = &looked.dump;
    choice.check(dump)?;
    let screen = !full && !args.json && args.output.is_empty();
    let chosen = |g: &Goroutine| choice.goroutine(dump, g);
    let hidden = |g: &Goroutine| screen && args.state.is_none() && g.is_the_runtimes();
    let goroutines = seam_dump::groups(dump, |g| chosen(g) && !hidden(g));
    let own = dump.goroutines.iter().filter(|g| chosen(g) && hidden(g));
    let threads = seam_dump::thread_groups(dump, |t| choice.thread(dump, t));
    for path in &args.output {
        written::write(path, dump, &goroutines, &chosen)?;
    }
    if args.json {
        return Ok(seam_dump::json(dump, &goroutines));
    }
    let options = TextOptions {
        groups_max: if full { usize::MAX } else { GROUPS_MAX },
        own_workers: own.count(),
        full,
    };
    let mut text = seam_dump::text(dump, &goroutines, &threads, options);
    if args.asm {
        text += &asm::text(&looked, |t| choice.thread(dump, t));
    }
    Ok(text)
}

/// A process by its number or name, or a core file.
pub(crate) fn origin(verb: &str, named: &LookedAt) -> Result<Origin> {
    let (target, name) = (named.target.as_deref(), named.name.as_deref());
    let by_number = target.and_then(|target| target.parse::<i32>().ok());
    let pid = named.pid.or(by_number);
    match target.filter(|_| pid.is_none()) {
        Some(path) if name.is_none() => {
            let core = CoreImage::open(Path::new(path), named.exe.as_deref())?;
            Ok(Origin::Core(Box::new(core)))
        }
        _ if named.exe.is_some() => Err(Failure::new(
            "--exe goes with a core file only",
            format!("seam {verb} core.123 --exe ./server"),
        )
        .into()),
        _ => {
            let target = self::target(verb, pid, name)?;
            give_way::to_targets();
            Ok(Origin::Process(target))
        }
    }
}

/// The one process that a verb is to look at.
fn target(verb: &str, pid: Option<i32>, name: Option<&str>) -> Result<Target> {
    let pid = match (pid, name) {
        (Some(pid), None) => pid,
        (None, Some(pattern)) => match by_name::pids(pattern)?[..] {
            [pid] => pid,
            ref pids => {
                let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
                return Err(Failure::new(
                    format!("--name {pattern:?} means {} processes", pids.len()),
                    format!(
                        "choose one: seam {verb} {}",
                        pids.join(&format!(", seam {verb} "))
                    ),
                )
                .into());
            }
        },
        (None, None) => {
            return Err(Failure::new(
                "no target was named",
                format!("seam {verb} PID, or seam {verb} --name REGEX"),
            )
            .into());
        }
        (Some(_), Some(_)) => {
            return Err(Failure::new(
                "more than one kind of target",
                "choose one of PID and --name REGEX",
            )
            .into());
        }
    };
    Ok(seam_capture::check_target(pid)?)
}

/// Which goroutines and threads are shown.
struct Choice<'a> {
    args: &'a DumpArgs,
    with: Option<Regex>,
    without: Option<Regex>,
}

impl<'a> Choice<'a> {
    fn new(args: &'a DumpArgs) -> Result<Self> {
        Ok(Self {
            args,
            with: args
                .with
                .as_deref()
                .map(|p| regex("--with", p))
                .transpose()?,
            without: args
                .without
                .as_deref()
                .map(|p| regex("--without", p))
                .transpose()?,
        })
    }

    /// What can't be chosen by age is told.
    fn note_unknown_ages(&self, dump: &mut Dump) {
        let unknown = |g: &&Goroutine| g.asleep_ns.is_none() && g.waited_at_most_ns.is_none();
        let count = dump.goroutines.iter().filter(unknown).count();
        if self.args.older.is_some() && count > 0 {
            dump.notes.push(format!(
                "--older: of {count} goroutines no age is known, since no garbage collection has \
                 seen them wait"
            ));
        }
    }

    /// Goroutines and threads that were asked for by number must be there.
    fn check(&self, dump: &Dump) -> Result<()> {
        let goid = |goid: &&u64| !dump.goroutines.iter().any(|g| g.goid == **goid);
        if let Some(goid) = self.args.goroutine.iter().find(goid) {
            return Err(Failure::new(
                format!("process {} has no goroutine {goid}", dump.pid),
                format!("seam dump {} --all lists those that it has", dump.pid),
            )
            .into());
        }
        let tid = |tid: &&i32| !dump.threads.iter().any(|t| t.tid == **tid);
        if let Some(tid) = self.args.thread.iter().find(tid) {
            return Err(Failure::new(
                format!("process {} has no thread {tid}", dump.pid),
                format!("seam dump {} --all lists those that it has", dump.pid),
            )
            .into());
        }
        Ok(())
    }

    fn goroutine(&self, dump: &Dump, goroutine: &Goroutine) -> bool {
        let args = self.args;
        let numbered = !args.goroutine.is_empty() || !args.thread.is_empty();
        (!numbered || args.goroutine.contains(&goroutine.goid))
            && args.state.as_ref().is_none_or(|state| {
                goroutine.common.state.starts_with(state.as_str())
                    || goroutine.common.status.word() == state
            })
            && self.old(
                goroutine
                    .asleep_ns
                    .or(goroutine.waited_at_most_ns)
                    .map(NonZeroU64::get),
            )
            && self.stack(dump, goroutine.stack)
    }

    /// Whether what is known of a wait may be as long as is asked for.
    fn old(&self, known: Option<u64>) -> bool {
        let least = self.args.older.map(|least| least.as_nanos());
        least.is_none_or(|least| known.is_some_and(|ns| u128::from(ns) >= least))
    }

    fn thread(&self, dump: &Dump, thread: &Thread) -> bool {
        let args = self.args;
        let numbered = !args.goroutine.is_empty() || !args.thread.is_empty();
        (!numbered || args.thread.contains(&thread.tid))
            && args.state.is_none()
            && self.old(thread.asleep_ns)
            && self.stack(dump, thread.stack)
    }

    /// Whether the functions of a stack are wanted.
    fn stack(&self, dump: &Dump, stack: Option<StackId>) -> bool {
        let stack = stack.and_then(|id| dump.stacks.get(id as usize));
        let has = |regex: &Regex| {
            let mut frames = stack.into_iter().flat_map(|s| &s.frames);
            frames.any(|f| regex.is_match(&f.place.function))
        };
        self.with.as_ref().is_none_or(has) && !self.without.as_ref().is_some_and(has)
    }
}

fn regex(option: &str, pattern: &str) -> Result<Regex> {
    Ok(Regex::new(pattern).map_err(|e| {
        let text = e.to_string();
        let detail = text.lines().last().unwrap_or_default().trim().to_owned();
        Failure::new(
            format!("{option} {pattern:?} is no regular expression: {detail}"),
            format!("quote special characters with a backslash: {option} 'main\\.\\(\\*T\\)'"),
        )
    })?)
}
