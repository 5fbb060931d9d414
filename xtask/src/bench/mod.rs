//! Measures seam beside its peers and writes docs/benchmarks.md: one run, one machine, every
//! number by the commands that the page names. Nothing in the page is written by hand.

mod added;
mod attach;
pub(crate) mod judge;
mod lines;
pub(crate) mod machine;
mod own;
pub(crate) mod page;
mod parts;
mod tables;
pub(crate) mod tools;
mod walk;
mod whole;

use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::run::{interrupted, need_root};
use page::Section;
use parts::Parts;

/// How much to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Shorter and fewer rounds: to see that it works, not for publishing
    #[arg(long)]
    quick: bool,
    /// The date to print (default: today's)
    #[arg(long)]
    date: Option<String>,
    /// Measure only this, and print it instead of writing the page (repeatable)
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

type Measure = fn(&Parts) -> Result<Section>;

const SECTIONS: &[(&str, Measure)] = &[
    ("whole", whole::measure),
    ("walk", walk::measure),
    ("added", added::measure),
    ("own", own::measure),
    ("attach", attach::measure),
    ("tables", tables::measure),
    ("names", own::names),
    ("lines", lines::measure),
];

/// The task `bench`.
pub(crate) fn run(options: &Options) -> Result<()> {
    need_root("bench")?;
    let known = |name: &String| SECTIONS.iter().any(|(known, _)| known == name);
    if let Some(unknown) = options.only.iter().find(|name| !known(name)) {
        let names: Vec<_> = SECTIONS.iter().map(|(name, _)| *name).collect();
        bail!(
            "{unknown} is not measured\nhint: there are {}",
            names.join(", ")
        );
    }
    let parts = Parts::build(options.quick)?;
    let date = match &options.date {
        Some(date) => date.clone(),
        None => machine::today()?,
    };
    let mut text = page::head(
        "Benchmarks",
        "cargo xtask bench",
        &machine::facts(&parts.seam, parts.go.version(), &date)?,
        options.quick,
    );
    let mut failed = Vec::new();
    for (name, measure) in SECTIONS {
        if !options.only.is_empty() && !options.only.iter().any(|only| only == name) {
            continue;
        }
        if interrupted() {
            bail!("interrupted");
        }
        println!("══ {name}");
        let begun = Instant::now();
        let section = measure(&parts).with_context(|| format!("measuring {name}"));
        println!("══ {name}: {:.0} s", begun.elapsed().as_secs_f64());
        match section {
            Ok(section) => text += &section.markdown(),
            Err(error) => {
                println!("error: {error:#}");
                failed.push(*name);
            }
        }
    }
    if options.only.is_empty() && failed.is_empty() {
        page::write("benchmarks", &text)?;
    } else {
        println!("\n{text}");
    }
    if !failed.is_empty() {
        bail!(
            "not measured: {}; the page was left as it was",
            failed.join(", ")
        );
    }
    Ok(())
}
