//! Rows from `.eh_frame` and `.debug_frame`.

use gimli::{
    CfaRule, CieOrFde, EndianSlice, LittleEndian, RegisterRule, UnwindContext, UnwindExpression,
    UnwindSection, UnwindTableRow, X86_64,
};
use seam_wire::{
    Arch, Rule, SEAM_END_ROOT_THREAD, SEAM_REGISTERS, SEAM_RSP, SEAM_RULE_CFA, SEAM_RULE_DEREF,
    SEAM_RULE_DEREF_INDEXED, SEAM_RULE_IN_REGISTER, SEAM_RULE_PLT, SEAM_RULE_RETURN_APART,
    SEAM_RULE_ROOT, SEAM_RULE_SAVED_BY_RBP, SEAM_RULE_SIGNAL,
};

use crate::arm64;
use crate::range_list::RuleRange;
use crate::rules::{plain, save, unsupported};
use crate::{Error, Result, RuleSet};

type Slice<'d> = EndianSlice<'d, LittleEndian>;

/// What reading one section gave.
#[derive(Debug, Default)]
pub(crate) struct CfiRows {
    pub(crate) ranges: Vec<RuleRange>,
    /// Descriptions of functions read.
    pub(crate) functions: u64,
    /// Descriptions that were malformed and left out.
    pub(crate) malformed: u64,
}

/// Where a section lies and which code it describes.
pub(crate) struct CfiSection<'d> {
    pub(crate) name: &'static str,
    pub(crate) data: &'d [u8],
    pub(crate) address: u64,
    /// First address that the table covers.
    pub(crate) base: u64,
    /// Bytes of code from there on.
    pub(crate) size: u32,
    pub(crate) text: u64,
    /// Whose registers it names.
    pub(crate) arch: Arch,
}

/// Rows of an `.eh_frame` section.
pub(crate) fn eh_frame(section: &CfiSection<'_>, rules: &mut RuleSet) -> Result<CfiRows> {
    let mut frames = gimli::EhFrame::new(section.data, LittleEndian);
    frames.set_address_size(8);
    frames.set_vendor(vendor(section.arch));
    rows(&frames, section, rules)
}

/// Rows of a `.debug_frame` section.
pub(crate) fn debug_frame(section: &CfiSection<'_>, rules: &mut RuleSet) -> Result<CfiRows> {
    let mut frames = gimli::DebugFrame::new(section.data, LittleEndian);
    frames.set_address_size(8);
    frames.set_vendor(vendor(section.arch));
    rows(&frames, section, rules)
}

/// Whose extensions of call frame instructions may occur.
fn vendor(arch: Arch) -> gimli::Vendor {
    match arch {
        Arch::X86_64 => gimli::Vendor::Default,
        Arch::Arm64 => gimli::Vendor::AArch64,
    }
}

fn rows<'d, S: UnwindSection<Slice<'d>>>(
    frames: &S,
    section: &CfiSection<'d>,
    rules: &mut RuleSet,
) -> Result<CfiRows> {
    let bases = gimli::BaseAddresses::default()
        .set_eh_frame(section.address)
        .set_text(section.text);
    let mut context = UnwindContext::new();
    let mut result = CfiRows::default();
    let mut entries = frames.entries(&bases);
    loop {
        // An entry whose frame is broken ends the section: nothing tells where the next begins.
        let entry = match entries.next() {
            Ok(None) => return Ok(result),
            Ok(Some(entry)) => entry,
            Err(e) if result.functions == 0 => {
                return Err(Error::Cfi {
                    section: section.name,
                    detail: e.to_string(),
                });
            }
            Err(_) => {
                result.malformed += 1;
                return Ok(result);
            }
        };
        let CieOrFde::Fde(partial) = entry else {
            continue;
        };
        let Ok(fde) = partial.parse(|_, bases, offset| frames.cie_from_offset(bases, offset))
        else {
            result.malformed += 1;
            continue;
        };
        result.functions += 1;
        let signal = fde.is_signal_trampoline();
        let Ok(mut table) = fde.rows(frames, &bases, &mut context) else {
            result.malformed += 1;
            continue;
        };
        loop {
            match table.next_row() {
                Ok(Some(row)) => {
                    let Some(range) = clip(row, section) else {
                        continue;
                    };
                    let rule = if signal {
                        plain(SEAM_RULE_SIGNAL)
                    } else {
                        match section.arch {
                            Arch::X86_64 => rule(frames, row),
                            Arch::Arm64 => arm64::rule(frames, row),
                        }
                    };
                    result.ranges.push(RuleRange {
                        rule: rules.number(rule),
                        ..range
                    });
                }
                Ok(None) => break,
                Err(_) => {
                    result.malformed += 1;
                    break;
                }
            }
        }
    }
}

