//! `seam record`: choose targets, check outputs, record, assemble, report.

mod about;
mod assemble;
mod debug_files;
mod edges;
mod idle;
mod made_names;
mod output;
mod progress;
pub(crate) mod symbolize;
mod views;
pub(crate) mod words;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use seam_capture::{Cgroup, Command, Options, Recorder, Recording, Scope, Target};
use seam_export::{TextOptions, TrailerLine};
use seam_wire::Arch;

use crate::args::RecordArgs;
use crate::failure::Failure;
use crate::{by_name, signals, terminal};
use output::Output;
pub(crate) use output::{writable, write_whole};
use progress::Progress;
pub(crate) use views::Group;
use views::Views;

/// How long a command that was asked to end may take to do so before the report goes without it.
const END_PATIENCE: Duration = Duration::from_secs(2);
/// How often samples are taken out of the ring buffer.
const DRAIN_EVERY: Duration = Duration::from_millis(100);

/// Runs the verb.
pub(crate) fn run(args: &RecordArgs) -> Result<()> {
    if args.verbose {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var("SEAM_LOG", "1") };
    }
    let targets = targets(args)?;
    let scope = scope(args)?;
    let mut outputs = outputs(args, targets.first())?;
    signals::install();
    let mut command = held_command(args)?;
    if let (Some(command), true) = (&command, outputs.is_empty()) {
        let name = args.command[0].to_string_lossy();
        let name = name.rsplit('/').next().unwrap_or("program").to_owned();
        outputs.push(Output::default_page(&name, command.pid())?);
    }
    let progress = Progress::start(args.quiet);
    let mut session = begin(args, &targets, scope, command.as_ref())?;
    if let Some(command) = &mut command {
        command.release()?;
    }
    record(args, &mut session, &progress)?;
    if let Some(command) = &command
        && signals::asked_to_finish()
    {
        // SAFETY: the process is our own child, which we have not waited for yet.
        unsafe { libc::kill(command.pid(), libc::SIGTERM) };
    }
    let recording = session.finish()?;
    progress.stage("finding names");
    let views = Views {
        started_by: args.started_by,
        // Many programs' stacks have the same roots: one tower for each process.
        group: args
            .group
            .clone()
            .or(args.is_wide().then_some(Group::Process)),
    };
    let profile = assemble::profile(&recording, &views);
    progress.stage("writing");
    let written = output::write_all(&outputs, &profile)?;
    progress.done();
    report(args, &recording, &profile, &written, command.as_ref())
}

fn targets(args: &RecordArgs) -> Result<Vec<Target>> {
    let chosen = usize::from(!args.pid.is_empty())
        + usize::from(args.name.is_some())
        + usize::from(args.all)
        + usize::from(args.cgroup.is_some())
        + usize::from(args.container.is_some())
        + usize::from(!args.command.is_empty());
    if chosen != 1 {
        let message = if chosen == 0 {
            "no target was named"
        } else {
            "more than one kind of target"
        };
        let hint = "choose one of -p PID, --name REGEX, --all, --cgroup PATH, --container ID, or -- COMMAND";
        return Err(Failure::new(message, hint).into());
    }
    let mut pids = args.pid.clone();
    if let Some(pattern) = &args.name {
        pids = by_name::pids(pattern)?;
    }
    pids.sort_unstable();
    pids.dedup();
    pids.into_iter()
        .map(|pid| Ok(seam_capture::check_target(pid)?))
        .collect()
}

fn outputs(args: &RecordArgs, first: Option<&Target>) -> Result<Vec<Output>> {
    let mut outputs: Vec<Output> = args
        .output
        .iter()
        .map(|path| Output::new(path))
        .collect::<Result<_>>()?;
    match first {
        _ if !outputs.is_empty() => {}
        Some(target) => outputs.push(Output::default_page(&target.name, target.pid)?),
        None if args.is_wide() => outputs.push(Output::new(Path::new("seam-machine.html"))?),
        None => {}
    }
    Ok(outputs)
}

fn held_command(args: &RecordArgs) -> Result<Option<Command>> {
    if args.command.is_empty() {
        return Ok(None);
    }
    Ok(Some(Command::hold(&args.command)?))
}

/// What is recorded besides the processes named.
fn scope(args: &RecordArgs) -> Result<Scope> {
    let group = match (&args.cgroup, &args.container) {
        (Some(path), _) => Cgroup::by_path(path)?,
        (None, Some(id)) => Cgroup::by_container(id)?,
        (None, None) if args.all => return Ok(Scope::Machine),
        (None, None) => return Ok(Scope::Named),
    };
    Ok(Scope::Cgroup(Arc::new(group.folder)))
}

