//! Tables of damaged files: an error, or a table without what was damaged; never a panic.

use proptest::prelude::*;
use seam_object::Elf;
use seam_unwind::build;

fn real() -> Vec<u8> {
    std::fs::read("/bin/true").expect("coreutils are essential")
}

/// The same file, saying that it is for AArch64 (`EM_AARCH64`).
fn as_arm64(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[18..20].copy_from_slice(&183u16.to_le_bytes());
    bytes
}

fn built(bytes: &[u8]) -> Option<seam_unwind::ModuleTable> {
    build(&Elf::parse(bytes).ok()?).ok()
}

#[test]
fn the_real_file_has_rows() {
    let table = built(&real()).expect("a table");
    assert!(
        table.facts.cfi_functions > 10 && table.table.rows > 50,
        "{:?}",
        table.facts
    );
    assert_eq!(table.facts.cfi_malformed, 0);
}

#[test]
fn a_lie_about_sizes_costs_no_memory() {
    let mut bytes = real();
    let elf = Elf::parse(bytes.as_slice()).expect("real");
    let code = elf
        .segments()
        .iter()
        .position(|s| s.executable)
        .expect("code");
    // p_filesz and p_memsz of the code segment: 32 and 40 bytes into its header.
    let header = 64 + 56 * code;
    bytes[header + 32..header + 48].copy_from_slice(&[0xff; 16]);
    assert!(built(&bytes).is_none_or(|t| t.table.bytes() < 10 * real().len()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_unwind_information(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..60),
    ) {
        let mut bytes = real();
        let elf = Elf::parse(bytes.as_slice()).expect("real");
        let frames = elf.section(".eh_frame").expect("unwind information");
        let data = elf.bytes_at(frames.address, frames.size).expect("in the file").to_vec();
        let start = bytes.windows(data.len()).position(|w| w == data).expect("found");
        for (at, value) in changes {
            bytes[start + at.index(data.len())] = value;
        }
        let _ = built(&bytes);
        let _ = built(&as_arm64(&bytes));
    }

    #[test]
    fn damaged_anywhere(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        len in 1000usize..40_000,
    ) {
        let mut bytes = real();
        bytes.truncate(len);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let _ = built(&bytes);
        let _ = built(&as_arm64(&bytes));
    }
}