/// The part of a row that lies in the covered code, as offsets.
fn clip(row: &UnwindTableRow<usize>, section: &CfiSection<'_>) -> Option<RuleRange> {
    let end = section.base + u64::from(section.size);
    let start = row.start_address().max(section.base);
    let stop = row.end_address().min(end);
    (start < stop).then(|| RuleRange {
        start: (start - section.base) as u32,
        end: (stop - section.base) as u32,
        rule: 0,
    })
}

fn rule<'d, S: UnwindSection<Slice<'d>>>(frames: &S, row: &UnwindTableRow<usize>) -> Rule {
    // "Undefined" says that there is no caller: _start and thread starts carry it.
    let mut rule = match row.register(X86_64::RA) {
        Some(RegisterRule::Offset(-8)) => cfa(frames, row.cfa()),
        Some(RegisterRule::Undefined) => {
            return Rule {
                base: SEAM_END_ROOT_THREAD as u8,
                ..plain(SEAM_RULE_ROOT)
            };
        }
        place => match place.and_then(|place| return_apart(row.cfa(), &place)) {
            Some(rule) => rule,
            None => return unsupported(),
        },
    };
    let of_cfa = [
        SEAM_RULE_CFA,
        SEAM_RULE_DEREF,
        SEAM_RULE_DEREF_INDEXED,
        SEAM_RULE_RETURN_APART,
    ];
    if !of_cfa.contains(&u32::from(rule.kind)) {
        return rule;
    }
    let by_rbp = |e: UnwindExpression<usize>| offset_from_rbp(frames, e);
    let kept = || row.registers().filter(|(r, _)| is_kept(r.0));
    let realigned =
        kept().any(|(_, r)| matches!(r, RegisterRule::Expression(e) if by_rbp(*e).is_some()));
    if realigned {
        rule.flags |= SEAM_RULE_SAVED_BY_RBP as u8;
    }
    for (register, place) in kept() {
        match place {
            RegisterRule::Undefined | RegisterRule::SameValue => {}
            RegisterRule::Offset(offset) if !realigned => save(&mut rule, register.0, *offset),
            RegisterRule::Expression(e) if realigned => {
                // Counted from rbp + 8, so that [rbp] itself is one word away.
                save(
                    &mut rule,
                    register.0,
                    by_rbp(*e).map_or(1, |offset| offset - 8),
                );
            }
            _ => save(&mut rule, register.0, 1),
        }
    }
    rule
}

/// Whether a callee keeps a register (System V x86-64 psABI, 3.2.1), by DWARF number.
fn is_kept(register: u16) -> bool {
    matches!(register, 3 | 6 | 12..=15)
}

fn cfa<'d, S: UnwindSection<Slice<'d>>>(frames: &S, cfa: &CfaRule<usize>) -> Rule {
    match cfa {
        CfaRule::RegisterAndOffset { register, offset } => {
            match (u8::try_from(register.0), i32::try_from(*offset)) {
                (Ok(base @ 0..16), Ok(cfa_offset)) => Rule {
                    base,
                    cfa_offset,
                    ..plain(SEAM_RULE_CFA)
                },
                _ => unsupported(),
            }
        }
        CfaRule::Expression(expression) => {
            let Ok(expression) = expression.get(frames) else {
                return unsupported();
            };
            let bytes = expression.0.slice();
            plt(bytes)
                .or_else(|| deref(bytes, 16))
                .or_else(|| deref_indexed(bytes))
                .unwrap_or_else(unsupported)
        }
    }
}

/// A return address that is not right below the CFA: in a register, as glibc's vfork keeps it
/// during its system call (sysdeps/unix/sysv/linux/x86_64/vfork.S), or elsewhere on the stack.
fn return_apart(cfa: &CfaRule<usize>, place: &RegisterRule<usize>) -> Option<Rule> {
    let CfaRule::RegisterAndOffset { register, offset } = cfa else {
        return None;
    };
    let cfa_offset = i32::try_from(*offset).ok().filter(|at| *at >= 0)?;
    if u32::from(register.0) != SEAM_RSP {
        return None;
    }
    let (flags, deref_offset) = match place {
        RegisterRule::Register(register) if u32::from(register.0) < SEAM_REGISTERS => {
            (SEAM_RULE_IN_REGISTER as u8, i16::try_from(register.0).ok()?)
        }
        RegisterRule::Offset(below) if cfa_offset > 0 => {
            (0, i16::try_from(offset.checked_add(*below)?).ok()?)
        }
        _ => return None,
    };
    Some(Rule {
        base: SEAM_RSP as u8,
        flags,
        cfa_offset,
        deref_offset,
        ..plain(SEAM_RULE_RETURN_APART)
    })
}

