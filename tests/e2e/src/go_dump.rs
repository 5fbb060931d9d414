//! Goroutine dumps in the form that Go's runtime prints (`runtime.Stack`, `debug=2`), read back.

use std::collections::BTreeMap;

/// One goroutine of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dumped {
    /// What stands in brackets, without the time.
    pub state: String,
    /// Function, and file with line; innermost first.
    pub frames: Vec<(String, String)>,
    /// Function with the goroutine that made it, and file with line.
    pub creator: Option<(String, String)>,
}

/// Goroutines by number.
///
/// # Panics
/// When the text is no such dump.
#[must_use]
pub fn goroutines(text: &str) -> BTreeMap<u64, Dumped> {
    let blocks = text.split("\n\n").filter(|b| !b.trim().is_empty());
    blocks.map(|block| goroutine(block.trim())).collect()
}

fn goroutine(block: &str) -> (u64, Dumped) {
    let mut lines = block.lines();
    let head = lines.next().unwrap_or_default();
    let parts = head
        .strip_prefix("goroutine ")
        .and_then(|rest| rest.strip_suffix("]:")?.split_once(" ["));
    let (goid, state) = parts.unwrap_or_else(|| panic!("no goroutine: {head:?}"));
    let state = state.split(", ").filter(|word| !word.ends_with("minutes"));
    let mut dumped = Dumped {
        state: state.collect::<Vec<_>>().join(", "),
        frames: Vec::new(),
        creator: None,
    };
    while let Some(line) = lines.next().filter(|line| !line.starts_with('\t')) {
        let place = lines.next().unwrap_or_default().trim();
        let place = place.split(' ').next().unwrap_or_default().to_owned();
        match line.strip_prefix("created by ") {
            Some(function) => dumped.creator = Some((function.to_owned(), place)),
            None => {
                // What stands in the last parentheses are arguments.
                let function = line.rsplit_once('(').map_or(line, |(name, _)| name);
                dumped.frames.push((function.to_owned(), place));
            }
        }
    }
    (goid.parse().expect("a number"), dumped)
}
