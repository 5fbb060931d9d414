//! The truth table: stacks of seam and its peers held against what they must be by construction, by
//! every Go minor that seam knows. Writes docs/truth.md; nothing in it is written by hand.

mod builds;
mod calls;
mod cost;
mod matrix;
mod peer;
mod place;
mod profiler;
mod samply;
mod scenarios;
mod words;

use std::fs;
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::bench::machine;
use crate::bench::page;
use crate::run::need_root;
use crate::{paths, programs};
use peer::Peer;
use place::Place;

/// What to record.
#[derive(Args)]
#[command(after_help = words::PEER_HELP)]
pub(crate) struct Options {
    /// The machine's Go only, a second for each recording: to see that it works
    #[arg(long)]
    quick: bool,
    /// Only this program of tests/programs, or `callers` for the second table (repeatable)
    #[arg(long, value_name = "SCENARIO")]
    only: Vec<String>,
    /// Only this Go version, such as 1.26.8 (repeatable; default: the newest of each minor)
    #[arg(long = "go", value_name = "VERSION")]
    versions: Vec<String>,
    /// One more profiler, by a program that records with it: see below (repeatable)
    #[arg(long = "peer", value_name = "NAME=PATH")]
    peers: Vec<Peer>,
    /// Only the table of builds, into its section of the page
    #[arg(long)]
    builds: bool,
    /// With --builds: every Go minor, not three of them
    #[arg(long, requires = "builds")]
    all_minors: bool,
    /// With --builds: only this way to build (repeatable)
    #[arg(long, value_name = "SHAPE", value_parser = programs::shape_named, requires = "builds")]
    shape: Vec<programs::Shape>,
    /// The date to print (default: today's)
    #[arg(long)]
    date: Option<String>,
}

const PAGE: &str = "truth";

/// The task `truth`.
pub(crate) fn run(options: &Options) -> Result<()> {
    need_root("truth")?;
    let begun = Instant::now();
    let place = Place::build(options.quick, &options.peers)?;
    let date = match &options.date {
        Some(date) => date.clone(),
        None => machine::today()?,
    };
    let mut facts = machine::facts(&place.seam, place.go.version(), &date)?;
    facts.retain(|(name, _)| name != "clang for BPF");
    facts.push(("samply".to_owned(), samply::VERSION.to_owned()));
    if options.builds {
        return builds(options, &place, &facts);
    }
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|o| o == name);
    let mut sections = scenarios::sections(&place, &options.versions, &wanted)?;
    if wanted("callers") {
        sections.push(calls::section(&place)?);
    }
    if wanted("cost") {
        sections.push(cost::section(&place)?);
    }
    for peer in &options.peers {
        facts.push((peer.name.clone(), peer.version()));
    }
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    facts.push((
        "time for all of it".to_owned(),
        format!("{minutes:.0} minutes"),
    ));
    let mut text = page::head("Truth", "cargo xtask truth", &facts, options.quick);
    text += words::INTRODUCTION;
    text.extend(sections.iter().map(page::Section::markdown));
    let partial = options.quick || !options.only.is_empty() || !options.versions.is_empty();
    if partial {
        println!("\n{text}");
        return Ok(());
    }
    write(&text, &[builds::TITLE])
}

/// The section of builds alone.
fn builds(options: &Options, place: &Place, facts: &[(String, String)]) -> Result<()> {
    let begun = Instant::now();
    let asked = builds::Asked {
        versions: &options.versions,
        shapes: &options.shape,
        programs: &options.only,
        all_minors: options.all_minors,
    };
    let mut section = builds::section(place, &asked)?;
    let wanted = |name: &str| ["date", "seam", "kernel", "processor"].contains(&name);
    let facts = facts.iter().filter(|(name, _)| wanted(name));
    let facts: Vec<_> = facts
        .map(|(name, fact)| format!("{name}: {fact}"))
        .collect();
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    section.say(&format!(
        "Written by `cargo xtask truth --builds`. {}. It took {minutes:.0} minutes.",
        facts.join(", ")
    ));
    let text = section.markdown();
    if options.quick
        || !(options.only.is_empty() && options.versions.is_empty())
        || !options.shape.is_empty()
    {
        println!("\n{text}");
        return Ok(());
    }
    let path = page::path(PAGE);
    page::replace_section(&path, builds::TITLE, &text)?;
    println!("wrote {}", paths::shown(&path));
    Ok(())
}

/// Writes the page, with those sections of the old one that are made apart.
fn write(text: &str, apart: &[&str]) -> Result<()> {
    let old = fs::read_to_string(page::path(PAGE)).unwrap_or_default();
    let kept = apart
        .iter()
        .filter_map(|title| page::section_of(&old, title));
    let text = kept.fold(text.to_owned(), |text, section| text + section);
    page::write(PAGE, &text)
}
