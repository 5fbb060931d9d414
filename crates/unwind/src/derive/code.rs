//! Code as bytes at addresses, and what single instructions are. Nothing here follows anything.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};

/// The longest instruction.
const INSTRUCTION_BYTES: usize = 15;

/// Bytes of code at addresses as linked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code<'d> {
    pub(crate) bytes: &'d [u8],
    pub(crate) address: u64,
}

impl Code<'_> {
    pub(crate) fn end(&self) -> u64 {
        self.address + self.bytes.len() as u64
    }

    /// The instruction at an address, `None` where there is none.
    pub(crate) fn decode(&self, address: u64) -> Option<Instruction> {
        let at = usize::try_from(address.checked_sub(self.address)?).ok()?;
        let bytes = self.bytes.get(at..)?;
        let bytes = &bytes[..bytes.len().min(INSTRUCTION_BYTES)];
        let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
        let instruction = decoder.decode();
        (!instruction.is_invalid()).then_some(instruction)
    }
}

/// What assemblers put between functions.
pub(super) fn is_padding(i: &Instruction) -> bool {
    matches!(i.mnemonic(), Mnemonic::Nop | Mnemonic::Int3 | Mnemonic::Fnop)
        // xchg ax, ax
        || (i.mnemonic() == Mnemonic::Xchg
            && i.op0_kind() == OpKind::Register
            && i.op1_kind() == OpKind::Register
            && i.op0_register() == i.op1_register())
}

pub(super) fn returns(i: &Instruction) -> bool {
    i.flow_control() == FlowControl::Return
}

pub(super) fn is_near(i: &Instruction) -> bool {
    matches!(
        i.op0_kind(),
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64
    )
}

/// Instructions behind which nothing runs.
pub(super) fn ends(i: &Instruction) -> bool {
    matches!(
        i.mnemonic(),
        Mnemonic::Hlt | Mnemonic::Ud2 | Mnemonic::Int3 | Mnemonic::Ud1 | Mnemonic::Ud0
    )
}
