//! Rows of Go code: stack depths from the pclntab, and rules of their own where the runtime changes
//! stacks (seam-go finds the places). The rules are x86-64's, or the same for every processor.

use std::ops::Range;

use seam_go::{Caller, Function, GoModule, PcValues, Switch, SwitchKind};
use seam_wire::{
    Arch, Rule, SEAM_END_ROOT_GO, SEAM_END_ROOT_THREAD, SEAM_RSP, SEAM_RULE_ASMCGOCALL,
    SEAM_RULE_CFA, SEAM_RULE_CGOCALLBACK, SEAM_RULE_CGOCALLBACK_ON_G0, SEAM_RULE_CLONE,
    SEAM_RULE_DEREF, SEAM_RULE_EXACT_CALLER, SEAM_RULE_GO_CODE, SEAM_RULE_GOGO,
    SEAM_RULE_IN_REGISTER, SEAM_RULE_MCALL, SEAM_RULE_MORESTACK, SEAM_RULE_OTHER_STACK,
    SEAM_RULE_RETURN_APART, SEAM_RULE_ROOT, SEAM_RULE_SCHEDULER, SEAM_RULE_SIGNAL,
    SEAM_RULE_SYSTEMSTACK,
};

use crate::RuleSet;
use crate::arm64;
use crate::range_list::{RangeList, RuleRange, offset};
use crate::rules::{plain, save, stack, unsupported};

/// Rows for all functions of a module; offsets count from `base`.
pub(crate) fn go_rows(
    arch: Arch,
    module: &GoModule<'_>,
    switches: &[Switch],
    base: u64,
    rules: &mut RuleSet,
) -> RangeList {
    let mut list = RangeList::default();
    for function in module.pclntab.functions() {
        let special: Vec<&Switch> = switches_of(switches, &function).collect();
        let table = module.pclntab.stack_depths(&function);
        for (range, depth) in segments(&function, table.clone(), &special) {
            let mut rule = rule_at(arch, range.start, depth, &special, &table);
            rule.flags |= SEAM_RULE_GO_CODE as u8;
            let (Some(start), Some(end)) = (offset(range.start, base), offset(range.end, base))
            else {
                continue;
            };
            list.push(RuleRange {
                start,
                end,
                rule: rules.number(rule),
            });
        }
    }
    list
}

fn switches_of<'s>(
    switches: &'s [Switch],
    function: &Function<'_>,
) -> impl Iterator<Item = &'s Switch> {
    let (entry, end) = (function.entry, function.end);
    // One byte before the entry: the signal trampoline's rows begin there.
    let first = switches.partition_point(|s| s.range.start < entry.saturating_sub(1));
    switches[first..]
        .iter()
        .take_while(move |s| s.range.start < end)
        .filter(move |s| s.range.end > entry && s.range.end <= end)
}

/// Cuts a function where its depth or its treatment changes.
fn segments(
    function: &Function<'_>,
    table: PcValues<'_>,
    special: &[&Switch],
) -> Vec<(Range<u64>, Option<i32>)> {
    let mut depths = Vec::new();
    let mut start = function.entry;
    for (end, depth) in table {
        let end = end.min(function.end);
        depths.push((start..end, Some(depth)));
        start = end.max(start);
    }
    if special.is_empty() {
        return depths;
    }
    depths.push((start..function.end, None));
    if special.iter().any(|s| s.range.start < function.entry) {
        depths.insert(0, (function.entry - 1..function.entry, None));
    }
    let mut cuts: Vec<u64> = special
        .iter()
        .flat_map(|s| [s.range.start, s.range.end])
        .collect();
    cuts.sort_unstable();
    let mut all = Vec::new();
    for (range, depth) in depths {
        let mut at = range.start;
        for cut in cuts.iter().filter(|c| **c > range.start && **c < range.end) {
            all.push((at..*cut, depth));
            at = *cut;
        }
        all.push((at..range.end, depth));
    }
    all
}

/// The rule of ordinary code at a depth: the frame pointer, where there is one, lies under the
/// return address.
fn ordinary(depth: Option<i32>) -> Rule {
    let Some(depth) = depth.filter(|d| (0..i32::MAX - 8).contains(d)) else {
        return Rule::default();
    };
    let mut rule = stack(depth + 8);
    if depth >= 8 {
        save(&mut rule, 6, -16);
    }
    rule
}

type OfDepth = fn(Option<i32>) -> Rule;
type OfSwitch = fn(SwitchKind, Rule, i32, i32) -> Rule;

fn rule_at(
    arch: Arch,
    pc: u64,
    depth: Option<i32>,
    special: &[&Switch],
    table: &PcValues<'_>,
) -> Rule {
    let (ordinary, own_rule): (OfDepth, OfSwitch) = match arch {
        Arch::X86_64 => (ordinary, own_rule),
        Arch::Arm64 => (arm64::ordinary, arm64::go_rule),
    };
    let mut rule = ordinary(depth);
    let here = || special.iter().filter(|s| s.range.contains(&pc));
    // What is kept where is added to the rule that says where the frame is.
    let kept = |s: &&&Switch| {
        matches!(
            s.kind,
            SwitchKind::Saves(..) | SwitchKind::KeptInCallersPlace(..)
        )
    };
    for switch in here().filter(|s| !kept(s)).chain(here().filter(kept)) {
        let frame = table.clone().at(switch.frame_pc).unwrap_or(0);
        rule = match switch.kind {
            SwitchKind::Plain => ordinary(Some(frame)),
            kind => shared_rule(kind, rule, frame)
                .unwrap_or_else(|| own_rule(kind, rule, depth.unwrap_or(0), frame)),
        };
    }
    rule
}

