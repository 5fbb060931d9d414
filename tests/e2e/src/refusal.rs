//! What a refused `seam` must look like: one line that says what, one that says what to do.

use std::process::Command;

use crate::process::Outcome;
use crate::seam::{Bench, run};

/// How seam refused.
#[derive(Debug)]
pub struct Refusal {
    /// The line behind `error: `.
    pub error: String,
    /// The line behind `hint:`.
    pub hint: String,
}

impl Refusal {
    /// Runs `seam` in a new folder; it must refuse, and write nothing.
    #[must_use]
    pub fn of(words: &[&str]) -> Self {
        let bench = Bench::new();
        Self::of_command(&bench, &mut bench.seam(words))
    }

    /// Runs a command; it must refuse, and write nothing into the folder.
    ///
    /// # Panics
    /// When it does anything else.
    #[must_use]
    pub fn of_command(bench: &Bench, command: &mut Command) -> Self {
        let before = bench.names();
        let outcome = run(command);
        assert_eq!(bench.names(), before, "{command:?} wrote something");
        Self::read(&outcome).unwrap_or_else(|| panic!("{command:?}: {}", outcome.text()))
    }

    fn read(outcome: &Outcome) -> Option<Self> {
        let [error, hint] = &outcome.stderr[..] else {
            return None;
        };
        let refusal = Self {
            error: error.strip_prefix("error: ")?.to_owned(),
            hint: hint.strip_prefix("hint:")?.trim().to_owned(),
        };
        let silent = outcome.stdout.is_empty() && !refusal.hint.is_empty();
        (silent && outcome.code() == Some(2)).then_some(refusal)
    }

    /// The error holds a text.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn error_has(self, text: &str) -> Self {
        assert!(self.error.contains(text), "no {text:?} in {self:#?}");
        self
    }

    /// The hint holds a text.
    ///
    /// # Panics
    /// When it does not.
    pub fn hint_has(self, text: &str) -> Self {
        assert!(self.hint.contains(text), "no {text:?} in {self:#?}");
        self
    }
}
