//! Results of many recordings: what a cell says, and the reasons below a table.

use crate::bench::page::{Section, percent};

/// One recording.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Whole, counted, all samples.
    Counted(f64, f64, f64),
    /// Nothing was recorded, and why.
    Failed(String),
    /// Not asked for, and why.
    Left(String),
}

impl Cell {
    /// The cell's text; reasons go to the notes.
    pub(super) fn text(&self, notes: &mut Notes) -> String {
        match self {
            Cell::Counted(whole, counted, all) => share(*whole, *counted, *all),
            Cell::Failed(why) => format!("failed [{}]", notes.number(why)),
            Cell::Left(why) => format!("– [{}]", notes.number(why)),
        }
    }

    /// Whether it is at least so many percent.
    pub(super) fn reaches(&self, goal: f64) -> bool {
        match self {
            Cell::Counted(part, of, _) => *of > 0.0 && percent(*part, *of) >= goal,
            Cell::Failed(_) => false,
            Cell::Left(_) => true,
        }
    }
}

/// 100 only when nothing is missing. Where few samples show the program at all, that is said.
fn share(whole: f64, counted: f64, all: f64) -> String {
    if counted == 0.0 {
        return format!("none of {all:.0} counts");
    }
    let percentage = match percent(whole, counted) {
        high if whole < counted && high >= 99.995 => 99.99,
        other => other,
    };
    let digits = match percentage {
        _ if whole == 0.0 || whole == counted => 0,
        high if high > 99.0 => 2,
        _ => 1,
    };
    let seen = percent(counted, all);
    let few = if seen < 90.0 {
        format!(" of {all:.0}")
    } else {
        String::new()
    };
    format!("{percentage:.digits$} % ({counted:.0}{few})")
}

/// Numbered reasons.
#[derive(Default)]
pub(super) struct Notes(Vec<String>);

impl Notes {
    fn number(&mut self, why: &str) -> usize {
        if let Some(place) = self.0.iter().position(|known| known == why) {
            return place + 1;
        }
        self.0.push(why.to_owned());
        self.0.len()
    }

    /// Puts them below a table, if there are any.
    pub(super) fn tell(&self, section: &mut Section) {
        if !self.0.is_empty() {
            section.say(&self.text());
        }
    }

    /// A line for each.
    fn text(&self) -> String {
        let lines = self.0.iter().enumerate().map(|(place, why)| {
            let why = why.lines().next().unwrap_or_default();
            format!("[{}] {why}", place + 1)
        });
        lines.collect::<Vec<_>>().join("\\\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_all_is_not_all_and_nearly_none_not_none() {
        assert_eq!(share(10.0, 10.0, 10.0), "100 % (10)");
        assert_eq!(share(99_999.0, 100_000.0, 100_000.0), "99.99 % (100000)");
        assert_eq!(share(1.0, 100_000.0, 100_000.0), "0.0 % (100000)");
        assert_eq!(share(0.0, 10.0, 10.0), "0 % (10)");
        assert_eq!(share(1.0, 2.0, 10.0), "50.0 % (2 of 10)");
        assert_eq!(share(0.0, 0.0, 10.0), "none of 10 counts");
    }

    #[test]
    fn reasons_are_told_once() {
        let mut notes = Notes::default();
        let failed = Cell::Failed("it ended\nearly".to_owned());
        assert_eq!(failed.text(&mut notes), "failed [1]");
        assert_eq!(failed.text(&mut notes), "failed [1]");
        assert_eq!(Cell::Left("old".to_owned()).text(&mut notes), "– [2]");
        assert_eq!(notes.text(), "[1] it ended\\\n[2] old");
    }

    #[test]
    fn goals() {
        assert!(Cell::Counted(10.0, 10.0, 10.0).reaches(100.0));
        assert!(!Cell::Counted(9.0, 10.0, 10.0).reaches(100.0));
        assert!(!Cell::Counted(0.0, 0.0, 10.0).reaches(100.0));
        assert!(!Cell::Failed(String::new()).reaches(0.0));
    }
}
