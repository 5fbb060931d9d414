//! Any bytes give a value or an error: real files cut off and with bytes changed, and noise.

use proptest::prelude::*;
use seam_object::Elf;

/// A small real program that every Debian system has.
fn real() -> Vec<u8> {
    std::fs::read("/bin/true").expect("coreutils are essential")
}

/// Asks for everything there is to ask.
fn read_everything(bytes: &[u8]) {
    let Ok(elf) = Elf::parse(bytes) else { return };
    let _ = (
        elf.build_id(),
        elf.interpreter(),
        elf.dynamic(),
        elf.kind(),
        elf.entry(),
    );
    for section in elf.sections() {
        let _ = elf.section_data(&section.name);
        let _ = elf.bytes_up_to(section.address, section.size);
    }
    for segment in elf.segments() {
        let _ = elf.word_at(segment.address);
        let _ = elf.bytes_at(segment.address, segment.file_size);
    }
    let _ = elf.symbols().map(|s| s.name.len()).sum::<usize>();
    let _ = elf.relative_words(|_, _| true);
    let _ = elf.slot_values();
}

#[test]
fn the_real_file_is_read_whole() {
    let bytes = real();
    let elf = Elf::parse(bytes.as_slice()).expect("a real program");
    assert!(elf.build_id().is_some());
    assert!(
        elf.section_data(".eh_frame")
            .expect("well formed")
            .is_some()
    );
    assert!(
        elf.dynamic()
            .expect("well formed")
            .needed
            .iter()
            .any(|n| n.starts_with("libc.so"))
    );
    let slots = elf.slot_values();
    let start = seam_object::SlotValue::Symbol(b"__libc_start_main");
    assert!(slots.values().any(|value| *value == start));
}

#[test]
fn every_cut_of_the_headers() {
    let bytes = real();
    for len in 0..512.min(bytes.len()) {
        read_everything(&bytes[..len]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn cut_and_changed(
        len in 0usize..40_000,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
        headers in prop::collection::vec((0usize..1024, any::<u8>()), 0..20),
    ) {
        let mut bytes = real();
        bytes.truncate(len);
        if !bytes.is_empty() {
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            for (at, value) in headers {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
        }
        read_everything(&bytes);
    }

    #[test]
    fn noise_behind_a_valid_start(noise in prop::collection::vec(any::<u8>(), 0..4096)) {
        let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        bytes.extend(noise);
        read_everything(&bytes);
    }
}
