//! `seam dump`: what every goroutine and thread of a process does now. Reads, names, chooses,
//! shows.

pub(crate) mod goroutines;
pub(crate) mod look;
mod names;
mod stacks;
mod threads;
mod timers;
mod written;

use anyhow::Result;
use regex::Regex;
use seam_capture::Target;
use seam_dump::{Dump, Goroutine, StackId, TextOptions, Thread};

use crate::args::DumpArgs;
use crate::failure::Failure;
use crate::{by_name, terminal};

/// Groups of goroutines, and of threads, on the screen without --all.
const GROUPS_MAX: usize = 20;

/// Runs the verb.
pub(crate) fn run(args: &DumpArgs) -> Result<()> {
    let target = target("dump", args.pid, args.name.as_deref())?;
    let choice = Choice::new(args)?;
    args.output
        .iter()
        .try_for_each(|path| written::check(path))?;
    let mut dump = look::at(&target, args.timers)?;
    choice.note_unknown_ages(&mut dump);
    choice.check(&dump)?;
    let full = args.all || !args.goroutine.is_empty() || !args.thread.is_empty();
    let screen = !full && !args.json && args.output.is_empty();
    let chosen = |g: &Goroutine| choice.goroutine(&dump, g);
    let hidden = |g: &Goroutine| screen && args.state.is_none() && g.is_the_runtimes();
    let goroutines = seam_dump::groups(&dump, |g| chosen(g) && !hidden(g));
    let own = dump.goroutines.iter().filter(|g| chosen(g) && hidden(g));
    let threads = seam_dump::thread_groups(&dump, |t| choice.thread(&dump, t));
    for path in &args.output {
        written::write(path, &dump, &goroutines)?;
    }
    if args.json {
        return terminal::print(&seam_dump::json(&dump, &goroutines), "dump");
    }
    let options = TextOptions {
        groups_max: if full { usize::MAX } else { GROUPS_MAX },
        own_workers: own.count(),
        full,
    };
    let text = seam_dump::text(&dump, &goroutines, &threads, options);
    terminal::print(&text, "dump")
}

/// The one process that a verb is to look at.
pub(crate) fn target(verb: &str, pid: Option<i32>, name: Option<&str>) -> Result<Target> {
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
    seam_capture::check_target(pid).map_err(|error| match error {
        seam_capture::Error::Inspect { .. } => Failure::new(
            error.to_string(),
            format!("CAP_SYS_PTRACE is missing: sudo seam {verb} {pid}"),
        )
        .into(),
        other => other.into(),
    })
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
                goroutine.state.starts_with(state.as_str()) || goroutine.status.word() == state
            })
            && self.old(goroutine.asleep_ns.or(goroutine.waited_at_most_ns))
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
