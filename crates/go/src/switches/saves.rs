//! Where crosscall2 keeps the callee-saved registers of its C caller.

use iced_x86::{FlowControl, Instruction, Mnemonic, OpKind, Register};

use super::{Switch, SwitchKind};
use crate::code::{dwarf_register, store};

/// Stores on the stack before the first call, of registers that still hold what the caller had in
/// them. From Go 1.22 on the assembler puts a frame around crosscall2: the RBP that the function
/// then stores is its own frame's, and the caller's was pushed, as in every frame.
pub(super) fn of_caller(code: &[Instruction], end: u64) -> Vec<Switch> {
    let mut changed = Vec::new();
    let mut kept = Vec::new();
    for i in code
        .iter()
        .take_while(|i| i.flow_control() != FlowControl::Call)
    {
        changed.extend(written(i));
        let Some((Register::RSP, offset, Some(register))) = store(i) else {
            continue;
        };
        let number = dwarf_register(register).filter(|r| matches!(r, 3 | 6 | 12..=15));
        let Some(number) = number.filter(|_| !changed.contains(&register)) else {
            continue;
        };
        kept.push(Switch {
            range: i.next_ip()..end,
            kind: SwitchKind::Saves(number, offset as i32),
            frame_pc: i.ip(),
        });
    }
    kept
}

/// The register that an instruction of a prologue changes.
fn written(i: &Instruction) -> Option<Register> {
    let moves = matches!(i.mnemonic(), Mnemonic::Mov | Mnemonic::Lea);
    (moves && i.op0_kind() == OpKind::Register).then(|| i.op0_register())
}

#[cfg(test)]
mod tests {
    use iced_x86::{Decoder, DecoderOptions};

    use super::*;

    fn saved(bytes: &[u8]) -> Vec<(u8, i32)> {
        let decoder = Decoder::with_ip(64, bytes, 0x1000, DecoderOptions::NONE);
        let code: Vec<_> = decoder.into_iter().collect();
        let kept = of_caller(&code, 0x1000 + bytes.len() as u64);
        let place = |switch: &Switch| match switch.kind {
            SwitchKind::Saves(register, offset) => (register, offset),
            other => panic!("{other:?}"),
        };
        kept.iter().map(place).collect()
    }

    /// sub $0x30,%rsp; mov %rbp,0x28(%rsp); lea 0x28(%rsp),%rbp; mov %rbx,(%rsp);
    /// mov %r12,8(%rsp); call
    const BODY: &[u8] = &[
        0x48, 0x83, 0xec, 0x30, 0x48, 0x89, 0x6c, 0x24, 0x28, 0x48, 0x8d, 0x6c, 0x24, 0x28, 0x48,
        0x89, 0x1c, 0x24, 0x4c, 0x89, 0x64, 0x24, 0x08, 0xe8, 0, 0, 0, 0,
    ];
    /// push %rbp; mov %rsp,%rbp
    const FRAME: &[u8] = &[0x55, 0x48, 0x89, 0xe5];

    #[test]
    fn without_a_frame_rbp_is_the_callers() {
        assert_eq!(saved(BODY), [(6, 0x28), (3, 0), (12, 8)]);
    }

    #[test]
    fn in_a_frame_rbp_is_its_own() {
        assert_eq!(saved(&[FRAME, BODY].concat()), [(3, 0), (12, 8)]);
    }

    #[test]
    fn what_is_stored_behind_a_call_is_not_the_callers() {
        let call = &[0xe8, 0, 0, 0, 0][..];
        assert_eq!(saved(&[call, BODY].concat()), []);
    }
}
