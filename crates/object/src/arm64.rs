//! The instructions of AArch64 that seam asks about, decoded: branches, calls, accesses to memory
//! by a register and a constant, and what is done to the stack pointer. Everything else is
//! [`Op::Other`]. Encodings are those of the Arm Architecture Reference Manual (DDI 0487), C4.1.

/// The number of the stack pointer, where an instruction means it and not zero.
pub const SP: u8 = 31;
/// The number of the zero register.
pub const ZR: u8 = 32;
/// The frame pointer.
pub const FP: u8 = 29;
/// The link register, in which a call leaves its return address.
pub const LR: u8 = 30;
/// Bytes of every instruction.
pub const BYTES: u64 = 4;
/// `mov x8, #139; svc #0`: the system call that returns from a signal handler, as the vdso and C
/// libraries have it.
pub const SIGRETURN: [u8; 8] = [0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4];

/// A load or store of one register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The register that is loaded or stored.
    pub register: u8,
    /// The register that the address counts from.
    pub base: u8,
    /// What is added to it.
    pub offset: i64,
    /// Bytes that are moved.
    pub bytes: u8,
    /// What is added to the base for good.
    pub added: i64,
}

/// What an instruction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Loads a register.
    Load(Access),
    /// Stores a register.
    Store(Access),
    /// Loads two registers of 64 bits from neighbouring words; the first and the other.
    LoadPair(Access, u8),
    /// Stores two registers of 64 bits.
    StorePair(Access, u8),
    /// Loads from base register + index register.
    LoadIndexed {
        /// The register that is loaded.
        to: u8,
        /// One part of the address.
        base: u8,
        /// The other.
        index: u8,
    },
    /// `to = from + constant`
    Add {
        /// The register that is set.
        to: u8,
        /// What is added to.
        from: u8,
        /// What is added, negative for a subtraction.
        constant: i64,
    },
    /// `to = from`
    Copy {
        /// The register that is set.
        to: u8,
        /// The other.
        from: u8,
    },
    /// `to = a - b`
    Subtract {
        /// The register that is set.
        to: u8,
        /// What is subtracted from.
        a: u8,
        /// What is subtracted.
        b: u8,
    },
    /// Compares two registers.
    Compare {
        /// The one.
        a: u8,
        /// The other.
        b: u8,
    },
    /// `to = constant` (movz)
    Constant {
        /// The register that is set.
        to: u8,
        /// Its value.
        value: u64,
    },
    /// 16 bits of a register are replaced (movk).
    Keep {
        /// The register.
        to: u8,
        /// The bits.
        bits: u64,
        /// By how much they are shifted.
        shift: u8,
    },
    /// `to = address` (adr, adrp)
    Address {
        /// The register that is set.
        to: u8,
        /// The address.
        address: u64,
    },
    /// Reads the thread pointer (mrs tpidr_el0).
    ThreadPointer {
        /// The register that is set.
        to: u8,
    },
    /// Goes to another place.
    Jump(u64),
    /// Goes there or on.
    Branch(u64),
    /// Calls.
    Call(u64),
    /// Calls what a register points to.
    CallRegister(u8),
    /// Goes to where a register points.
    JumpRegister(u8),
    /// Returns to where a register points.
    Return(u8),
    /// A system call.
    SystemCall,
    /// Anything else.
    Other,
}

/// One instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Its address.
    pub address: u64,
    /// Its bits.
    pub word: u32,
    /// What it does.
    pub op: Op,
}

