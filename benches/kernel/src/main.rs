//! Measures seam's kernel side from outside the seam that is measured: its program's run time by
//! the kernel's statistics, beside programs of our own on the same process at the same time.
//! Prints JSON; `cargo xtask bench` reads it.

mod attach;
mod clock;
mod ours;
mod seam;
mod walk;

use std::ffi::OsString;

use anyhow::Result;
use clap::Parser;

/// Measures seam's kernel side.
#[derive(Parser)]
enum Task {
    /// Run time of seam's program and of the frame pointer walk, on one process
    Walk(walk::Options),
    /// Run a program that does nothing at this rate, for the cost of the interrupt alone
    Nothing {
        /// Runs a second on each CPU
        #[arg(long)]
        rate: u32,
        /// How long
        #[arg(long)]
        seconds: f64,
    },
    /// Time from starting a seam to its first sample of the target
    Attach {
        /// seam with its arguments
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

fn main() -> Result<()> {
    match Task::parse() {
        Task::Walk(options) => walk::run(&options),
        Task::Nothing { rate, seconds } => ours::nothing(rate, seconds),
        Task::Attach { command } => attach::run(&command),
    }
}
