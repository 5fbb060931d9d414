//! Names and lines are those of addr2line, at every byte of every function.

use std::path::Path;

use seam_object::{Elf, SymbolKind};
use seam_symbolize::{Calls, DebugSections};

use crate::build::Folder;
use crate::oracle::{Line, addr2line};

const BYTES_MAX: u64 = 1 << 30;

/// Every byte of the functions that the linker took from the program itself.
pub(crate) fn addresses<'a>(elf: &Elf<'a, &'a [u8]>) -> Vec<u64> {
    let text = elf.section(".text").expect("code");
    let inside = |a: &u64| *a >= text.address && *a < text.address + text.size;
    let mut all: Vec<u64> = elf
        .symbols()
        .filter(|s| s.kind == SymbolKind::Function)
        .flat_map(|s| s.address..s.address + s.size)
        .filter(inside)
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn find<'a>(elf: &Elf<'a, &'a [u8]>, addresses: &[u64]) -> Calls {
    let sections = DebugSections::read(elf, BYTES_MAX).expect("readable");
    let calls = sections.expect("DWARF").find(None, addresses);
    assert_eq!(calls.error, None);
    calls
}

fn ours(calls: &Calls, address: u64) -> Vec<Line> {
    let found = calls.by_address.get(&address);
    let lines = found.into_iter().flatten();
    lines
        .map(|c| {
            let name = c.raw_name.as_deref().unwrap_or_default();
            (name.to_owned(), c.file.to_string(), c.line)
        })
        .collect()
}

/// The same frames, but for names where addr2line takes the symbol's.
fn same<'a>(ours: &[Line], theirs: &[Line], elf: &Elf<'a, &'a [u8]>, address: u64) -> bool {
    let symbol = |name: &str| {
        let covers = |start: u64, size: u64| start <= address && address - start < size;
        elf.symbols()
            .any(|s| covers(s.address, s.size) && s.name == name.as_bytes())
    };
    // foo.cold, foo.constprop.0 and foo.part.0 are pieces of foo.
    let whole = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let name = |ours: &str, theirs: &str| {
        ours == theirs || symbol(theirs) && (!ours.starts_with("_Z") || whole(theirs) == ours)
    };
    let frame = |(ours, theirs): (&Line, &Line)| {
        (&ours.1, ours.2) == (&theirs.1, theirs.2) && name(&ours.0, &theirs.0)
    };
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(frame)
}

/// Compares a program with addr2line. Gives the number of addresses, and of those inside inlined
/// calls.
fn compare(path: &Path) -> (usize, usize) {
    let bytes = std::fs::read(path).expect("built");
    let elf = Elf::parse(bytes.as_slice()).expect("an ELF file");
    let addresses = addresses(&elf);
    let calls = find(&elf, &addresses);
    let expected = addr2line(path, &addresses);
    let mut different = Vec::new();
    let mut inlined = 0;
    for (address, expected) in addresses.iter().zip(expected) {
        let ours = ours(&calls, *address);
        inlined += usize::from(ours.len() > 1);
        // Code without DWARF (crtstuff) has the symbol's name there, and none here.
        if ours.is_empty() && expected.iter().all(|(_, file, _)| file.is_empty()) {
            continue;
        }
        if !same(&ours, &expected, &elf, *address) {
            different.push(format!(
                "{address:#x}: {ours:?}\n   addr2line: {expected:?}"
            ));
        }
    }
    let count = different.len();
    different.truncate(5);
    assert!(count == 0, "{count} differ:\n{}", different.join("\n"));
    (addresses.len(), inlined)
}

#[test]
fn every_address_is_as_addr2line_says() {
    // LTO and C++ with type units are left out: there addr2line of binutils 2.40 takes wrong files
    // and no inlined calls. llvm-symbolizer agrees with seam.
    let forms: [(&str, &[&str]); 7] = [
        ("calls.c", &["-g", "-gdwarf-5"]),
        ("calls.c", &["-g", "-gdwarf-4"]),
        ("calls.c", &["-g", "-gz"]),
        ("calls.c", &["-g", "-fdebug-types-section"]),
        ("calls.cpp", &["-g", "-gdwarf-5"]),
        ("calls.cpp", &["-g", "-gdwarf-4"]),
        ("calls.cpp", &["-g1", "-gz"]),
    ];
    for (source, flags) in forms {
        let folder = Folder::new();
        let (all, inlined) = compare(&folder.build(source, flags));
        println!("{source} {flags:?}: {all} addresses, {inlined} in inlined calls");
        assert!(
            inlined > 100,
            "{source} {flags:?}: {inlined} of {all} inlined"
        );
    }
}
