//! The verdict on a group: leaked, suspect or healthy. The same rules for every cause class.

use seam_runtime::WaitKind;

use crate::{CAUSES, Cause, Facts, Report};

/// What a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing can end its wait, or it grows without end.
    Leak,
    /// It may be leaked; what is missing is said.
    Suspect,
    /// Nothing speaks against it.
    Healthy,
}

impl Verdict {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Leak => "goroutine-leak",
            Self::Suspect => "suspect",
            Self::Healthy => "healthy",
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// A leak that grows, or a large one.
    High,
    /// A leak.
    Medium,
    /// Something to look at.
    Low,
    /// Nothing.
    None,
}

impl Severity {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::None => "none",
        }
    }
}

/// A group and what it is judged to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What is known of it.
    pub facts: Facts,
    /// What it is.
    pub verdict: Verdict,
    /// Why, unless it is healthy.
    pub cause: Option<Cause>,
    /// How bad.
    pub severity: Severity,
    /// By what it is known, or what is missing to know.
    pub because: String,
}

impl Eq for Judged {}

/// A leak of so many is bad even if it does not grow.
const MANY: u64 = 100;

/// Judges a group.
#[must_use]
pub fn judge(facts: Facts) -> Judged {
    let cause = CAUSES.into_iter().find(|cause| (cause.fits)(&facts));
    let (verdict, because) = verdict(&facts, cause);
    let severity = severity(verdict, &facts);
    Judged {
        cause: cause.filter(|_| verdict != Verdict::Healthy),
        facts,
        verdict,
        severity,
        because,
    }
}

pub(crate) fn severity(verdict: Verdict, facts: &Facts) -> Severity {
    match verdict {
        Verdict::Leak if facts.growth.steady() || facts.faulty() >= MANY => Severity::High,
        Verdict::Leak => Severity::Medium,
        Verdict::Suspect => Severity::Low,
        Verdict::Healthy => Severity::None,
    }
}

fn verdict(facts: &Facts, cause: Option<Cause>) -> (Verdict, String) {
    let told = |verdict, because: &str| (verdict, because.to_owned());
    if facts.key.is_the_runtimes() {
        return told(Verdict::Healthy, "the runtime's own");
    }
    // A program whose work is done by others keeps main where nothing wakes it: in select {}, at a
    // channel of nobody's, at a wait group. There is one main, and it does not add up.
    let rests = facts.key.kind.on_channels() || facts.key.kind == WaitKind::Group;
    let rests = rests || facts.key.kind.for_ever();
    if facts.main && facts.count() == 1 && rests {
        return told(Verdict::Healthy, "main has nothing else to do");
    }
    let dead = facts.unreachable();
    if dead > 0 {
        let count = facts.count();
        let which = if dead == count {
            String::new()
        } else {
            format!("{dead} of {count}: ")
        };
        let because = format!("{which}nothing that can run leads to what it waits on");
        return (Verdict::Leak, because);
    }
    if facts.key.kind.for_ever() && facts.in_all() > 0 {
        return told(Verdict::Leak, "nothing can end this wait");
    }
    if facts.growth.steady() {
        let rate = facts.growth.per_second;
        let because = format!("it grows by {rate:.1} a second, and nobody leaves");
        return (Verdict::Leak, because);
    }
    let together = &facts.cluster;
    if together.groups > 1 && together.growth.steady() && facts.growth.grew() {
        let (rate, groups) = (together.growth.per_second, together.groups);
        let because = format!(
            "with {} whose stacks differ in a frame or two it grows by {rate:.1} a second, and \
             nobody leaves",
            seam_dump::count(groups as u64 - 1, "group")
        );
        return (Verdict::Leak, because);
    }
    if facts.growth.grew() && facts.growth.stayed >= facts.growth.counts[0] && facts.count() > 2 {
        // One that grew while the program started, and then no more, is what servers have.
        let grows = facts.growth.counts.windows(2).next_back();
        let grows = grows.is_some_and(|last| last[1] > last[0]);
        let grows = grows && facts.growth.by_new_ones();
        if grows && facts.growth.counts.is_sorted() && added(facts) >= 3 {
            return told(
                Verdict::Suspect,
                "it grew and nobody left; longer and more looks would tell (--for 60s --every 10s)",
            );
        }
    }
    if facts.members.iter().any(|member| member.only_through_c) {
        return told(
            Verdict::Suspect,
            "what it waits on is known to C memory only; whether C uses that can't be seen",
        );
    }
    // Whether somebody moves at all takes two looks.
    let several = facts.growth.counts.len() > 1;
    match cause.filter(|_| several).and_then(|c| (c.suspect)(facts)) {
        Some(missing) => told(Verdict::Suspect, missing),
        None => told(Verdict::Healthy, "something that can run may end its wait"),
    }
}

fn added(facts: &Facts) -> u64 {
    let counts = &facts.growth.counts;
    let ends = counts.first().zip(counts.last());
    ends.map_or(0, |(first, last)| last.saturating_sub(*first))
}

impl Report {
    /// Groups of a verdict.
    pub fn of(&self, verdict: Verdict) -> impl Iterator<Item = &Judged> {
        self.groups
            .iter()
            .filter(move |group| group.verdict == verdict)
    }

    /// Puts the worst groups first.
    pub fn sort(&mut self) {
        self.groups.sort_by(|a, b| {
            let key = |j: &Judged| (j.verdict, j.severity, std::cmp::Reverse(j.facts.count()));
            key(a)
                .cmp(&key(b))
                .then_with(|| a.facts.key.cmp(&b.facts.key))
        });
    }
}
