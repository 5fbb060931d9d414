//! DWARF that is cut or changed: a value or an error, and an end.

use seam_object::Elf;
use seam_symbolize::{DebugSections, DwarfError};

use crate::build::Folder;
use crate::same::addresses;

const BYTES_MAX: u64 = 1 << 24;

/// A generator of numbers that is the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

fn built(flags: &[&str]) -> Vec<u8> {
    std::fs::read(Folder::new().build("calls.c", flags)).expect("built")
}

/// The file to change, and where in them each debug section lies.
fn file(flags: &[&str]) -> (Vec<u8>, Vec<std::ops::Range<usize>>) {
    let bytes = built(flags);
    let elf = Elf::parse(bytes.as_slice()).expect("an ELF file");
    let names = [
        "info", "abbrev", "line", "str", "line_str", "rnglists", "ranges",
    ];
    let parts = names.iter().filter_map(|name| {
        let data = elf.section_data(&format!(".debug_{name}")).ok()??;
        let start = data.as_ptr() as usize - bytes.as_ptr() as usize;
        Some(start..start + data.len())
    });
    let parts = parts.collect();
    (bytes, parts)
}

fn read(bytes: &[u8], addresses: &[u64]) -> Option<DwarfError> {
    let elf = Elf::parse(bytes).expect("headers are as they were");
    match DebugSections::read(&elf, BYTES_MAX) {
        Ok(Some(sections)) => sections.find(None, addresses).error,
        Ok(None) => None,
        Err(error) => Some(error),
    }
}

#[test]
fn changed_bytes_end_in_a_value_or_an_error() {
    let mut numbers = Numbers(0x5eed);
    let mut errors = 0;
    for flags in [&["-g", "-gdwarf-5"], &["-g", "-gdwarf-4"]] {
        let (good, parts) = file(flags);
        let wanted = addresses(&Elf::parse(good.as_slice()).expect("an ELF file"));
        assert_eq!(read(&good, &wanted), None);
        for _ in 0..4000 {
            let mut bad = good.clone();
            for _ in 0..=numbers.below(8) {
                let part = parts[numbers.below(parts.len())].clone();
                bad[part.start + numbers.below(part.len())] = numbers.below(256) as u8;
            }
            errors += usize::from(read(&bad, &wanted).is_some());
        }
        for _ in 0..500 {
            // What is behind the cut of one section is lost.
            let mut bad = good.clone();
            let part = parts[numbers.below(parts.len())].clone();
            let from = part.start + numbers.below(part.len());
            bad[from..part.end].fill(0);
            errors += usize::from(read(&bad, &wanted).is_some());
        }
    }
    assert!(errors > 500, "{errors} of 9000 were noticed");
}

#[test]
fn more_than_the_limit_is_not_read() {
    let good = built(&["-g", "-gz"]);
    let elf = Elf::parse(good.as_slice()).expect("an ELF file");
    let result = DebugSections::read(&elf, 100).err();
    assert_eq!(result, Some(DwarfError::TooLarge(100)));
    assert!(DebugSections::read(&elf, BYTES_MAX).is_ok());
}

#[test]
fn without_dwarf_there_is_none() {
    let good = built(&["-g0"]);
    let elf = Elf::parse(good.as_slice()).expect("an ELF file");
    assert!(
        DebugSections::read(&elf, BYTES_MAX)
            .expect("readable")
            .is_none()
    );
}
