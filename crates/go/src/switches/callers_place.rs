//! purego's `callbackasm1` (sys_amd64.s, v0.5 to v0.11): C calls a slot, the slot calls this. It
//! takes the slot's return address off, keeps C's in a register and then on the stack, and puts
//! arguments where that was. The assembler does not count `ADDQ` and `SUBQ` of SP, so the pclntab
//! is of no use.

use iced_x86::{FlowControl, Instruction, Mnemonic, OpKind, Register};

use super::{Caller, Switch, SwitchKind};
use crate::code::{dwarf_register, load, store};

/// The places of a function that goes on in its caller's place; empty for any other.
pub(super) fn in_callers_place(code: &[Instruction]) -> Vec<Switch> {
    let kept = code
        .iter()
        .find_map(|i| load(i).filter(|(_, base, at)| *base == Register::RSP && *at == 8));
    let Some((register, number)) = kept.and_then(|(r, ..)| Some((r, dwarf_register(r)?))) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let mut saved: Vec<(u8, i32, u64)> = Vec::new();
    // Bytes pushed since the entry; the depth at which the return address was pushed.
    let (mut depth, mut pushed) = (0i32, None);
    for i in code {
        let before = depth;
        depth = match i.mnemonic() {
            Mnemonic::Push => depth + 8,
            Mnemonic::Pop => depth - 8,
            _ => depth - added(i),
        };
        if i.flow_control() == FlowControl::Return {
            break;
        }
        if i.op0_register() == register && i.mnemonic() == Mnemonic::Push {
            pushed = Some(depth);
        }
        if i.op0_register() == register && i.mnemonic() == Mnemonic::Pop {
            pushed = None;
        }
        if let Some((Register::RSP, at, Some(from))) = store(i)
            && let Some(from @ (3 | 6 | 12..=15)) = dwarf_register(from)
            && from != number
        {
            // The caller's stack pointer is the entry's plus two return addresses.
            saved.push((from, at as i32 - before - 16, i.next_ip()));
        }
        if before >= 0 && all.is_empty() && depth >= 0 {
            continue;
        }
        let kind = SwitchKind::InCallersPlace {
            cfa: depth + 16,
            caller: pushed.map_or(Caller::Register(number), |at| Caller::Slot(depth - at)),
        };
        all.push(Switch::over(i.next_ip()..i.next_ip(), kind));
    }
    // Each holds until the next.
    let ends: Vec<u64> = all.iter().skip(1).map(|s| s.range.start).collect();
    let last = code.last().map_or(0, Instruction::next_ip);
    for (switch, end) in all.iter_mut().zip(ends.into_iter().chain([last])) {
        switch.range.end = end;
    }
    let kept = saved.into_iter().map(|(register, from_caller, start)| {
        let kind = SwitchKind::KeptInCallersPlace(register, from_caller);
        Switch::over(start..last, kind)
    });
    let kept: Vec<Switch> = kept.collect();
    if !all.is_empty() {
        all.extend(kept);
    }
    all
}

/// What an instruction adds to the stack pointer.
fn added(i: &Instruction) -> i32 {
    let of_sp = i.op_count() == 2
        && i.op0_kind() == OpKind::Register
        && i.op0_register() == Register::RSP
        && i.op1_kind() != OpKind::Register
        && i.op1_kind() != OpKind::Memory;
    match i.mnemonic() {
        Mnemonic::Add if of_sp => i.immediate(1) as i32,
        Mnemonic::Sub if of_sp => (i.immediate(1) as i32).wrapping_neg(),
        Mnemonic::Lea if i.op0_register() == Register::RSP && i.memory_base() == Register::RSP => {
            i.memory_displacement64() as i32
        }
        _ => 0,
    }
}
