//! The table of builds: seam alone, on programs built in every way of xtask/src/programs/shape.rs,
//! by several Go minors. A section of docs/truth.md of its own, which the rest of the page is left
//! with and which is left by the rest.

use std::collections::BTreeMap;

use anyhow::Result;

use super::matrix::{Cell, Notes};
use super::place::Place;
use super::profiler::{Profiler, Program};
use super::words;
use crate::bench::page::{Section, row};
use crate::bench::tools::{json_file, number};
use crate::programs::{self, SHAPES, Shape, Variant, Wanted};
use crate::run::interrupted;
use crate::toolchains;

pub(super) const TITLE: &str = "Builds";
/// By default; older ones with `--all-minors`.
const MINORS: [u32; 3] = [21, 24, 27];
/// The oldest Go that seam knows.
const OLDEST_MINOR: u32 = 19;
const STRESS: &str = "s";
/// Reasons for which a stack may end before its root.
const PERMITTED: [&str; 5] = [
    "no-cfi-underivable",
    "jit-guessed",
    "stack-switch-unknown",
    "not-proven",
    "race-runtime",
];

/// What is asked for.
pub(super) struct Asked<'a> {
    pub(super) versions: &'a [String],
    pub(super) shapes: &'a [Shape],
    pub(super) programs: &'a [String],
    pub(super) all_minors: bool,
}

/// What one recording gave.
struct Seen {
    cell: Cell,
    /// Samples by the reason for which their walk ended before a root.
    ends: BTreeMap<String, u64>,
    impossible: u64,
    /// Samples in the moment when libgcc overwrites frames for an exception that is caught.
    half_installed: f64,
}

/// The programs that are tried in a way: all shapes of stacks in the plain one, else the deepest,
/// threads of C, exceptions, and what has no C.
fn programs_of(shape: &Shape) -> Vec<&'static str> {
    let mut names = match shape.name {
        "default" => vec![
            "a", "b", "c", "d", "e", "f", "n", "u", STRESS, "p-c", "p-cpp",
        ],
        "pie" | "omitted" | "stripped" | "headless" => vec!["a", "e", "n", "u"],
        "static" => vec!["e", "n", STRESS, "p-cpp"],
        "musl" => vec!["e", "n", "p-c"],
        "opened" | "plugin" | "race" => vec!["e", "n", STRESS],
        "archive" | "linked" => vec!["e", "n"],
        _ => vec!["e", "n", "p-cpp"],
    };
    if shape.is_nameless() {
        names.retain(|name| *name != "u");
    }
    names
}

pub(super) fn section(place: &Place, asked: &Asked<'_>) -> Result<Section> {
    let versions = versions(place, asked)?;
    let own = [place.go.version().to_owned()];
    let mut notes = Notes::default();
    let mut rows = vec![row(["build", "program"])];
    rows[0].extend(versions.iter().map(|version| version.replace("go", "Go ")));
    let (mut reached, mut missed) = (0, Vec::new());
    for shape in SHAPES
        .iter()
        .filter(|s| asked.shapes.is_empty() || asked.shapes.contains(s))
    {
        for name in programs_of(shape) {
            if !asked.programs.is_empty() && !asked.programs.iter().any(|asked| asked == name) {
                continue;
            }
            let plain = programs::is_plain(name)?;
            let by = if plain { &own[..] } else { &versions };
            let mut cells = row([shape.words, name]);
            for version in by {
                if interrupted() {
                    anyhow::bail!("interrupted");
                }
                let seen = one(place, shape, name, version);
                let which = format!("{name} as {} by {version}", shape.name);
                match seen.fault(name) {
                    None if matches!(seen.cell, Cell::Left(_)) => {}
                    None => reached += 1,
                    Some(fault) => missed.push(format!("{which} ({fault})")),
                }
                println!("   {which}: {}", seen.text(&mut Notes::default()));
                cells.push(seen.text(&mut notes));
            }
            cells.resize(
                rows[0].len(),
                if plain {
                    "no Go".to_owned()
                } else {
                    "–".to_owned()
                },
            );
            rows.push(cells);
        }
    }
    let mut section = Section::new(TITLE, words::BUILDS);
    section.say(&format!("Permitted reasons: `{}`.", PERMITTED.join("`, `")));
    section.say(&verdict(reached, &missed));
    section.table(&rows);
    notes.tell(&mut section);
    Ok(section)
}

fn verdict(reached: usize, missed: &[String]) -> String {
    let all = reached + missed.len();
    let which = match missed {
        [] => String::new(),
        missed => format!(" Missed: {}.", missed.join("; ")),
    };
    format!(
        "Reached in {reached} of {all} recordings: every stack whole but for permitted reasons, no \
         impossible call, and in `{STRESS}` 99.7 % rooted.{which}"
    )
}

fn versions(place: &Place, asked: &Asked<'_>) -> Result<Vec<String>> {
    if place.quick || !asked.versions.is_empty() {
        return Ok(programs::versions(&place.go, asked.versions));
    }
    let newest = toolchains::newest_by_minor(&place.go)?.into_iter();
    let wanted = |minor: u32| match asked.all_minors {
        true => minor >= OLDEST_MINOR,
        false => MINORS.contains(&minor),
    };
    let release = |(minor, patch)| toolchains::name(seam_go::Release { minor, patch });
    Ok(newest
        .filter(|(minor, _)| wanted(*minor))
        .map(release)
        .collect())
}

fn one(place: &Place, shape: &Shape, name: &str, version: &str) -> Seen {
    recorded(place, shape, name, version).unwrap_or_else(|error| Seen {
        cell: Cell::Failed(format!("{error:#}")),
        ends: BTreeMap::new(),
        impossible: 0,
        half_installed: 0.0,
    })
}

