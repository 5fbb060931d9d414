//! Whether a goroutine waits for the end of a context, by its code: the channel that it receives
//! from is what a call of the form `ctx.Done()` has just returned. The context itself may be gone:
//! nothing keeps it while others wait for its channel. x86-64 only.

use iced_x86::{Instruction, Mnemonic, OpKind};
use seam_object::{Elf, ReadRef};

use crate::GoModule;
use crate::code::{decode, load};

/// Where an itab keeps the second method, by name, of an interface: Done of context.Context's four
/// (`abi.ITab`: two pointers, hash and padding, then the methods; Go 1.19 to 1.27).
const SECOND_METHOD: i64 = 32;
/// Instructions between loading a method and calling it.
const NEAR: usize = 8;
/// Calls before a select that may have returned one of its channels.
const SELECT_CALLS: usize = 6;

impl<'d> GoModule<'d> {
    /// Whether the call that returns to `pc` (as linked), by which a goroutine waits, waits for
    /// what `Done` of a context has returned; `select` if it is one of several channels.
    #[must_use]
    pub fn waits_for_done<R: ReadRef<'d>>(&self, elf: &Elf<'d, R>, pc: u64, select: bool) -> bool {
        let called = pc.checked_sub(1).filter(|_| self.pclntab.calls_push());
        let Some(function) = called.and_then(|at| self.pclntab.find(at)) else {
            return false;
        };
        let code = decode(elf, &function);
        let before: Vec<&Instruction> = code.iter().take_while(|i| i.next_ip() < pc).collect();
        let is_call = |i: &&&Instruction| i.mnemonic() == Mnemonic::Call;
        let calls = before.iter().filter(is_call).count();
        let near = if select { SELECT_CALLS } else { 1 };
        let mut number = 0;
        before.iter().enumerate().any(|(at, i)| {
            if i.mnemonic() != Mnemonic::Call {
                return false;
            }
            number += 1;
            number + near > calls && self.is_done(&before[at.saturating_sub(NEAR)..at], i)
        })
    }

    /// Whether an instruction calls a method Done, by its name or as the second of an interface.
    fn is_done(&self, before: &[&Instruction], call: &Instruction) -> bool {
        match call.op0_kind() {
            OpKind::NearBranch64 => {
                let callee = self.pclntab.find(call.near_branch64());
                callee
                    .is_some_and(|f| f.name.ends_with("Ctx).Done") || f.name.ends_with("Ctx.Done"))
            }
            _ => calls_second_method(before, call),
        }
    }
}

/// Whether a call goes through the second method of an itab.
fn calls_second_method(before: &[&Instruction], call: &Instruction) -> bool {
    match call.op0_kind() {
        OpKind::Register => {
            let target = call.op0_register();
            let loaded = before.iter().rev().find(|i| i.op0_register() == target);
            let loaded = loaded.and_then(|i| load(i));
            loaded.is_some_and(|(_, _, at)| at == SECOND_METHOD)
        }
        OpKind::Memory => call.memory_displacement64() as i64 == SECOND_METHOD,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use iced_x86::{Decoder, DecoderOptions};

    use super::*;

    fn second(bytes: &[u8]) -> bool {
        let decoder = Decoder::with_ip(64, bytes, 0x40_0000, DecoderOptions::NONE);
        let code: Vec<Instruction> = decoder.into_iter().collect();
        let all: Vec<&Instruction> = code.iter().collect();
        let (call, before) = all.split_last().expect("there is a call");
        calls_second_method(before, call)
    }

    #[test]
    fn the_second_method_of_an_interface_is_called() {
        // func watch(c context.Context) { <-c.Done() } by Go 1.26.8:
        // mov rcx, [rax+0x20]; mov rax, rbx; nop; call rcx
        assert!(second(&[
            0x48, 0x8b, 0x48, 0x20, 0x48, 0x89, 0xd8, 0x90, 0xff, 0xd1
        ]));
        // The first method; another register; loaded over; no method at all.
        assert!(!second(&[0x48, 0x8b, 0x48, 0x18, 0xff, 0xd1]));
        assert!(!second(&[0x48, 0x8b, 0x48, 0x20, 0xff, 0xd2]));
        assert!(!second(&[
            0x48, 0x8b, 0x48, 0x20, 0x48, 0x89, 0xd9, 0xff, 0xd1
        ]));
        assert!(!second(&[0xe8, 0, 0, 0, 0]));
        // call [rax+0x20]
        assert!(second(&[0xff, 0x50, 0x20]));
    }
}
