//! `runtime.moduledata`, the record by which a Go module describes itself: found by its pointer to
//! the pclntab, since stripped files have no symbol for it.

use std::collections::HashMap;

use seam_object::{Elf, ReadRef, SegmentKind};

use crate::{GoVersion, Pclntab};

/// Words of moduledata that are of use (runtime/symtab.go `moduledata`).
const WORDS: u64 = 48;
const TEXT: u64 = 22;
const ETEXT: u64 = 23;
/// Variables that hold pointers: `data`, `edata`, `bss`, `ebss`, the same in Go 1.19 to 1.27.
const DATA: u64 = 26;
const BSS: u64 = 28;
/// Those that hold none: `noptrdata`, `enoptrdata`, `noptrbss`, `enoptrbss`.
const NOPTRDATA: u64 = 24;
const NOPTRBSS: u64 = 30;

/// What a module says of itself. Addresses as linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModuleData {
    /// Where the record lies.
    pub address: u64,
    /// First address of Go code.
    pub text: u64,
    /// First address behind Go code.
    pub etext: u64,
    /// What inline tree offsets count from (`gofunc`); 0 when unknown.
    pub gofunc: u64,
    /// Variables with pointers that begin with a value.
    pub data: (u64, u64),
    /// Those that begin as zero.
    pub bss: (u64, u64),
    /// Variables without pointers, those that begin with a value and those that begin as zero.
    pub plain: [(u64, u64); 2],
    /// What offsets of types and of their names count from (`types`).
    pub types: (u64, u64),
}

/// Word numbers of `types` and `etypes`; typedesclen came between them with 1.27.
fn types_words(minor: u32) -> (u64, u64) {
    match minor {
        ..=19 => (35, 36),
        20..=26 => (37, 38),
        _ => (37, 39),
    }
}

/// Word number of `gofunc`: it follows `rodata`, and what stands before changed.
fn gofunc_word(minor: u32) -> u64 {
    match minor {
        // covctrs, ecovctrs came with 1.20; typedesclen, itaboffset, itabsize with 1.27.
        ..=19 => 38,
        20..=26 => 40,
        _ => 43,
    }
}

/// Finds the record in `elf`, whose pclntab lies at `pclntab_address`.
pub(crate) fn find<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    pclntab_address: u64,
    pclntab: &Pclntab<'d>,
    version: Option<&GoVersion>,
) -> Option<ModuleData> {
    let names = pclntab_address.wrapping_add(pclntab.names_offset());
    // In position-independent files the words are relocations, not file bytes.
    let pointers = elf
        .relative_words(|_, value| value == pclntab_address)
        .unwrap_or_default();
    let mut candidates: Vec<u64> = pointers.into_keys().collect();
    candidates.sort_unstable();
    candidates.extend(elf.section(".go.module").map(|s| s.address));
    candidates.extend(search(elf, pclntab_address));
    let (address, words) = candidates.into_iter().find_map(|address| {
        let range = address..address.saturating_add(8 * WORDS);
        let words = elf.relative_words(|at, _| range.contains(&at)).ok()?;
        let fits = word_at(elf, &words, address) == Some(pclntab_address)
            && word_at(elf, &words, address.wrapping_add(8)) == Some(names);
        fits.then_some((address, words))
    })?;
    let word = |address: u64| word_at(elf, &words, address);
    let minor = version.and_then(|v| v.minor).unwrap_or(u32::MAX);
    debug_assert!(gofunc_word(minor) < WORDS);
    let place = |number: u64| word(address + 8 * number).unwrap_or(0);
    let range = |first: u64| (place(first), place(first + 1));
    let types = types_words(minor);
    Some(ModuleData {
        address,
        text: word(address + 8 * TEXT)?,
        etext: word(address + 8 * ETEXT)?,
        gofunc: word(address + 8 * gofunc_word(minor)).unwrap_or(0),
        data: range(DATA),
        bss: range(BSS),
        plain: [range(NOPTRDATA), range(NOPTRBSS)],
        types: (place(types.0), place(types.1)),
    })
}

fn word_at<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    relative: &HashMap<u64, u64>,
    address: u64,
) -> Option<u64> {
    relative
        .get(&address)
        .copied()
        .or_else(|| elf.word_at(address))
}

/// Addresses of words with this value in the file's data.
fn search<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, value: u64) -> impl Iterator<Item = u64> {
    let data = elf
        .segments()
        .iter()
        .filter(|s| s.kind == SegmentKind::Load && !s.executable);
    let needle = value.to_le_bytes();
    data.filter_map(|s| Some((s.address, elf.bytes_up_to(s.address, s.file_size)?)))
        .flat_map(move |(start, bytes)| {
            bytes
                .as_chunks::<8>()
                .0
                .iter()
                .enumerate()
                .filter(move |(_, word)| **word == needle)
                .map(move |(i, _)| start + 8 * i as u64)
        })
}
