//! Functions of which the symbol table says where they begin and not how long they are, as assembly
//! without `.size` leaves them. Such a function has the instructions that its own flow leads to, up
//! to the next symbol; what lies behind and is not reached has no name from here.

use std::collections::BTreeSet;

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};
use seam_object::arm64::{self, Op};
use seam_wire::Arch;

/// Instructions that are followed of one function: it was written by hand.
const INSTRUCTIONS_MAX: usize = 4096;

/// The same by processor.
pub(crate) fn covers(arch: Arch, code: &[u8], offset: usize) -> bool {
    match arch {
        Arch::X86_64 => flows_over(code, offset),
        Arch::Arm64 => arm64_flows_over(code, offset),
    }
}

/// The same by processor.
pub(crate) fn is_behind_call(arch: Arch, before: &[u8]) -> bool {
    match arch {
        Arch::X86_64 => ends_with_call(before),
        Arch::Arm64 => {
            let last = before.last_chunk::<4>().map(|w| u32::from_le_bytes(*w));
            last.is_some_and(|word| arm64::instruction(word, 0).is_call())
        }
    }
}

fn arm64_flows_over(code: &[u8], offset: usize) -> bool {
    let code = arm64::decode(code, 0);
    let mut seen = BTreeSet::new();
    let mut work = vec![0];
    while let Some(at) = work.pop() {
        if seen.len() >= INSTRUCTIONS_MAX || !seen.insert(at) {
            continue;
        }
        let Some(i) = code.get(at) else { continue };
        if at == offset / 4 {
            return true;
        }
        // udf and brk end a flow.
        if i.word >> 16 == 0 || i.word & 0xffe0_001f == 0xd420_0000 {
            continue;
        }
        if i.falls_through() {
            work.push(at + 1);
        }
        if let Op::Jump(to) | Op::Branch(to) = i.op {
            work.extend(usize::try_from(to / 4).ok());
        }
    }
    false
}

/// Whether the flow of the function that begins with `code` leads over the byte at `offset`.
/// Calls are taken to return.
fn flows_over(code: &[u8], offset: usize) -> bool {
    let mut seen = BTreeSet::new();
    let mut work = vec![0];
    while let Some(at) = work.pop() {
        if seen.len() >= INSTRUCTIONS_MAX || !seen.insert(at) {
            continue;
        }
        let Some(i) = decode(code, at) else { continue };
        let next = at + i.len();
        if (at..next).contains(&offset) {
            return true;
        }
        let target = || usize::try_from(i.near_branch_target()).ok();
        match i.flow_control() {
            _ if matches!(i.mnemonic(), Mnemonic::Hlt | Mnemonic::Ud2) => {}
            FlowControl::Next | FlowControl::Call | FlowControl::IndirectCall => work.push(next),
            FlowControl::ConditionalBranch => {
                work.push(next);
                work.extend(target().filter(|_| is_near(&i)));
            }
            FlowControl::UnconditionalBranch => work.extend(target().filter(|_| is_near(&i))),
            _ => {}
        }
    }
    false
}

/// Whether a call ends where these bytes do: then the address behind them is a return address.
fn ends_with_call(before: &[u8]) -> bool {
    // The longest one has a prefix, an opcode, ModRM, SIB and four bytes of displacement.
    (2..=8.min(before.len())).any(|len| {
        let code = &before[before.len() - len..];
        decode(code, 0).is_some_and(|i| {
            let call = matches!(
                i.flow_control(),
                FlowControl::Call | FlowControl::IndirectCall
            );
            call && i.len() == len
        })
    })
}

fn is_near(i: &Instruction) -> bool {
    i.op0_kind() == OpKind::NearBranch64
}

/// Addresses count from the first byte of the code.
fn decode(code: &[u8], at: usize) -> Option<Instruction> {
    let bytes = code.get(at..)?;
    let bytes = &bytes[..bytes.len().min(15)];
    let mut decoder = Decoder::with_ip(64, bytes, at as u64, DecoderOptions::NONE);
    let instruction = decoder.decode();
    (!instruction.is_invalid()).then_some(instruction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arm64_goes_by_its_own_instructions() {
        // nop; b +8; udf #0; ret; nop
        let words = [0xd503_201fu32, 0x1400_0002, 0, 0xd65f_03c0, 0xd503_201f];
        let code: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let reached: Vec<usize> = (0..code.len())
            .filter(|at| covers(Arch::Arm64, &code, *at))
            .collect();
        assert_eq!(reached, [0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15]);
        assert!(!is_behind_call(Arch::Arm64, &code[..4]));
        assert!(is_behind_call(Arch::Arm64, &0x9400_0000u32.to_le_bytes()));
        assert!(!is_behind_call(Arch::Arm64, &[0; 3]));
    }

    #[test]
    fn what_is_not_reached_is_not_the_functions() {
        // test eax, eax; jne +2; pop rdi; ret; nop; xor eax, eax; syscall; hlt; nop
        let code = [
            0x85, 0xc0, 0x75, 0x03, 0x5f, 0xc3, 0x90, 0x31, 0xc0, 0x0f, 0x05, 0xf4, 0x90,
        ];
        let reached: Vec<_> = (0..code.len())
            .filter(|at| flows_over(&code, *at))
            .collect();
        assert_eq!(reached, [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]);
    }

    #[test]
    fn any_bytes_end() {
        let mut code = vec![0xeb, 0xfe];
        assert!(!flows_over(&code, 9));
        code.resize(64, 0xff);
        for at in 0..80 {
            let _ = flows_over(&code, at);
        }
        assert!(!flows_over(&[], 0));
        // Twice as many one-byte instructions as are followed.
        assert!(!flows_over(
            &[0x90; 2 * INSTRUCTIONS_MAX],
            2 * INSTRUCTIONS_MAX - 1
        ));
    }

    #[test]
    fn calls_are_seen_from_behind() {
        assert!(ends_with_call(&[0x90, 0xe8, 1, 2, 3, 4]));
        assert!(ends_with_call(&[0x41, 0xff, 0xd1]));
        assert!(ends_with_call(&[0xff, 0x15, 1, 2, 3, 4]));
        assert!(!ends_with_call(&[0x0f, 0x1f, 0x40, 0x00, 0x90]));
        assert!(!ends_with_call(&[]));
    }
}
