//! Rules of Go code: a frame begins with the return address, at sp, and the frame pointer lies in
//! the word below sp (cmd/internal/obj/arm64, Go 1.19 to 1.27). Where the depth is 0 the function
//! has none, or none yet, and the return address is in x30.

use seam_go::{PcValues, Switch, SwitchKind};
use seam_wire::{
    Rule, RuleArm64, SEAM_ARM64_SP, SEAM_END_ROOT_GO, SEAM_END_ROOT_SCHEDULER,
    SEAM_END_ROOT_THREAD, SEAM_RULE_ASMCGOCALL, SEAM_RULE_CFA, SEAM_RULE_CGOCALLBACK,
    SEAM_RULE_CGOCALLBACK_ON_G0, SEAM_RULE_CLONE, SEAM_RULE_EXACT_CALLER, SEAM_RULE_GOGO,
    SEAM_RULE_IN_REGISTER, SEAM_RULE_LINK_KEPT, SEAM_RULE_MCALL, SEAM_RULE_MORESTACK,
    SEAM_RULE_NONE, SEAM_RULE_OTHER_STACK, SEAM_RULE_PUSHES, SEAM_RULE_RETURN_APART,
    SEAM_RULE_ROOT, SEAM_RULE_SCHEDULER, SEAM_RULE_SIGNAL, SEAM_RULE_SYSTEMSTACK,
    SEAM_RULE_UNSUPPORTED,
};

use super::{plain, save, stack, wire};

/// The rule at a pc: `depth` is the table's there, `special` what holds in this function.
pub(crate) fn go_rows(
    pc: u64,
    depth: Option<i32>,
    special: &[&Switch],
    table: &PcValues<'_>,
) -> Rule {
    let mut rule = ordinary(depth);
    let here = || special.iter().filter(|s| s.range.contains(&pc));
    // What is kept where is added to the rule that says where the frame is.
    let kept = |s: &&&Switch| matches!(s.kind, SwitchKind::Saves(..));
    for switch in here().filter(|s| !kept(s)).chain(here().filter(kept)) {
        let frame = table.clone().at(switch.frame_pc).unwrap_or(0);
        rule = special_rule(switch.kind, rule, depth.unwrap_or(0), frame);
    }
    wire(rule)
}

fn ordinary(depth: Option<i32>) -> RuleArm64 {
    let Some(depth) = depth.filter(|d| (0..i32::MAX - 8).contains(d)) else {
        return plain(SEAM_RULE_NONE);
    };
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

fn with_flag(rule: RuleArm64, flag: u32) -> RuleArm64 {
    RuleArm64 {
        flags: rule.flags | flag as u8,
        ..rule
    }
}

/// `rule` is what held so far, `depth` the table's depth here, `frame` the one at the switch.
fn special_rule(kind: SwitchKind, rule: RuleArm64, depth: i32, frame: i32) -> RuleArm64 {
    let root = |end: u32| RuleArm64 {
        base: end as u8,
        ..plain(SEAM_RULE_ROOT)
    };
    let small = |value: i32| i16::try_from(value).ok();
    let lost = || plain(SEAM_RULE_UNSUPPORTED);
    let callback = |kind: u32, outer: i32| match small(outer) {
        Some(deref_offset) => RuleArm64 {
            kind: kind as u8,
            deref_offset,
            ..in_frame(stack(depth), depth)
        },
        None => lost(),
    };
    let gogo = |base: u8, offset: i32, flags: u32| match small(offset) {
        Some(deref_offset) => RuleArm64 {
            base,
            deref_offset,
            flags: flags as u8,
            ..plain(SEAM_RULE_GOGO)
        },
        None => lost(),
    };
    match kind {
        SwitchKind::Plain => ordinary(Some(frame)),
        SwitchKind::SavedInRegister(base) => {
            let saved = RuleArm64 {
                base,
                cfa_offset: frame,
                flags: SEAM_RULE_OTHER_STACK as u8,
                ..plain(SEAM_RULE_CFA)
            };
            in_frame(saved, frame)
        }
        SwitchKind::Asmcgocall(slot) => RuleArm64 {
            cfa_offset: slot,
            deref_offset: small(frame).unwrap_or(0),
            ..plain(SEAM_RULE_ASMCGOCALL)
        },
        SwitchKind::Systemstack => RuleArm64 {
            deref_offset: small(frame).unwrap_or(0),
            ..plain(SEAM_RULE_SYSTEMSTACK)
        },
        SwitchKind::Cgocallback(outer) => callback(SEAM_RULE_CGOCALLBACK, outer),
        SwitchKind::CgocallbackOnG0(outer) => callback(SEAM_RULE_CGOCALLBACK_ON_G0, outer),
        SwitchKind::Mcall(None) => plain(SEAM_RULE_MCALL),
        SwitchKind::Morestack => plain(SEAM_RULE_MORESTACK),
        SwitchKind::GogoOnG0 => root(SEAM_END_ROOT_SCHEDULER),
        SwitchKind::GogoWithoutLink(base, pc) => gogo(base, pc, SEAM_RULE_OTHER_STACK),
        SwitchKind::GogoBuffer(base, pc) => gogo(base, pc, 0),
        SwitchKind::GogoRegister(base) => gogo(base, 0, SEAM_RULE_IN_REGISTER),
        SwitchKind::Root => root(SEAM_END_ROOT_GO),
        SwitchKind::RootThread => root(SEAM_END_ROOT_THREAD),
        SwitchKind::Clone => RuleArm64 {
            kind: SEAM_RULE_CLONE as u8,
            ..in_frame(stack(depth), depth)
        },
        SwitchKind::Signal => plain(SEAM_RULE_SIGNAL),
        SwitchKind::ExactCaller => with_flag(rule, SEAM_RULE_EXACT_CALLER),
        SwitchKind::Scheduler => with_flag(rule, SEAM_RULE_SCHEDULER),
        SwitchKind::Pushes => with_flag(rule, SEAM_RULE_PUSHES),
        SwitchKind::InLink => stack(depth),
        SwitchKind::LinkKeptIn(base) => RuleArm64 {
            base,
            ..plain(SEAM_RULE_LINK_KEPT)
        },
        SwitchKind::ResumesAt(register) => RuleArm64 {
            base: SEAM_ARM64_SP as u8,
            deref_offset: i16::from(register),
            flags: SEAM_RULE_IN_REGISTER as u8,
            ..plain(SEAM_RULE_RETURN_APART)
        },
        SwitchKind::Saves(register, slot) => {
            let mut rule = rule;
            // The slot counts from sp at the depth of the store, the rule from the CFA.
            if depth >= frame {
                save(
                    &mut rule,
                    u16::from(register),
                    i64::from(slot) - i64::from(frame),
                );
            }
            rule
        }
        // Of x86-64 alone.
        SwitchKind::Lost
        | SwitchKind::SavedInSlot(_)
        | SwitchKind::Mcall(Some(_))
        | SwitchKind::InCallersPlace { .. }
        | SwitchKind::KeptInCallersPlace(..) => lost(),
    }
}
