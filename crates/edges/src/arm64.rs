//! What edges ask of code, for AArch64: every instruction has four bytes, so that nothing reads as
//! two.

use std::ops::Range;

use seam_object::arm64::{BYTES, LR, Op, decode, instruction};
use seam_object::{Elf, ReadRef};

use crate::scan::{FUNCTION_BYTES_MAX, Scan};
use crate::site::{Site, Through};

/// Bytes of a stub: a landing pad, the address of the slot's page, the load, its address, the jump.
const STUB_BYTES: u64 = 20;
const NOP: u32 = 0xd503_201f;

/// The call that ends at an address; `None` where the file holds no code there.
pub(crate) fn site<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, end: u64) -> Option<Site> {
    let at = end.checked_sub(BYTES)?;
    let word = elf.bytes_at(at, BYTES)?.first_chunk::<4>()?;
    Some(match instruction(u32::from_le_bytes(*word), at).op {
        Op::Call(target) => Site {
            direct: Some(target),
            indirect: None,
        },
        Op::CallRegister(_) => Site {
            direct: None,
            indirect: Some(Through::Other),
        },
        _ => Site::default(),
    })
}

/// What a function's instructions do.
pub(crate) fn scan<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, function: &Range<u64>) -> Scan {
    let mut scan = Scan::default();
    let len = function.end.saturating_sub(function.start);
    let bytes = elf.bytes_at(function.start, len);
    let Some(bytes) = bytes.filter(|_| len <= FUNCTION_BYTES_MAX) else {
        scan.escapes = true;
        return scan;
    };
    let mut last = None;
    for i in decode(bytes, function.start) {
        match i.op {
            Op::Jump(to) | Op::Branch(to) if !function.contains(&to) => scan.jumps.push(to),
            Op::JumpRegister(_) => scan.escapes = true,
            Op::Return(register) if register != LR => scan.escapes = true,
            _ => {}
        }
        // Words of zero and nops fill up to the next function.
        if i.word != 0 && i.word != NOP {
            last = Some(i);
        }
    }
    // A call at the end does not return.
    scan.falls_through = last.is_some_and(|i| i.falls_through() && !i.is_call());
    scan
}

/// The word through which the stub at `address` jumps.
pub(crate) fn stub<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, address: u64) -> Option<u64> {
    slot(elf.bytes_up_to(address, STUB_BYTES)?, address)
}

fn slot(code: &[u8], address: u64) -> Option<u64> {
    let (mut page, mut slot) = (None, None);
    for i in decode(code, address) {
        match i.op {
            Op::Address { to, address } => page = Some((to, address)),
            Op::Load(load) => {
                let (register, page) = page?;
                let at = page.wrapping_add(load.offset as u64);
                slot = (load.base == register).then_some((load.register, at));
            }
            Op::JumpRegister(to) => {
                return slot
                    .filter(|(register, _)| *register == to)
                    .map(|(_, at)| at);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stub_names_its_slot() {
        // adrp x16, +1 page; ldr x17, [x16, #0x18]; add x16, x16, #0x18; br x17
        let words = [0xb000_0010u32, 0xf940_0e11, 0x9100_6210, 0xd61f_0220];
        let code: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        assert_eq!(slot(&code, 0x40_1000), Some(0x40_2018));
        assert_eq!(slot(&code[..12], 0x40_1000), None);
        assert_eq!(slot(&code[4..], 0x40_1000), None);
    }
}
