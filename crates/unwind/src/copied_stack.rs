//! The walk of a copied stack as `perf record --call-graph dwarf` and its libunwind do it, to tell
//! what they would have kept of a sample. No stack that seam shows as its own comes from here.
//!
//! Owns perf's rules: only the copy is memory, only `.eh_frame` by way of `.eh_frame_hdr` describes
//! code, what it does not describe is left by the frame pointer, and a file without it ends the
//! walk. Does not open files.

mod eh_frames;

use eh_frames::CALLEE_SAVED;
use std::ops::Deref;

pub use eh_frames::EhFrames;

/// The most frames that perf keeps (`PERF_MAX_STACK_DEPTH`).
const FRAMES_MAX: usize = 127;
/// A frame pointer that leads further is taken for no frame pointer (libunwind 1.6,
/// src/x86_64/Gstep.c, `_Ux86_64_step`).
const FRAME_MAX: u64 = 0x4000;
const RBP: usize = 6;
const RSP: usize = 7;

/// Registers and stack as they were copied.
#[derive(Debug, Clone, Copy)]
pub struct CopiedStack<'a> {
    /// The interrupted instruction.
    pub pc: u64,
    /// Registers by DWARF number.
    pub registers: [u64; 16],
    /// Bytes from the stack pointer on.
    pub bytes: &'a [u8],
}

/// Walks it: frames leaf first, the interrupted instruction and then return addresses.
///
/// `find` gives for an address the unwind information of the file that it lies in, with the address
/// as linked; nothing where there is no file or no `.eh_frame_hdr` in it.
pub fn walk_copied<F: Deref<Target = EhFrames>>(
    stack: &CopiedStack<'_>,
    mut find: impl FnMut(u64) -> Option<(F, u64)>,
) -> Vec<u64> {
    let mut state = State {
        pc: stack.pc,
        registers: stack.registers.map(Some),
        call: false,
    };
    let memory = Memory {
        start: stack.registers[RSP],
        bytes: stack.bytes,
    };
    let mut frames = vec![state.pc];
    while frames.len() < FRAMES_MAX {
        let lookup = state.pc.wrapping_sub(u64::from(state.call));
        let Some((described, address)) = find(lookup) else {
            break;
        };
        let next = described
            .caller(&state, address, &memory)
            .unwrap_or_else(|| by_frame_pointer(&state, &memory));
        let Some(next) = next else { break };
        // A frame that does not move is none.
        if next.pc == 0 || (next.pc == state.pc && next.registers[RSP] == state.registers[RSP]) {
            break;
        }
        frames.push(next.pc);
        state = next;
    }
    frames
}

/// The registers of one frame; what is not known is `None`.
#[derive(Debug, Clone)]
struct State {
    pc: u64,
    registers: [Option<u64>; 16],
    /// Its address is that behind a call.
    call: bool,
}

/// The copy, the only memory there is.
struct Memory<'a> {
    start: u64,
    bytes: &'a [u8],
}

impl Memory<'_> {
    fn word(&self, address: u64) -> Option<u64> {
        let at = usize::try_from(address.checked_sub(self.start)?).ok()?;
        let word = self.bytes.get(at..at.checked_add(8)?)?;
        Some(u64::from_le_bytes(word.try_into().ok()?))
    }
}

/// Code that nothing describes: the frame pointer is believed, and no other register after it.
fn by_frame_pointer(state: &State, memory: &Memory<'_>) -> Option<State> {
    let rbp = state.registers[RBP].filter(|rbp| *rbp != 0)?;
    let pc = memory.word(rbp.wrapping_add(8))?;
    let mut registers = [None; 16];
    let before = memory.word(rbp);
    registers[RBP] = before.filter(|before| before.wrapping_sub(rbp) <= FRAME_MAX);
    registers[RSP] = Some(rbp.wrapping_add(16));
    Some(State {
        pc,
        registers,
        call: true,
    })
}

impl State {
    /// Its caller's state: callee-saved registers stay unless something is said of them.
    fn caller(&self, pc: u64, cfa: u64, call: bool) -> Self {
        let mut registers = [None; 16];
        for register in CALLEE_SAVED {
            registers[register] = self.registers[register];
        }
        registers[RSP] = Some(cfa);
        Self {
            pc,
            registers,
            call,
        }
    }
}
