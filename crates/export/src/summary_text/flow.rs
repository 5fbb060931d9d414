//! Phrases set one after the other, on a new line where the screen ends.
//!
//! Owns the label column that all lines of a report share.

use super::COLUMNS;
use super::paint::{Paint, Style, width};

const LABEL_COLUMNS: usize = 10;
const GAP: &str = "   ";

/// Phrases after a label.
pub(super) fn flow(label: &str, phrases: &[String], paint: Paint) -> Vec<String> {
    let label = paint.with(Style::Dim, &format!("{label:<LABEL_COLUMNS$}"));
    set(label, LABEL_COLUMNS, phrases)
}

/// Phrases from the first column; further lines begin where labelled ones would.
pub(super) fn unlabelled(phrases: &[String]) -> Vec<String> {
    set(String::new(), 0, phrases)
}

fn set(start: String, start_columns: usize, phrases: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = start;
    let mut columns = start_columns;
    for (at, phrase) in phrases.iter().enumerate() {
        for (piece_at, piece) in pieces(phrase).iter().enumerate() {
            let gap = if at == 0 && piece_at == 0 { "" } else { GAP };
            let wanted = gap.len() + width(piece);
            if piece_at > 0 || at > 0 && columns + wanted > COLUMNS {
                lines.push(std::mem::replace(&mut line, " ".repeat(LABEL_COLUMNS)));
                columns = LABEL_COLUMNS + width(piece);
            } else {
                line.push_str(gap);
                columns += wanted;
            }
            line.push_str(piece);
        }
    }
    lines.push(line);
    lines
}

/// A phrase that no line can hold, cut between words; any other phrase as it is.
fn pieces(phrase: &str) -> Vec<String> {
    let room = COLUMNS - LABEL_COLUMNS;
    if width(phrase) <= room {
        return vec![phrase.to_owned()];
    }
    let mut pieces = vec![String::new()];
    for word in phrase.split(' ') {
        let last = pieces.last_mut().expect("never empty");
        if !last.is_empty() && width(last) + 1 + width(word) > room {
            pieces.push(word.to_owned());
        } else {
            last.push_str(if last.is_empty() { "" } else { " " });
            last.push_str(word);
        }
    }
    pieces
}
