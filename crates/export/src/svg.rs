//! A flame graph as one still picture: SVG without script, for documents and issues.
//!
//! Owns the picture as a whole: heading, legend, boxes and the count of what is too small to draw.
//! Plumbing is folded as on the page. Titles are shown by browsers as tooltips.

mod boxes;
mod style;

use seam_analyze::{Folder, Trees};
use seam_profile::Profile;

use crate::html::{subtitle, title};
use crate::names::printable;
use crate::numbers::thousands;
use crate::quality_words::figures;
use boxes::Picture;
use style::{KINDS, STYLE, patterns};

const WIDTH_PX: usize = 1200;
const MARGIN_PX: usize = 16;
const HEAD_PX: usize = 92;
const FOOT_PX: usize = 34;
/// The advance of a letter at 11 px in any monospaced font is close to this.
const LETTER_PX: f64 = 6.62;

/// Between facts; XML would make one of plain blanks.
const GAP: &str = "\u{a0}\u{a0} ";

/// Writes the profile as an SVG picture.
pub fn svg(profile: &Profile) -> String {
    let folder = Folder::new(profile);
    let trees = Trees::build(&folder);
    let picture = boxes::draw(&folder, &trees, (WIDTH_PX - 2 * MARGIN_PX) as f64);
    let graph_px = picture.rows * boxes::ROW_PX;
    let height_px = HEAD_PX + graph_px + FOOT_PX;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH_PX}\" height=\"{height_px}\" \
         viewBox=\"0 0 {WIDTH_PX} {height_px}\" role=\"img\">\n<title>{}</title>\n\
         <style>{STYLE}</style>\n{}\
         <rect class=\"page\" width=\"{WIDTH_PX}\" height=\"{height_px}\"/>\n",
        escaped(&format!("flame graph of {}", title(profile))),
        patterns()
    );
    text.push_str(&heading(profile));
    text.push_str(&legend());
    text.push_str(&format!(
        "<g transform=\"translate({MARGIN_PX} {HEAD_PX})\">\n{}</g>\n",
        picture.boxes
    ));
    let foot = label(MARGIN_PX, height_px - 12, "muted", &footing(&picture));
    text.push_str(&foot);
    text.push_str("</svg>\n");
    text
}

fn heading(profile: &Profile) -> String {
    let mut text = label(MARGIN_PX, 26, "head", &title(profile));
    let facts = subtitle(profile.recording()).join(GAP);
    text.push_str(&label(MARGIN_PX, 46, "muted", &facts));
    let quality: Vec<_> = figures(profile)
        .iter()
        .map(|figure| format!("{} {} {}", figure.label, figure.value, figure.note))
        .map(|words| words.trim_end().to_owned())
        .collect();
    text.push_str(&label(MARGIN_PX, 63, "muted", &quality.join(GAP)));
    text
}

/// One swatch for each kind, with the sign that its pattern stands for.
fn legend() -> String {
    let mut text = String::new();
    let mut left = MARGIN_PX;
    for (class, words) in KINDS {
        text.push_str(&format!(
            "<rect class=\"{class}\" x=\"{left}\" y=\"72\" width=\"18\" height=\"12\"/>\n"
        ));
        text.push_str(&label(left + 24, 82, "muted", words));
        left += 46 + (words.len() as f64 * LETTER_PX) as usize;
    }
    text
}

fn footing(picture: &Picture) -> String {
    let drawn = format!("drawn from {} samples", thousands(picture.samples));
    let mut parts = vec![drawn];
    if picture.narrow > 0 {
        let narrow = thousands(picture.narrow);
        parts.push(format!("{narrow} frames too narrow to draw are in + bars"));
    }
    if picture.deep > 0 {
        let deep = thousands(picture.deep);
        parts.push(format!("{deep} frames deeper than the last row"));
    }
    if parts.len() == 1 {
        parts.push("nothing left out".to_owned());
    }
    parts.join(", ")
}

/// A text, cut where the picture ends.
fn label(left: usize, baseline: usize, class: &str, words: &str) -> String {
    let letters = ((WIDTH_PX - left) as f64 / LETTER_PX) as usize - 1;
    let words = cut(words, letters);
    format!(
        "<text class=\"{class}\" x=\"{left}\" y=\"{baseline}\">{}</text>\n",
        escaped(&words)
    )
}

/// The first letters of a text, with an ellipsis where some are missing.
fn cut(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let kept = text.chars().take(letters.saturating_sub(1));
    kept.chain(std::iter::once('…')).collect()
}

/// Text as XML content: marks escaped, characters that XML does not have replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in printable(text).chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(char),
        }
    }
    escaped
}
