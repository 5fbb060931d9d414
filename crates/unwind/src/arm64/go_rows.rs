//! Rules of Go code: a frame begins with the return address, at sp, and the frame pointer lies in
//! the word below sp (cmd/internal/obj/arm64, Go 1.19 to 1.27). Where the depth is 0 the function
//! has none, or none yet, and the return address is in x30.

use seam_go::SwitchKind;
use seam_wire::{
    Rule, RuleArm64, SEAM_ARM64_SP, SEAM_END_ROOT_SCHEDULER, SEAM_RULE_CFA, SEAM_RULE_CGOCALLBACK,
    SEAM_RULE_CGOCALLBACK_ON_G0, SEAM_RULE_CLONE, SEAM_RULE_IN_REGISTER, SEAM_RULE_LINK_KEPT,
    SEAM_RULE_NONE, SEAM_RULE_OTHER_STACK, SEAM_RULE_PUSHES, SEAM_RULE_RETURN_APART,
    SEAM_RULE_ROOT,
};

use super::{of_wire, plain, save, stack, wire};
use crate::go_rows::{gogo, with_flag};
use crate::rules::unsupported;

/// The rule of ordinary code at a depth.
pub(crate) fn ordinary(depth: Option<i32>) -> Rule {
    let depth = depth.filter(|d| (0..i32::MAX - 8).contains(d));
    wire(depth.map_or_else(|| plain(SEAM_RULE_NONE), in_stack))
}

fn in_stack(depth: i32) -> RuleArm64 {
    in_frame(stack(depth), depth)
}

/// Notes where a frame of Go of this size keeps things.
fn in_frame(mut rule: RuleArm64, frame: i32) -> RuleArm64 {
    if frame > 0 {
        save(&mut rule, 30, -i64::from(frame));
        save(&mut rule, 29, -i64::from(frame) - 8);
    }
    rule
}

/// What is not the same for every processor: `rule` is what held so far, `depth` the table's depth
/// here, `frame` the one at the switch.
pub(crate) fn go_rule(kind: SwitchKind, rule: Rule, depth: i32, frame: i32) -> Rule {
    let callback = |kind: u32, outer: i32| match i16::try_from(outer) {
        Ok(deref_offset) => wire(RuleArm64 {
            kind: kind as u8,
            deref_offset,
            ..in_stack(depth)
        }),
        Err(_) => unsupported(),
    };
    match kind {
        SwitchKind::SavedInRegister(base) => {
            let saved = RuleArm64 {
                base,
                cfa_offset: frame,
                flags: SEAM_RULE_OTHER_STACK as u8,
                ..plain(SEAM_RULE_CFA)
            };
            wire(in_frame(saved, frame))
        }
        SwitchKind::Cgocallback(outer) => callback(SEAM_RULE_CGOCALLBACK, outer),
        SwitchKind::CgocallbackOnG0(outer) => callback(SEAM_RULE_CGOCALLBACK_ON_G0, outer),
        SwitchKind::GogoOnG0 => wire(RuleArm64 {
            base: SEAM_END_ROOT_SCHEDULER as u8,
            ..plain(SEAM_RULE_ROOT)
        }),
        SwitchKind::GogoWithoutLink(base, pc) => gogo(base, pc, SEAM_RULE_OTHER_STACK),
        SwitchKind::Clone => wire(RuleArm64 {
            kind: SEAM_RULE_CLONE as u8,
            ..in_stack(depth)
        }),
        SwitchKind::Pushes => with_flag(rule, SEAM_RULE_PUSHES),
        SwitchKind::InLink => wire(stack(depth)),
        SwitchKind::LinkKeptIn(base) => wire(RuleArm64 {
            base,
            ..plain(SEAM_RULE_LINK_KEPT)
        }),
        SwitchKind::ResumesAt(register) => wire(RuleArm64 {
            base: SEAM_ARM64_SP as u8,
            deref_offset: i16::from(register),
            flags: SEAM_RULE_IN_REGISTER as u8,
            ..plain(SEAM_RULE_RETURN_APART)
        }),
        SwitchKind::Saves(register, slot) => {
            let mut rule = of_wire(rule);
            // The slot counts from sp at the depth of the store, the rule from the CFA.
            if depth >= frame {
                save(
                    &mut rule,
                    u16::from(register),
                    i64::from(slot) - i64::from(frame),
                );
            }
            wire(rule)
        }
        // Of another processor.
        _ => unsupported(),
    }
}
