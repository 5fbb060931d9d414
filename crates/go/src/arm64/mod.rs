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
use crate::code::Step;

pub(crate) use globals::{argument, computed, list, slice_behind_call};
pub(crate) use offsets::shown_offsets;
pub(crate) use switches::switches;
pub(crate) use tls::tls_offset;

/// The longest function that is decoded, in bytes.
const FUNCTION_BYTES_MAX: u64 = 1 << 16;

/// The instructions of a Go function.
pub(crate) fn code<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, f: &Function<'d>) -> Vec<Instruction> {
    let len = f.end.saturating_sub(f.entry).min(FUNCTION_BYTES_MAX);
    decode(elf.bytes_up_to(f.entry, len).unwrap_or_default(), f.entry)
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
}

/// The instruction that last set a register before an index, as the code lies.
fn definition(code: &[Instruction], at: usize, register: u8) -> Option<&Instruction> {
    let before = code.get(..at)?.iter().rev();
    before
        .take_while(|i| !matches!(i.op, Op::Jump(_) | Op::Return(_)))
        .find(|i| i.sets() == Some(register))
}
