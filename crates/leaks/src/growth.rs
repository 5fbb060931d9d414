//! How the number of a group's goroutines changes over the looks.

use seam_dump::TimeNs;

/// Fewest looks by which growth can be told from chance.
const LOOKS_MIN: usize = 4;
/// Fewest goroutines that must have come.
const ADDED_MIN: u64 = 3;

/// A group's numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Growth {
    /// By look.
    pub counts: Vec<u64>,
    /// Members of the last look that were there at the first.
    pub stayed: u64,
    /// Members of the last look that were somewhere else at the first: nobody has made them since.
    pub moved: u64,
    /// Goroutines a second, by a line through all looks.
    pub per_second: f64,
    /// How well the line fits: the share of the variance that it explains, 0 to 1.
    pub confidence: f64,
}

impl Growth {
    /// From the counts at some times.
    #[must_use]
    pub fn of(counts: Vec<u64>, times_ns: &[TimeNs], stayed: u64) -> Self {
        let (per_second, confidence) = line(&counts, times_ns);
        Self {
            counts,
            stayed,
            moved: 0,
            per_second,
            confidence,
        }
    }

    /// Whether it has grown at all, from the first look to the last.
    #[must_use]
    pub fn grew(&self) -> bool {
        let ends = self.counts.first().zip(self.counts.last());
        ends.is_some_and(|(first, last)| last > first)
    }

    /// Whether it grows without end: never less than before, nobody leaves, several times.
    #[must_use]
    pub fn steady(&self) -> bool {
        let Some((first, last)) = self.counts.first().zip(self.counts.last()) else {
            return false;
        };
        let steps = self
            .counts
            .windows(2)
            .filter(|pair| pair[1] > pair[0])
            .count();
        self.counts.len() >= LOOKS_MIN
            && self.counts.is_sorted()
            && last - first >= ADDED_MIN
            && 2 * steps > self.counts.len() - 1
            // Nearly all that were there at first still are: they do not come and go.
            && 10 * self.stayed >= 9 * *first
            && self.by_new_ones()
    }

    /// Whether it grew by goroutines that were made meanwhile. Workers of a pool that come to rest
    /// at one place, one after the other, are as many as before.
    #[must_use]
    pub fn by_new_ones(&self) -> bool {
        let ends = self.counts.first().zip(self.counts.last());
        ends.is_some_and(|(first, last)| 2 * self.moved <= last.saturating_sub(*first))
    }
}

/// The slope of the least squares' line, and the share of the variance that it explains.
fn line(counts: &[u64], times_ns: &[TimeNs]) -> (f64, f64) {
    let n = counts.len().min(times_ns.len());
    if n < 2 {
        return (0.0, 0.0);
    }
    let xs: Vec<f64> = times_ns[..n]
        .iter()
        .map(|t| t.saturating_sub(times_ns[0]) as f64 / 1e9)
        .collect();
    let ys: Vec<f64> = counts[..n].iter().map(|c| *c as f64).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n as f64;
    let (x, y) = (mean(&xs), mean(&ys));
    let sum = |f: &dyn Fn(f64, f64) -> f64| xs.iter().zip(&ys).map(|(a, b)| f(*a, *b)).sum::<f64>();
    let (xx, xy, yy) = (
        sum(&|a, _| (a - x) * (a - x)),
        sum(&|a, b| (a - x) * (b - y)),
        sum(&|_, b| (b - y) * (b - y)),
    );
    if xx == 0.0 || yy == 0.0 {
        return (0.0, 0.0);
    }
    (xy / xx, xy * xy / (xx * yy))
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn growth(counts: &[u64], stayed: u64) -> Growth {
        let times: Vec<u64> = (0..counts.len() as u64).map(|at| 5 + at * 2 * S).collect();
        Growth::of(counts.to_vec(), &times, stayed)
    }

    #[test]
    fn steady_growth_is_told_from_coming_and_going() {
        let g = growth(&[10, 14, 18, 22], 10);
        assert!(g.steady() && g.grew());
        assert!((g.per_second - 2.0).abs() < 1e-9 && g.confidence > 0.999);
        // As many, but others; fewer in between; too few looks; hardly any; only one step.
        assert!(!growth(&[10, 14, 18, 22], 3).steady());
        assert!(!growth(&[10, 14, 12, 22], 10).steady());
        assert!(!growth(&[10, 14, 18], 10).steady());
        assert!(!growth(&[10, 11, 12, 12], 10).steady());
        assert!(!growth(&[10, 10, 10, 22], 10).steady());
        assert!(growth(&[0, 4, 8, 9], 0).steady());
        // Some of them, or most, were there before, elsewhere.
        let moved = |moved| Growth {
            moved,
            ..growth(&[10, 14, 18, 22], 10)
        };
        assert!(moved(4).steady() && !moved(12).steady());
        let flat = growth(&[7, 7, 7], 7);
        assert_eq!(
            (flat.per_second, flat.confidence, flat.grew()),
            (0.0, 0.0, false)
        );
        assert_eq!(growth(&[], 0).per_second, 0.0);
    }
}