impl Instruction {
    /// The address behind it.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.address.wrapping_add(BYTES)
    }

    /// Whether the next instruction may come after it without a jump.
    #[must_use]
    pub const fn falls_through(&self) -> bool {
        !matches!(self.op, Op::Jump(_) | Op::JumpRegister(_) | Op::Return(_))
    }

    /// Whether it calls something.
    #[must_use]
    pub const fn is_call(&self) -> bool {
        matches!(self.op, Op::Call(_) | Op::CallRegister(_))
    }

    /// The registers that it loads or stores, with how far behind its address each of them lies.
    pub fn moved(&self) -> impl Iterator<Item = (u8, i64)> + use<> {
        let (first, second) = match self.op {
            Op::Load(access) | Op::Store(access) => (Some(access.register), None),
            Op::LoadPair(access, second) | Op::StorePair(access, second) => {
                (Some(access.register), Some(second))
            }
            _ => (None, None),
        };
        let second = second.map(|second| (second, 8));
        first.map(|first| (first, 0)).into_iter().chain(second)
    }

    /// The register that it sets, of those that [`Op`] names.
    #[must_use]
    pub const fn sets(&self) -> Option<u8> {
        match self.op {
            Op::Load(Access { register: to, .. })
            | Op::LoadIndexed { to, .. }
            | Op::Add { to, .. }
            | Op::Copy { to, .. }
            | Op::Subtract { to, .. }
            | Op::Constant { to, .. }
            | Op::Keep { to, .. }
            | Op::Address { to, .. }
            | Op::ThreadPointer { to } => Some(to),
            _ => None,
        }
    }
}

/// Decodes code that begins at an address; bytes behind the last whole instruction are left out.
#[must_use]
pub fn decode(bytes: &[u8], address: u64) -> Vec<Instruction> {
    let words = bytes.as_chunks::<4>().0.iter().enumerate();
    words
        .map(|(i, word)| {
            let address = address.wrapping_add(BYTES * i as u64);
            instruction(u32::from_le_bytes(*word), address)
        })
        .collect()
}

/// Decodes one instruction.
#[must_use]
pub fn instruction(word: u32, address: u64) -> Instruction {
    Instruction {
        address,
        word,
        op: op(word, address),
    }
}

/// `bits` bits from `low` on, as a number.
const fn field(word: u32, low: u32, bits: u32) -> u32 {
    (word >> low) & ((1 << bits) - 1)
}

/// The same, with a sign.
const fn signed(word: u32, low: u32, bits: u32) -> i64 {
    let value = field(word, low, bits) as i64;
    (value << (64 - bits)) >> (64 - bits)
}

const fn register(word: u32, low: u32) -> u8 {
    field(word, low, 5) as u8
}

/// A register whose number 31 means zero.
const fn or_zero(word: u32, low: u32) -> u8 {
    match register(word, low) {
        31 => ZR,
        other => other,
    }
}

fn op(word: u32, address: u64) -> Op {
    branch(word, address)
        .or_else(|| arithmetic(word, address))
        .or_else(|| memory(word))
        .unwrap_or(Op::Other)
}

fn branch(word: u32, address: u64) -> Option<Op> {
    let to = |low, bits| address.wrapping_add((4 * signed(word, low, bits)) as u64);
    Some(match word {
        _ if word >> 26 == 0x05 => Op::Jump(to(0, 26)),
        _ if word >> 26 == 0x25 => Op::Call(to(0, 26)),
        // b.cond and bc.cond; cbz and cbnz; tbz and tbnz
        _ if word >> 24 == 0x54 => Op::Branch(to(5, 19)),
        _ if field(word, 25, 6) == 0x1a => Op::Branch(to(5, 19)),
        _ if field(word, 25, 6) == 0x1b => Op::Branch(to(5, 14)),
        0xd65f_0bff | 0xd65f_0fff => Op::Return(LR),
        _ if word & 0xffff_fc1f == 0xd61f_0000 => Op::JumpRegister(register(word, 5)),
        _ if word & 0xffff_fc1f == 0xd63f_0000 => Op::CallRegister(register(word, 5)),
        _ if word & 0xffff_fc1f == 0xd65f_0000 => Op::Return(register(word, 5)),
        // With authentication (FEAT_PAuth): braa and blraa with their kin.
        _ if word & 0xfeff_f800 == 0xd61f_0800 => Op::JumpRegister(register(word, 5)),
        _ if word & 0xfeff_f800 == 0xd63f_0800 => Op::CallRegister(register(word, 5)),
        0xd400_0001 => Op::SystemCall,
        _ => return None,
    })
}

