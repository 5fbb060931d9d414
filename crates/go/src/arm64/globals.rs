//! Where the runtime's own variables lie, from the instructions of AArch64: an address is a page
//! (adrp) and what is added to it, by an instruction of its own or by the access.

use std::collections::HashMap;

use seam_object::arm64::{Instruction, Op};

/// Instructions that are looked at in one function.
const INSTRUCTIONS_MAX: usize = 4096;

/// What one instruction does with a fixed address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fixed {
    /// A register has it now.
    Computed(u8, u64),
    /// The word there is loaded, or so many.
    Loaded(u64, u64),
    /// A call of this function, or of an unknown one.
    Called(Option<u64>),
    /// A register has something else now.
    Lost(u8),
}

fn fixed(code: &[Instruction]) -> Vec<Fixed> {
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

/// The first two words that are loaded from fixed addresses, if they are different ones.
pub(crate) fn list(code: &[Instruction]) -> Option<(u64, u64)> {
    let all = fixed(code);
    let mut loads = all.iter().filter_map(|f| match f {
        Fixed::Loaded(at, 1) => Some(*at),
        _ => None,
    });
    let (len, pointer) = (loads.next()?, loads.next()?);
    (len != pointer).then_some((len, pointer))
}

/// The fixed address that is the first argument of a call.
pub(crate) fn argument(code: &[Instruction], callee: u64) -> Option<u64> {
    let mut first = None;
    for step in fixed(code) {
        match step {
            Fixed::Called(Some(to)) if to == callee => return first,
            Fixed::Called(_) | Fixed::Lost(0) => first = None,
            Fixed::Computed(0, address) => first = Some(address),
            _ => {}
        }
    }
    None
}

/// A slice whose pointer and length are loaded from fixed addresses behind the first call.
pub(crate) fn slice_behind_call(code: &[Instruction]) -> Option<u64> {
    let all = fixed(code);
    let behind = all.iter().skip_while(|f| !matches!(f, Fixed::Called(_)));
    let mut loads = behind.filter_map(|f| match f {
        Fixed::Loaded(at, words) => Some((*at, *words)),
        _ => None,
    });
    let (a, words) = loads.next()?;
    if words == 2 {
        return Some(a);
    }
    let (b, _) = loads.next()?;
    (a.abs_diff(b) == 8).then_some(a.min(b))
}

/// Every fixed address that is computed.
pub(crate) fn computed(code: &[Instruction]) -> Vec<u64> {
    let all = fixed(code).into_iter().filter_map(|f| match f {
        Fixed::Computed(_, address) => Some(address),
        _ => None,
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use seam_object::arm64::decode;

    use super::*;

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
        assert_eq!(list(&shown), Some((0x44_8a28, 0x44_9d98)));
        assert_eq!(list(&shown[..3]), None);
        assert_eq!(computed(&shown), [0x44_8a28, 0x44_9d98]);
    }

    #[test]
    fn the_heap_is_the_first_argument() {
        // adrp x0, +1 page; add x0, x0, #0x840; ldr x1, [sp, #56]; bl +4
        let shown = code(&[0xb000_0000, 0x9121_0000, 0xf940_1fe1, 0x9400_0001]);
        assert_eq!(argument(&shown, 0x44_7010), Some(0x44_8840));
        assert_eq!(argument(&shown, 0x44_7014), None);
    }

    #[test]
    fn a_slice_is_loaded_behind_the_call() {
        // bl +4; adrp x27, +1 page; add x27, x27, #0xe0; ldp x1, x2, [x27]
        let pair = [0x9400_0001, 0xb000_001b, 0x9103_837b, 0xa940_0b61];
        assert_eq!(slice_behind_call(&code(&pair)), Some(0x44_80e0));
        assert_eq!(slice_behind_call(&code(&pair[1..])), None);
    }
}
