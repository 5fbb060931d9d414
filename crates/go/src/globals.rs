//! Where the runtime's own variables lie: the list of all goroutines and the words for what they
//! wait for. Decoded from functions that every Go binary has, since stripped files have no symbols
//! for variables. Addresses as linked.

use iced_x86::{Instruction, Mnemonic, OpKind};
use seam_object::{Elf, ReadRef};

use crate::GoModule;
use crate::code::decode;

/// Instructions that are looked at in one function.
const INSTRUCTIONS_MAX: usize = 4096;

/// Addresses of variables of package runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Globals {
    /// `runtime.allglen`: how many entries `allgptr` has.
    pub allglen: u64,
    /// `runtime.allgptr`: an array of pointers to every g that was ever made.
    pub allgptr: u64,
    /// Where `runtime.waitReasonStrings` may lie; what is there tells.
    pub wait_reasons: Vec<u64>,
}

impl Globals {
    /// Finds them; `None` where the code does not show the list of goroutines.
    #[must_use]
    pub fn find<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, module: &GoModule<'d>) -> Option<Self> {
        // forEachGRace (runtime/proc.go, Go 1.19 to 1.27) loads the length, then the pointer, in
        // that order since entries are only added. atomicAllG has the two loads where it is not
        // inlined.
        let lists = ["runtime.forEachGRace", "runtime.atomicAllG"];
        // waitReason.String (runtime/runtime2.go) and, where that was not linked, its caller.
        let reasons = ["runtime.waitReason.String", "runtime.goroutineheader"];
        let functions = module.functions_named(&[lists, reasons].concat());
        let code = |name: &&str| functions.get(name).map(|f| decode(elf, f));
        let (allglen, allgptr) = lists.iter().filter_map(code).find_map(|c| list(&c))?;
        let wait_reasons = reasons.iter().filter_map(code).flat_map(|c| computed(&c));
        Some(Self {
            allglen,
            allgptr,
            wait_reasons: wait_reasons.collect(),
        })
    }
}

/// The first two words that are loaded from fixed addresses, if they are different ones.
fn list(code: &[Instruction]) -> Option<(u64, u64)> {
    let mut loads = code.iter().take(INSTRUCTIONS_MAX).filter(|i| {
        i.mnemonic() == Mnemonic::Mov
            && i.op0_kind() == OpKind::Register
            && i.is_ip_rel_memory_operand()
            && i.memory_size().size() == 8
    });
    let mut next = || loads.next().map(Instruction::ip_rel_memory_address);
    let (len, pointer) = (next()?, next()?);
    (len != pointer).then_some((len, pointer))
}

/// Every fixed address that is computed.
fn computed(code: &[Instruction]) -> Vec<u64> {
    let code = code.iter().take(INSTRUCTIONS_MAX);
    let leas = code.filter(|i| i.mnemonic() == Mnemonic::Lea && i.is_ip_rel_memory_operand());
    leas.map(Instruction::ip_rel_memory_address).collect()
}

#[cfg(test)]
mod tests {
    use iced_x86::{Decoder, DecoderOptions};

    use super::*;

    fn code(bytes: &[u8]) -> Vec<Instruction> {
        let decoder = Decoder::with_ip(64, bytes, 0x40_0000, DecoderOptions::NONE);
        decoder.into_iter().collect()
    }

    #[test]
    fn the_length_comes_first() {
        // forEachGRace of Go 1.26.8, after its prologue: mov rcx, [allglen]; mov rbx, [allgptr].
        let shown = code(&[
            0x48, 0x8b, 0x0d, 0x15, 0x9f, 0x15, 0, 0x48, 0x89, 0x4c, 0x24, 0x18, 0x48, 0x8b, 0x1d,
            0x29, 0x99, 0x13, 0,
        ]);
        assert_eq!(list(&shown), Some((0x559f1c, 0x53993c)));
        // One load only, and the same twice.
        assert_eq!(list(&shown[..1]), None);
        assert_eq!(list(&code(&[0x48, 0x8b, 0x0d, 0, 0, 0, 0])), None);
        assert_eq!(list(&[shown[0], shown[0]]), None);
    }

    #[test]
    fn addresses_that_are_computed() {
        // lea rdx, [rip + 0x10]; lea rax, [rsp + 8]
        let shown = code(&[0x48, 0x8d, 0x15, 0x10, 0, 0, 0, 0x48, 0x8d, 0x44, 0x24, 8]);
        assert_eq!(computed(&shown), [0x40_0017]);
    }
}
