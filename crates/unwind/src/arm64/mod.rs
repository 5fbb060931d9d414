//! Rows of AArch64. A return address lies anywhere in its frame, or is still in x30: so each rule
//! says where it is, in the place where x86-64's rules keep two saved registers ([`RuleArm64`]).

mod cfi;
mod derive;
mod go_rows;

use seam_wire::{Rule, RuleArm64, SEAM_ARM64_SP, SEAM_RULE_CFA, bytes_of, from_bytes};

use crate::plt::Part;
use crate::rules::words_below;

pub(crate) use cfi::rule;
pub(crate) use derive::derived_rows;
pub(crate) use go_rows::{go_rule, ordinary};

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

/// And back.
fn of_wire(rule: Rule) -> RuleArm64 {
    from_bytes(bytes_of(&rule)).expect("both have 16 bytes")
}

/// Notes that a register lies at this distance from the CFA; a place that the format cannot express
/// loses the register.
fn save(rule: &mut RuleArm64, register: u16, offset: i64) {
    let (small, wide) = words_below(offset);
    match register {
        19 => rule.saved_x19 = small,
        20 => rule.saved_x20 = small,
        21 => rule.saved_x21 = small,
        29 => rule.saved_x29 = wide,
        30 => rule.saved_x30 = wide,
        _ => {}
    }
}

/// The slots of [`crate::plt`]: they touch neither the stack nor x30, but for the first, which
/// keeps x30 on the stack and in its place.
pub(crate) fn plt_parts(section: &str, size: u32) -> Vec<Part> {
    if section != ".plt" {
        return Vec::new();
    }
    let head = PLT_HEAD_BYTES.min(size);
    let (slot, pushed) = (wire(stack(0)), wire(stack(16)));
    vec![(0..4, slot), (4..head, pushed), (head..size, slot)]
}
