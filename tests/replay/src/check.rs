//! What one instruction may do to a stack: nothing but a call and a return changes the frames above
//! the innermost, except where the runtime changes goroutines.

use seam_object::arm64::{self, Op};
use seam_wire::{Arch, end, frame_address};

use crate::stepper::Stop;

/// A contradiction between two walks around one instruction, if there is one. `leaf` is the
/// function in which the instruction lies, `code` its bytes.
#[must_use]
pub fn contradiction(before: &Stop, after: &Stop, code: &[u8], leaf: &str) -> Option<String> {
    let ended = end(after.walked.header.end);
    if !ended.root {
        return Some(format!("not rooted: {}", ended.id));
    }
    // A stop for a signal executes nothing, and the next one is the handler's first instruction.
    let signalled = after.signal.is_some() || before.signal.is_some();
    // The scheduler lets go of a goroutine, gogo takes the next one up.
    let switches = ended.id == "root-scheduler" || SWITCHES.contains(&leaf);
    if signalled || switches || !end(before.walked.header.end).root {
        return None;
    }
    let (old, new) = (callers(before), callers(after));
    let fits = match kind(code) {
        Kind::Call => new.len() == old.len() + 1 && new[1..] == old[..],
        Kind::Return => !old.is_empty() && new[..] == old[1..],
        Kind::Other => new == old || PUSHES.contains(&leaf) && one_more(&old, &new),
        Kind::SystemCall => true,
    };
    (!fits).then(|| "frames changed".to_owned())
}

/// Where the runtime takes a goroutine up: execute makes it the thread's, gogo goes there.
const SWITCHES: [&str; 3] = ["gogo", "runtime.gogo", "runtime.execute"];

/// Functions of Go's signal handler that push a call onto the interrupted stack.
const PUSHES: [&str; 2] = ["runtime.doSigPreempt", "runtime.(*sigctxt).preparePanic"];

/// The signal handler has made the interrupted code call something.
fn one_more(old: &[u64], new: &[u64]) -> bool {
    new.len() == old.len() + 1
        && (0..new.len()).any(|skip| {
            let rest = new
                .iter()
                .enumerate()
                .filter(|(i, _)| *i != skip)
                .map(|(_, a)| a);
            rest.eq(old.iter())
        })
}

fn callers(stop: &Stop) -> Vec<u64> {
    stop.walked
        .user
        .iter()
        .skip(1)
        .map(|f| frame_address(*f))
        .collect()
}

enum Kind {
    Call,
    Return,
    SystemCall,
    Other,
}

fn kind(code: &[u8]) -> Kind {
    match Arch::HOST {
        Arch::X86_64 => x86_64(code),
        Arch::Arm64 => arm64(code),
    }
}

fn arm64(code: &[u8]) -> Kind {
    let word = code.first_chunk::<4>().map(|w| u32::from_le_bytes(*w));
    match word.map(|word| arm64::instruction(word, 0).op) {
        Some(Op::Call(_) | Op::CallRegister(_)) => Kind::Call,
        Some(Op::Return(_)) => Kind::Return,
        Some(Op::SystemCall) => Kind::SystemCall,
        _ => Kind::Other,
    }
}

fn x86_64(code: &[u8]) -> Kind {
    let code = match code {
        [0x40..=0x4f | 0xf2 | 0xf3 | 0x3e | 0x66, rest @ ..] => rest,
        _ => code,
    };
    match code {
        [0xe8, ..] => Kind::Call,
        [0xff, modrm, ..] if (modrm >> 3) & 7 == 2 => Kind::Call,
        [0xc3 | 0xc2, ..] => Kind::Return,
        [0x0f, 5, ..] => Kind::SystemCall,
        _ => Kind::Other,
    }
}
