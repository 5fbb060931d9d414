//! The project's own tasks, run as `cargo xtask TASK`.

mod bench;
mod codegen;
mod debian;
mod demo;
mod dist;
mod dumps;
mod emulated;
mod leaks;
mod offsets;
mod paths;
mod processor;
mod programs;
mod run;
mod setup;
mod storms;
mod tally;
mod test;
mod tidy;
mod toolchains;
mod truth;
mod vm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Set-up, demo, tests and checks of the seam repository.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what building, the demo and the tests need, where it is missing
    Setup,
    /// Profile a real SQLite application and write a flame graph
    Demo(demo::Options),
    /// Build the test programs into target/programs
    Programs(programs::Options),
    /// Run every test there is and print one line of totals
    Test(test::Options),
    /// Measure seam beside its peers and write docs/benchmarks.md
    Bench(bench::Options),
    /// Boot other kernels and record the test programs there
    Vm(vm::Options),
    /// Build what users get: a static executable, manual pages, completions
    Dist(dist::Options),
    /// Hold stacks of seam and its peers against known ones and write docs/truth.md
    Truth(truth::Options),
    /// Measure how well leaked goroutines are found and write docs/goroutines.md
    Leaks(leaks::Options),
    /// Measure dumps of very many goroutines beside the runtime's own and write docs/dumps.md
    Dumps(dumps::Options),
    /// Record targets that change all the time, at full size, and write docs/storms.md
    Storms(storms::Options),
    /// Check the rules of the source tree that compilers do not check
    Tidy,
    /// Read the offsets of the Go runtime's structures from real toolchains
    Offsets(offsets::Options),
    /// Write the generated files anew
    Codegen {
        /// Change nothing, fail when a committed file is out of date
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    run::watch_for_interrupts();
    let outcome = match Cli::parse().task {
        Task::Setup => setup::everything(),
        Task::Demo(options) => demo::run(&options),
        Task::Programs(options) => programs::run(&options),
        Task::Test(options) => return test::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Dist(options) => dist::run(&options),
        Task::Vm(options) => vm::run(&options),
        Task::Truth(options) => truth::run(&options),
        Task::Leaks(options) => leaks::run(&options),
        Task::Dumps(options) => dumps::run(&options),
        Task::Storms(options) => storms::run(&options),
        Task::Tidy => tidy::run(),
        Task::Offsets(options) => offsets::run(&options),
        Task::Codegen { check } => codegen::run(check),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