fn arithmetic(word: u32, address: u64) -> Option<Op> {
    let (to, from) = (register(word, 0), register(word, 5));
    Some(match word {
        // add and sub with a constant, 64 bits; a constant of 0 is a copy to or from sp.
        _ if field(word, 23, 8) == 0x22 && word >> 31 == 1 => {
            let constant = i64::from(field(word, 10, 12)) << (12 * field(word, 22, 1));
            add(to, from, constant)
        }
        _ if field(word, 23, 8) == 0xa2 && word >> 31 == 1 => {
            let constant = i64::from(field(word, 10, 12)) << (12 * field(word, 22, 1));
            add(to, from, -constant)
        }
        // orr with the zero register
        _ if word & 0xffe0_ffe0 == 0xaa00_03e0 => Op::Copy {
            to: or_zero(word, 0),
            from: or_zero(word, 16),
        },
        // sub, and subs without a result, of registers as they are
        _ if word & 0xffe0_fc00 == 0xcb00_0000 => Op::Subtract {
            to: or_zero(word, 0),
            a: or_zero(word, 5),
            b: or_zero(word, 16),
        },
        _ if word & 0xffe0_fc1f == 0xeb00_001f => Op::Compare {
            a: or_zero(word, 5),
            b: or_zero(word, 16),
        },
        _ if field(word, 23, 8) == 0xa5 && word >> 31 == 1 => Op::Constant {
            to: or_zero(word, 0),
            value: u64::from(field(word, 5, 16)) << (16 * field(word, 21, 2)),
        },
        _ if field(word, 23, 8) == 0xe5 && word >> 31 == 1 => Op::Keep {
            to: or_zero(word, 0),
            bits: u64::from(field(word, 5, 16)),
            shift: 16 * field(word, 21, 2) as u8,
        },
        _ if field(word, 24, 5) == 0x10 => {
            let distance = (signed(word, 5, 19) << 2) | i64::from(field(word, 29, 2));
            Op::Address {
                to: or_zero(word, 0),
                address: match word >> 31 {
                    0 => address.wrapping_add(distance as u64),
                    _ => (address & !0xfff).wrapping_add((distance << 12) as u64),
                },
            }
        }
        _ if word & 0xffff_ffe0 == 0xd53b_d040 => Op::ThreadPointer {
            to: or_zero(word, 0),
        },
        _ => return None,
    })
}

const fn add(to: u8, from: u8, constant: i64) -> Op {
    match constant {
        0 => Op::Copy { to, from },
        _ => Op::Add { to, from, constant },
    }
}

