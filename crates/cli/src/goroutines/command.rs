//! `seam goroutines -- COMMAND`: runs a command, watches every Go program that it runs, and tells
//! what each has left when it ended.
//!
//! Three parts: this thread hears of programs and keeps their memory, a thread for each watches it,
//! and one more judges those that have ended, one after the other.

use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Result;
use seam_capture::{Command, Executed, Family, Hold};
use seam_dump::count;
use seam_leaks::{Outcome, Suite, Verdict};

use super::watch::{Ended, watch};
use super::{EXIT_FOUND, EXIT_UNSEEN, left, write_report};
use crate::args::{FailOn, GoroutinesArgs};
use crate::failure::Failure;
use crate::{signals, terminal};

/// How long to wait for something to happen; also how late Ctrl-C is noticed.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long a command that was asked to end may take.
const END_PATIENCE: Duration = Duration::from_secs(5);
/// Programs whose memory is kept at once; those beyond are not looked at, and counted.
const KEPT_MAX: usize = 64;
/// Stack of the thread that judges: walks and marks are done there.
const STACK_BYTES: usize = 16 << 20;

/// What the judge is told.
enum Told {
    Ended(Box<Ended>),
    /// The command has ended: with this code, and what was not seen.
    All(u8, Vec<String>),
}

/// Runs the verb with a command.
pub(super) fn run(args: &GoroutinesArgs) -> Result<ExitCode> {
    Hold::possible().map_err(|e| {
        Failure::new(
            format!("memory can't be kept beyond a process's end: userfaultfd: {e}"),
            "CAP_SYS_PTRACE is missing: sudo seam goroutines -- COMMAND",
        )
    })?;
    signals::install();
    let mut command = Command::hold_printing(&args.command, args.json)?;
    let (sender, receiver) = channel();
    let judge = judge(args.clone(), receiver)?;
    let family = Family::of(command.pid())?;
    command.release()?;
    let (code, notes) = follow(&command, family, &sender)?;
    let _ = sender.send(Told::All(code, notes));
    let outcome = judge.join().map_err(|_| {
        Failure::new(
            "judging failed",
            "this is a fault of seam: please report it",
        )
    })??;
    terminal::print(&outcome.text, "goroutines")?;
    Ok(ExitCode::from(match code {
        0 if outcome.found => EXIT_FOUND,
        0 if outcome.unseen => EXIT_UNSEEN,
        code => code,
    }))
}

/// Hears of programs until the command has ended.
fn follow(
    command: &Command,
    mut family: Family,
    sender: &Sender<Told>,
) -> Result<(u8, Vec<String>)> {
    let (mut gone, mut refused, mut asked) = (0u64, 0u64, false);
    let mut watched: Vec<JoinHandle<()>> = Vec::new();
    let mut code = None;
    loop {
        // What was told before the command's end is heard after it, too.
        let patience = if code.is_some() {
            Duration::ZERO
        } else {
            PATIENCE
        };
        for pid in family.executed(patience)? {
            watched.retain(|thread| !thread.is_finished());
            match Executed::of(pid) {
                Executed::Go(_) if watched.len() >= KEPT_MAX => refused += 1,
                Executed::Go(kept) => {
                    let sender = sender.clone();
                    let watcher = thread::Builder::new().name("seam-watch".to_owned());
                    watched.push(watcher.spawn(move || {
                        Family::at_ease();
                        let ended = Box::new(watch(*kept));
                        let _ = sender.send(Told::Ended(ended));
                    })?);
                }
                Executed::Gone => gone += 1,
                Executed::Other => {}
            }
        }
        if code.is_some() {
            break;
        }
        code = command.exit_code(Duration::ZERO);
        if signals::asked_to_finish() && !asked {
            asked = true;
            // SAFETY: the process is our own child, which we have not waited for yet.
            unsafe { libc::kill(command.pid(), libc::SIGTERM) };
        }
    }
    // Those that end with the command are still being read.
    let until = std::time::Instant::now() + END_PATIENCE;
    while watched.iter().any(|w| !w.is_finished()) && std::time::Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
    let running = watched.iter().filter(|w| !w.is_finished()).count() as u64;
    let lost = family.lost;
    let notes = [
        (gone, "program", "ended before it could be opened"),
        (refused, "Go program", "ran beside 64 others"),
        (running, "Go program", "still runs"),
        (
            lost,
            "record",
            "of the kernel lost: programs may have been missed",
        ),
    ];
    let notes = notes.into_iter().filter(|(number, ..)| *number > 0);
    let notes = notes.map(|(number, what, why)| format!("{}: {why}", count(number, what)));
    let notes = notes.collect();
    Ok((code.unwrap_or_default(), notes))
}

/// What is shown at the end.
struct Shown {
    text: String,
    found: bool,
    /// Something was not seen, and was asked for.
    unseen: bool,
}

/// Judges programs as they end.
fn judge(args: GoroutinesArgs, told: Receiver<Told>) -> Result<JoinHandle<Result<Shown>>> {
    let thread = thread::Builder::new().name("seam-judge".to_owned());
    Ok(thread.stack_size(STACK_BYTES).spawn(move || {
        let mut outcome = Outcome {
            command: args
                .command
                .iter()
                .map(|w| w.to_string_lossy().into_owned())
                .collect(),
            ..Outcome::default()
        };
        while let Ok(told) = told.recv() {
            match told {
                Told::Ended(ended) => outcome.suites.push(left::suite(&args, *ended)),
                Told::All(code, notes) => {
                    outcome.exit_code = code;
                    outcome.notes = notes;
                    break;
                }
            }
        }
        shown(&args, &outcome)
    })?)
}

fn shown(args: &GoroutinesArgs, outcome: &Outcome) -> Result<Shown> {
    let (json, junit) = (seam_leaks::outcome_json, seam_leaks::outcome_junit);
    write_report(args, || json(outcome), || junit(outcome))?;
    let has = |verdict| outcome.suites.iter().any(|suite| suite.has(verdict));
    let found = args.fail_on.iter().any(|on| match on {
        FailOn::GoroutineLeak => has(Verdict::Leak),
        FailOn::Suspect => has(Verdict::Leak) || has(Verdict::Suspect),
        FailOn::NotSeen => false,
    });
    let unseen = !outcome.notes.is_empty() || outcome.suites.iter().any(Suite::unseen);
    let unseen = unseen && args.fail_on.contains(&FailOn::NotSeen);
    let text = if args.json {
        json(outcome)
    } else {
        seam_leaks::outcome_text(outcome, args.all)
    };
    Ok(Shown {
        text,
        found,
        unseen,
    })
}
