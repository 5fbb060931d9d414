//! What a module's names become with DWARF: the symbol's name stays, inlined calls and lines come
//! to it.

use seam_object::Elf;
use seam_symbolize::{DebugSections, Frame, ModuleSymbols, Origin};

use crate::build::{Folder, run};

/// All frames of every byte of a function.
fn frames<'a>(elf: &Elf<'a, &'a [u8]>, function: &str) -> Vec<Vec<Frame>> {
    let at = elf.symbols().find(|s| s.name == function.as_bytes());
    let at = at.expect("the function");
    let wanted: Vec<u64> = (at.address..at.address + at.size).collect();
    let sections = DebugSections::read(elf, 1 << 30).expect("readable");
    let calls = sections.map(|s| s.find(None, &wanted)).unwrap_or_default();
    let symbols = ModuleSymbols::new(elf, None);
    let one = |address: &u64| {
        let calls = calls.by_address.get(address);
        symbols.resolve(*address, calls.map_or(&[][..], Vec::as_slice))
    };
    wanted.iter().map(one).collect()
}

fn program(flags: &[&str], source: &str) -> Vec<u8> {
    std::fs::read(Folder::new().build(source, flags)).expect("built")
}

/// The line of the only place in a source that holds a text.
fn line_of(source: &str, text: &str) -> u32 {
    let path = format!("{}/tests/sources/{source}", env!("CARGO_MANIFEST_DIR"));
    let all = std::fs::read_to_string(path).expect("the source");
    let found = all.lines().position(|l| l.contains(text));
    found.expect("the line") as u32 + 1
}

#[test]
fn inlined_calls_lie_below_the_symbol() {
    let bytes = program(&["-g"], "calls.c");
    let elf = Elf::parse(bytes.as_slice()).expect("an ELF file");
    let all = frames(&elf, "loop");
    let names = |frames: &Vec<Frame>| -> Vec<String> {
        frames.iter().map(|f| f.name.to_string()).collect()
    };
    let deep = all
        .iter()
        .find(|f| names(f) == ["mix", "twice", "small", "loop"]);
    let deep = deep.expect("three levels");
    assert_eq!(deep[3].origin, Origin::Symbol);
    assert!(deep[..3].iter().all(|f| f.origin == Origin::Dwarf));
    assert_eq!(deep[3].line, line_of("calls.c", "sum += small(i)"));
    assert_eq!(deep[2].line, line_of("calls.c", "return twice(x) + 3"));
    assert_eq!(
        deep[3].start_line,
        line_of("calls.c", "unsigned loop(unsigned n)")
    );
    assert_eq!(
        deep[1].start_line,
        line_of("calls.c", "unsigned twice(unsigned x)")
    );
    assert!(
        deep.iter()
            .all(|f| f.file.ends_with("tests/sources/calls.c"))
    );
    assert!(
        all.iter()
            .all(|f| &*f.last().expect("a frame").name == "loop")
    );
}

#[test]
fn lines_of_other_files_stay_theirs() {
    let bytes = program(&["-g"], "calls.c");
    let elf = Elf::parse(bytes.as_slice()).expect("an ELF file");
    let generated = frames(&elf, "generated");
    let outer = generated.iter().filter_map(|f| f.last());
    assert!(
        outer
            .clone()
            .all(|f| f.file.ends_with("grammar.y") && f.start_line == 1000)
    );
    let included = frames(&elf, "included");
    let mut outer = included.iter().filter_map(|f| f.last());
    // It starts in calls.c, which is no line of body.h.
    assert!(outer.any(|f| f.file.ends_with("body.h") && f.start_line == 0 && f.line > 1));
}

#[test]
fn names_of_cpp_are_demangled_as_symbols_are() {
    let bytes = program(&["-g"], "calls.cpp");
    let elf = Elf::parse(bytes.as_slice()).expect("an ELF file");
    let all = frames(&elf, "_Z5areasRKSt6vectorIN6shapes6SquareESaIS1_EE");
    let mut inner = all.iter().flat_map(|f| &f[..f.len() - 1]);
    assert!(inner.any(|f| &*f.name == "shapes::Shape::twice"), "{all:?}");
    assert!(
        all.iter()
            .all(|f| &*f.last().expect("a frame").name == "areas")
    );
}

#[test]
fn without_dwarf_names_are_what_they_were() {
    let bytes = program(&["-g0"], "calls.c");
    let elf = Elf::parse(bytes.as_slice()).expect("an ELF file");
    for frames in frames(&elf, "loop") {
        let [frame] = frames.as_slice() else {
            panic!("one frame: {frames:?}");
        };
        let place = (&*frame.name, &*frame.file, frame.line, frame.start_line);
        assert_eq!(place, ("loop", "", 0, 0));
    }
}

#[test]
fn symbols_of_a_separate_file_count() {
    let folder = Folder::new();
    let program = folder.build("calls.c", &["-g"]);
    let (stripped, debug) = (folder.file("stripped"), folder.file("debug"));
    let mut objcopy = std::process::Command::new("objcopy");
    run(objcopy.arg("--strip-all").arg(&program).arg(&stripped));
    let mut objcopy = std::process::Command::new("objcopy");
    run(objcopy.arg("--only-keep-debug").arg(&program).arg(&debug));
    let stripped = std::fs::read(stripped).expect("stripped");
    let debug = std::fs::read(debug).expect("only what strip took");
    let stripped = Elf::parse(stripped.as_slice()).expect("an ELF file");
    let debug = Elf::parse(debug.as_slice()).expect("an ELF file");
    let at = debug
        .symbols()
        .find(|s| s.name == b"loop")
        .expect("a symbol");
    let alone = ModuleSymbols::new(&stripped, None);
    assert_eq!(alone.resolve(at.address, &[]), []);
    let both = ModuleSymbols::new(&stripped, Some(&debug));
    assert_eq!(&*both.resolve(at.address, &[])[0].name, "loop");
}
