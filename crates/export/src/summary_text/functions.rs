//! The table of hottest functions.
//!
//! Owns its columns: self and total share, kind, name, place. Names give way before places do.

use seam_analyze::{Facts, HotFunction};
use seam_profile::{FunctionKind, ModuleKind, Profile};

use super::COLUMNS;
use super::paint::{Paint, Style};
use crate::names::{base_name, fit, library_name, printable, short_name};
use crate::numbers::{percent, thousands};

const PLACE_COLUMNS_MAX: usize = 26;
/// Everything left of the name: two shares and the kind with their gaps.
const LEFT_COLUMNS: usize = 21;
const GAP_COLUMNS: usize = 2;

/// A heading and at most `rows_max` rows.
pub(super) fn lines(
    profile: &Profile,
    facts: &Facts,
    rows_max: usize,
    paint: Paint,
) -> Vec<String> {
    let rows = &facts.hottest.rows[..facts.hottest.rows.len().min(rows_max)];
    let heading = heading(rows.len(), facts.hottest.rows.len() + facts.hottest.more);
    let places: Vec<_> = rows.iter().map(|row| place(profile, row)).collect();
    let place_columns = places
        .iter()
        .map(|place| place.chars().count())
        .max()
        .unwrap_or(0);
    let name_columns = COLUMNS - LEFT_COLUMNS - GAP_COLUMNS - place_columns;
    let lines = rows.iter().zip(&places).map(|(row, place)| {
        let function = profile.functions().get(row.function);
        let name = printable(&short_name(profile.text(function.name)));
        let name = if name.is_empty() { "[no name]" } else { &name };
        let kind = format!("{:<4}", function.kind.word());
        let line = format!(
            "{:>6}  {:>6}  {} {:<name_columns$}  {place}",
            percent(row.self_weight, facts.samples),
            percent(row.total_weight, facts.samples),
            paint.with(Style::Kind(function.kind), &kind),
            fit(name, name_columns),
        );
        line.trim_end().to_owned()
    });
    std::iter::once(paint.with(Style::Dim, &heading))
        .chain(lines)
        .collect()
}

fn heading(shown: usize, all: usize) -> String {
    let heading = format!("{:>6}  {:>6}  {:<4} function", "self", "total", "kind");
    if all > shown {
        format!("{heading} ({shown} of {})", thousands(all as u64))
    } else {
        heading
    }
}

/// Where a function is: a library's short name, file and line, as far as known.
fn place(profile: &Profile, row: &HotFunction) -> String {
    let function = profile.functions().get(row.function);
    if function.kind == FunctionKind::Kernel || !function.is_named() {
        return String::new();
    }
    let file = base_name(profile.text(function.file));
    let line = if row.line > 0 {
        row.line
    } else {
        function.start_line
    };
    let file = match (file.is_empty(), line) {
        (true, _) => String::new(),
        (_, 0) => file.to_owned(),
        _ => format!("{file}:{line}"),
    };
    let module = function.module.map(|module| profile.modules().get(module));
    let library = module.filter(|module| module.kind == ModuleKind::SharedLibrary);
    let library = library.map_or("", |module| library_name(profile.text(module.name)));
    fit(
        &printable(format!("{library} {file}").trim()),
        PLACE_COLUMNS_MAX,
    )
}
