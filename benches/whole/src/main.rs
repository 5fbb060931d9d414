//! Judges recordings of test programs, the same for every profiler, and prints the counts as JSON.
//!
//! - `seam-bench-whole whole PROGRAM FORMAT FILE [NAMES]` by the truth file of a test program;
//!   NAMES is the program with symbols, for recordings of one without. The rules
//!   are those of the end-to-end tests; what not every format can say, which are goroutine and
//!   thread numbers, is not asked of anyone.
//! - `seam-bench-whole rooted FORMAT FILE`: which stacks begin at a root.
//! - `seam-bench-whole callers FORMAT FILE`: what is seen of C and of its Go callers in
//!   benches/programs/callers.
//! - `seam-bench-whole jitter FORMAT FILE PERIOD_NS`: the time between samples.

mod callers;
mod folded;
mod formats;
mod jitter;
mod judge;
mod named;
mod perf;
mod samply;

use std::path::Path;

use anyhow::{Result, bail};

use formats::Format;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match words[..] {
        ["whole", program, format, file] => whole(program, stacks(format, file)?)?,
        ["whole", program, format, file, names] => {
            let mut stacks = stacks(format, file)?;
            named::with_names_of(Path::new(names), program, &mut stacks)?;
            whole(program, stacks)?
        }
        ["rooted", format, file] => judge::rooted(&stacks(format, file)?),
        ["callers", format, file] => callers::seen(&stacks(format, file)?),
        ["jitter", format, file, period] => {
            let times = Format::parse(format)?.times(Path::new(file))?;
            jitter::measured(&times, period.parse()?)
        }
        _ => bail!("usage: see the first lines of benches/whole/src/main.rs"),
    };
    println!("{answer}");
    Ok(())
}

fn whole(program: &str, mut stacks: Vec<seam_e2e::pprof::Stack>) -> Result<serde_json::Value> {
    named::as_main(program, &mut stacks);
    named::with_gccs_lambdas(&judge::mangled(program)?, &mut stacks);
    judge::whole(program, &stacks)
}

fn stacks(format: &str, file: &str) -> Result<Vec<seam_e2e::pprof::Stack>> {
    Format::parse(format)?.stacks(Path::new(file))
}
