//! The first table: each program by each Go version.

use anyhow::Result;

use super::matrix::{Cell, Notes};
use super::place::Place;
use super::profiler::{Profiler, Program};
use super::words;
use crate::bench::page::{Section, row};
use crate::bench::tools::{number, shown};
use crate::programs::{self, Variant, Wanted};
use crate::run::interrupted;
use crate::setup::Go;
use crate::toolchains;

/// The oldest Go that seam knows.
const OLDEST_MINOR: u32 = 19;
/// The program without a truth file, of which only the root is asked.
const STRESS: &str = "s";

/// Programs and the words for their stacks.
const PROGRAMS: &[(&str, &str)] = &[
    ("a", "Go"),
    ("b", "Go → C"),
    ("c", "Go → C → Go"),
    ("d", "Go → C → Go → C"),
    ("e", "C thread → Go → C"),
    ("f", "Go → C → Go, the stack moves → C"),
    ("k", "Go → C → kernel"),
    ("n", "Go → C → Go → C → Go → C, nested"),
    ("t", "coroutine → C → Go"),
    ("v", "Go → C → vdso"),
    (STRESS, "everything at once: rooted"),
];
/// Those without Go.
const PLAIN: &[(&str, &str)] = &[("p-c", "C, no Go"), ("p-cpp", "C++, no Go")];

/// What must be reached, in percent.
fn goal(name: &str) -> f64 {
    if name == STRESS { 99.7 } else { 100.0 }
}

/// Every profiler's results for the programs of one list.
struct Results {
    /// By profiler, then by program, then by version.
    cells: Vec<Vec<Vec<Cell>>>,
}

