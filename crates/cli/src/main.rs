//! The `seam` command: arguments, wiring, exit codes. Everything it does lives in the crates it
//! uses; this one only drives them and owns all input and output.

mod args;
mod failure;
mod man;
mod record;
mod signals;

use clap::Parser;

fn main() -> std::process::ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(e) => return args::report(&e),
    };
    let result = match args.command {
        args::Verb::Record(options) => record::run(&options),
        args::Verb::Man { verb } => man::print(verb.as_deref()),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(e) => failure::report(&e),
    }
}
