//! The page's parts: a head, sections with tables, and how numbers are written.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::machine;
use crate::paths;

/// A part of the page.
pub(crate) struct Section {
    title: &'static str,
    text: String,
}

impl Section {
    /// A section that begins with how it was measured.
    pub(crate) fn new(title: &'static str, method: &str) -> Self {
        let text = format!("{}\n", method.trim());
        Section { title, text }
    }

    /// Adds a table; the first row is the heading.
    pub(crate) fn table(&mut self, rows: &[Vec<String>]) {
        self.text.push('\n');
        for (number, row) in rows.iter().enumerate() {
            let _ = writeln!(self.text, "| {} |", row.join(" | "));
            if number == 0 {
                let _ = writeln!(self.text, "|{}", "---|".repeat(row.len()));
            }
        }
    }

    /// Adds a paragraph.
    pub(crate) fn say(&mut self, text: &str) {
        let _ = writeln!(self.text, "\n{}", text.trim());
    }

    /// Adds the commands that were run.
    pub(crate) fn commands(&mut self, lines: &[String]) {
        let _ = writeln!(self.text, "\n```sh\n{}\n```", lines.join("\n"));
    }

    pub(crate) fn markdown(&self) -> String {
        format!("\n## {}\n\n{}", self.title, self.text)
    }
}

/// What the page begins with.
pub(crate) fn head(
    title: &str,
    command: &str,
    machine: &[(String, String)],
    quick: bool,
) -> String {
    let mut text =
        format!("# {title}\n\nWritten by `{command}`, which measures everything here anew.\n");
    if quick {
        text += "\n**A quick run: rounds too short and too few to be quoted.**\n";
    }
    text.push_str("\n| | |\n|---|---|\n");
    for (what, value) in machine {
        let _ = writeln!(text, "| {what} | {value} |");
    }
    text
}

/// Where a page of the documentation lies.
pub(crate) fn path(name: &str) -> PathBuf {
    paths::root().join("docs").join(name).with_extension("md")
}

/// Writes a page of the documentation.
pub(crate) fn write(name: &str, text: &str) -> Result<()> {
    let path = path(name);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {}", paths::shown(&path));
    Ok(())
}

/// Writes a page of one section, named after it; of a quick run it is only shown.
pub(crate) fn publish(
    section: &Section,
    command: &str,
    seam: &Path,
    go: &str,
    quick: bool,
) -> Result<()> {
    let facts = machine::facts(seam, go, &machine::today()?)?;
    let text = head(section.title, command, &facts, quick) + &section.markdown();
    if quick {
        println!("\n{text}");
        return Ok(());
    }
    write(&section.title.to_lowercase(), &text)
}

/// A section of a page, from its heading to the next one.
pub(crate) fn section_of<'p>(page: &'p str, title: &str) -> Option<&'p str> {
    let heading = format!("\n## {title}\n");
    let start = page.find(&heading)?;
    let inside = start + heading.len();
    let end = page[inside..]
        .find("\n## ")
        .map_or(page.len(), |at| inside + at);
    Some(&page[start..end])
}

/// Puts a section in the place of the one of that title, or behind all others.
pub(crate) fn replace_section(path: &Path, title: &str, section: &str) -> Result<()> {
    let old = fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    let new = match section_of(&old, title) {
        Some(known) => old.replacen(known, section, 1),
        None => old + section,
    };
    fs::write(path, new).with_context(|| format!("cannot write {}", path.display()))
}

/// A row of a table.
pub(crate) fn row<S: ToString>(cells: impl IntoIterator<Item = S>) -> Vec<String> {
    cells.into_iter().map(|cell| cell.to_string()).collect()
}

/// The middle value; of an even number, the higher of the two. 0 of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// From the lowest to the highest.
pub(crate) fn spread(values: &[f64]) -> f64 {
    let highest = values.iter().copied().fold(f64::MIN, f64::max);
    let lowest = values.iter().copied().fold(f64::MAX, f64::min);
    (highest - lowest).max(0.0)
}

/// A share as a percentage.
pub(crate) fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        100.0 * part / whole
    } else {
        0.0
    }
}

/// How a number stands to its budget.
pub(crate) fn verdict(value: f64, budget: f64) -> String {
    if value <= budget {
        "met".to_owned()
    } else {
        format!("missed by {:.0} %", 100.0 * (value / budget - 1.0))
    }
}

/// The median with the lowest and the highest.
pub(crate) fn with_range(values: &[f64], digits: usize) -> String {
    let highest = values.iter().copied().fold(f64::MIN, f64::max);
    let lowest = values.iter().copied().fold(f64::MAX, f64::min);
    let middle = median(values);
    format!("{middle:.digits$} ({lowest:.digits$}–{highest:.digits$})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[]), 0.0);
        assert_eq!(spread(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(spread(&[]), 0.0);
        assert_eq!(verdict(1.0, 1.0), "met");
        assert_eq!(verdict(1.8, 1.5), "missed by 20 %");
        assert_eq!(with_range(&[2.0, 1.0, 4.0], 1), "2.0 (1.0–4.0)");
    }

    #[test]
    fn sections_are_replaced_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.md");
        fs::write(&path, "# P\n\n## A\n\n1\n\n## B\n\n2\n").unwrap();
        replace_section(&path, "A", "\n## A\n\n3\n").unwrap();
        replace_section(&path, "C", "\n## C\n\n4\n").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "# P\n\n## A\n\n3\n\n## B\n\n2\n\n## C\n\n4\n");
        assert_eq!(section_of(&text, "B"), Some("\n## B\n\n2\n"));
        assert_eq!(section_of(&text, "D"), None);
    }

    #[test]
    fn tables() {
        let mut section = Section::new("A", "By counting.");
        section.table(&[row(["x", "y"]), row([1, 2])]);
        let text = section.markdown();
        assert_eq!(
            text,
            "\n## A\n\nBy counting.\n\n| x | y |\n|---|---|\n| 1 | 2 |\n"
        );
    }
}
