//! Rows derived from instructions, for functions that nothing describes: the vdso of Linux on arm64
//! has no unwind information. Only functions that a symbol gives a size are looked at. Each is
//! followed along its paths; it has rows only if the paths agree about the stack, every return
//! finds it as it was, and nothing else is done to the stack pointer.

use std::collections::BTreeMap;

use seam_object::arm64::{Access, FP, Instruction, LR, Op, SP, decode};
use seam_object::{Elf, ReadRef, SymbolKind};
use seam_wire::{Arch, RuleArm64, SEAM_RULE_DERIVED};

use super::{save, stack, wire};
use crate::RuleSet;
use crate::derive::DerivedRows;
use crate::range_list::{RangeList, RuleRange, offset};

/// A larger function is not looked at.
const FUNCTION_BYTES_MAX: u64 = 1 << 16;
/// A larger frame is none.
const FRAME_BYTES_MAX: i64 = 1 << 20;

/// Where things are before an instruction; distances from the stack pointer of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Frame {
    /// Bytes of stack in use.
    depth: i64,
    /// Where the return address was stored, while it is not in its register.
    link: Option<i64>,
    /// The same of the frame pointer.
    pointer: Option<i64>,
}

/// Rows for functions of which nothing covers the first byte; offsets count from `base`.
pub(crate) fn derived_rows<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    base: u64,
    known: &RangeList,
    rules: &mut RuleSet,
) -> DerivedRows {
    debug_assert_eq!(Arch::of_machine(elf.machine()), Some(Arch::Arm64));
    let mut functions: BTreeMap<u64, u64> = BTreeMap::new();
    for symbol in elf.symbols().filter(|s| s.kind == SymbolKind::Function) {
        let size = functions.entry(symbol.address).or_default();
        *size = symbol.size.max(*size);
    }
    let mut result = DerivedRows::default();
    for (start, size) in functions {
        let offset = offset(start, base);
        let Some(offset) = offset.filter(|_| (1..=FUNCTION_BYTES_MAX).contains(&size)) else {
            continue;
        };
        let code = elf.bytes_at(start, size);
        let Some(code) = code.filter(|_| !known.covers(offset)) else {
            continue;
        };
        let Some(frames) = follow(&decode(code, start)) else {
            result.given_up += 1;
            continue;
        };
        result.functions += 1;
        for (at, frame) in frames.into_iter().enumerate() {
            let Some(frame) = frame else { continue };
            let start = offset + 4 * at as u32;
            result.rows.push(RuleRange {
                start,
                end: start + 4,
                rule: rules.number(wire(rule(frame))),
            });
        }
    }
    result
}

fn rule(frame: Frame) -> RuleArm64 {
    let mut rule = stack(frame.depth as i32);
    rule.flags |= SEAM_RULE_DERIVED as u8;
    for (register, place) in [(LR, frame.link), (FP, frame.pointer)] {
        if let Some(place) = place {
            save(&mut rule, u16::from(register), place);
        }
    }
    rule
}

/// The frame before each instruction that is reached; `None` if it can't be told.
fn follow(code: &[Instruction]) -> Option<Vec<Option<Frame>>> {
    let first = code.first()?.address;
    let index = |to: u64| Some((to.checked_sub(first)? / 4) as usize).filter(|i| *i < code.len());
    let mut before: Vec<Option<Frame>> = vec![None; code.len()];
    let mut work = vec![(0, Frame::default())];
    while let Some((at, frame)) = work.pop() {
        let (Some(slot), Some(i)) = (before.get_mut(at), code.get(at)) else {
            // It runs on into what is not its own.
            return None;
        };
        match slot {
            Some(known) if *known == frame => continue,
            Some(_) => return None,
            None => *slot = Some(frame),
        }
        let after = step(i, frame)?;
        match i.op {
            Op::Return(register) if (register, frame) != (LR, Frame::default()) => return None,
            Op::JumpRegister(_) if frame != Frame::default() => return None,
            Op::Jump(to) | Op::Branch(to) => match index(to) {
                Some(to) => work.push((to, after)),
                // A call in the place of a return.
                None if after == Frame::default() => {}
                None => return None,
            },
            // It could not return any more.
            _ if i.is_call() && frame.link.is_none() => return None,
            _ => {}
        }
        // udf and brk end a path.
        let trap = i.word >> 16 == 0 || i.word & 0xffe0_001f == 0xd420_0000;
        if i.falls_through() && !trap {
            work.push((at + 1, after));
        }
    }
    Some(before)
}

