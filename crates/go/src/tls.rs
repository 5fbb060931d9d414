//! Where the current g lies in thread-local storage: decoded from runtime.systemstack, which is in
//! every Go binary and begins by loading it (also asmcgocall). No symbol is needed.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};
use seam_object::{Elf, ReadRef};
use seam_wire::Arch;
use serde::{Deserialize, Serialize};

use crate::code::decode;
use crate::{GoModule, arm64};

/// The place of g relative to the thread pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TlsOffset {
    /// A constant: executables.
    Fixed(i64),
    /// The word at this address (as linked) holds it, filled in by the loader: c-shared.
    Slot(u64),
    /// Nowhere: AArch64 without cgo has g in a register alone.
    Nowhere,
}

/// Finds the offset of g in `module`.
#[must_use]
pub fn tls_offset<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    module: &GoModule<'d>,
) -> Option<TlsOffset> {
    if Arch::of_machine(elf.machine()) == Some(Arch::Arm64) {
        return arm64::tls_offset(elf, module);
    }
    let names = [
        "runtime.systemstack",
        "runtime.asmcgocall",
        "runtime.morestack",
    ];
    let functions = module.functions_named(&names);
    names
        .iter()
        .find_map(|name| from_code(&decode(elf, functions.get(name)?)))
}

fn from_code(code: &[Instruction]) -> Option<TlsOffset> {
    let at = code.iter().position(|i| {
        i.mnemonic() == Mnemonic::Mov
            && i.op1_kind() == OpKind::Memory
            && i.segment_prefix() == Register::FS
    })?;
    let access = &code[at];
    let base = access.memory_base();
    let displacement = access.memory_displacement64() as i64;
    if base == Register::None {
        // mov r, fs:[imm32]; the displacement is sign-extended by the processor.
        return Some(TlsOffset::Fixed(i64::from(displacement as i32)));
    }
    // mov base, imm (initial-exec relaxed to local-exec) or mov base, [rip + GOT slot].
    let definition = code[..at]
        .iter()
        .rev()
        .find(|i| i.mnemonic() == Mnemonic::Mov && i.op0_register().full_register() == base)?;
    match definition.op1_kind() {
        OpKind::Memory if definition.is_ip_rel_memory_operand() => {
            Some(TlsOffset::Slot(definition.ip_rel_memory_address()))
        }
        OpKind::Immediate32to64 | OpKind::Immediate64 | OpKind::Immediate32 => Some(
            TlsOffset::Fixed(definition.immediate(1) as i64 + displacement),
        ),
        _ => None,
    }
}
