//! Adds up what test runners print about themselves.

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// Adds the numbers of a line, if it is one that sums tests up.
    pub(crate) fn read(&mut self, line: &str) {
        let line = plain(line);
        if let Some(counts) = line.trim().strip_prefix("test result:") {
            self.pairs(counts);
        } else if let Some((word, number)) = node_count(&line) {
            self.count(word, number);
        } else if is_sum(line.trim()) {
            self.pairs(&line);
        } else if line.starts_with("ok  ") {
            // The page's checks: the outcome in a column, then the name.
            self.passed += 1;
        } else if line.starts_with("FAILED  ") || line.starts_with("SKIPPED ") {
            self.failed += 1;
        }
    }

    /// Adds another tally.
    pub(crate) fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// `… 12 passed; 0 failed; …`, in any order.
    fn pairs(&mut self, text: &str) {
        let words: Vec<_> = text.split_whitespace().collect();
        for pair in words.windows(2) {
            if let Ok(number) = pair[0].trim_start_matches('(').parse() {
                self.count(pair[1].trim_end_matches([',', ';', '.', ')']), number);
            }
        }
    }

    fn count(&mut self, word: &str, number: u64) {
        match word {
            "passed" | "pass" => self.passed += number,
            "failed" | "fail" => self.failed += number,
            _ => {}
        }
    }
}

/// `12 passed, 0 failed` and nothing else: our own runners end like this.
fn is_sum(line: &str) -> bool {
    let mut parts = line.split(", ");
    let is = |part: Option<&str>, word: &str| {
        part.and_then(|part| part.strip_suffix(word))
            .is_some_and(|number| number.trim_end().parse::<u64>().is_ok())
    };
    is(parts.next(), "passed") && is(parts.next(), "failed") && parts.next().is_none()
}

/// Node's own runner: `# pass 12` or `ℹ pass 12`.
fn node_count(line: &str) -> Option<(&str, u64)> {
    let mut words = line.split_whitespace();
    let sign = words.next()?;
    let word = words.next()?;
    let number = words.next()?.parse().ok()?;
    let alone = words.next().is_none();
    ((sign == "#" || sign == "ℹ") && alone).then_some((word, number))
}

/// The line without terminal colours.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.by_ref().find(|c| c.is_ascii_alphabetic());
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(text: &str) -> (u64, u64) {
        let mut tally = Tally::default();
        text.lines().for_each(|line| tally.read(line));
        (tally.passed, tally.failed)
    }

    #[test]
    fn cargo() {
        let fine = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 filtered out";
        let red = "test result: \u{1b}[31mFAILED\u{1b}[0m. 3 passed; 2 failed; 0 ignored";
        let text = format!("running 3 tests\n{fine}\n{red}\n");
        assert_eq!(tally(&text), (15, 2));
    }

    #[test]
    fn node_and_ours() {
        assert_eq!(tally("# tests 5\n# pass 4\n# fail 1\n"), (4, 1));
        assert_eq!(tally("ℹ pass 7\nℹ fail 0\n"), (7, 0));
        assert_eq!(tally("9 passed, 1 failed\n"), (9, 1));
    }

    #[test]
    fn the_pages_checks() {
        let text = "ok      opens\nFAILED  zooms\n        expected 1\nSKIPPED folds: asked\n";
        assert_eq!(tally(text), (1, 2));
    }

    #[test]
    fn other_lines_do_not_count() {
        assert_eq!(
            tally("it passed 3 times\n3 passed through\n# pass 1 of 2\nok 1 - x\n"),
            (0, 0)
        );
    }
}
