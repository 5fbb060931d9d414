//! The instruction before a return address, read backwards. Whatever prefixes it has, a near call
//! ends in `E8 rel32` or in `FF /2` (Intel's manual, volume 2, CALL), so nothing else needs to be
//! decoded to know that there is none.

use seam_object::{Elf, ReadRef};
use seam_wire::Arch;

use crate::arm64;

/// The longest form without prefixes: `FF /2`, SIB, 32-bit displacement.
const CALL_BYTES_MAX: u64 = 7;

/// What may end at an address. Bytes can read as both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Site {
    /// The target of a direct call.
    pub(crate) direct: Option<u64>,
    /// A call through a register or memory.
    pub(crate) indirect: Option<Through>,
}

/// What an indirect call goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Through {
    /// A word at a known address.
    Slot(u64),
    /// Anything else.
    Other,
}

impl Site {
    /// Reads the bytes before `end`; `None` where the file holds none.
    pub(crate) fn before<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, end: u64) -> Option<Self> {
        if Arch::of_machine(elf.machine()) == Some(Arch::Arm64) {
            return arm64::site(elf, end);
        }
        let lengths = (2..=CALL_BYTES_MAX).rev();
        let bytes = lengths
            .filter_map(|n| elf.bytes_at(end.checked_sub(n)?, n))
            .next()?;
        Some(Self::of(bytes, end))
    }

    fn of(bytes: &[u8], end: u64) -> Self {
        let word = || {
            let last = bytes.last_chunk::<4>()?;
            Some(i64::from(i32::from_le_bytes(*last)))
        };
        let relative = || Some(end.wrapping_add_signed(word()?));
        let opcode = |n: usize| bytes.len().checked_sub(n).map(|at| bytes[at]);
        let direct = if opcode(5) == Some(0xe8) {
            relative()
        } else {
            None
        };
        let indirect = (2..=bytes.len()).find_map(|n| {
            let call = &bytes[bytes.len() - n..];
            if call[0] != 0xff || indirect_bytes(call) != Some(n) {
                return None;
            }
            // mod 0, rm 5: relative to the next instruction.
            let slot = relative().filter(|_| call[1] & 0xc7 == 0x05);
            Some(slot.map_or(Through::Other, Through::Slot))
        });
        Self { direct, indirect }
    }
}

/// The length that the ModRM byte of `FF /2` asks for.
fn indirect_bytes(call: &[u8]) -> Option<usize> {
    let modrm = *call.get(1)?;
    if modrm >> 3 & 7 != 2 {
        return None;
    }
    let (mode, rm) = (modrm >> 6, modrm & 7);
    if mode == 3 {
        return Some(2);
    }
    let sib = usize::from(rm == 4);
    let displacement = match mode {
        0 if rm == 5 => 4,
        0 if rm == 4 && call.get(2)? & 7 == 5 => 4,
        0 => 0,
        1 => 1,
        _ => 4,
    };
    Some(2 + sib + displacement)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> (Option<u64>, Option<Through>) {
        let site = Site::of(bytes, 0x1000);
        (site.direct, site.indirect)
    }

    #[test]
    fn calls_of_all_forms() {
        let other = Some(Through::Other);
        assert_eq!(of(&[0x90, 0xe8, 0x10, 0, 0, 0]), (Some(0x1010), None));
        assert_eq!(of(&[0x67, 0xe8, 0xf0, 255, 255, 255]), (Some(0xff0), None));
        assert_eq!(of(&[0x90, 0xff, 0xd0]), (None, other));
        assert_eq!(of(&[0x41, 0xff, 0x14, 0x24]), (None, other));
        assert_eq!(of(&[0xff, 0x50, 0x18]), (None, other));
        assert_eq!(of(&[0xff, 0x54, 0xc3, 0x18]), (None, other));
        assert_eq!(of(&[0xff, 0x90, 0, 1, 0, 0]), (None, other));
        assert_eq!(of(&[0xff, 0x94, 0xc3, 0, 1, 0, 0]), (None, other));
        assert_eq!(of(&[0xff, 0x14, 0xc5, 0, 1, 0, 0]), (None, other));
        let slot = Some(Through::Slot(0x1100));
        assert_eq!(of(&[0xff, 0x15, 0, 1, 0, 0]), (None, slot));
    }

    #[test]
    fn what_is_no_call() {
        for bytes in [
            &[0x90u8, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90][..],
            &[0xe9, 0x10, 0, 0, 0],
            // jmp rax, inc eax
            &[0x90, 0xff, 0xe0],
            &[0x90, 0xff, 0xc0],
            &[0xd0],
            &[],
        ] {
            assert_eq!(of(bytes), (None, None), "{bytes:x?}");
        }
    }

    #[test]
    fn bytes_that_read_as_both() {
        let (direct, indirect) = of(&[0xe8, 0x10, 0, 0xff, 0xd0]);
        assert!(direct.is_some() && indirect.is_some());
    }
}
