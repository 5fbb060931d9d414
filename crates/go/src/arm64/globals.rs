//! Where the runtime's own variables lie, from the instructions of AArch64: an address is a page
//! (adrp) and what is added to it, by an instruction of its own or by the access.

use std::collections::HashMap;

use seam_object::arm64::{Instruction, Op};

use crate::fixed::{Fixed, INSTRUCTIONS_MAX};

/// What instructions do with fixed addresses.
pub(crate) fn fixed(code: &[Instruction]) -> Vec<Fixed> {
    let mut pages: HashMap<u8, u64> = HashMap::new();
    let mut all = Vec::new();
    for i in code.iter().take(INSTRUCTIONS_MAX) {
        let mut computed = None;
        match i.op {
            Op::Address { to, address } => computed = Some((to, address)),
            Op::Add { to, from, constant } => {
                let page = pages.get(&from);
                computed = page.map(|page| (to, page.wrapping_add(constant as u64)));
                all.extend(computed.map(|(to, address)| Fixed::Computed(to, address)));
            }
            Op::Load(access) if access.bytes == 8 => {
                let page = pages.get(&access.base);
                let at = page.map(|page| page.wrapping_add(access.offset as u64));
                all.extend(at.map(|at| Fixed::Loaded(at, 1)));
            }
            Op::LoadPair(access, _) => {
                let page = pages.get(&access.base);
                let at = page.map(|page| page.wrapping_add(access.offset as u64));
                all.extend(at.map(|at| Fixed::Loaded(at, 2)));
            }
            Op::Call(to) => all.push(Fixed::Called(Some(to))),
            Op::CallRegister(_) => all.push(Fixed::Called(None)),
            _ => {}
        }
        if i.is_call() {
            pages.clear();
        }
        if let Some(to) = i.sets() {
            pages.remove(&to);
            if computed.is_none() {
                all.push(Fixed::Lost(to));
            }
        }
        if let Op::LoadPair(access, second) = i.op {
            pages.remove(&access.register);
            pages.remove(&second);
        }
        pages.extend(computed);
    }
    all
}

#[cfg(test)]
mod tests {
    use seam_object::arm64::decode;

    use super::*;
    use crate::fixed::{argument, computed, list, slice_behind_call};

    fn code(words: &[u32]) -> Vec<Instruction> {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        decode(&bytes, 0x44_7000)
    }

    #[test]
    fn the_length_comes_first() {
        // adrp x1, +1 page; add x1, x1, #0xa28; ldar x1, [x1]; adrp x2, +2; add x2, x2, #0xd98;
        // ldar x2, [x2]
        let shown = code(&[
            0xb000_0001,
            0x9128_a021,
            0xc8df_fc21,
            0xd000_0002,
            0x9136_6042,
            0xc8df_fc42,
        ]);
        assert_eq!(list(&fixed(&shown)), Some((0x44_8a28, 0x44_9d98)));
        assert_eq!(list(&fixed(&shown[..3])), None);
        assert_eq!(computed(&fixed(&shown)), [0x44_8a28, 0x44_9d98]);
    }

    #[test]
    fn the_heap_is_the_first_argument() {
        // adrp x0, +1 page; add x0, x0, #0x840; ldr x1, [sp, #56]; bl +4
        let shown = code(&[0xb000_0000, 0x9121_0000, 0xf940_1fe1, 0x9400_0001]);
        assert_eq!(argument(&fixed(&shown), 0x44_7010), Some(0x44_8840));
        assert_eq!(argument(&fixed(&shown), 0x44_7014), None);
    }

    #[test]
    fn a_slice_is_loaded_behind_the_call() {
        // bl +4; adrp x27, +1 page; add x27, x27, #0xe0; ldp x1, x2, [x27]
        let pair = [0x9400_0001, 0xb000_001b, 0x9103_837b, 0xa940_0b61];
        assert_eq!(slice_behind_call(&fixed(&code(&pair))), Some(0x44_80e0));
        assert_eq!(slice_behind_call(&fixed(&code(&pair[1..]))), None);
    }
}
