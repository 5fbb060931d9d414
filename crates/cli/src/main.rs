//! The `seam` command: arguments, wiring, exit codes. Everything it does lives in the crates it
//! uses; this one only drives them and owns all input and output.

mod args;
mod by_name;
mod completions;
mod doctor;
mod dump;
mod failure;
mod give_way;
mod goroutines;
mod man;
mod record;
mod signals;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(e) => return args::report(&e),
    };
    let result = match args.command {
        args::Verb::Record(options) => record::run(&options).map(|()| ExitCode::SUCCESS),
        args::Verb::Doctor(options) => doctor::run(&options),
        args::Verb::Dump(options) => dump::run(&options).map(|()| ExitCode::SUCCESS),
        args::Verb::Goroutines(options) => goroutines::run(&options),
        args::Verb::Completions { shell } => completions::print(shell).map(|()| ExitCode::SUCCESS),
        args::Verb::Man { verb } => man::print(verb.as_deref()).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|e| failure::report(&e))
}