fn step(i: &Instruction, mut frame: Frame) -> Option<Frame> {
    let place = |access: &Access| access.offset - frame.depth;
    match i.op {
        Op::Add {
            to: SP,
            from: SP,
            constant,
        } => frame.depth -= constant,
        Op::Store(access) | Op::StorePair(access, _) if access.base == SP => {
            for (register, at) in i.moved() {
                match register {
                    LR if frame.link.is_none() => frame.link = Some(place(&access) + at),
                    FP if frame.pointer.is_none() => frame.pointer = Some(place(&access) + at),
                    _ => {}
                }
            }
            frame.depth -= access.added;
        }
        Op::Load(access) | Op::LoadPair(access, _) if access.base == SP => {
            for (register, at) in i.moved() {
                match register {
                    LR if frame.link == Some(place(&access) + at) => frame.link = None,
                    FP if frame.pointer == Some(place(&access) + at) => frame.pointer = None,
                    LR => return None,
                    _ => {}
                }
            }
            frame.depth -= access.added;
        }
        // Whatever else sets the stack pointer or the link register.
        Op::LoadPair(_, LR) => return None,
        _ if matches!(i.sets(), Some(SP | LR)) => return None,
        _ if i.sets() == Some(FP) && frame.pointer.is_none() => return None,
        _ if sets_sp(i.word) => return None,
        _ => {}
    }
    (0..=FRAME_BYTES_MAX)
        .contains(&frame.depth)
        .then_some(frame)
}

/// Of what is not decoded: additions and logical operations to sp (`add sp, x, x`, `and sp, x,
/// #n`).
fn sets_sp(word: u32) -> bool {
    let kind = (word >> 23) & 0x3f;
    let logical = kind == 0x24;
    let sum = kind == 0x22 || word & 0x1fe0_0000 == 0x0b20_0000;
    // The variants that set flags (cmp, tst) have no sp to write to.
    let flags = match logical {
        true => (word >> 29) & 3 == 3,
        false => (word >> 29) & 1 == 1,
    };
    (logical || sum) && !flags && word & 31 == 31
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(words: &[u32]) -> Option<Vec<Option<Frame>>> {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        follow(&decode(&bytes, 0x1000))
    }

    #[test]
    fn frames_are_followed() {
        // stp x29, x30, [sp, #-48]!; mov x29, sp; bl; ldp x29, x30, [sp], #48; ret
        let code = [
            0xa9bd_7bfd,
            0x9100_03fd,
            0x9400_0100,
            0xa8c3_7bfd,
            0xd65f_03c0,
        ];
        let found = frames(&code).expect("it is plain");
        let inside = Frame {
            depth: 48,
            link: Some(-40),
            pointer: Some(-48),
        };
        let none = Some(Frame::default());
        assert_eq!(
            found,
            [none, Some(inside), Some(inside), Some(inside), none]
        );
        // A leaf.
        assert!(frames(&[0xd503_201f, 0xd65f_03c0]).is_some());
    }

    #[test]
    fn what_is_not_plain_is_given_up() {
        // A return with the frame still there; a call without a kept link; no return at all; the
        // stack pointer from elsewhere (mov sp, x0; and sp, x0, #~15).
        assert!(frames(&[0xa9bd_7bfd, 0xd65f_03c0]).is_none());
        assert!(frames(&[0x9400_0100, 0xd65f_03c0]).is_none());
        assert!(frames(&[0xd503_201f]).is_none());
        assert!(frames(&[0x9100_001f, 0xd65f_03c0]).is_none());
        assert!(frames(&[0x927c_ec1f, 0xd65f_03c0]).is_none());
        // tst x0, #1; cmp x0, #1; ret
        assert!(frames(&[0xf240_001f, 0xf100_041f, 0xd65f_03c0]).is_some());
        // Two ways to one place that differ: cbz x0, +8; sub sp, sp, #16; ret
        assert!(frames(&[0xb400_0040, 0xd100_43ff, 0xd65f_03c0]).is_none());
    }
}