fn memory(word: u32) -> Option<Op> {
    let one = |offset: i64, added: i64| Access {
        register: or_zero(word, 0),
        base: register(word, 5),
        offset,
        bytes: 1 << field(word, 30, 2),
        added,
    };
    // Of general registers: without a sign to extend, or (10, 11) with one.
    let kind = field(word, 22, 2);
    let access = |access| match kind {
        0 => Op::Store(access),
        _ => Op::Load(access),
    };
    Some(match word {
        // ldr, str, ldrb and so on, with a constant times their size
        _ if field(word, 24, 6) == 0x39 => {
            let offset = i64::from(field(word, 10, 12)) << field(word, 30, 2);
            access(one(offset, 0))
        }
        _ if field(word, 24, 6) == 0x38 && field(word, 21, 1) == 0 => {
            let constant = signed(word, 12, 9);
            match field(word, 10, 2) {
                0 => access(one(constant, 0)),
                1 => access(one(0, constant)),
                3 => access(one(constant, constant)),
                _ => return None,
            }
        }
        // ldar x, [x]
        _ if word & 0xffff_fc00 == 0xc8df_fc00 => Op::Load(one(0, 0)),
        // ldr x, [x, x]
        _ if word & 0xffe0_fc00 == 0xf860_6800 => Op::LoadIndexed {
            to: or_zero(word, 0),
            base: register(word, 5),
            index: or_zero(word, 16),
        },
        // ldp, stp of 64 bits: behind the base, at it plus a constant, before it
        _ if field(word, 25, 7) == 0x54 => {
            let constant = 8 * signed(word, 15, 7);
            let (offset, added) = match field(word, 23, 2) {
                1 => (0, constant),
                2 => (constant, 0),
                3 => (constant, constant),
                _ => return None,
            };
            let access = Access {
                bytes: 8,
                ..one(offset, added)
            };
            let second = or_zero(word, 10);
            match field(word, 22, 1) {
                0 => Op::StorePair(access, second),
                _ => Op::LoadPair(access, second),
            }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(word: u32) -> Op {
        instruction(word, 0x40_1000).op
    }

    fn access(register: u8, base: u8, offset: i64, added: i64) -> Access {
        Access {
            register,
            base,
            offset,
            bytes: 8,
            added,
        }
    }

    /// Words as binutils shows them.
    #[test]
    fn what_compilers_write() {
        assert_eq!(op(0xf81f_0ffe), Op::Store(access(LR, SP, -16, -16)));
        assert_eq!(op(0xf841_07fe), Op::Load(access(LR, SP, 0, 16)));
        assert_eq!(op(0xa9bd_7bfd), Op::StorePair(access(FP, SP, -48, -48), LR));
        assert_eq!(op(0xa8c3_7bfd), Op::LoadPair(access(FP, SP, 0, 48), LR));
        assert_eq!(op(0xf81f_83fd), Op::Store(access(FP, SP, -8, 0)));
        assert_eq!(op(0xf940_1b84), Op::Load(access(4, 28, 48, 0)));
        assert_eq!(op(0xc8df_fc21), Op::Load(access(1, 1, 0, 0)));
        assert_eq!(op(0xf900_23ff), Op::Store(access(ZR, SP, 64, 0)));
        assert_eq!(op(0x9100_001f), Op::Copy { to: SP, from: 0 });
        assert_eq!(op(0x9100_03e2), Op::Copy { to: 2, from: SP });
        assert_eq!(op(0xaa1f_03fd), Op::Copy { to: FP, from: ZR });
        assert_eq!(
            op(0xd100_43ff),
            Op::Add {
                to: SP,
                from: SP,
                constant: -16
            }
        );
        assert_eq!(op(0xcb02_0084), Op::Subtract { to: 4, a: 4, b: 2 });
        assert_eq!(op(0xeb1c_00bf), Op::Compare { a: 5, b: 28 });
        assert_eq!(op(0xd53b_d040), Op::ThreadPointer { to: 0 });
        assert_eq!(op(0xd280_021b), Op::Constant { to: 27, value: 16 });
        assert_eq!(
            op(0xf87b_681c),
            Op::LoadIndexed {
                to: 28,
                base: 0,
                index: 27
            }
        );
        assert_eq!(op(0xd400_0001), Op::SystemCall);
        assert_eq!(op(0xd65f_03c0), Op::Return(LR));
        assert_eq!(op(0xd65f_0360), Op::Return(27));
        assert_eq!(op(0xd63f_0060), Op::CallRegister(3));
        assert_eq!(op(0xd61f_00c0), Op::JumpRegister(6));
    }

    #[test]
    fn distances_are_from_the_instruction() {
        assert_eq!(op(0x9400_0001), Op::Call(0x40_1004));
        assert_eq!(op(0x17ff_ffff), Op::Jump(0x40_0ffc));
        assert_eq!(op(0xb400_0040), Op::Branch(0x40_1008));
        assert_eq!(op(0x5400_0040), Op::Branch(0x40_1008));
        assert_eq!(
            op(0xb000_0000),
            Op::Address {
                to: 0,
                address: 0x40_2000
            }
        );
    }

    #[test]
    fn every_word_is_something() {
        for word in (0..u32::MAX).step_by(65_521) {
            let _ = instruction(word, u64::MAX - 2);
        }
        assert_eq!(op(0), Op::Other);
        assert_eq!(decode(&[0; 7], 0).len(), 1);
    }
}