pub(super) fn sections(
    place: &Place,
    asked: &[String],
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Section>> {
    let versions = versions(&place.go, asked, place.quick)?;
    let of = |list: &[(&'static str, &'static str)]| -> Vec<(&'static str, &'static str)> {
        list.iter()
            .copied()
            .filter(|(name, _)| wanted(name))
            .collect()
    };
    let (mixed, plain) = (of(PROGRAMS), of(PLAIN));
    let mut sections = Vec::new();
    let mut notes = Notes::default();
    let profilers = place.all_profilers();
    if !mixed.is_empty() {
        let results = record(place, &mixed, &versions)?;
        let mut section = Section::new("Whole stacks", words::SCENARIOS);
        section.say(&verdict(&mixed, &versions, &results.cells[0]));
        for (profiler, cells) in profilers.iter().zip(&results.cells) {
            section.say(&format!("### {}", profiler.name()));
            section.table(&table(&mixed, &versions, cells, &mut notes));
        }
        notes.tell(&mut section);
        section.commands(&commands(place)?);
        sections.push(section);
    }
    if !plain.is_empty() {
        let mut notes = Notes::default();
        let own = vec![place.go.version().to_owned()];
        let results = record(place, &plain, &own)?;
        let mut section = Section::new("Programs without Go", words::PLAIN);
        let mut rows = vec![row(["program", "stacks"])];
        rows[0].extend(profilers.iter().map(Profiler::name));
        for (at, (name, stacks)) in plain.iter().enumerate() {
            let mut cells = row([*name, *stacks]);
            cells.extend(results.cells.iter().map(|by| by[at][0].text(&mut notes)));
            rows.push(cells);
        }
        section.table(&rows);
        notes.tell(&mut section);
        sections.push(section);
    }
    Ok(sections)
}

/// The newest release of each minor, or those that were asked for.
fn versions(go: &Go, asked: &[String], quick: bool) -> Result<Vec<String>> {
    if quick || !asked.is_empty() {
        return Ok(programs::versions(go, asked));
    }
    let newest = toolchains::newest_by_minor(go)?.into_iter();
    let known = newest.filter(|(minor, _)| *minor >= OLDEST_MINOR);
    let release = |(minor, patch)| toolchains::name(seam_go::Release { minor, patch });
    Ok(known.map(release).collect())
}

fn record(place: &Place, list: &[(&str, &str)], versions: &[String]) -> Result<Results> {
    let profilers = place.all_profilers();
    let empty = || vec![Vec::new(); list.len()];
    let mut cells: Vec<Vec<Vec<Cell>>> = profilers.iter().map(|_| empty()).collect();
    for version in versions {
        for (at, (name, _)) in list.iter().enumerate() {
            let wanted = Wanted {
                version: version.clone(),
                name: (*name).to_owned(),
            };
            let files = files(place, &wanted);
            let mut told = format!("   {version} {name}:");
            for (by, profiler) in profilers.iter().enumerate() {
                if interrupted() {
                    anyhow::bail!("interrupted");
                }
                let cell = match &files {
                    Err(why) => why.clone(),
                    Ok(files) => one(place, profiler, &wanted, files),
                };
                told += &format!("   {}", cell.text(&mut Notes::default()));
                if let Cell::Failed(why) = &cell {
                    println!("   {} failed: {why}", profiler.name());
                }
                cells[by][at].push(cell);
            }
            println!("{told}");
        }
    }
    Ok(Results { cells })
}

type Files = (std::path::PathBuf, Option<std::path::PathBuf>);

/// The program, and with Go's profiler in it if it has Go.
fn files(place: &Place, wanted: &Wanted) -> Result<Files, Cell> {
    let failed = |error: anyhow::Error| Cell::Failed(format!("{error:#}"));
    if let Some(why) = programs::too_new(wanted).map_err(failed)? {
        return Err(Cell::Left(format!("the program {} {why}", wanted.name)));
    }
    let build = |variant| programs::build(&place.go, wanted, variant).map_err(failed);
    let plain = programs::is_plain(&wanted.name).map_err(failed)?;
    let profiled = Variant {
        profiled: true,
        ..Variant::default()
    };
    let profiled = if plain { None } else { Some(build(profiled)?) };
    Ok((build(Variant::default())?, profiled))
}

fn one(place: &Place, profiler: &Profiler, wanted: &Wanted, files: &Files) -> Cell {
    if *profiler == Profiler::Go && files.1.is_none() {
        return Cell::Left("no Go, no profiler of Go's".to_owned());
    }
    if matches!(profiler, Profiler::Peer(_)) && !is_machines(&wanted.version, &place.go) {
        return Cell::Left("peers are asked about one Go minor, the machine's".to_owned());
    }
    if *profiler == Profiler::Go && wanted.name == STRESS {
        return Cell::Left(format!("the program {STRESS} uses Go's profiler itself"));
    }
    let program = Program {
        file: &files.0,
        profiled: files.1.as_deref(),
        arguments: &[],
    };
    let counted = profiler
        .record(place, &program, place.seconds())
        .and_then(|()| {
            let output = profiler.output(place);
            let format = profiler.format();
            if wanted.name == STRESS {
                return place.judge(&["rooted", format], &output, &[]);
            }
            place.judge(&["whole", &wanted.name, format], &output, &[])
        });
    match counted {
        Ok(counts) => {
            let of = |key: &str| number(&counts[key]);
            Cell::Counted(of("whole"), of("counted"), of("all"))
        }
        Err(error) => Cell::Failed(format!("{}: {error:#}", profiler.name())),
    }
}

/// Whether a version is of the machine's minor.
fn is_machines(version: &str, go: &Go) -> bool {
    let minors = [version, go.version()].map(|version| toolchains::minor(version).ok());
    minors[0] == minors[1]
}

fn table(
    list: &[(&str, &str)],
    versions: &[String],
    cells: &[Vec<Cell>],
    notes: &mut Notes,
) -> Vec<Vec<String>> {
    let mut rows = vec![row(["program", "stacks"])];
    rows[0].extend(versions.iter().map(|version| version.replace("go", "Go ")));
    for ((name, stacks), cells) in list.iter().zip(cells) {
        let mut texts = row([*name, *stacks]);
        texts.extend(cells.iter().map(|cell| cell.text(notes)));
        rows.push(texts);
    }
    rows
}

/// How seam stands to its goals.
fn verdict(list: &[(&str, &str)], versions: &[String], cells: &[Vec<Cell>]) -> String {
    let mut missed = Vec::new();
    let mut reached = 0;
    for ((name, _), cells) in list.iter().zip(cells) {
        for (version, cell) in versions.iter().zip(cells) {
            match cell {
                Cell::Left(_) => {}
                cell if cell.reaches(goal(name)) => reached += 1,
                _ => missed.push(format!("{name} by {version}")),
            }
        }
    }
    let all = reached + missed.len();
    let which = match missed.is_empty() {
        true => String::new(),
        false => format!(" Missed: {}.", missed.join(", ")),
    };
    format!(
        "The goal for seam is 100 %, and 99.7 % rooted in {STRESS}: reached in {reached} of {all} \
         cells.{which}"
    )
}

/// The commands as they were run.
fn commands(place: &Place) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for profiler in place.profilers() {
        let Ok(words) = profiler.command(place, "PID", place.seconds()) else {
            continue;
        };
        if !words.is_empty() {
            lines.push(shown(&words));
        }
    }
    lines.push(
        "SEAM_CPUPROFILE=go.pprof PROGRAM SECONDS   # built with -tags cpuprofile".to_owned(),
    );
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_goals_are_named() {
        let list = [("b", ""), (STRESS, "")];
        let versions = ["go1.20".to_owned(), "go1.21.0".to_owned()];
        let whole = Cell::Counted(1000.0, 1000.0, 1000.0);
        let nearly = Cell::Counted(999.0, 1000.0, 1000.0);
        let cells = [vec![whole, nearly.clone()], vec![nearly.clone(), nearly]];
        let text = verdict(&list, &versions, &cells);
        assert!(
            text.ends_with("3 of 4 cells. Missed: b by go1.21.0."),
            "{text}"
        );
    }
}
