//! Hand-made ELF files: a 32-bit program, for machines without a 32-bit compiler.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Where the program is loaded.
const BASE: u32 = 0x0804_8000;
const HEADERS: u32 = 52 + 32;

/// pause() again and again, until a signal: `mov eax, 29; int 0x80; jmp` back.
const CODE: [u8; 9] = [0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7];

/// Writes a static 32-bit x86 program that only waits.
///
/// # Panics
/// When the file can't be written.
pub fn write_32_bit_program(path: &Path) {
    let size = HEADERS + CODE.len() as u32;
    let mut file = Vec::new();
    // e_ident: 32-bit, little-endian, version 1
    file.extend(b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0");
    let half = |file: &mut Vec<u8>, value: u16| file.extend(value.to_le_bytes());
    let word = |file: &mut Vec<u8>, value: u32| file.extend(value.to_le_bytes());
    half(&mut file, 2); // executable
    half(&mut file, 3); // EM_386
    for value in [1, BASE + HEADERS, 52, 0, 0] {
        word(&mut file, value); // version, entry, program headers, sections, flags
    }
    for value in [52, 32, 1, 0, 0, 0] {
        half(&mut file, value); // sizes and counts: one program header, no sections
    }
    for value in [1, 0, BASE, BASE, size, size, 5, 0x1000] {
        word(&mut file, value); // PT_LOAD of the whole file, readable and executable
    }
    file.extend(CODE);
    std::fs::write(path, file).expect("the folder is writable");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
}

/// How a file loses its section headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Headers {
    /// The ELF header says that there are none, as `sstrip` leaves it.
    Gone,
    /// The file ends before them, though the ELF header names them.
    CutOff,
    /// They are there and mean nothing.
    Mad,
}

/// Copies a 64-bit ELF file without usable section headers. What is loaded stays as it is.
///
/// # Panics
/// When the file can't be read, or ends before its headers do.
pub fn without_section_headers(from: &Path, to: &Path, how: Headers) {
    let mut bytes = std::fs::read(from).expect("the file is there");
    // Elf64_Ehdr: e_shoff at 40, e_shentsize, e_shnum and e_shstrndx at 58.
    let offset = u64::from_le_bytes(bytes[40..48].try_into().expect("eight bytes")) as usize;
    match how {
        Headers::Gone => {
            bytes[40..48].fill(0);
            bytes[60..64].fill(0);
        }
        Headers::CutOff => bytes.truncate(offset),
        Headers::Mad => bytes[offset..].fill(0xa5),
    }
    std::fs::write(to, bytes).expect("the folder is writable");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(to, executable).expect("it is ours");
}
