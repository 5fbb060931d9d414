//! Rows of code that ends with `__builtin_eh_return`: libgcc's `_Unwind_RaiseException` and its kin
//! leave for a landing pad through them.
//!
//! Before it leaves, the unwinder writes the *catching* frame's return address and registers over
//! its own saved ones (uw_install_context_1, libgcc/unwind-dw2.c, gcc 4 to 15), so what unwind
//! information says of them leads to the middle of another frame. From the moment the new stack
//! pointer is known, in rcx, the caller is the landing pad:
//!
//! ```text
//! call   …                      registers and return address are overwritten by now
//! mov    %rsi,0x8(%rbp,%rdx,1)  where to go
//! lea    0x8(%rbp,%rcx,1),%rcx  the new stack pointer, at that address
//! …                             registers are loaded
//! mov    %rcx,%rsp              here unwind information says CFA = rcx + 8
//! pop    %rcx
//! jmp    *%rcx                  here it says that the return address is in rcx
//! ```

use iced_x86::{Decoder, DecoderOptions, FlowControl, Mnemonic, Register};
use seam_object::{Elf, ReadRef};
use seam_wire::{
    Rule, SEAM_RCX, SEAM_RSP, SEAM_RULE_CFA, SEAM_RULE_EXACT_CALLER, SEAM_RULE_GOGO,
    SEAM_RULE_IN_REGISTER, SEAM_RULE_RETURN_APART, SEAM_RULE_SAVED_BY_RBP,
};

use crate::RuleSet;
use crate::range_list::{RangeList, RuleRange};
use crate::rules::{plain, unsupported};

/// The longest stretch of code looked through for the instructions above, in bytes.
const BODY_BYTES_MAX: u32 = 1 << 14;
/// Such functions in one file; libgcc has four.
const FUNCTIONS_MAX: usize = 64;

/// Rows to be laid over those of unwind information; offsets count from `base`.
pub(crate) fn eh_return_rows<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    base: u64,
    list: &RangeList,
    rules: &mut RuleSet,
) -> RangeList {
    let ranges = list.ranges();
    let rule = |rules: &RuleSet, at: usize| ranges.get(at).map(|r| rules.all()[r.rule as usize]);
    let leaves = |at: &usize| rule(rules, *at).is_some_and(|rule| is_new_stack(&rule));
    let found: Vec<usize> = (0..ranges.len())
        .filter(leaves)
        .take(FUNCTIONS_MAX)
        .collect();
    let mut rows = Vec::new();
    for at in found {
        let body = at
            .checked_sub(1)
            .and_then(|n| Some((ranges[n], rule(rules, n)?)));
        let Some((body, body_rule)) = body else {
            continue;
        };
        if let Some((known, loaded)) = places(elf, base, body, ranges[at].start) {
            rows.push(RuleRange {
                start: known,
                end: loaded,
                rule: rules.number(unsupported()),
            });
            rows.push(RuleRange {
                start: loaded,
                end: ranges[at].start,
                rule: rules.number(to_landing_pad(&body_rule)),
            });
        }
        // mov, pop, jmp: the registers already hold what the landing pad finds in them.
        for (n, base_register) in [(at, SEAM_RCX), (at + 1, SEAM_RSP)] {
            let same = rule(rules, n).filter(|r| u32::from(r.base) == base_register);
            if let Some(range) = ranges.get(n).filter(|_| same.is_some()) {
                rows.push(RuleRange {
                    rule: rules.number(registers_kept(base_register)),
                    ..*range
                });
            }
        }
        let jump = rule(rules, at + 2).filter(returns_to_rcx);
        if let Some(range) = ranges.get(at + 2).filter(|_| jump.is_some()) {
            let in_rcx = Rule {
                base: SEAM_RCX as u8,
                flags: SEAM_RULE_IN_REGISTER as u8,
                ..plain(SEAM_RULE_GOGO)
            };
            rows.push(RuleRange {
                rule: rules.number(in_rcx),
                ..*range
            });
        }
    }
    RangeList::from_unsorted(rows)
}

/// CFA = rcx + 8, which nothing but this says.
fn is_new_stack(rule: &Rule) -> bool {
    u32::from(rule.kind) == SEAM_RULE_CFA
        && u32::from(rule.base) == SEAM_RCX
        && rule.cfa_offset == 8
}

