//! Where a program begins, below which there is nobody. The headers of many libraries name an
//! address as well: linkers fill in the first function of .text (mold and tcc always, GNU ld up to
//! 2.37), and `-e` any. There it is a function as others are.

use seam_object::{Elf, ElfKind, ReadRef};
use seam_wire::Arch;

/// The first instruction of a program or of a loader; `None` in libraries.
pub(crate) fn program_start<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, arch: Arch) -> Option<u64> {
    let start = Some(elf.entry()).filter(|entry| *entry != 0)?;
    let program = elf.kind() == ElfKind::Executable || elf.is_pie();
    // Older linkers do not mark position-independent programs, and loaders have no mark at all.
    (program || begins(elf.bytes_at(start, 8)?, arch)).then_some(start)
}

/// Whether nobody can have called code that begins so: it ends the chain of frame pointers before
/// anything else, as the ABI asks of a program, or its first argument is the stack that the kernel
/// made (glibc's loader).
fn begins(bytes: &[u8], arch: Arch) -> bool {
    match arch {
        Arch::X86_64 => {
            const ENDBR64: &[u8] = &[0xf3, 0x0f, 0x1e, 0xfa];
            let code = bytes.strip_prefix(ENDBR64).unwrap_or(bytes);
            // xor %ebp,%ebp or %rbp,%rbp, in both encodings; mov %rsp,%rdi and call.
            let all: [&[u8]; 5] = [
                &[0x31, 0xed],
                &[0x33, 0xed],
                &[0x48, 0x31, 0xed],
                &[0x48, 0x33, 0xed],
                &[0x48, 0x89, 0xe7, 0xe8],
            ];
            all.iter().any(|start| code.starts_with(start))
        }
        Arch::Arm64 => {
            const BTI_C: u32 = 0xd503_245f;
            let words = bytes.as_chunks::<4>().0.iter();
            let words = words.map(|word| u32::from_le_bytes(*word));
            // mov x29, #0 and its like by xzr; mov x0, sp.
            let starts = [0xd280_001d, 0xaa1f_03fd, 0x9100_03e0];
            words
                .skip_while(|word| *word == BTI_C)
                .take(1)
                .any(|word| starts.contains(&word))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_begin_like_one() {
        let x86 = |bytes: &[u8]| begins(bytes, Arch::X86_64);
        // glibc's crt1.o with and without -fcf-protection, musl's, glibc's loader.
        assert!(x86(&[0xf3, 0x0f, 0x1e, 0xfa, 0x31, 0xed, 0x49, 0x89]));
        assert!(x86(&[0x31, 0xed, 0x49, 0x89, 0xd1, 0x5e, 0x48, 0x89]));
        assert!(x86(&[0x48, 0x31, 0xed, 0x48, 0x89, 0xe7, 0x48, 0x8d]));
        assert!(x86(&[0x48, 0x89, 0xe7, 0xe8, 0x18, 0x0d, 0x00, 0x00]));
        // push %rbp; endbr64 and sub; a move without the call.
        assert!(!x86(&[0x55, 0x48, 0x89, 0xe5, 0x48, 0x81, 0xec, 0x00]));
        assert!(!x86(&[0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x83, 0xec, 0x08]));
        assert!(!x86(&[0x48, 0x89, 0xe7, 0x48, 0x83, 0xec, 0x08, 0x00]));
        let arm = |words: [u32; 2]| begins(&words.map(u32::to_le_bytes).concat(), Arch::Arm64);
        assert!(arm([0xd280_001d, 0xd280_001e]));
        assert!(arm([0xd503_245f, 0xd280_001d]));
        assert!(arm([0x9100_03e0, 0x9400_0d5a]));
        assert!(!arm([0xa9be_7bfd, 0x9100_03fd]));
    }

    #[test]
    fn a_library_has_no_beginning_whatever_its_header_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("x.c");
        std::fs::write(
            &source,
            "int f(int a) { return a + 1; }\nint main(void) { return f(1); }\n",
        )
        .expect("written");
        for (flags, program) in [
            ("-shared -fPIC -Wl,-e,f", false),
            (
                "-shared -fPIC -Wl,-e,f -O0 -fno-asynchronous-unwind-tables",
                false,
            ),
            ("-pie -fPIE", true),
            ("-no-pie", true),
            ("-static", true),
            ("-static-pie -fPIE", true),
            ("-pie -fPIE -Wl,-e,f", true),
        ] {
            let file = folder.path().join("x");
            let mut gcc = std::process::Command::new("gcc");
            let gcc = gcc.arg("-o").arg(&file).arg(&source);
            let status = gcc.args(flags.split(' ')).status();
            assert!(status.expect("gcc runs").success(), "{flags}");
            let bytes = std::fs::read(&file).expect("read");
            let elf = Elf::parse(bytes.as_slice()).expect("an ELF file");
            assert_ne!(elf.entry(), 0, "{flags}");
            let start = program_start(&elf, Arch::X86_64);
            assert_eq!(start.is_some(), program, "{flags}");
        }
        // The loader is no program by its header.
        let bytes = std::fs::read("/lib64/ld-linux-x86-64.so.2").expect("glibc's loader");
        let elf = Elf::parse(bytes.as_slice()).expect("an ELF file");
        assert!(program_start(&elf, Arch::X86_64).is_some());
    }
}
