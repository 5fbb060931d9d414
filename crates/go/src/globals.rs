//! Where the runtime's own variables lie: the list of all goroutines and the words for what they
//! wait for. Decoded from functions that every Go binary has, since stripped files have no symbols
//! for variables. Addresses as linked.

use iced_x86::{Instruction, Mnemonic, OpKind};
use seam_object::{Elf, ReadRef};

use seam_wire::Arch;

use crate::code::{decode, dwarf_register};
use crate::fixed::{Fixed, INSTRUCTIONS_MAX, argument, computed, list, slice_behind_call};
use crate::{GoModule, arm64};

/// Addresses of variables of package runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Globals {
    /// `runtime.allglen`: how many entries `allgptr` has.
    pub allglen: u64,
    /// `runtime.allgptr`: an array of pointers to every g that was ever made.
    pub allgptr: u64,
    /// Where `runtime.waitReasonStrings` may lie; what is there tells.
    pub wait_reasons: Vec<u64>,
    /// `runtime.mheap_`: the heap.
    pub mheap: Option<u64>,
    /// `runtime.allp`: a slice of pointers to every P.
    pub allp: Option<u64>,
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
        // (*mcache).allocLarge (runtime/mcache.go) calls mheap_.alloc; timeSleepUntil
        // (runtime/time.go, up to Go 1.22 in proc.go or time.go) goes through allp.
        let heap = ["runtime.(*mcache).allocLarge", "runtime.(*mheap).alloc"];
        let timers = "runtime.timeSleepUntil";
        let wanted = [&lists[..], &reasons, &heap, &[timers]].concat();
        let functions = module.functions_named(&wanted);
        let arch = Arch::of_machine(elf.machine());
        let code = |name: &&str| {
            let function = functions.get(name)?;
            Some(match arch {
                Some(Arch::Arm64) => arm64::fixed(&arm64::code(elf, function)),
                _ => fixed(&decode(elf, function)),
            })
        };
        let (allglen, allgptr) = lists.iter().filter_map(code).find_map(|c| list(&c))?;
        let wait_reasons = reasons.iter().filter_map(code).flat_map(|c| computed(&c));
        let alloc = functions.get(heap[1]).map(|f| f.entry);
        let mheap = alloc.and_then(|alloc| argument(&code(&heap[0])?, alloc));
        Some(Self {
            allglen,
            allgptr,
            wait_reasons: wait_reasons.collect(),
            mheap,
            allp: code(&timers).and_then(|c| slice_behind_call(&c)),
        })
    }
}

/// What instructions of x86-64 do with fixed addresses.
fn fixed(code: &[Instruction]) -> Vec<Fixed> {
    let mut all = Vec::new();
    for i in code.iter().take(INSTRUCTIONS_MAX) {
        let at = i
            .is_ip_rel_memory_operand()
            .then(|| i.ip_rel_memory_address());
        let to = dwarf_register(i.op0_register());
        match (i.mnemonic(), at, to) {
            (Mnemonic::Call, ..) => {
                let direct = i.op0_kind() == OpKind::NearBranch64;
                all.push(Fixed::Called(direct.then(|| i.near_branch64())));
            }
            (Mnemonic::Lea, Some(at), Some(to)) => all.push(Fixed::Computed(to, at)),
            (Mnemonic::Mov, Some(at), Some(to)) => {
                all.extend([Fixed::Loaded(at, 1), Fixed::Lost(to)]);
            }
            (_, _, Some(to)) => all.push(Fixed::Lost(to)),
            _ => {}
        }
    }
    all
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
        assert_eq!(list(&fixed(&shown)), Some((0x559f1c, 0x53993c)));
        // One load only, and the same twice.
        assert_eq!(list(&fixed(&shown[..1])), None);
        assert_eq!(list(&fixed(&code(&[0x48, 0x8b, 0x0d, 0, 0, 0, 0]))), None);
        assert_eq!(list(&fixed(&[shown[0], shown[0]])), None);
    }

    #[test]
    fn the_heap_is_the_first_argument() {
        // allocLarge of Go 1.26.8: lea rax, [mheap_]; mov rbx, …; movzx ecx, …; call alloc.
        let shown = code(&[
            0x48, 0x8d, 0x05, 0x10, 0xcc, 0x22, 0, 0x48, 0x8b, 0x5c, 0x24, 0x28, 0x0f, 0xb6, 0x4c,
            0x24, 0x1f, 0xe8, 0x21, 0x83, 0x01, 0,
        ]);
        let callee = shown[3].near_branch64();
        assert_eq!(argument(&fixed(&shown), callee), Some(0x62_cc17));
        assert_eq!(argument(&fixed(&shown), callee + 1), None);
        // Something else is loaded into the register in between.
        let other = [shown[0], shown[1], code(&[0x48, 0x89, 0xd8])[0], shown[3]];
        assert_eq!(argument(&fixed(&other), callee), None);
    }

    #[test]
    fn a_slice_is_loaded_behind_the_call() {
        // timeSleepUntil of Go 1.26.8: call lock2; mov rcx, [allp]; mov rdx, [allp+8].
        let shown = code(&[
            0xe8, 0x7b, 0x04, 0xfb, 0xff, 0x48, 0x8b, 0x0d, 0x14, 0x8e, 0x1d, 0, 0x48, 0x8b, 0x15,
            0x15, 0x8e, 0x1d, 0,
        ]);
        assert_eq!(slice_behind_call(&fixed(&shown)), Some(0x5d_8e20));
        assert_eq!(slice_behind_call(&fixed(&shown[..2])), None);
        assert_eq!(slice_behind_call(&fixed(&[shown[1], shown[2]])), None);
    }

    #[test]
    fn addresses_that_are_computed() {
        // lea rdx, [rip + 0x10]; lea rax, [rsp + 8]
        let shown = code(&[0x48, 0x8d, 0x15, 0x10, 0, 0, 0, 0x48, 0x8d, 0x44, 0x24, 8]);
        assert_eq!(computed(&fixed(&shown)), [0x40_0017]);
    }
}
