//! One function's instructions from its first byte on: where it jumps to, and which call ends
//! where.

use std::ops::Range;

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};
use seam_object::{Elf, ReadRef};
use seam_wire::Arch;

use crate::arm64;

/// A larger function is not looked at; the largest generated ones have less.
pub(crate) const FUNCTION_BYTES_MAX: u64 = 1 << 20;

/// What a function's instructions do besides computing.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Targets of jumps that leave the function.
    pub(crate) jumps: Vec<u64>,
    /// Words through which it jumps.
    pub(crate) slots: Vec<u64>,
    /// It may go anywhere: a jump through a register, or a return to what it pushed itself.
    pub(crate) escapes: bool,
    /// Its last instruction leads to what follows it.
    pub(crate) falls_through: bool,
    /// Where direct calls return to, rising.
    direct: Vec<u64>,
    /// Where indirect calls return to, rising.
    indirect: Vec<u64>,
}

impl Scan {
    pub(crate) fn of<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, function: &Range<u64>) -> Self {
        if Arch::of_machine(elf.machine()) == Some(Arch::Arm64) {
            return arm64::scan(elf, function);
        }
        let mut scan = Self::default();
        let len = function.end.saturating_sub(function.start);
        let bytes = elf.bytes_at(function.start, len);
        let Some(bytes) = bytes.filter(|_| len <= FUNCTION_BYTES_MAX) else {
            scan.escapes = true;
            return scan;
        };
        let mut decoder = Decoder::with_ip(64, bytes, function.start, DecoderOptions::NONE);
        let mut before = Instruction::default();
        let mut i = Instruction::default();
        while decoder.can_decode() {
            decoder.decode_out(&mut i);
            if i.is_invalid() {
                // Data between code: what follows may be out of step.
                scan.escapes = true;
                continue;
            }
            scan.add(&i, &before, function);
            if i.mnemonic() != Mnemonic::Nop {
                before = i;
            }
        }
        let falls = matches!(
            before.flow_control(),
            FlowControl::Next | FlowControl::ConditionalBranch
        );
        scan.falls_through = falls && before.mnemonic() != Mnemonic::INVALID;
        scan
    }

    /// Whether a direct (`Some(true)`) or an indirect call (`Some(false)`) ends at an address.
    pub(crate) fn call_ending_at(&self, address: u64) -> Option<bool> {
        if self.direct.binary_search(&address).is_ok() {
            return Some(true);
        }
        self.indirect.binary_search(&address).ok().map(|_| false)
    }

    fn add(&mut self, i: &Instruction, before: &Instruction, function: &Range<u64>) {
        match i.flow_control() {
            FlowControl::Call => self.direct.push(i.next_ip()),
            FlowControl::IndirectCall => self.indirect.push(i.next_ip()),
            FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch => {
                let target = i.near_branch_target();
                if !function.contains(&target) {
                    self.jumps.push(target);
                }
            }
            FlowControl::IndirectBranch if i.is_ip_rel_memory_operand() => {
                self.slots.push(i.ip_rel_memory_address());
            }
            FlowControl::IndirectBranch => self.escapes = true,
            // push x; ret, or mov [rsp], x; ret (retpolines, _dl_runtime_resolve's kin).
            FlowControl::Return if plants(before) => self.escapes = true,
            _ => {}
        }
    }
}

/// Writes what a return would take as its address.
fn plants(i: &Instruction) -> bool {
    let top = || {
        i.mnemonic() == Mnemonic::Mov
            && i.op0_kind() == OpKind::Memory
            && i.memory_base() == Register::RSP
            && i.memory_index() == Register::None
            && i.memory_displacement64() == 0
    };
    i.mnemonic() == Mnemonic::Push || top()
}
