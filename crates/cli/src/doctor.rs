//! `seam doctor`: whether this machine lets seam record, and what a process will show. What is
//! looked at, and the advice, are in seam-capture; this shows them and sets the exit code.

mod json;
mod screen;

use std::process::ExitCode;

use anyhow::Result;
use seam_capture::doctor::{Check, ProcessReport, State, host_checks, process_report};

use crate::args::DoctorArgs;
use crate::failure::Failure;
use crate::{by_name, terminal};

/// The exit code where problems were found.
const EXIT_PROBLEMS: u8 = 1;

/// What was looked at.
struct Report {
    host: Vec<Check>,
    processes: Vec<Process>,
}

/// A process, or why it can't be looked at.
enum Process {
    Seen(Box<ProcessReport>),
    Refused { pid: i32, problem: Check },
}

impl Process {
    fn problems(&self) -> &[Check] {
        match self {
            Self::Seen(report) => &report.problems,
            Self::Refused { problem, .. } => std::slice::from_ref(problem),
        }
    }
}

impl Report {
    fn problems(&self) -> usize {
        let processes = self.processes.iter().flat_map(Process::problems);
        let all = self.host.iter().chain(processes);
        all.filter(|check| check.state != State::Ok).count()
    }
}

/// Runs the verb.
pub(crate) fn run(args: &DoctorArgs) -> Result<ExitCode> {
    let processes = pids(args)?.into_iter().map(process);
    // Processes that can't be recorded at all are found before anything is tried.
    let processes = processes.collect::<Result<Vec<_>>>()?;
    let report = Report {
        host: host_checks(),
        processes,
    };
    let text = if args.json {
        json::text(&report)
    } else {
        screen::text(&report, terminal::colored(args.color))
    };
    terminal::print(&text, "report")?;
    Ok(if report.problems() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_PROBLEMS)
    })
}

fn pids(args: &DoctorArgs) -> Result<Vec<i32>> {
    match (args.pid, &args.name) {
        (Some(_), Some(_)) => Err(Failure::new(
            "more than one kind of target",
            "choose one of PID and --name REGEX",
        )
        .into()),
        (Some(pid), None) => Ok(vec![pid]),
        (None, Some(pattern)) => by_name::pids(pattern),
        (None, None) => Ok(Vec::new()),
    }
}

fn process(pid: i32) -> Result<Process> {
    let report = seam_capture::check_target(pid).and_then(process_report);
    match report {
        Ok(report) => Ok(Process::Seen(Box::new(report))),
        Err(error @ seam_capture::Error::Inspect { .. }) => Ok(Process::Refused {
            pid,
            problem: Check {
                name: format!("process {pid}"),
                state: State::Untried,
                found: error.to_string(),
                meaning: "what a recording of it will show is not known".to_owned(),
                fix: "CAP_SYS_PTRACE is missing:".to_owned(),
                command: format!("sudo seam doctor {pid}"),
            },
        }),
        Err(error) => Err(error.into()),
    }
}
