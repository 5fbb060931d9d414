//! Decoding a function's instructions, and how a fact spreads over its control flow. Shared by
//! everything that checks or derives facts from code. Decoding is x86-64's, the flow any
//! processor's.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};
use seam_object::{Elf, ReadRef};

use crate::Function;

/// The longest function that is decoded, in bytes.
const FUNCTION_BYTES_MAX: u64 = 1 << 16;

/// The code of a Go function.
pub(crate) fn bytes<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, f: &Function<'d>) -> &'d [u8] {
    let len = f.end.saturating_sub(f.entry).min(FUNCTION_BYTES_MAX);
    elf.bytes_up_to(f.entry, len).unwrap_or_default()
}

/// The instructions of a Go function.
pub(crate) fn decode<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, f: &Function<'d>) -> Vec<Instruction> {
    let mut decoder = Decoder::with_ip(64, bytes(elf, f), f.entry, DecoderOptions::NONE);
    let mut code = Vec::new();
    while decoder.can_decode() {
        code.push(decoder.decode());
    }
    code
}

/// `mov register, [base + displacement]`, not relative to rip or a segment.
pub(crate) fn load(i: &Instruction) -> Option<(Register, Register, i64)> {
    let plain = i.mnemonic() == Mnemonic::Mov
        && i.op0_kind() == OpKind::Register
        && i.op1_kind() == OpKind::Memory
        && i.segment_prefix() == Register::None
        && i.memory_index() == Register::None;
    plain.then(|| {
        (
            i.op0_register(),
            i.memory_base(),
            i.memory_displacement64() as i64,
        )
    })
}

/// `mov [base + displacement], x`: base, displacement and the register, if x is one.
pub(crate) fn store(i: &Instruction) -> Option<(Register, i64, Option<Register>)> {
    let plain = i.mnemonic() == Mnemonic::Mov
        && i.op0_kind() == OpKind::Memory
        && i.segment_prefix() == Register::None
        && i.memory_index() == Register::None;
    let source = (i.op1_kind() == OpKind::Register).then(|| i.op1_register());
    plain.then(|| (i.memory_base(), i.memory_displacement64() as i64, source))
}

/// `mov a, b` between registers.
pub(crate) fn copy(i: &Instruction) -> Option<(Register, Register)> {
    let plain = i.mnemonic() == Mnemonic::Mov
        && i.op0_kind() == OpKind::Register
        && i.op1_kind() == OpKind::Register;
    plain.then(|| (i.op0_register(), i.op1_register()))
}

/// What is asked of an instruction of any processor.
pub(crate) trait Step {
    /// Its address.
    fn address(&self) -> u64;
    /// The address behind it.
    fn behind(&self) -> u64;
    /// Where it may jump to within its function.
    fn target(&self) -> Option<u64>;
    /// Whether the next instruction may follow.
    fn goes_on(&self) -> bool;
    /// Whether it is a system call.
    fn enters_kernel(&self) -> bool;
    /// Whether it returns to its function's caller.
    fn returns(&self) -> bool;
}

impl Step for Instruction {
    fn address(&self) -> u64 {
        self.ip()
    }

    fn behind(&self) -> u64 {
        self.next_ip()
    }

    fn target(&self) -> Option<u64> {
        let branch = matches!(
            self.flow_control(),
            FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch
        );
        branch.then(|| self.near_branch_target())
    }

    fn goes_on(&self) -> bool {
        !matches!(
            self.flow_control(),
            FlowControl::UnconditionalBranch | FlowControl::IndirectBranch | FlowControl::Return
        )
    }

    fn enters_kernel(&self) -> bool {
        self.mnemonic() == Mnemonic::Syscall
    }

    fn returns(&self) -> bool {
        self.flow_control() == FlowControl::Return
    }
}

/// Spreads a state from the entry along fallthrough and branches within the function. The result
/// has the state before each instruction; `None` where nothing leads to it. Where paths with
/// different states join, the state that came first stands: the caller's states must not depend on
/// the path.
pub(crate) fn flow<I: Step, S: Copy>(
    code: &[I],
    entry: S,
    transfer: impl Fn(&I, S) -> S,
) -> Vec<Option<S>> {
    let mut before: Vec<Option<S>> = vec![None; code.len()];
    let mut work = vec![(0usize, entry)];
    while let Some((at, state)) = work.pop() {
        let Some(slot) = before.get_mut(at).filter(|s| s.is_none()) else {
            continue;
        };
        *slot = Some(state);
        let instruction = &code[at];
        let after = transfer(instruction, state);
        if let Some(target) = instruction.target()
            && let Ok(index) = code.binary_search_by_key(&target, Step::address)
        {
            work.push((index, after));
        }
        if instruction.goes_on() {
            work.push((at + 1, after));
        }
    }
    before
}

/// The DWARF number of a 64-bit register.
pub(crate) fn dwarf_register(register: Register) -> Option<u8> {
    use Register as R;
    let order = [
        R::RAX,
        R::RDX,
        R::RCX,
        R::RBX,
        R::RSI,
        R::RDI,
        R::RBP,
        R::RSP,
        R::R8,
        R::R9,
        R::R10,
        R::R11,
        R::R12,
        R::R13,
        R::R14,
        R::R15,
    ];
    order.iter().position(|r| *r == register).map(|n| n as u8)
}
