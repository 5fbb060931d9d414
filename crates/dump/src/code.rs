//! The instructions around a frame's address, as text.
//!
//! Owns where to begin to read: instructions are of many lengths, so that nothing before an address
//! is certain but the call that a return address lies behind. Does not read memory.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Formatter, GasFormatter, Instruction};
use seam_wire::Arch;

/// Bytes that are read before an address: the longest call, with its prefixes.
pub const BEFORE: usize = 9;
/// Bytes that are read from an address on: so many instructions of the greatest length.
pub const AFTER: usize = 15 * SHOWN;
/// Instructions shown from the address on.
const SHOWN: usize = 3;
/// Bytes of an instruction of arm64.
const WORD: usize = 4;
/// The shortest call.
const CALL_MIN: usize = 2;

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeLine {
    /// Its address.
    pub address: u64,
    /// In the form of the GNU assembler.
    pub text: String,
    /// It is the one that runs next in this frame.
    pub next: bool,
}

/// Takes code apart: the call before a return address, and what comes at it. `before` ends at the
/// address, `after` begins there; either may be short. What is no instruction ends the list.
#[must_use]
pub fn code_lines(address: u64, before: &[u8], after: &[u8], returns: bool) -> Vec<CodeLine> {
    match Arch::HOST {
        Arch::X86_64 => x86_64(address, before, after, returns),
        Arch::Arm64 => words(address, before, after, returns),
    }
}

fn x86_64(address: u64, before: &[u8], after: &[u8], returns: bool) -> Vec<CodeLine> {
    let call = returns.then(|| call_before(address, before)).flatten();
    let decoder = Decoder::with_ip(64, after, address, DecoderOptions::NONE);
    let valid = decoder.into_iter().take_while(|i| !i.is_invalid());
    let all = call.into_iter().chain(valid.take(SHOWN));
    let mut formatter = GasFormatter::new();
    all.map(|instruction| line(&mut formatter, &instruction, address))
        .collect()
}

/// Instructions of four bytes as the numbers that they are: there is no text for arm64.
fn words(address: u64, before: &[u8], after: &[u8], returns: bool) -> Vec<CodeLine> {
    let call = before.last_chunk::<WORD>().filter(|_| returns);
    let call = call.map(|word| (address.wrapping_sub(WORD as u64), word));
    let from = after.as_chunks::<WORD>().0.iter().take(SHOWN).enumerate();
    let from = from.map(|(i, word)| (address.wrapping_add((WORD * i) as u64), word));
    let all = call.into_iter().chain(from);
    all.map(|(at, word)| CodeLine {
        address: at,
        text: format!(".inst {:#010x}", u32::from_le_bytes(*word)),
        next: at == address,
    })
    .collect()
}

fn line(formatter: &mut GasFormatter, instruction: &Instruction, next: u64) -> CodeLine {
    let mut text = String::new();
    formatter.format(instruction, &mut text);
    CodeLine {
        address: instruction.ip(),
        text,
        next: instruction.ip() == next,
    }
}

/// The call that ends at an address; the longest, where bytes read as more than one.
fn call_before(address: u64, before: &[u8]) -> Option<Instruction> {
    (CALL_MIN..=before.len()).rev().find_map(|len| {
        let code = &before[before.len() - len..];
        let start = address.wrapping_sub(len as u64);
        let instruction = Decoder::with_ip(64, code, start, DecoderOptions::NONE).decode();
        let calls = matches!(
            instruction.flow_control(),
            FlowControl::Call | FlowControl::IndirectCall
        );
        (calls && instruction.len() == len).then_some(instruction)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &[u8], after: &[u8], returns: bool) -> Vec<(u64, String, bool)> {
        let lines = x86_64(0x1000, before, after, returns);
        lines
            .into_iter()
            .map(|l| {
                (
                    l.address,
                    l.text.split_whitespace().collect::<Vec<_>>().join(" "),
                    l.next,
                )
            })
            .collect()
    }

    #[test]
    fn a_return_address_has_its_call() {
        // xor %eax,%eax; call 0x1010; pop %rbx; ret
        let before = [0x31, 0xc0, 0xe8, 0x10, 0x00, 0x00, 0x00];
        let lines = shown(&before, &[0x5b, 0xc3], true);
        let texts: Vec<&str> = lines.iter().map(|(_, text, _)| text.as_str()).collect();
        assert_eq!(texts.len(), 3, "{lines:?}");
        assert!(texts[0].starts_with("call"), "{lines:?}");
        assert_eq!((lines[0].0, lines[0].2), (0xffb, false));
        assert_eq!((lines[1].0, lines[1].2), (0x1000, true));
    }

    #[test]
    fn arm64_has_words() {
        let lines = words(0x1000, &[0, 0, 0, 0x94], &[0x1f, 0x20, 3, 0xd5, 0], true);
        let shown: Vec<_> = lines.iter().map(|l| (l.address, l.next)).collect();
        assert_eq!(shown, [(0xffc, false), (0x1000, true)]);
        assert_eq!(lines[1].text, ".inst 0xd503201f");
        assert!(words(0x1000, &[], &[], true).is_empty());
    }

    #[test]
    fn an_interrupted_one_has_none() {
        let before = [0xe8, 0x10, 0x00, 0x00, 0x00];
        assert_eq!(shown(&before, &[0xc3], false).len(), 1);
    }

    #[test]
    fn what_is_no_instruction_ends_it() {
        assert!(shown(&[], &[0x06, 0x90], true).is_empty());
        assert!(shown(&[], &[], false).is_empty());
    }
}
