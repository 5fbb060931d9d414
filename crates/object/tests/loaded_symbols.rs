//! Dynamic symbols with and without section headers.

use std::path::Path;

use seam_object::{Elf, SymbolSource};

/// The same file, its ELF header without section headers.
fn headless(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[40..48].fill(0);
    bytes[60..64].fill(0);
    bytes
}

#[test]
fn the_loader_finds_them_without_section_headers() {
    let folder = Path::new("/lib/x86_64-linux-gnu");
    let mut seen = 0;
    for name in [
        "libc.so.6",
        "libm.so.6",
        "libgcc_s.so.1",
        "libstdc++.so.6",
        "libz.so.1",
    ] {
        let path = [folder, Path::new("/usr/lib/x86_64-linux-gnu")].map(|f| f.join(name));
        let Some(bytes) = path.iter().find_map(|path| std::fs::read(path).ok()) else {
            continue;
        };
        seen += 1;
        let whole = Elf::parse(bytes.as_slice()).unwrap();
        let wanted: Vec<_> = whole
            .symbols()
            .filter(|s| s.source == SymbolSource::Dynsym)
            .collect();
        let bytes = headless(&bytes);
        let elf = Elf::parse(bytes.as_slice()).unwrap();
        assert!(!elf.has_sections(), "{name}");
        assert!(wanted.len() > 20, "{name}: {}", wanted.len());
        assert_eq!(elf.symbols().collect::<Vec<_>>(), wanted, "{name}");
    }
    assert!(seen > 2, "no libraries to read");
}

#[test]
fn symbols_at_some_addresses_are_those_of_all() {
    let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let without_sections = headless(&std::fs::read("/lib/x86_64-linux-gnu/libc.so.6").unwrap());
    let mut most = 0;
    for bytes in [&bytes, &without_sections] {
        let elf = Elf::parse(bytes.as_slice()).unwrap();
        let all: Vec<_> = elf.symbols().collect();
        let mut addresses: Vec<u64> = all.iter().map(|s| s.address).collect();
        addresses.sort_unstable();
        // Nobody's, a few's, whose names are read one by one, and many's.
        for part in [0, 100, 2] {
            let end = addresses
                .len()
                .checked_div(part)
                .map_or(0, |at| addresses[at]);
            let wanted = |address: u64| address < end;
            let few = elf.symbols_at(wanted);
            let same: Vec<_> = all.iter().filter(|s| wanted(s.address)).cloned().collect();
            assert_eq!(few, same, "below {end:#x}");
            most = most.max(few.len());
        }
    }
    assert!(most > 1000, "{most}: all names were read one by one");
}

#[test]
fn tables_that_lie_are_cut() {
    let bytes = std::fs::read("/lib/x86_64-linux-gnu/libc.so.6").unwrap();
    let mut bytes = headless(&bytes);
    let dynamic = {
        let elf = Elf::parse(bytes.as_slice()).unwrap();
        let mut segments = elf.segments().iter();
        let found = segments.find(|s| s.kind == seam_object::SegmentKind::Dynamic);
        found.unwrap().offset as usize
    };
    let before = Elf::parse(bytes.as_slice()).unwrap().symbols().count();
    // Every value of the dynamic segment in turn, changed to something else.
    for entry in 0..40 {
        let at = dynamic + entry * 16 + 8;
        let old = bytes[at..at + 8].to_vec();
        for value in [0, 1, u64::MAX, u64::MAX - 7, 1 << 40, 0x1000] {
            bytes[at..at + 8].copy_from_slice(&u64::to_le_bytes(value));
            let elf = Elf::parse(bytes.as_slice()).unwrap();
            let count = elf.symbols().count();
            assert!(count < before + 200_000, "{entry} {value:x}: {count}");
        }
        bytes[at..at + 8].copy_from_slice(&old);
    }
}
