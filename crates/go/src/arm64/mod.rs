//! Go's runtime on AArch64: where g is, what the instructions show of offsets, and at which of them
//! the runtime changes stacks (runtime/asm_arm64.s, sys_linux_arm64.s, preempt_arm64.s, Go 1.19 to
//! 1.27).

mod globals;
mod offsets;
mod switches;
mod tls;

use seam_object::arm64::{Instruction, Op, decode};
use seam_object::{Elf, ReadRef};

use crate::Function;
use crate::code::{Step, bytes};

pub(crate) use globals::fixed;
pub(crate) use offsets::shown_offsets;
pub(crate) use switches::switches;
pub(crate) use tls::tls_offset;

/// The instructions of a Go function.
pub(crate) fn code<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, f: &Function<'d>) -> Vec<Instruction> {
    decode(bytes(elf, f), f.entry)
}

impl Step for Instruction {
    fn address(&self) -> u64 {
        self.address
    }

    fn behind(&self) -> u64 {
        self.next()
    }

    fn target(&self) -> Option<u64> {
        match self.op {
            Op::Jump(to) | Op::Branch(to) => Some(to),
            _ => None,
        }
    }

    fn goes_on(&self) -> bool {
        self.falls_through()
    }

    fn enters_kernel(&self) -> bool {
        self.op == Op::SystemCall
    }

    fn returns(&self) -> bool {
        matches!(self.op, Op::Return(_))
    }
}

/// The instruction that last set a register before an index, as the code lies.
fn definition(code: &[Instruction], at: usize, register: u8) -> Option<&Instruction> {
    let before = code.get(..at)?.iter().rev();
    before
        .take_while(|i| !matches!(i.op, Op::Jump(_) | Op::Return(_)))
        .find(|i| i.sets() == Some(register))
}