fn returns_to_rcx(rule: &Rule) -> bool {
    u32::from(rule.kind) == SEAM_RULE_RETURN_APART
        && u32::from(rule.flags) & SEAM_RULE_IN_REGISTER != 0
        && i64::from(rule.deref_offset) == i64::from(SEAM_RCX)
}

/// The new stack is at rcx, the registers are still in the frame at rbp.
fn to_landing_pad(body: &Rule) -> Rule {
    // Counted from CFA = rbp + 16 there, from rbp + 8 here.
    let small = |n: u8| n.saturating_sub(1);
    Rule {
        base: SEAM_RCX as u8,
        flags: (SEAM_RULE_SAVED_BY_RBP | SEAM_RULE_EXACT_CALLER) as u8,
        saved_rbx: small(body.saved_rbx),
        saved_rbp: body.saved_rbp.saturating_sub(1),
        saved_r12: small(body.saved_r12),
        saved_r13: small(body.saved_r13),
        saved_r14: small(body.saved_r14),
        saved_r15: small(body.saved_r15),
        cfa_offset: 8,
        ..plain(SEAM_RULE_CFA)
    }
}

fn registers_kept(base: u32) -> Rule {
    Rule {
        base: base as u8,
        flags: SEAM_RULE_EXACT_CALLER as u8,
        cfa_offset: 8,
        ..plain(SEAM_RULE_CFA)
    }
}

/// In a function's body: where its return address is no longer its own, and where the new stack
/// pointer is in rcx.
fn places<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    base: u64,
    body: RuleRange,
    end: u32,
) -> Option<(u32, u32)> {
    if body.end != end || end - body.start > BODY_BYTES_MAX {
        return None;
    }
    let start = base + u64::from(body.start);
    let bytes = elf.bytes_at(start, u64::from(end - body.start))?;
    let mut decoder = Decoder::with_ip(64, bytes, start, DecoderOptions::NONE);
    let (mut after_call, mut found) = (None, None);
    while decoder.can_decode() {
        let i = decoder.decode();
        if matches!(
            i.flow_control(),
            FlowControl::Call | FlowControl::IndirectCall
        ) {
            after_call = Some(i.next_ip());
        }
        let new_stack = i.mnemonic() == Mnemonic::Lea
            && i.op0_register() == Register::RCX
            && i.memory_base() == Register::RBP
            && i.memory_index() == Register::RCX
            && i.memory_displacement64() == 8;
        if new_stack {
            found = after_call.zip(Some(i.next_ip()));
        }
    }
    let (known, loaded) = found?;
    let offset = |address: u64| u32::try_from(address - base).ok();
    offset(known).zip(offset(loaded))
}

#[cfg(test)]
mod tests {
    use seam_wire::SEAM_RULE_UNSUPPORTED;

    use super::*;
    use crate::build::cfi_list;

    /// The instructions in the module's comment, in the libgcc of this machine.
    #[test]
    fn libgccs_own_are_found() {
        let places = ["/lib", "/usr/lib"].map(|p| format!("{p}/x86_64-linux-gnu/libgcc_s.so.1"));
        let bytes = places.iter().find_map(|p| std::fs::read(p).ok());
        let bytes = bytes.expect("gcc's runtime is there where programs are linked");
        let elf = Elf::parse(bytes.as_slice()).expect("an ELF file");
        let mut rules = RuleSet::default();
        let (base, list) = cfi_list(&elf, &mut rules);
        let rows = eh_return_rows(&elf, base, &list, &mut rules);
        let kinds = |wanted: &dyn Fn(&Rule) -> bool| {
            let all = rows.ranges().iter().map(|r| &rules.all()[r.rule as usize]);
            all.filter(|r| wanted(r)).count()
        };
        // _Unwind_RaiseException, _Resume, _Resume_or_Rethrow, _ForcedUnwind.
        let flagged = |flag: u32| move |r: &Rule| u32::from(r.flags) & flag != 0;
        assert_eq!(kinds(&flagged(SEAM_RULE_SAVED_BY_RBP)), 4);
        assert_eq!(kinds(&flagged(SEAM_RULE_IN_REGISTER)), 4);
        assert_eq!(kinds(&|r| u32::from(r.kind) == SEAM_RULE_UNSUPPORTED), 4);
        assert_eq!(kinds(&|r| u32::from(r.base) == seam_wire::SEAM_RBP), 0);
    }
}