fn recorded(place: &Place, shape: &Shape, name: &str, version: &str) -> Result<Seen> {
    let wanted = Wanted {
        version: version.to_owned(),
        name: name.to_owned(),
    };
    let left = |why: String| Seen {
        cell: Cell::Left(why),
        ends: BTreeMap::new(),
        impossible: 0,
        half_installed: 0.0,
    };
    if let Some(why) = programs::impossible(name, *shape)? {
        return Ok(left(format!("{name} as {}: {why}", shape.name)));
    }
    if let Some(why) = programs::too_new(&wanted)? {
        return Ok(left(format!("{name} {why}")));
    }
    let variant = Variant {
        shape: *shape,
        ..Variant::default()
    };
    let file = programs::build(&place.go, &wanted, variant)?;
    let program = Program {
        file: &file,
        profiled: None,
        arguments: &[],
    };
    let profiler = Profiler::Seam;
    profiler.record(place, &program, place.seconds())?;
    let summary = json_file(&place.file("x.json"))?;
    let output = profiler.output(place);
    let names = shape.is_nameless() && !programs::is_plain(name)?;
    let names = names.then(|| programs::names_of(&file).display().to_string());
    let counts = match name {
        STRESS => place.judge(&["rooted", "seam"], &output, &[])?,
        _ => place.judge(&["whole", name, "seam"], &output, names.as_slice())?,
    };
    let of = |key: &str| number(&counts[key]);
    let reasons = summary["quality"]["end_reasons"].as_array();
    let ends = reasons.into_iter().flatten().filter(|r| r["root"] != true);
    Ok(Seen {
        cell: Cell::Counted(of("whole"), of("counted"), of("all")),
        ends: ends
            .filter_map(|r| Some((r["name"].as_str()?.to_owned(), r["samples"].as_u64()?)))
            .collect(),
        impossible: summary["quality"]["edges"]["impossible"]
            .as_u64()
            .unwrap_or_default(),
        half_installed: of("half_installed"),
    })
}

impl Seen {
    fn text(&self, notes: &mut Notes) -> String {
        let mut text = self.cell.text(notes);
        for (reason, samples) in &self.ends {
            text += &format!(", `{reason}` {samples}");
        }
        if self.half_installed > 0.0 {
            text += &format!(", {} half-installed", self.half_installed);
        }
        if self.impossible > 0 {
            text += &format!(", {} impossible calls", self.impossible);
        }
        text
    }

    /// Why it is not as it should be.
    fn fault(&self, name: &str) -> Option<String> {
        let (whole, counted) = match &self.cell {
            Cell::Counted(whole, counted, _) => (*whole, *counted),
            Cell::Failed(_) => return Some("failed".to_owned()),
            Cell::Left(_) => return None,
        };
        if counted == 0.0 {
            return Some("nothing to count".to_owned());
        }
        if name == STRESS {
            // Panics through C leave calls that can't be: see the guide, "callbacks lost".
            return (whole < 0.997 * counted).then(|| "below 99.7 %".to_owned());
        }
        let other = self
            .ends
            .keys()
            .find(|end| !PERMITTED.contains(&end.as_str()));
        if let Some(other) = other {
            return Some(other.clone());
        }
        let permitted: u64 = self.ends.values().sum();
        if whole + permitted as f64 + self.half_installed < counted {
            return Some("stacks are not whole".to_owned());
        }
        // The end-to-end tests' bound.
        if self.half_installed > 1.0 + counted / 1000.0 {
            return Some("half-installed stacks".to_owned());
        }
        let allowed = 4.0 * self.half_installed;
        (self.impossible as f64 > allowed).then(|| "impossible calls".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(whole: f64, ends: &[(&str, u64)], impossible: u64) -> Seen {
        let ends = ends.iter().map(|(name, n)| ((*name).to_owned(), *n));
        Seen {
            cell: Cell::Counted(whole, 1000.0, 1000.0),
            ends: ends.collect(),
            impossible,
            half_installed: 0.0,
        }
    }

    #[test]
    fn faults() {
        assert_eq!(seen(1000.0, &[], 0).fault("n"), None);
        assert_eq!(seen(998.0, &[("jit-guessed", 2)], 0).fault("n"), None);
        assert!(seen(998.0, &[("jit-guessed", 1)], 0).fault("n").is_some());
        assert!(seen(998.0, &[("no-mapping", 2)], 0).fault("n").is_some());
        assert!(seen(1000.0, &[("no-mapping", 1)], 0).fault("n").is_some());
        assert!(seen(1000.0, &[], 1).fault("n").is_some());
        let half = |n: f64| Seen {
            half_installed: n,
            ..seen(1000.0 - n, &[], 1)
        };
        assert_eq!(half(1.0).fault("n"), None);
        assert!(half(3.0).fault("n").is_some());
        assert_eq!(seen(997.0, &[("no-mapping", 3)], 9).fault(STRESS), None);
        assert!(seen(996.0, &[], 0).fault(STRESS).is_some());
    }

    #[test]
    fn cells() {
        let text = seen(998.0, &[("jit-guessed", 2)], 1).text(&mut Notes::default());
        assert_eq!(text, "99.80 % (1000), `jit-guessed` 2, 1 impossible calls");
    }

    #[test]
    fn every_way_is_tried_with_a_program_that_can_be_built_so() {
        for shape in SHAPES {
            let built = programs_of(shape).into_iter().filter(|name| {
                programs::impossible(name, *shape)
                    .expect("it is there")
                    .is_none()
            });
            assert!(built.count() >= 2, "{}", shape.name);
        }
    }
}
