//! Rows of AArch64. A return address lies anywhere in its frame, or is still in x30: so each rule
//! says where it is, in the place where x86-64's rules keep two saved registers ([`RuleArm64`]).

mod cfi;
mod derive;
mod go_rows;

use seam_object::{Elf, ReadRef};
use seam_wire::{
    Rule, RuleArm64, SEAM_ARM64_SP, SEAM_RULE_CFA, SEAM_SAVED_LOST, SEAM_SAVED_WIDE_LOST, bytes_of,
    from_bytes,
};

use crate::RuleSet;
use crate::range_list::{RangeList, RuleRange};

pub(crate) use cfi::rule;
pub(crate) use derive::derived_rows;
pub(crate) use go_rows::go_rows;

/// Bytes of the first slot of a table of jumps, which pushes two registers first.
const PLT_HEAD_BYTES: u32 = 32;

/// A rule of a kind with everything else zero.
pub(crate) fn plain(kind: u32) -> RuleArm64 {
    RuleArm64 {
        kind: kind as u8,
        ..RuleArm64::default()
    }
}

/// CFA = sp + offset, the return address in x30.
fn stack(offset: i32) -> RuleArm64 {
    RuleArm64 {
        base: SEAM_ARM64_SP as u8,
        cfa_offset: offset,
        ..plain(SEAM_RULE_CFA)
    }
}

/// The same 16 bytes as tables keep them.
pub(crate) fn wire(rule: RuleArm64) -> Rule {
    from_bytes(bytes_of(&rule)).expect("both have 16 bytes")
}

/// Notes that a register lies at this distance from the CFA; a place that the format cannot express
/// loses the register.
fn save(rule: &mut RuleArm64, register: u16, offset: i64) {
    let n = if offset <= 0 && offset % 8 == 0 {
        -offset / 8
    } else {
        0
    };
    let small = u8::try_from(n)
        .ok()
        .filter(|n| u32::from(*n) < SEAM_SAVED_LOST && *n > 0);
    let wide = u16::try_from(n)
        .ok()
        .filter(|n| u32::from(*n) < SEAM_SAVED_WIDE_LOST && *n > 0);
    let small = small.unwrap_or(SEAM_SAVED_LOST as u8);
    let wide = wide.unwrap_or(SEAM_SAVED_WIDE_LOST as u16);
    match register {
        19 => rule.saved_x19 = small,
        20 => rule.saved_x20 = small,
        21 => rule.saved_x21 = small,
        29 => rule.saved_x29 = wide,
        30 => rule.saved_x30 = wide,
        _ => {}
    }
}

/// Slots through which other modules are called, where nothing describes them: they touch neither
/// the stack nor x30, but for the first, which keeps x30 on the stack and in its place.
pub(crate) fn plt<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    base: u64,
    rules: &mut RuleSet,
) -> RangeList {
    let mut ranges = Vec::new();
    for section in elf.sections().into_iter().filter(|s| s.name == ".plt") {
        let start = section.address.checked_sub(base);
        let start = start.and_then(|s| u32::try_from(s).ok());
        let size = u32::try_from(section.size).ok();
        let Some((start, size)) = start.zip(size).filter(|_| section.address != 0) else {
            continue;
        };
        let mut add = |from: u32, to: u32, rule| {
            ranges.push(RuleRange {
                start: start.saturating_add(from),
                end: start.saturating_add(to),
                rule,
            });
        };
        let (slot, pushed) = (rules.number(wire(stack(0))), rules.number(wire(stack(16))));
        add(0, 4, slot);
        add(4, PLT_HEAD_BYTES.min(size), pushed);
        add(PLT_HEAD_BYTES.min(size), size, slot);
    }
    RangeList::from_unsorted(ranges)
}
