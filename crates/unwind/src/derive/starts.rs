//! Where undescribed code lies and where functions begin in it.

use std::collections::BTreeMap;
use std::ops::Range;

use iced_x86::FlowControl;
use seam_object::{Elf, ReadRef, SymbolKind};

use super::code::{Code, is_padding};
use super::flow::Region;
use super::frame::Frame;
use crate::range_list::RangeList;

/// Bytes that fill up to the next function's alignment; more may hold code.
const PADDING_BYTES_MAX: u64 = 64;

/// Functions are aligned to this, and none is smaller with what fills it up.
const ALIGNMENT: u64 = 16;

/// The stretches of code that `known` (offsets from `base`) leaves undescribed, padding left out.
pub(crate) fn gaps<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    base: u64,
    known: &RangeList,
) -> Vec<Range<u64>> {
    let mut gaps = Vec::new();
    for (start, end) in elf.code_ranges() {
        let mut at = start;
        let covered = known.ranges();
        let first = covered.partition_point(|r| base + u64::from(r.end) <= start);
        for range in &covered[first..] {
            let (from, to) = (base + u64::from(range.start), base + u64::from(range.end));
            if from >= end {
                break;
            }
            // Between two described functions: padding, not worth a look at half a million places.
            let small = at > start && from.saturating_sub(at) < ALIGNMENT;
            if from > at && !small {
                gaps.push(at..from);
            }
            at = at.max(to);
        }
        if at < end {
            gaps.push(at..end);
        }
    }
    gaps.retain(|gap| !only_padding(elf, gap));
    gaps
}

fn only_padding<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, gap: &Range<u64>) -> bool {
    let len = gap.end - gap.start;
    if len > PADDING_BYTES_MAX {
        return false;
    }
    let Some(bytes) = elf.bytes_at(gap.start, len) else {
        return true;
    };
    // nop, int3 and zeros, the first two checked fast: every function has some behind it.
    if bytes.iter().all(|b| matches!(b, 0x90 | 0xcc | 0)) {
        return true;
    }
    let code = Code {
        bytes,
        address: gap.start,
    };
    let mut at = gap.start;
    while at < gap.end {
        match code.decode(at) {
            Some(i) if is_padding(&i) => at = i.next_ip(),
            _ => return false,
        }
    }
    true
}

/// Functions by first address, with their sizes, 0 = unknown.
pub(super) type Starts = BTreeMap<u64, u64>;

/// Functions named by symbols that begin in a gap.
pub(super) fn symbols<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, gaps: &[Range<u64>]) -> Starts {
    let in_a_gap = |address: u64| {
        let after = gaps.partition_point(|gap| gap.start <= address);
        after
            .checked_sub(1)
            .is_some_and(|n| gaps[n].contains(&address))
    };
    let functions = elf.symbols_at(in_a_gap).into_iter();
    let functions = functions
        .filter(|s| s.kind == SymbolKind::Function)
        // What a compiler has moved out of line has a symbol too, but is no function.
        .filter(|s| !s.name.windows(5).any(|part| part == b".cold"))
        .map(|s| (s.address, s.size));
    let entry = Some((elf.entry(), 0)).filter(|(entry, _)| in_a_gap(*entry));
    let mut starts = Starts::new();
    for (address, size) in functions.chain(entry) {
        let known = starts.entry(address).or_default();
        *known = size.max(*known);
    }
    starts
}

/// Adds the targets of direct calls in `code`, but for those within a function of known size.
pub(super) fn add_called(code: &Code<'_>, starts: &mut Starts) {
    let mut called = Starts::new();
    let mut at = code.address;
    while at < code.end() {
        let Some(i) = code.decode(at) else {
            at += 1;
            continue;
        };
        let target = i.near_branch_target();
        if i.flow_control() == FlowControl::Call
            && target != i.next_ip()
            && (code.address..code.end()).contains(&target)
        {
            called.insert(target, 0);
        }
        at = i.next_ip();
    }
    for (target, size) in called {
        let before = starts.range(..=target).next_back();
        if before.is_none_or(|(start, size)| target - start >= *size) {
            starts.entry(target).or_insert(size);
        }
    }
}

/// Cuts code into what is to be followed: functions, and what lies between those of known size.
pub(super) fn regions(code: &Code<'_>, starts: &Starts, program: Option<u64>) -> Vec<Region> {
    let between = |range: Range<u64>| Region {
        range,
        entry: None,
        open: true,
    };
    let mut regions = Vec::new();
    let mut at = code.address;
    let nexts = starts.keys().skip(1).copied().chain([code.end()]);
    for ((start, size), next) in starts.iter().zip(nexts) {
        if at < *start {
            regions.push(between(at..*start));
        }
        at = match size {
            0 => next,
            size => start.saturating_add(*size).min(next),
        };
        regions.push(Region {
            range: *start..at,
            entry: Some(if Some(*start) == program {
                Frame::PROGRAM
            } else {
                Frame::ENTRY
            }),
            open: *size == 0,
        });
    }
    if at < code.end() {
        regions.push(between(at..code.end()));
    }
    regions
}
