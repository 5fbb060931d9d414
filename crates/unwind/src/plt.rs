//! Slots through which other modules are called, where nothing describes them (lld, musl).

use std::ops::Range;

use seam_object::{Elf, ReadRef};
use seam_wire::{Arch, Rule, SEAM_RULE_PLT};

use crate::range_list::{RangeList, RuleRange, offset};
use crate::rules::{plain, stack};
use crate::{RuleSet, arm64};

/// Byte of a lazy slot behind its push.
const PUSHED: u32 = 11;

/// Bytes of a section of slots, counted from its start, with their rule.
pub(crate) type Part = (Range<u32>, Rule);

/// Rows of all such sections; offsets count from `base`.
pub(crate) fn plt<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    arch: Arch,
    base: u64,
    rules: &mut RuleSet,
) -> RangeList {
    let parts = match arch {
        Arch::X86_64 => parts,
        Arch::Arm64 => arm64::plt_parts,
    };
    let mut ranges = Vec::new();
    for section in elf.sections().into_iter().filter(|s| s.address != 0) {
        let size = u32::try_from(section.size).ok();
        let Some((start, size)) = offset(section.address, base).zip(size) else {
            continue;
        };
        for (part, rule) in parts(&section.name, size) {
            ranges.push(RuleRange {
                start: start.saturating_add(part.start),
                end: start.saturating_add(part.end),
                rule: rules.number(rule),
            });
        }
    }
    RangeList::from_unsorted(ranges)
}

/// x86-64: 16 bytes each, and in `.plt` one that pushes a word at byte 6 and jumps to the first,
/// which pushes another.
fn parts(section: &str, size: u32) -> Vec<Part> {
    if section == ".plt" {
        let slot = Rule {
            deref_offset: PUSHED as i16,
            ..plain(SEAM_RULE_PLT)
        };
        return vec![(0..6, stack(16)), (6..16, stack(24)), (16..size, slot)];
    }
    match section.starts_with(".plt.") {
        true => vec![(0..size, stack(8))],
        false => Vec::new(),
    }
}