/// The expression that binutils writes for lazy PLT slots:
/// `breg7 8; breg16 0; lit15; and; litN; ge; lit3; shl; plus`, N the push's end in the slot.
fn plt(bytes: &[u8]) -> Option<Rule> {
    match bytes {
        [
            0x77,
            8,
            0x80,
            0,
            0x3f,
            0x1a,
            lit @ 0x30..=0x4f,
            0x2a,
            0x33,
            0x24,
            0x22,
        ] => Some(Rule {
            deref_offset: i16::from(lit - 0x30),
            ..plain(SEAM_RULE_PLT)
        }),
        _ => None,
    }
}

/// `breg7 offset; bregN 0; lit8; mul; plus; deref`, and a constant added: where OpenSSL's
/// multiplication keeps the stack pointer, behind a number of words that N counts.
fn deref_indexed(bytes: &[u8]) -> Option<Rule> {
    let (deref_offset, rest) = leb128(bytes.strip_prefix(&[0x77])?, true)?;
    let (opcode, rest) = rest.split_first()?;
    let base = opcode.checked_sub(0x70).filter(|r| *r < 16)?;
    let rest = rest.strip_prefix(&[0, 0x38, 0x1e, 0x22, 0x06, 0x23])?;
    let (cfa_offset, rest) = leb128(rest, false)?;
    rest.is_empty().then_some(Rule {
        base,
        deref_offset: i16::try_from(deref_offset).ok()?,
        cfa_offset: i32::try_from(cfa_offset).ok()?,
        ..plain(SEAM_RULE_DEREF_INDEXED)
    })
}

/// `bregN offset; deref`, and a constant added: stacks realigned by gcc.
pub(crate) fn deref(bytes: &[u8], registers: u8) -> Option<Rule> {
    let (opcode, rest) = bytes.split_first()?;
    let base = opcode.checked_sub(0x70).filter(|r| *r < registers)?;
    let (deref_offset, rest) = leb128(rest, true)?;
    let rest = rest.strip_prefix(&[0x06])?;
    let cfa_offset = match rest.split_first() {
        None => 0,
        Some((0x23, constant)) => leb128(constant, false).filter(|(_, r)| r.is_empty())?.0,
        Some(_) => return None,
    };
    Some(Rule {
        base,
        deref_offset: i16::try_from(deref_offset).ok()?,
        cfa_offset: i32::try_from(cfa_offset).ok()?,
        ..plain(SEAM_RULE_DEREF)
    })
}

/// `breg6 offset` as the place of a saved register.
fn offset_from_rbp<'d, S: UnwindSection<Slice<'d>>>(
    frames: &S,
    expression: UnwindExpression<usize>,
) -> Option<i64> {
    let expression = expression.get(frames).ok()?;
    let rest = expression.0.slice().strip_prefix(&[0x76])?;
    leb128(rest, true)
        .filter(|(_, rest)| rest.is_empty())
        .map(|(offset, _)| offset)
}

fn leb128(bytes: &[u8], signed: bool) -> Option<(i64, &[u8])> {
    let mut value = 0i64;
    for (i, byte) in bytes.iter().take(9).enumerate() {
        value |= i64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            let bits = 7 * (i + 1);
            let negative = signed && byte & 0x40 != 0;
            return Some((
                if negative {
                    value | (-1 << bits)
                } else {
                    value
                },
                &bytes[i + 1..],
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_that_compilers_write() {
        let rule = deref(&[0x76, 0x78, 0x06], 16).expect("gcc's realigned stack");
        assert_eq!((rule.base, rule.deref_offset, rule.cfa_offset), (6, -8, 0));
        let rule = deref(&[0x77, 0x10, 0x06, 0x23, 8], 16).expect("openssl's saved rsp");
        assert_eq!((rule.base, rule.deref_offset, rule.cfa_offset), (7, 16, 8));
        let lazy = [0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22];
        assert_eq!(plt(&lazy).expect("binutils").deref_offset, 11);
        assert!(deref(&[0x76, 0x80], 16).is_none());
        let counted = [0x77, 8, 0x79, 0, 0x38, 0x1e, 0x22, 0x06, 0x23, 8];
        let rule = deref_indexed(&counted).expect("openssl's counted words");
        assert_eq!((rule.base, rule.deref_offset, rule.cfa_offset), (9, 8, 8));
        for len in 0..counted.len() {
            assert!(deref_indexed(&counted[..len]).is_none(), "{len} bytes");
        }
    }
}
