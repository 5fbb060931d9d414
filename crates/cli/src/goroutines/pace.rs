//! When `seam goroutines` looks: as often as it was asked to, more seldom where looks take long,
//! and again where they contradict each other. No clock is read here.

use std::time::Duration;

use anyhow::Result;

use crate::args::GoroutinesArgs;
use crate::failure::Failure;

/// Looks at most.
const LOOKS_MAX: u32 = 100;
/// Looks take one in so many parts of the time at most: the rest is the target's.
const PART: u32 = 2;
/// Looks that there are in any case, if as many were asked for: so many must agree.
const LOOKS_MIN: u32 = 3;
/// Looks beyond what was asked for, while they contradict each other, and the time between them.
const MORE_MAX: u32 = 3;
const MORE_EVERY: Duration = Duration::from_secs(1);
/// By which part of the time between looks they are made sooner and later.
const UNEVEN_PART: u32 = 7;

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    every: Duration,
    count: u32,
}

impl Times {
    pub(super) fn new(args: &GoroutinesArgs) -> Result<Self> {
        let whole = args.duration;
        // A short look has three, a longer one seven.
        let steps = if whole < Duration::from_secs(6) { 2 } else { 6 };
        let every = args.every.unwrap_or(whole / steps);
        if every.is_zero() || whole < every {
            return Err(Failure::new(
                "--for is shorter than --every: there would be one look only",
                "seam goroutines PID --for 60s --every 10s",
            )
            .into());
        }
        let count = whole.as_nanos() / every.as_nanos() + 1;
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if count > LOOKS_MAX {
            return Err(Failure::new(
                format!("{count} looks are too many: {LOOKS_MAX} are made at most"),
                "choose a longer --every",
            )
            .into());
        }
        Ok(Self { every, count })
    }

    fn whole(self) -> Duration {
        self.every * (self.count - 1)
    }
}

/// How it goes.
#[derive(Debug)]
pub(super) struct Pace {
    asked: Times,
    every: Duration,
    looks: u32,
    more: u32,
}

impl Pace {
    pub(super) fn new(asked: Times) -> Self {
        Self {
            asked,
            every: asked.every,
            looks: 0,
            more: 0,
        }
    }

    /// A look began and ended at these times, counted from the first. When the next one is due;
    /// `None` if this was the last. `undecided`: looks contradict each other so far.
    pub(super) fn looked(
        &mut self,
        begun: Duration,
        ended: Duration,
        undecided: impl FnOnce() -> bool,
    ) -> Option<Duration> {
        self.looks += 1;
        let least = (ended - begun) * PART;
        if self.more == 0 && least > self.every {
            self.every = least;
        }
        let next = begun + self.every;
        let late = next > self.asked.whole() + self.asked.every / 2;
        if self.looks < self.asked.count && (!late || self.looks < LOOKS_MIN) {
            return Some(self.uneven(begun, self.every).max(begun + least));
        }
        if self.more < MORE_MAX && undecided() {
            self.more += 1;
            let pause = self.asked.every.min(MORE_EVERY);
            return Some(self.uneven(begun, pause).max(begun + least));
        }
        None
    }

    /// A little sooner and later in turn: what the program does once a second would otherwise fall
    /// into every look, or into none.
    fn uneven(&self, begun: Duration, pause: Duration) -> Duration {
        let shift = pause / UNEVEN_PART;
        match self.looks % 2 {
            1 => begun + pause - shift,
            _ => begun + pause + shift,
        }
    }

    /// What was not as asked for.
    pub(super) fn note(&self) -> Option<String> {
        if self.more > 0 {
            let looks = seam_dump::count(u64::from(self.more), "look");
            return Some(format!("looks contradicted each other: {looks} more"));
        }
        let (looks, asked) = (self.looks, self.asked.count);
        (looks < asked).then(|| format!("a look takes long: {looks} were made instead of {asked}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// When looks that take so long each begin.
    fn times(asked: Times, took: Duration, undecided: u32) -> (Vec<u64>, Option<String>) {
        let mut pace = Pace::new(asked);
        let (mut begun, mut left, mut all) = (Duration::ZERO, undecided, Vec::new());
        loop {
            all.push(begun.as_millis() as u64);
            let contradict = || {
                left = left.saturating_sub(1);
                left > 0 || undecided == u32::MAX
            };
            match pace.looked(begun, begun + took, contradict) {
                Some(due) => begun = due,
                None => return (all, pace.note()),
            }
        }
    }

    #[test]
    fn looks_are_made_as_asked_for() {
        let asked = Times {
            every: 1000 * MS,
            count: 3,
        };
        assert_eq!(times(asked, 50 * MS, 0), (vec![0, 857, 2000], None));
    }

    #[test]
    fn long_looks_are_fewer_but_never_less_than_must_agree() {
        let asked = Times {
            every: 1000 * MS,
            count: 7,
        };
        let (at, note) = times(asked, 1000 * MS, 0);
        assert_eq!(at, [0, 2000, 4285, 6285]);
        assert!(note.is_some_and(|note| note.contains("4 were made instead of 7")));
        assert_eq!(times(asked, 20_000 * MS, 0).0, [0, 40_000, 85_714]);
    }

    #[test]
    fn contradictions_are_looked_at_again() {
        let asked = Times {
            every: 500 * MS,
            count: 3,
        };
        let (at, note) = times(asked, 10 * MS, 2);
        assert_eq!(at, [0, 428, 1000, 1428]);
        assert!(note.is_some_and(|note| note.contains("1 look more")));
        assert_eq!(times(asked, 10 * MS, u32::MAX).0.len(), 6);
    }
}
