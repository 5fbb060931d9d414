//! Address ranges with a rule each: sorted, without overlap, gaps allowed. The form in which rows
//! of different origins are put together before they become a table.

/// Addresses (offsets from the module's first code address) under one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RuleRange {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) rule: u32,
}

/// Where an address lies in a module that begins at `base`.
pub(crate) fn offset(address: u64, base: u64) -> Option<u32> {
    u32::try_from(address.checked_sub(base)?).ok()
}

/// Sorted ranges without overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RangeList {
    ranges: Vec<RuleRange>,
}

impl RangeList {
    /// Sorts ranges; where two overlap, the one that starts later wins from its start on.
    pub(crate) fn from_unsorted(mut ranges: Vec<RuleRange>) -> Self {
        // Linkers write them sorted, but for a few: then there is nothing to sort, nor a buffer.
        if !ranges.is_sorted_by_key(|r| r.start) {
            ranges.sort_by_key(|r| r.start);
        }
        // In place: a large module has millions, and what is pushed never gets ahead.
        let all = ranges.len();
        let mut list = Self { ranges };
        let mut kept = 0;
        for at in 0..all {
            let range = list.ranges[at];
            kept = list.place(kept, range);
        }
        list.ranges.truncate(kept);
        list.ranges.shrink_to_fit();
        list
    }

    /// Puts a range behind the first `kept`, over what else is there; gives how many that makes.
    fn place(&mut self, mut kept: usize, range: RuleRange) -> usize {
        if range.start >= range.end {
            return kept;
        }
        while let Some(last) = kept.checked_sub(1).map(|at| &mut self.ranges[at]) {
            if last.start >= range.start {
                kept -= 1;
                continue;
            }
            last.end = last.end.min(range.start);
            if last.end == range.start && last.rule == range.rule {
                last.end = range.end;
                return kept;
            }
            break;
        }
        match self.ranges.get_mut(kept) {
            Some(place) => *place = range,
            None => self.ranges.push(range),
        }
        kept + 1
    }

    /// Appends a range that starts at or after the last one's start.
    pub(crate) fn push(&mut self, range: RuleRange) {
        let kept = self.place(self.ranges.len(), range);
        self.ranges.truncate(kept);
    }

    /// Whether an address has a rule.
    pub(crate) fn covers(&self, offset: u32) -> bool {
        let after = self.ranges.partition_point(|r| r.start <= offset);
        after > 0 && offset < self.ranges[after - 1].end
    }

    pub(crate) fn ranges(&self) -> &[RuleRange] {
        &self.ranges
    }

    /// Lays `top` over this list: `top` wins wherever it has a range.
    pub(crate) fn overlaid(self, top: Self) -> Self {
        if top.ranges.is_empty() {
            return self;
        }
        if self.ranges.is_empty() {
            return top;
        }
        let mut all = Self::default();
        let mut covers = Taken::of(top).peekable();
        for below in Taken::of(self) {
            let mut at = below.start;
            while let Some(cover) = covers.peek().copied() {
                if cover.start >= below.end {
                    break;
                }
                all.push(RuleRange {
                    end: cover.start.max(at),
                    start: at,
                    ..below
                });
                at = at.max(cover.end);
                all.push(cover);
                if cover.end > below.end {
                    // It may also cover the start of the next one.
                    break;
                }
                covers.next();
            }
            all.push(RuleRange { start: at, ..below });
        }
        covers.for_each(|cover| all.push(cover));
        all
    }
}

/// The ranges of a list, whose memory goes while they are taken: a large module has millions, and
/// another list of as many grows meanwhile.
struct Taken {
    /// The next one is the last.
    left: Vec<RuleRange>,
}

/// So many are taken before their memory goes.
const PART: usize = 1 << 16;

impl Taken {
    fn of(list: RangeList) -> Self {
        let mut left = list.ranges;
        left.reverse();
        Self { left }
    }
}

impl Iterator for Taken {
    type Item = RuleRange;

    fn next(&mut self) -> Option<RuleRange> {
        let next = self.left.pop();
        if self.left.len().is_multiple_of(PART) {
            self.left.shrink_to_fit();
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(ranges: &[(u32, u32, u32)]) -> RangeList {
        let ranges = ranges.iter().map(|(start, end, rule)| RuleRange {
            start: *start,
            end: *end,
            rule: *rule,
        });
        RangeList::from_unsorted(ranges.collect())
    }

    fn at(list: &RangeList, address: u32) -> Option<u32> {
        list.ranges
            .iter()
            .find(|r| (r.start..r.end).contains(&address))
            .map(|r| r.rule)
    }

    #[test]
    fn later_starts_win() {
        let got = list(&[(10, 20, 1), (0, 15, 2), (15, 18, 3)]);
        assert_eq!(got, list(&[(0, 10, 2), (10, 15, 1), (15, 18, 3)]));
    }

    fn ranges() -> impl Strategy<Value = Vec<(u32, u32, u32)>> {
        prop::collection::vec((0u32..200, 1u32..40, 1u32..5), 0..12)
            .prop_map(|v| v.into_iter().map(|(s, n, r)| (s, s + n, r)).collect())
    }

    proptest! {
        #[test]
        fn overlaying_is_top_else_bottom(bottom in ranges(), top in ranges()) {
            let (bottom, top) = (list(&bottom), list(&top));
            let both = bottom.clone().overlaid(top.clone());
            prop_assert!(both.ranges.windows(2).all(|w| w[0].end <= w[1].start));
            for address in 0..260 {
                prop_assert_eq!(at(&both, address), at(&top, address).or(at(&bottom, address)));
            }
        }
    }
}
