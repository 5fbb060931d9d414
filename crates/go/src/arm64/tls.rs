//! Where the current g lies in thread-local storage: decoded from runtime.load_g, which is in every
//! Go binary.

use seam_object::arm64::{Instruction, Op};
use seam_object::{Elf, ReadRef};

use super::{code, definition};
use crate::{GoModule, TlsOffset};

/// Only a program with cgo (or what stands for it) has it. Without, `runtime.iscgo` is never set,
/// and nothing stores g.
const CGO: &str = "crosscall2";
const LOAD_G: &str = "runtime.load_g";

pub(crate) fn tls_offset<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    module: &GoModule<'d>,
) -> Option<TlsOffset> {
    let functions = module.functions_named(&[CGO, LOAD_G]);
    let found = from_code(&code(elf, functions.get(LOAD_G)?))?;
    Some(match functions.contains_key(CGO) {
        true => found,
        false => TlsOffset::Nowhere,
    })
}

/// `mrs t, tpidr_el0`, then the offset into a register, then `ldr x28, [t, register]`.
fn from_code(code: &[Instruction]) -> Option<TlsOffset> {
    let pointer = code.iter().find_map(|i| match i.op {
        Op::ThreadPointer { to } => Some(to),
        _ => None,
    })?;
    let (at, offset) = code.iter().enumerate().find_map(|(at, i)| match i.op {
        Op::LoadIndexed {
            to: 28,
            base,
            index,
        } if base == pointer => Some((at, index)),
        _ => None,
    })?;
    match definition(code, at, offset)?.op {
        Op::Constant { value, .. } => Some(TlsOffset::Fixed(i64::try_from(value).ok()?)),
        // A second half, where the linker has made a load of the offset into two constants.
        Op::Keep { bits, shift: 0, .. } => {
            let before = code.iter().position(|i| matches!(i.op, Op::Keep { .. }))?;
            match definition(code, before, offset)?.op {
                Op::Constant { value, .. } => Some(TlsOffset::Fixed(
                    i64::try_from((value & !0xffff) | bits).ok()?,
                )),
                _ => None,
            }
        }
        Op::Load(slot) => {
            let at = code.iter().position(|i| i.op == Op::Load(slot))?;
            match definition(code, at, slot.base)?.op {
                Op::Address { address, .. } => {
                    Some(TlsOffset::Slot(address.wrapping_add(slot.offset as u64)))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use seam_object::arm64::decode;

    use super::*;

    fn shown(words: &[u32]) -> Option<TlsOffset> {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        from_code(&decode(&bytes, 0x1000))
    }

    #[test]
    fn executables_have_a_constant_and_libraries_a_slot() {
        // mrs x0, tpidr_el0; mov x27, #16; ldr x28, [x0, x27]
        let exe = [0xd53b_d040, 0xd280_021b, 0xf87b_681c];
        assert_eq!(shown(&exe), Some(TlsOffset::Fixed(16)));
        // movz x27, #1, lsl #16; movk x27, #16
        let relaxed = [0xd53b_d040, 0xd2a0_003b, 0xf280_021b, 0xf87b_681c];
        assert_eq!(shown(&relaxed), Some(TlsOffset::Fixed(0x1_0010)));
        // adrp x27, +1 page; ldr x27, [x27, #8]
        let shared = [0xd53b_d040, 0xb000_001b, 0xf940_077b, 0xf87b_681c];
        assert_eq!(shown(&shared), Some(TlsOffset::Slot(0x2008)));
        assert_eq!(shown(&exe[1..]), None);
        assert_eq!(shown(&exe[..2]), None);
    }
}
