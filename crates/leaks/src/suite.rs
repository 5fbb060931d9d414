//! What the tests of a test binary have left behind when it ended.
//!
//! A goroutine is a test's if that test's goroutine made it, or one that comes from it. The test
//! has ended, so what is still there is left behind: leaked, where nothing can wake it or where it
//! was still there long after the test; else suspect, since it might have been about to end.

use std::collections::BTreeMap;

use seam_dump::{Dump, Goroutine, TimeNs, age};

use crate::judge::severity;
use crate::{CAUSES, Judged, Look, Verdict, facts, judge};

/// A goroutine that is there so long after the end of its test does not end by itself. goleak waits
/// about as long.
const SETTLED_NS: TimeNs = 1_000_000_000;

/// A test that was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Test {
    /// Its name, `TestX/case`.
    pub name: String,
    /// It had not ended when the process did.
    pub running: bool,
    /// Known only by the name of the function that made a goroutine: it was shorter than a look.
    pub inferred: bool,
    /// How long it had ended when the process did, at least.
    pub ended_ns: TimeNs,
    /// What it left behind, worst first.
    pub groups: Vec<Judged>,
}

/// Whose a goroutine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// That of a test, by its place among the tests.
    Test(usize),
    /// No test's: main's, or the runtime's.
    Nobody,
    /// It comes from a goroutine that nobody saw.
    Unknown,
}

/// A test binary, or another Go program, that a command has run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suite {
    /// The process.
    pub pid: i32,
    /// Its name.
    pub name: String,
    /// The package that it is, or is of the tests of; its name where that is not told.
    pub package: String,
    /// Its Go.
    pub go: Vec<String>,
    /// Goroutines at its end, the runtime's own included.
    pub goroutines: u64,
    /// Its tests, by name.
    pub tests: Vec<Test>,
    /// Goroutines of tests that nobody saw, and what main has left.
    pub others: Vec<Judged>,
    /// Goroutines that come from a test of which the name is not known.
    pub unknown: u64,
    /// Goroutines that --ignore options leave out.
    pub ignored: u64,
    /// Looks while it ran.
    pub looks: u64,
    /// Why nothing could be shown to be unreachable.
    pub incomplete: Option<String>,
    /// What could not be seen.
    pub notes: Vec<String>,
}

impl Suite {
    /// Whether there may be leaks that could not be found.
    #[must_use]
    pub fn unseen(&self) -> bool {
        self.incomplete.is_some() || self.goroutines == 0 || self.unknown > 0
    }
}

/// All that a command has run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Its words.
    pub command: Vec<String>,
    /// Its exit code, as a shell gives it.
    pub exit_code: u8,
    /// Go programs, in the order in which they ended.
    pub suites: Vec<Suite>,
    /// What could not be seen.
    pub notes: Vec<String>,
}

/// Judges what the tests of one process have left. `look` is the one at its end, `tests` come with
/// names, `owner` tells whose a goroutine is.
#[must_use]
pub fn left_behind(
    look: Look,
    mut tests: Vec<Test>,
    keep: impl Fn(&Dump, &Goroutine) -> bool,
    owner: impl Fn(&Goroutine) -> Owner,
) -> (Vec<Test>, Vec<Judged>, u64) {
    let looks = [look];
    let mut owned: BTreeMap<usize, ()> = BTreeMap::new();
    let mut unknown = 0;
    for goroutine in &looks[0].dump.goroutines {
        match owner(goroutine) {
            Owner::Test(test) => drop(owned.insert(test, ())),
            Owner::Unknown if !goroutine.is_the_runtimes() => unknown += 1,
            Owner::Unknown | Owner::Nobody => {}
        }
    }
    for place in owned.into_keys() {
        let Some(test) = tests.get_mut(place) else {
            continue;
        };
        let its = |dump: &Dump, g: &Goroutine| keep(dump, g) && owner(g) == Owner::Test(place);
        let judged = facts(&looks, its).into_iter().map(judge);
        let after = (!test.running).then_some(test.ended_ns);
        test.groups = judged.map(|group| after_test(group, after)).collect();
        sort(&mut test.groups);
    }
    tests.sort_by(|a, b| a.name.cmp(&b.name));
    let nobodys = |dump: &Dump, g: &Goroutine| {
        keep(dump, g) && !matches!(owner(g), Owner::Test(_)) && !g.is_the_runtimes()
    };
    let mut others: Vec<Judged> = facts(&looks, nobodys).into_iter().map(judge).collect();
    sort(&mut others);
    (tests, others, unknown)
}

fn sort(groups: &mut [Judged]) {
    groups.sort_by(|a, b| {
        let key = |j: &Judged| (j.verdict, j.severity, std::cmp::Reverse(j.facts.count()));
        let ids = || a.facts.key.cmp(&b.facts.key);
        key(a).cmp(&key(b)).then_with(ids)
    });
}

/// The verdict on what a test has left: `after` is how long ago it ended.
fn after_test(group: Judged, after: Option<TimeNs>) -> Judged {
    let Some(after) = after.filter(|_| group.verdict != Verdict::Leak) else {
        return group;
    };
    let cause = CAUSES.into_iter().find(|cause| (cause.fits)(&group.facts));
    let (verdict, because) = if after >= SETTLED_NS {
        let because = format!(
            "its test ended {} before, and it is still there",
            age(after)
        );
        (Verdict::Leak, because)
    } else {
        let because = format!(
            "its test ended only {} before the process did: it may have been about to end, too",
            age(after)
        );
        (Verdict::Suspect, because)
    };
    Judged {
        severity: severity(verdict, &group.facts),
        cause,
        verdict,
        because,
        ..group
    }
}

impl Suite {
    /// All groups, with their test.
    pub fn groups(&self) -> impl Iterator<Item = (Option<&Test>, &Judged)> {
        let of_tests = self.tests.iter();
        let of_tests = of_tests.flat_map(|test| test.groups.iter().map(move |g| (Some(test), g)));
        of_tests.chain(self.others.iter().map(|group| (None, group)))
    }

    /// Whether there is a group of a verdict.
    #[must_use]
    pub fn has(&self, verdict: Verdict) -> bool {
        self.groups().any(|(_, group)| group.verdict == verdict)
    }
}