/// What is the same for every processor. `rule` is what held so far, `frame` the table's depth at
/// the switch.
fn shared_rule(kind: SwitchKind, rule: Rule, frame: i32) -> Option<Rule> {
    let on_g0 = |kind| Rule {
        deref_offset: i16::try_from(frame).unwrap_or(0),
        ..plain(kind)
    };
    let root = |end: u32| Rule {
        base: end as u8,
        ..plain(SEAM_RULE_ROOT)
    };
    Some(match kind {
        SwitchKind::Asmcgocall(slot) => Rule {
            cfa_offset: slot,
            ..on_g0(SEAM_RULE_ASMCGOCALL)
        },
        SwitchKind::Systemstack => on_g0(SEAM_RULE_SYSTEMSTACK),
        SwitchKind::Mcall(None) => plain(SEAM_RULE_MCALL),
        SwitchKind::Morestack => plain(SEAM_RULE_MORESTACK),
        SwitchKind::GogoBuffer(base, offset) => gogo(base, offset, 0),
        SwitchKind::GogoRegister(base) => gogo(base, 0, SEAM_RULE_IN_REGISTER),
        SwitchKind::Root => root(SEAM_END_ROOT_GO),
        SwitchKind::RootThread => root(SEAM_END_ROOT_THREAD),
        SwitchKind::Signal => plain(SEAM_RULE_SIGNAL),
        SwitchKind::ExactCaller => with_flag(rule, SEAM_RULE_EXACT_CALLER),
        SwitchKind::Scheduler => with_flag(rule, SEAM_RULE_SCHEDULER),
        SwitchKind::Lost => unsupported(),
        // The processor's own.
        SwitchKind::Plain
        | SwitchKind::SavedInRegister(_)
        | SwitchKind::SavedInSlot(_)
        | SwitchKind::Cgocallback(_)
        | SwitchKind::CgocallbackOnG0(_)
        | SwitchKind::Mcall(Some(_))
        | SwitchKind::GogoWithoutLink(..)
        | SwitchKind::GogoOnG0
        | SwitchKind::InLink
        | SwitchKind::LinkKeptIn(_)
        | SwitchKind::ResumesAt(_)
        | SwitchKind::Clone
        | SwitchKind::Pushes
        | SwitchKind::Saves(..)
        | SwitchKind::InCallersPlace { .. }
        | SwitchKind::KeptInCallersPlace(..) => return None,
    })
}

/// In gogo with the goroutine's stack: the pc is at `[base + offset]`, or as the flags say.
pub(crate) fn gogo(base: u8, offset: i32, flags: u32) -> Rule {
    match i16::try_from(offset) {
        Ok(deref_offset) => Rule {
            base,
            deref_offset,
            flags: flags as u8,
            ..plain(SEAM_RULE_GOGO)
        },
        Err(_) => unsupported(),
    }
}

pub(crate) fn with_flag(rule: Rule, flag: u32) -> Rule {
    Rule {
        flags: rule.flags | flag as u8,
        ..rule
    }
}

/// What is x86-64's. `rule` and `frame` as in [`shared_rule`], `depth` the table's depth here.
fn own_rule(kind: SwitchKind, rule: Rule, depth: i32, frame: i32) -> Rule {
    let cfa = |kind| Rule {
        base: SEAM_RSP as u8,
        cfa_offset: depth + 8,
        ..plain(kind)
    };
    match kind {
        SwitchKind::SavedInRegister(base) => {
            let mut saved = Rule {
                base,
                cfa_offset: frame + 8,
                flags: SEAM_RULE_OTHER_STACK as u8,
                ..plain(SEAM_RULE_CFA)
            };
            if frame >= 8 {
                save(&mut saved, 6, -16);
            }
            saved
        }
        SwitchKind::SavedInSlot(slot) => match i16::try_from(slot) {
            Ok(deref_offset) => Rule {
                base: SEAM_RSP as u8,
                deref_offset,
                cfa_offset: frame + 8,
                flags: SEAM_RULE_OTHER_STACK as u8,
                ..plain(SEAM_RULE_DEREF)
            },
            Err(_) => unsupported(),
        },
        SwitchKind::Cgocallback(_) => cfa(SEAM_RULE_CGOCALLBACK),
        SwitchKind::CgocallbackOnG0(_) => cfa(SEAM_RULE_CGOCALLBACK_ON_G0),
        SwitchKind::Mcall(Some(base)) => Rule {
            base,
            flags: SEAM_RULE_IN_REGISTER as u8,
            ..plain(SEAM_RULE_MCALL)
        },
        SwitchKind::Clone => cfa(SEAM_RULE_CLONE),
        SwitchKind::InCallersPlace { cfa, caller } => {
            let (flags, place) = match caller {
                Caller::Register(register) => (SEAM_RULE_IN_REGISTER, i32::from(register)),
                Caller::Slot(offset) => (0, offset),
            };
            match i16::try_from(place) {
                Ok(deref_offset) => Rule {
                    deref_offset,
                    flags: flags as u8,
                    kind: SEAM_RULE_RETURN_APART as u8,
                    ..stack(cfa)
                },
                Err(_) => unsupported(),
            }
        }
        SwitchKind::KeptInCallersPlace(register, from_caller) => {
            let mut rule = rule;
            save(&mut rule, u16::from(register), i64::from(from_caller));
            rule
        }
        SwitchKind::Saves(register, slot) => {
            let mut rule = rule;
            // The slot counts from sp at the depth of the store, the rule from the CFA.
            if depth >= frame {
                save(
                    &mut rule,
                    u16::from(register),
                    i64::from(slot) - i64::from(frame) - 8,
                );
            }
            rule
        }
        // Of another processor.
        _ => unsupported(),
    }
}
