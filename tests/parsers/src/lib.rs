//! Everything that reads bytes from outside, each as a function that takes any bytes. A target
//! that returns has passed: none may panic, hang or take memory that the bytes do not account
//! for. Run by the fuzzers in `fuzz/` and, over their corpora, by `tests/corpus.rs`.

mod container;
mod runtime;

use seam_go::{BuildInfo, GoModule, GoVersion};
use seam_memory::{Core, Memory, Snapshot};
use seam_object::Elf;
use seam_symbolize::{KernelSymbols, ModuleSymbols, demangle, perf_map_names};
use seam_unwind::{
    CopiedStack, EhFrames, ModuleTable, Start, Table, TableFacts, TableSet, walk, walk_copied,
};
use seam_wire::{Arch, Mapping, SEAM_RBP, SEAM_RSP, SEAM_USER_FRAMES};

use container::{Section, container};
pub use runtime::runtime;

const CODE: u64 = 0x40_0000;
const STACK: u64 = 0x7fff_0000;

/// A named parser.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The corpus folder's and the fuzzer's name.
    pub name: &'static str,
    /// Takes any bytes.
    pub run: fn(&[u8]),
}

/// All parsers.
pub const TARGETS: [Target; 15] = [
    Target {
        name: "runtime",
        run: runtime,
    },
    Target {
        name: "copied_stack",
        run: copied_stack,
    },
    Target {
        name: "core",
        run: core,
    },
    Target {
        name: "stored",
        run: stored,
    },
    Target {
        name: "elf",
        run: elf,
    },
    Target {
        name: "table",
        run: table,
    },
    Target {
        name: "eh_frame",
        run: eh_frame,
    },
    Target {
        name: "derive",
        run: derive,
    },
    Target {
        name: "pclntab",
        run: pclntab,
    },
    Target {
        name: "version",
        run: version,
    },
    Target {
        name: "maps",
        run: maps,
    },
    Target {
        name: "kallsyms",
        run: kallsyms,
    },
    Target {
        name: "names",
        run: names,
    },
    Target {
        name: "record",
        run: record,
    },
    Target {
        name: "perf_map",
        run: perf_map,
    },
];

/// Where code lies in the containers made here.
const TEXT: u64 = 0x1000;
const TEXT_BYTES: usize = 0x2000;

/// A whole file: headers, sections, segments, symbols, notes, relocations.
pub fn elf(bytes: &[u8]) {
    let Ok(elf) = Elf::parse(bytes) else { return };
    let _ = (
        elf.build_id(),
        elf.interpreter(),
        elf.dynamic(),
        elf.code_ranges(),
    );
    for section in elf.sections().into_iter().take(64) {
        // Decompressing is bounded by what the bytes claim; a fuzzer needs less.
        let _ = elf.section_data_within(&section.name, 1 << 20);
    }
    let _ = elf.symbols().map(|s| s.name.len()).sum::<usize>();
    let _ = elf.relative_words(|_, _| true);
}

/// A whole file, as far as the unwind table and the names of some addresses.
pub fn table(bytes: &[u8]) {
    let Ok(elf) = Elf::parse(bytes) else { return };
    let _ = seam_unwind::build(&elf);
    let symbols = ModuleSymbols::new(&elf, None);
    for (start, end) in elf.code_ranges().into_iter().take(8) {
        for address in [start, start / 2 + end / 2, end.saturating_sub(1)] {
            let _ = symbols.resolve(address, &[]);
        }
    }
}

/// A table from the cache folder: any bytes, then the bytes with a checksum that fits, and a walk
/// by whatever words are in it.
pub fn stored(bytes: &[u8]) {
    let _ = ModuleTable::from_stored(bytes, "");
    let split = bytes.len().min(512);
    let words = bytes[split..].chunks_exact(4);
    let mut table = ModuleTable {
        table: Table {
            words: words
                .map(|w| u32::from_le_bytes([w[0], w[1], w[2], w[3]]))
                .collect(),
            base: 0,
            index_word: u32::from(bytes.first().copied().unwrap_or(0)),
            pages: 16,
            rows: 1,
        },
        go: None,
        facts: TableFacts::default(),
    };
    let stored = table.to_stored("");
    table = ModuleTable::from_stored(&stored, "").expect("just made");
    let mut set = TableSet::default();
    set.arch = match bytes.get(1).copied().unwrap_or(0) % 2 {
        0 => Arch::X86_64,
        _ => Arch::Arm64,
    };
    let slot = set.add_table(&table.table.words);
    set.set_mappings(&[Mapping {
        start: CODE,
        end: CODE + 0x1000,
        bias: CODE,
        table: slot,
        index_word: table.table.index_word,
        pages: table.table.pages,
        ..Mapping::default()
    }]);
    let mut memory = Snapshot::default();
    memory.insert(STACK, &bytes[..split]);
    let mut start = Start {
        pc: CODE + u64::from(bytes.len() as u16 % 0x1000),
        syscall: -1,
        ..Start::default()
    };
    start.reg[SEAM_RSP as usize] = STACK;
    start.reg[SEAM_RBP as usize] = STACK + 64;
    let walked = walk(&memory, &set, &start);
    assert!(walked.user.len() <= SEAM_USER_FRAMES as usize);
}

