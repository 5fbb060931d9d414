//! A class of causes: its name, when a group of it is one, what it means and what to do.

use crate::Facts;

/// A cause class. Each has a file in `causes`, and a line in the list there.
#[derive(Debug, Clone, Copy)]
pub struct Cause {
    /// The name in reports.
    pub name: &'static str,
    /// Whether a group waits in this way. Whether it is a leak at all is judged elsewhere, the same
    /// for all classes.
    pub fits: fn(&Facts) -> bool,
    /// How it waits, in one sentence.
    pub waits: &'static str,
    /// The same where nothing that can run can end that.
    pub means: &'static str,
    /// What to look for.
    pub advice: &'static str,
    /// Whether members are suspect although something may still wake them: those that have not
    /// moved during all looks.
    pub suspect: fn(&Facts) -> Option<&'static str>,
}

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// For classes whose waits are everyday business unless they grow or nothing can end them.
pub(crate) fn never_suspect(_: &Facts) -> Option<&'static str> {
    None
}
