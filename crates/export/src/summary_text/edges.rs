//! The list of crossings between Go and C.
//!
//! Owns its layout: call site, caller and callee on the left, time inside at the right edge;
//! callbacks hang below the call they are made from.

use seam_analyze::{CallbackEdge, CgoEdge, Direction, Facts};
use seam_profile::{FunctionId, Profile};

use super::COLUMNS;
use super::paint::{Paint, Style};
use crate::names::{base_name, fit, printable, short_name};
use crate::numbers::percent;

const SHARE_COLUMNS: usize = 8;

/// A heading and what fits into `lines_max`; nothing if there is no crossing.
pub(super) fn lines(
    profile: &Profile,
    facts: &Facts,
    lines_max: usize,
    paint: Paint,
) -> Vec<String> {
    let edges = &facts.edges;
    if edges.rows.is_empty() {
        return Vec::new();
    }
    let heading = format!("{:<11}{:>69}", "cgo edges", "time inside");
    let mut lines = vec![paint.with(Style::Dim, &heading)];
    let mut shown = 0;
    for edge in &edges.rows {
        let group = group(profile, facts, edge);
        let last = edges.more == 0 && shown + 1 == edges.rows.len();
        // Unless it is the last, a line must be left to say how many more there are.
        if lines.len() + group.len() + usize::from(!last) > lines_max {
            break;
        }
        lines.extend(group);
        shown += 1;
    }
    let more = edges.rows.len() - shown + edges.more;
    if more > 0 {
        lines.push(format!(" … and {more} more"));
    }
    lines
}

/// A crossing and the callbacks made from within.
fn group(profile: &Profile, facts: &Facts, edge: &CgoEdge) -> Vec<String> {
    let share = |weight| percent(weight, facts.samples);
    let mut lines = vec![row(&edge_words(profile, edge), &share(edge.weight))];
    for callback in &edge.callbacks.rows {
        lines.push(row(
            &callback_words(profile, callback),
            &share(callback.weight),
        ));
    }
    if edge.callbacks.more > 0 {
        lines.push(format!("   └ … and {} more", edge.callbacks.more));
    }
    lines
}

fn row(left: &str, share: &str) -> String {
    let left_columns = COLUMNS - SHARE_COLUMNS;
    let left = cut(left, left_columns);
    format!("{left:<left_columns$}{share:>SHARE_COLUMNS$}")
}

/// Call sites are told apart by how they begin, so what is too long loses its end here.
fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    text.chars().take(columns - 1).chain(['…']).collect()
}

fn edge_words(profile: &Profile, edge: &CgoEdge) -> String {
    let callee = callee(&edge.callee);
    let Some(site) = edge.site else {
        let word = match edge.direction {
            Direction::Call => "cgo call",
            Direction::Callback => "callback",
        };
        return format!(" {word} → {callee}");
    };
    let to = match edge.direction {
        Direction::Call => callee,
        Direction::Callback => format!("callback → {callee}"),
    };
    let function = profile.functions().get(site.function);
    let caller = printable(&short_name(profile.text(function.name)));
    let place = place(profile, site.function, site.line);
    // The callee is what the reader looks for: the caller gives way.
    let left = COLUMNS - SHARE_COLUMNS;
    let room = left
        .saturating_sub(place.chars().count() + to.chars().count() + 8)
        .max(12);
    let gap = if place.is_empty() { "" } else { "  " };
    format!(" {place}{gap}{} → {to}", fit(&caller, room))
}

fn callback_words(profile: &Profile, edge: &CallbackEdge) -> String {
    let start_line = |target: FunctionId| profile.functions().get(target).start_line;
    let place = edge
        .target
        .map(|target| place(profile, target, start_line(target)));
    let place = place.filter(|place| !place.is_empty());
    let place = place.map_or(String::new(), |place| format!(" ({place})"));
    format!("   └ callback → {}{place}", callee(&edge.callee))
}

fn callee(name: &str) -> String {
    if name.is_empty() {
        "?".to_owned()
    } else {
        printable(&short_name(name))
    }
}

fn place(profile: &Profile, function: FunctionId, line: u32) -> String {
    let file = printable(base_name(
        profile.text(profile.functions().get(function).file),
    ));
    if file.is_empty() || line == 0 {
        file
    } else {
        format!("{file}:{line}")
    }
}
