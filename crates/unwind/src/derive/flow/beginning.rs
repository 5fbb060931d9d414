//! Whether a function can begin at a place, by what its first instructions do.

use iced_x86::{
    FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register,
};

use super::super::code::{Code, ends, is_near};
use super::super::frame::{Frame, Saved, kept_index, register};
use super::{is_aligned, reads_pc};

/// Instructions that are looked at: what tells is among the first of a loop's.
const INSTRUCTIONS: usize = 64;

/// False where code can't be a function's first: it uses a register that callees keep before it has
/// put anything there, or calls with a stack that a function that begins here would have aligned
/// otherwise. Then it is the middle of one, such as the head of a loop that never ends.
pub(super) fn may_begin(code: &Code<'_>, at: u64, info: &mut InstructionInfoFactory) -> bool {
    let mut frame = Frame::ENTRY;
    let mut at = at;
    for _ in 0..INSTRUCTIONS {
        let Some(i) = code.decode(at) else {
            return true;
        };
        if uses_kept(&i, &frame, info) {
            return false;
        }
        at = i.next_ip();
        match i.flow_control() {
            FlowControl::Call if reads_pc(&i) => {}
            FlowControl::Call | FlowControl::IndirectCall => return is_aligned(&frame),
            FlowControl::Next | FlowControl::Interrupt | FlowControl::ConditionalBranch => {}
            FlowControl::UnconditionalBranch if is_near(&i) => at = i.near_branch_target(),
            _ => return true,
        }
        if ends(&i) {
            return true;
        }
        frame = frame.after(&i, info);
    }
    true
}

/// Whether an instruction reads a register in which the caller's value still is, and that not to
/// save it.
fn uses_kept(i: &Instruction, frame: &Frame, info: &mut InstructionInfoFactory) -> bool {
    let untouched = |register: Register| {
        kept_index(register.full_register()).is_some_and(|kept| frame.saved[kept] == Saved::Same)
    };
    match i.mnemonic() {
        Mnemonic::Push => return false,
        // To zero it.
        Mnemonic::Xor if register(i, 0).is_some() && register(i, 0) == register(i, 1) => {
            return false;
        }
        // setjmp saves to its argument.
        Mnemonic::Mov if i.op0_kind() == OpKind::Memory => {
            return untouched(i.memory_base()) || untouched(i.memory_index());
        }
        _ => {}
    }
    let reads = |access| {
        matches!(
            access,
            OpAccess::Read | OpAccess::CondRead | OpAccess::ReadWrite | OpAccess::ReadCondWrite
        )
    };
    let used = info.info(i).used_registers().iter();
    let mut read = used.filter(|used| reads(used.access()));
    read.any(|used| untouched(used.register()))
}
