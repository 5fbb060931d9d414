//! The second table: what is seen of C, by how Go calls it and by how it was compiled.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::matrix::Notes;
use super::place::Place;
use super::profiler::{Profiler, Program, RATE};
use super::words;
use crate::bench::page::{Section, percent, row};
use crate::bench::tools::number;
use crate::paths;
use crate::run::interrupted;

const KINDS: [(&str, &str); 3] = [
    ("call", "synchronous call"),
    ("callback", "callback"),
    ("thread", "C thread"),
];
const LEVELS: [&str; 3] = ["-O0", "-O2", "-O3"];
const FRAMES: [&str; 2] = ["-fomit-frame-pointer", "-fno-omit-frame-pointer"];

pub(super) fn section(place: &Place) -> Result<Section> {
    let mut section = Section::new("What is seen of C", words::CALLS);
    let mut notes = Notes::default();
    let mut rows = vec![row([
        "call",
        "flags of the C",
        "profiler",
        "samples",
        "mean depth",
        "innermost C function visible",
        "right Go caller",
        "jitter: median, p95",
    ])];
    let levels = if place.quick {
        &LEVELS[1..2]
    } else {
        &LEVELS[..]
    };
    for level in levels {
        for frames in FRAMES {
            let flags = format!("{level} {frames}");
            let file = built(place, &flags, "")?;
            let profiled = built(place, &flags, "cpuprofile")?;
            for (kind, words) in KINDS {
                for profiler in place.all_profilers() {
                    if interrupted() {
                        bail!("interrupted");
                    }
                    let mut cells = vec![words.to_owned(), format!("`{flags}`"), profiler.name()];
                    let program = Program {
                        file: &file,
                        profiled: Some(&profiled),
                        arguments: &[kind],
                    };
                    cells.extend(one(place, &profiler, &program, &mut notes));
                    println!("   {}", cells.join("   "));
                    rows.push(cells);
                }
            }
        }
    }
    rows[1..].sort_by_key(|cells| {
        let place = KINDS.iter().position(|(_, words)| *words == cells[0]);
        place.unwrap_or_default()
    });
    section.table(&rows);
    notes.tell(&mut section);
    Ok(section)
}

/// benches/programs/callers by the machine's Go.
fn built(place: &Place, flags: &str, tags: &str) -> Result<PathBuf> {
    let file = place.file(&format!("callers{}{tags}", flags.replace(' ', "")));
    let source = paths::root().join("benches/programs/callers");
    place
        .go
        .run(place.go.version())
        .args(["build", "-buildvcs=false", "-tags", tags, "-o"])
        .arg(&file)
        .arg(".")
        .dir(&source)
        .env("CGO_ENABLED", "1")
        .env("CC", "gcc")
        .env("CGO_CFLAGS", format!("-g {flags}"))
        .seconds(900)
        .ok()
        .with_context(|| format!("cannot build {}", source.display()))?;
    Ok(file)
}

/// The cells behind the profiler's name.
fn one(
    place: &Place,
    profiler: &Profiler,
    program: &Program<'_>,
    notes: &mut Notes,
) -> Vec<String> {
    let measured = profiler
        .record(place, program, place.seconds())
        .and_then(|()| measured(place, profiler, &profiler.output(place)));
    match measured {
        Ok(cells) => cells,
        Err(error) => {
            let failed = super::matrix::Cell::Failed(format!("{}: {error:#}", profiler.name()));
            let mut cells = vec![failed.text(notes)];
            cells.resize(5, "–".to_owned());
            cells
        }
    }
}

fn measured(place: &Place, profiler: &Profiler, output: &Path) -> Result<Vec<String>> {
    let seen = place.judge(&["callers", profiler.format()], output, &[])?;
    let of = |key: &str| number(&seen[key]);
    let share = |key: &str| format!("{:.1} %", percent(of(key), of("all")));
    let jitter = match profiler.times(place) {
        None => "–".to_owned(),
        Some(file) => {
            let period = vec![(1e9 / f64::from(RATE)).to_string()];
            let jitter = place.judge(&["jitter", profiler.format()], &file, &period)?;
            let at = |key: &str| format!("{:.1} %", 100.0 * number(&jitter[key]));
            format!("{}, {}", at("p50"), at("p95"))
        }
    };
    Ok(vec![
        of("all").to_string(),
        format!("{:.1}", of("frames") / of("all").max(1.0)),
        share("visible"),
        share("attributed"),
        jitter,
    ])
}
