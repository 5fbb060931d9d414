//! `--asm`: for each frame of the threads that were chosen, what is mapped at its address, and the
//! instructions there.

use std::fmt::Write;

use seam_dump::{AFTER, BEFORE, Frame, Thread, code_lines, file_name};
use seam_memory::Memory;

use super::look::Full;

/// Writes it, thread by thread.
pub(super) fn text(full: &Full, chosen: impl Fn(&Thread) -> bool) -> String {
    let mut text = String::new();
    for thread in full.dump.threads.iter().filter(|t| chosen(t)) {
        let _ = writeln!(text, "code of thread {} {}", thread.tid, thread.name);
        let Some(stack) = thread.stack.map(|stack| stack as usize) else {
            let _ = writeln!(text, "      its stack is not known");
            continue;
        };
        let addresses = full.frames.get(stack).map_or(&[][..], Vec::as_slice);
        let frames = full.dump.stacks.get(stack);
        let mut frames = frames.into_iter().flat_map(|s| &s.frames);
        for (at, address) in addresses.iter().enumerate() {
            let mut names = Vec::new();
            // Those inlined there, and then the function itself.
            for frame in frames.by_ref() {
                names.push(name(frame));
                if !frame.inlined {
                    break;
                }
            }
            let _ = writeln!(text, "  {at:>3} {}", names.join(" ← "));
            code(full, *address, at > 0, &mut text);
        }
    }
    text
}

fn name(frame: &Frame) -> String {
    let place = &frame.place;
    if place.line == 0 {
        return place.function.to_string();
    }
    let file = file_name(&place.file);
    format!("{} {file}:{}", place.function, place.line)
}

/// One frame: its mapping, and its instructions.
fn code(full: &Full, address: u64, returns: bool, text: &mut String) {
    // A return address may be the first byte behind a mapping: what counts is the call.
    let inside = address.wrapping_sub(u64::from(returns));
    let Some(mapping) = mapping(&full.maps, inside) else {
        let _ = writeln!(
            text,
            "      {address:#x} is in no mapping: no code lies there"
        );
        return;
    };
    let _ = writeln!(text, "      {mapping}");
    if !mapping.is_code() {
        let _ = writeln!(
            text,
            "      {address:#x} is in no executable mapping of a file"
        );
    }
    let start = address.wrapping_sub(BEFORE as u64);
    let before = readable(full, start, BEFORE);
    let after = readable(full, address, AFTER);
    let before = if before.len() == BEFORE {
        &before[..]
    } else {
        &[]
    };
    for line in code_lines(address, before, &after, returns) {
        let mark = if line.next { "=>" } else { "  " };
        let _ = writeln!(
            text,
            "      {mark} {:x}  {}",
            line.address,
            line.text.replace('\t', " ")
        );
    }
}

/// As many bytes as can be read, at most `len`: a mapping may end before.
fn readable(full: &Full, address: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    for len in [len, len / 2, len / 4] {
        bytes.truncate(len);
        if full.memory.read(address, &mut bytes).is_ok() {
            return bytes;
        }
    }
    Vec::new()
}

/// A line of `/proc/PID/maps`.
struct Mapping<'a> {
    line: &'a str,
}

impl std::fmt::Display for Mapping<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<&str> = self.line.split_whitespace().collect();
        f.write_str(&words.join(" "))
    }
}

impl Mapping<'_> {
    /// Executable, and of a file or the kernel's own.
    fn is_code(&self) -> bool {
        let words: Vec<&str> = self.line.split_whitespace().collect();
        let executable = words.get(1).is_some_and(|rights| rights.contains('x'));
        let of_file = words.get(4).is_some_and(|inode| *inode != "0");
        executable && (of_file || words.get(5) == Some(&"[vdso]"))
    }
}

fn mapping(maps: &str, address: u64) -> Option<Mapping<'_>> {
    let holds = |line: &&str| {
        let range = line.split_whitespace().next();
        let range = range.and_then(|range| range.split_once('-'));
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        let range = range.and_then(|(start, end)| Some(hex(start)?..hex(end)?));
        range.is_some_and(|range| range.contains(&address))
    };
    maps.lines().find(holds).map(|line| Mapping { line })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
00400000-00402000 r-xp 00001000 fe:00 326269                     /usr/bin/server
00402000-00403000 rw-p 00000000 00:00 0
7ff000000000-7ff000002000 rwxp 00000000 00:00 0
7fff00000000-7fff00002000 r-xp 00000000 00:00 0                  [vdso]
";

    #[test]
    fn what_is_no_code_of_a_file_is_told() {
        let code = |address| mapping(MAPS, address).map(|m| m.is_code());
        assert_eq!(code(0x400000), Some(true));
        assert_eq!(code(0x402fff), Some(false));
        assert_eq!(code(0x7ff0_0000_0010), Some(false));
        assert_eq!(code(0x7fff_0000_0010), Some(true));
        assert_eq!(code(0x403000), None);
    }
}