fn begin(
    args: &RecordArgs,
    targets: &[Target],
    scope: Scope,
    command: Option<&Command>,
) -> Result<Recorder> {
    let options = Options {
        rate_hz: args.rate,
        follow_children: args.children || args.is_wide(),
        scope,
        compare: args.compare,
    };
    let mut session = recorder(options)?;
    for target in targets {
        session.add_target(target.clone())?;
    }
    if let Some(command) = command {
        session.prepare(&command.files())?;
        session.add_before_exec(Target {
            pid: command.pid(),
            name: args.command[0].to_string_lossy().into_owned(),
            command_line: String::new(),
        })?;
    }
    session.start()?;
    Ok(session)
}

fn recorder(options: Options) -> Result<Recorder> {
    let compare = options.compare;
    if compare && Arch::HOST != Arch::X86_64 {
        let hint = "record without it";
        return Err(Failure::new("--compare is for x86-64 only", hint).into());
    }
    match Recorder::new(options)? {
        Recorder::Copied(_) if compare => {
            let hint = "run as root, or with CAP_BPF and CAP_PERFMON (`seam doctor` tells)";
            Err(Failure::new("--compare needs BPF, which is refused here", hint).into())
        }
        recorder => Ok(recorder),
    }
}

fn record(args: &RecordArgs, session: &mut Recorder, progress: &Progress) -> Result<()> {
    let started = Instant::now();
    loop {
        let elapsed = started.elapsed();
        let left = args.duration.map(|d| d.saturating_sub(elapsed));
        if left == Some(Duration::ZERO) || signals::asked_to_finish() {
            return Ok(());
        }
        let status = session.poll(left.map_or(DRAIN_EVERY, |l| l.min(DRAIN_EVERY)))?;
        progress.recording(elapsed, args.duration, status);
        if status.running == 0 && !args.is_wide() {
            return Ok(());
        }
    }
}

fn report(
    args: &RecordArgs,
    recording: &Recording,
    profile: &seam_profile::Profile,
    written: &[String],
    command: Option<&Command>,
) -> Result<()> {
    if args.quiet {
        return Ok(());
    }
    let folder = seam_analyze::Folder::new(profile);
    let facts = seam_analyze::facts(&folder, seam_analyze::Limits::default());
    let text = if args.json {
        let all = seam_analyze::facts(&folder, seam_analyze::Limits::NONE);
        seam_export::summary_json(profile, &all)
    } else {
        let color = terminal::colored(args.color);
        let trailer = trailer(recording, profile, written, command);
        let summary = seam_export::summary_text(profile, &facts, &TextOptions { color, trailer });
        let comparison = facts.comparison.as_ref();
        summary + &comparison.map_or_else(String::new, seam_export::comparison_text)
    };
    terminal::print(&text, "summary")
}

fn trailer(
    recording: &Recording,
    profile: &seam_profile::Profile,
    written: &[String],
    command: Option<&Command>,
) -> Vec<TrailerLine> {
    let line = |label: &str, text: String| TrailerLine {
        label: label.to_owned(),
        text,
    };
    let mut lines = Vec::new();
    let ended: Vec<&str> = recording
        .targets
        .iter()
        .filter(|t| t.ended)
        .map(|t| t.target.name.as_str())
        .collect();
    // Only a command that was told to end will; at -d it goes on.
    let patience = if signals::asked_to_finish() {
        END_PATIENCE
    } else {
        Duration::ZERO
    };
    if let Some(status) = command.and_then(|c| c.exit_status(patience)) {
        lines.push(line("ended", status));
    } else if !ended.is_empty() {
        lines.push(line(
            "ended",
            format!("{} while it was recorded", ended.join(", ")),
        ));
    }
    if let Some(cost) = profile.cost() {
        let duration = recording.duration.as_nanos() as u64;
        lines.push(line("cost", seam_export::cost_words(cost, duration)));
    }
    for text in written {
        lines.push(line("wrote", text.clone()));
    }
    if let Some(pid) = recording
        .targets
        .iter()
        .find(|t| !t.ended)
        .map(|t| t.target.pid)
    {
        let next = format!("seam record -p {pid} -d 30s -o cpu.pb.gz   (go tool pprof cpu.pb.gz)");
        lines.push(line("next", next));
    }
    lines
}
