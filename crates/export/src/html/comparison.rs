//! The page's sheet about other profilers.
//!
//! Owns its words; the counts are seam-analyze's.

use seam_analyze::{Comparison, Method, Tally};

use crate::numbers::{percent, thousands};

const NOTES: [&str; 3] = [
    "Whole: every function of the stack is there, in order; where stacks begin and the code \
     between Go and C are not asked for. Kernel frames are left out.",
    "perf -g: the kernel's own walk by frame pointers, taken at the same moment. perf dwarf: \
     registers and 8 KiB of stack copied at the same moment, walked by .eh_frame as perf does it. \
     Go pprof: the part of the whole stack that its signal handler can see.",
    "Cut off: the innermost functions are right, their callers are missing. At a wrong place: \
     functions are missing in between or at the end, or others are there.",
];

/// A button and the sheet that it opens, in plain HTML: the browser needs no script for it.
pub(super) fn sheet(comparison: &Comparison) -> String {
    let samples = thousands(comparison.samples);
    let methods = Method::ALL.map(Method::short);
    let mut table = tr("th", "", "samples", methods.map(str::to_owned));
    for kind in &comparison.kinds {
        let whole = kind.methods.map(|t| meter(t.whole, kind.samples));
        table += &tr("td", &kind.kind, &thousands(kind.samples), whole);
    }
    let total = comparison.total();
    let whole = total.map(|t| meter(t.whole, comparison.samples));
    table += &tr("td", "<b>all</b>", &samples, whole);
    let of_samples = |part: fn(&Tally) -> u64| total.map(|t| percent(part(&t), comparison.samples));
    table += &tr("td", "callers cut off", "", of_samples(|t| t.cut));
    table += &tr("td", "time at a wrong place", "", of_samples(|t| t.wrong));
    let lost = total.map(|t| percent(t.lost, t.frames));
    table += &tr("td", "frames lost", "", lost);
    let mut notes: String = NOTES.map(|note| format!("<p>{note}</p>")).concat();
    if comparison.left_out > 0 {
        let left_out = thousands(comparison.left_out);
        notes += &format!("<p>Not compared: {left_out}, not whole here or without user code.</p>");
    }
    format!(
        "<button type=button class=chip popovertarget=sheet>other profilers</button>\
         <div id=sheet class=help popover><h2>Of the same {samples} samples, whole here, these \
         would be whole</h2><table>{table}</table>{notes}</div>"
    )
}

fn tr(tag: &str, name: &str, samples: &str, cells: [String; 3]) -> String {
    let cells = cells.map(|text| format!("<{tag}>{text}</{tag}>")).concat();
    format!("<tr><{tag}>{name}</{tag}><{tag}>{samples}</{tag}>{cells}</tr>")
}

/// A share, and the browser's own bar for it.
fn meter(part: u64, all: u64) -> String {
    let share = percent(part, all);
    let number = share.trim_end_matches('%');
    format!("{share} <meter max=100 value={number} aria-hidden=true></meter>")
}
