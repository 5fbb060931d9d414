//! Rules from unwind information, by the DWARF of AArch64 (AADWARF64).

use gimli::{
    AArch64, CfaRule, EndianSlice, LittleEndian, RegisterRule, UnwindSection, UnwindTableRow,
};
use seam_wire::{
    Rule, RuleArm64, SEAM_ARM64_REGISTERS, SEAM_END_ROOT_THREAD, SEAM_RULE_CFA, SEAM_RULE_DEREF,
    SEAM_RULE_ROOT,
};

use super::{plain, save, wire};
use crate::cfi::deref;
use crate::rules::unsupported;

pub(crate) fn rule<'d, S: UnwindSection<EndianSlice<'d, LittleEndian>>>(
    frames: &S,
    row: &UnwindTableRow<usize>,
) -> Rule {
    // "Undefined" says that there is no caller: _start and thread starts carry it.
    if let Some(RegisterRule::Undefined) = row.register(AArch64::X30) {
        let root = RuleArm64 {
            base: SEAM_END_ROOT_THREAD as u8,
            ..plain(SEAM_RULE_ROOT)
        };
        return wire(root);
    }
    let Some(mut rule) = cfa(frames, row.cfa()) else {
        return unsupported();
    };
    for (register, place) in row.registers() {
        match place {
            RegisterRule::Undefined | RegisterRule::SameValue => {}
            RegisterRule::Offset(offset) => save(&mut rule, register.0, *offset),
            // Whether the return address is signed: the walk takes signatures off as it finds them.
            _ if *register == AArch64::RA_SIGN_STATE => {}
            _ => save(&mut rule, register.0, 1),
        }
    }
    wire(rule)
}

fn cfa<'d, S: UnwindSection<EndianSlice<'d, LittleEndian>>>(
    frames: &S,
    cfa: &CfaRule<usize>,
) -> Option<RuleArm64> {
    match cfa {
        CfaRule::RegisterAndOffset { register, offset } => Some(RuleArm64 {
            base: u8::try_from(register.0)
                .ok()
                .filter(|r| u32::from(*r) < SEAM_ARM64_REGISTERS)?,
            cfa_offset: i32::try_from(*offset).ok()?,
            ..plain(SEAM_RULE_CFA)
        }),
        CfaRule::Expression(expression) => {
            let expression = expression.get(frames).ok()?;
            let found = deref(expression.0.slice(), SEAM_ARM64_REGISTERS as u8)?;
            Some(RuleArm64 {
                base: found.base,
                deref_offset: found.deref_offset,
                cfa_offset: found.cfa_offset,
                ..plain(SEAM_RULE_DEREF)
            })
        }
    }
}
