//! Offsets by release: what `generated.rs` holds, and which of its rows a version has.

use super::Offsets;
use super::field::NONE;
use serde::{Deserialize, Serialize};

use super::generated::{OFFSETS, RELEASES};

/// A Go release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Release {
    /// 26 of 1.26.8.
    pub minor: u32,
    /// 8 of 1.26.8.
    pub patch: u32,
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.patch {
            0 => write!(f, "1.{}", self.minor),
            patch => write!(f, "1.{}.{patch}", self.minor),
        }
    }
}

/// Neighbouring patch releases of one minor that have the same offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The oldest of them that was looked at.
    pub first: Release,
    /// The newest of them that was looked at.
    pub newest: Release,
    number: usize,
}

impl Row {
    /// All rows, oldest first.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (0..RELEASES.len()).map(Self::at)
    }

    fn at(number: usize) -> Self {
        let release = |(minor, patch)| Release { minor, patch };
        let (first, newest) = RELEASES[number];
        Self {
            first: release(first),
            newest: release(newest),
            number,
        }
    }

    /// The last row.
    #[must_use]
    pub fn newest() -> Self {
        Self::at(RELEASES.len() - 1)
    }

    /// The row of exactly this release, if the table knows it.
    #[must_use]
    pub fn of(release: Release) -> Option<Self> {
        Self::all().find(|row| (row.first..=row.newest).contains(&release))
    }

    /// The newest row that is not newer than a release, else the oldest; the newest for `None`.
    #[must_use]
    pub fn nearest(release: Option<Release>) -> Self {
        let older = |row: &Self| release.is_none_or(|release| row.first <= release);
        Self::all().rev().find(older).unwrap_or_else(|| Self::at(0))
    }

    /// Its offsets.
    #[must_use]
    pub fn offsets(&self) -> Offsets {
        let mut offsets = Offsets::default();
        for (field, row) in &OFFSETS {
            let known = row.get(self.number).filter(|at| **at != NONE);
            offsets.set(*field, known.map(|at| u64::from(*at)));
        }
        offsets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Field;

    fn release(minor: u32, patch: u32) -> Release {
        Release { minor, patch }
    }

    #[test]
    fn rows_are_sorted_and_apart() {
        let rows: Vec<_> = Row::all().collect();
        assert!(
            rows.iter()
                .all(|r| r.first <= r.newest && r.first.minor == r.newest.minor)
        );
        assert!(rows.is_sorted_by(|a, b| a.newest < b.first));
        assert_eq!(OFFSETS.map(|(f, _)| f).as_slice(), Field::ALL);
    }

    #[test]
    fn a_version_has_its_row_or_the_one_before() {
        let newest = Row::newest().newest;
        let newer = release(newest.minor, newest.patch + 1);
        assert_eq!(Row::of(newest).map(|r| r.newest), Some(newest));
        assert_eq!(Row::of(newer), None);
        for version in [Some(newer), Some(release(newest.minor + 1, 0)), None] {
            assert_eq!(Row::nearest(version).newest, newest, "{version:?}");
        }
        let oldest = Row::all().next();
        assert_eq!(Some(Row::nearest(Some(release(18, 3)))), oldest);
        let known = release(24, 11);
        assert_eq!(Some(Row::nearest(Some(known))), Row::of(known));
    }

    #[test]
    fn what_a_version_lacks_is_none() {
        let of = |minor, patch, field| Row::of(release(minor, patch))?.offsets().get(field);
        assert_eq!(of(20, 14, Field::MIsExtraInC), None);
        assert_eq!(of(21, 13, Field::MIsExtraInC), Some(282));
        assert_eq!(of(20, 14, Field::GParentGoid), None);
        assert_eq!(of(26, 8, Field::GStackLo), Some(0));
        // Offsets move inside a minor.
        assert_ne!(of(24, 3, Field::MNcgo), of(24, 11, Field::MNcgo));
    }
}
