//! The table that `seam record --compare` prints: what other profilers would have kept of the same
//! samples.
//!
//! Owns its layout of at most 80 columns. The counts are seam-analyze's.

use seam_analyze::{Comparison, Method, Tally};

use crate::numbers::{percent, thousands};

/// Kinds of call shown; the JSON has all.
const KINDS: usize = 8;
const LABEL: usize = 28;
const COLUMN: usize = 12;

/// Writes the table. Each line ends with a newline.
pub fn comparison_text(comparison: &Comparison) -> String {
    let samples = thousands(comparison.samples);
    let mut lines = vec![String::new()];
    lines.push(format!(
        "of the same {samples} samples, whole here, these would be whole"
    ));
    let heads = ["samples"]
        .into_iter()
        .chain(Method::ALL.map(Method::short));
    lines.push(row("", heads));
    for kind in comparison.kinds.iter().take(KINDS) {
        let whole = kind.methods.map(|tally| percent(tally.whole, kind.samples));
        lines.push(shares(&kind.kind, &thousands(kind.samples), &whole));
    }
    let more = comparison.kinds.len().saturating_sub(KINDS);
    if more > 0 {
        lines.push(format!("  and {more} more kinds (--json has all)"));
    }
    let total = comparison.total();
    let of_samples = |part: fn(&Tally) -> u64| total.map(|t| percent(part(&t), comparison.samples));
    lines.push(shares("all", &samples, &of_samples(|t| t.whole)));
    lines.push(shares("  callers cut off", "", &of_samples(|t| t.cut)));
    lines.push(shares(
        "  time at a wrong place",
        "",
        &of_samples(|t| t.wrong),
    ));
    let lost = total.map(|t| percent(t.lost, t.frames));
    lines.push(shares("  frames lost", "", &lost));
    if comparison.left_out > 0 {
        let left_out = thousands(comparison.left_out);
        lines.push(format!("  {left_out} samples are not compared"));
    }
    lines.join("\n") + "\n"
}

fn shares(label: &str, samples: &str, others: &[String]) -> String {
    row(
        label,
        [samples]
            .into_iter()
            .chain(others.iter().map(String::as_str)),
    )
}

fn row<'a>(label: &str, cells: impl Iterator<Item = &'a str>) -> String {
    let mut line = format!("  {label:<LABEL$}");
    for cell in cells {
        line.push_str(&format!("{cell:>COLUMN$}"));
    }
    line.trim_end().to_owned()
}