/// The bytes as a file's unwind information.
pub fn eh_frame(bytes: &[u8]) {
    build(&[
        text(&[0x90; TEXT_BYTES]),
        section(".eh_frame", 0x10000, bytes),
    ]);
}

/// The bytes as what perf walks by: two bytes tell how long `.eh_frame_hdr` is, which follows; then
/// half a page of copied stack; the rest is `.eh_frame`.
pub fn copied_stack(bytes: &[u8]) {
    let Some((index, rest)) = bytes
        .split_first_chunk::<2>()
        .and_then(|(len, rest)| rest.split_at_checked(usize::from(u16::from_le_bytes(*len))))
    else {
        return;
    };
    let Some((stack, frames)) = rest.split_at_checked(2048) else {
        return;
    };
    let file = container(&[
        text(&[0x90; TEXT_BYTES]),
        section(".eh_frame_hdr", 0x10000, index),
        section(".eh_frame", 0x20000, frames),
    ]);
    let Some(described) = Elf::parse(file.as_slice())
        .ok()
        .and_then(|elf| EhFrames::of(&elf))
    else {
        return;
    };
    let word = |at: usize| u64::from(stack[at]) | u64::from(stack[at + 1]) << 8;
    let copy = CopiedStack {
        pc: CODE + word(0),
        registers: std::array::from_fn(|n| STACK + word(2 * n)),
        bytes: stack,
    };
    let frames = walk_copied(&copy, |address| Some((&described, address)));
    assert!(frames.len() <= 127, "{} frames", frames.len());
}

/// The bytes as code that nothing describes.
pub fn derive(bytes: &[u8]) {
    build(&[text(&bytes[..bytes.len().min(1 << 14)])]);
}

/// The bytes as Go's table of functions.
pub fn pclntab(bytes: &[u8]) {
    let file = container(&[
        text(&[0x90; TEXT_BYTES]),
        section(".gopclntab", 0x10000, bytes),
    ]);
    let Ok(elf) = Elf::parse(file.as_slice()) else {
        return;
    };
    let Ok(Some(module)) = GoModule::find(&elf) else {
        return;
    };
    for function in module.pclntab.functions().take(1000) {
        let _ = module.pclntab.stack_depths(&function).take(1000).count();
        let _ = module.inlined(&elf, &function, function.entry);
        let _ = module.frame(&elf, function.entry.wrapping_add(5));
    }
    let _ = seam_unwind::build(&elf);
}

/// Version strings and build information.
pub fn version(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let version = GoVersion::parse(text);
        let _ = version.map(|v| (v.number(), v.release()));
    }
    let file = container(&[section(".go.buildinfo", 0x10000, bytes)]);
    if let Ok(elf) = Elf::parse(file.as_slice()) {
        let _ = BuildInfo::read(&elf);
    }
}

/// `/proc/PID/maps`.
pub fn maps(bytes: &[u8]) {
    let _ = seam_capture::executable_entries(&String::from_utf8_lossy(bytes));
}

/// `/proc/kallsyms`.
pub fn kallsyms(bytes: &[u8]) {
    let symbols = KernelSymbols::parse(String::from_utf8_lossy(bytes).into_owned());
    for address in [0, 1 << 40, u64::MAX, 0xffff_ffff_8100_0000] {
        let _ = symbols.find(address);
    }
}

/// A core file: headers, notes, and memory at its threads' registers.
pub fn core(bytes: &[u8]) {
    let Ok(core) = Core::from_bytes(bytes.to_vec()) else {
        return;
    };
    for thread in core.threads().iter().take(64) {
        for at in thread.registers {
            let _ = core.word(at);
        }
    }
    let _ = (core.missing_stacks(), core.auxiliary(9), core.pid());
    assert!(core.files().len() <= bytes.len());
}

/// Mangled names.
pub fn names(bytes: &[u8]) {
    let _ = demangle(&String::from_utf8_lossy(bytes));
}

/// `/tmp/perf-PID.map`.
pub fn perf_map(bytes: &[u8]) {
    let addresses: Vec<u64> = (0..64).map(|n| n << 58 | n << 12).collect();
    let names = perf_map_names(bytes, &addresses);
    assert_eq!(names.len(), addresses.len());
    assert!(names.iter().flatten().all(|name| !name.is_empty()));
}

/// What the kernel side sends.
pub fn record(bytes: &[u8]) {
    if let Ok(sample) = seam_wire::Sample::parse(bytes) {
        assert!(8 * (sample.user.len() + sample.kernel.len()) + sample.labels.len() <= bytes.len());
        let _ = seam_wire::label_pairs(&sample.labels).count();
    }
}

fn build(sections: &[Section<'_>]) {
    let file = container(sections);
    if let Ok(elf) = Elf::parse(file.as_slice()) {
        let _ = seam_unwind::build(&elf);
    }
}

fn text(bytes: &[u8]) -> Section<'_> {
    Section {
        code: true,
        ..section(".text", TEXT, bytes)
    }
}

fn section<'a>(name: &'static str, address: u64, bytes: &'a [u8]) -> Section<'a> {
    Section {
        name,
        address,
        code: false,
        bytes,
    }
}
