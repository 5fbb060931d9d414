//! Function tables that are damaged, cut off or made up: an error or fewer functions, never a
//! panic and never an endless loop.

use proptest::prelude::*;
use seam_go::{GoVersion, Pclntab};

/// A table of two functions, laid out as Go 1.20 to 1.27 do.
fn table() -> Vec<u8> {
    let names = b"\0main.a\0main.b\0".to_vec();
    let units: Vec<u8> = 0u32.to_le_bytes().to_vec();
    let files = b"/src/a.go\0".to_vec();
    // Offset 0 means "no table": stack depth 0, 8, 0; file 0; line 7.
    let tables = vec![0, 2, 4, 16, 20, 15, 1, 0, 2, 30, 0, 16, 30, 0, 2, 30, 0];
    let header = 72usize;
    let (cu, file) = (header + names.len(), header + names.len() + units.len());
    let tab = file + files.len();
    let index = (tab + tables.len()).next_multiple_of(8);
    let mut bytes = 0xffff_fff1u32.to_le_bytes().to_vec();
    bytes.extend([0, 0, 1, 8]);
    for word in [2, 1, 0x1000, header, cu, file, tab, index] {
        bytes.extend((word as u64).to_le_bytes());
    }
    bytes.extend(names);
    bytes.extend(units);
    bytes.extend(files);
    bytes.extend(tables);
    bytes.resize(index, 0);
    let functions = 5 * 4;
    for (entry, record) in [(0u32, functions as u32), (32, functions as u32 + 64)] {
        bytes.extend(entry.to_le_bytes());
        bytes.extend(record.to_le_bytes());
    }
    bytes.extend(64u32.to_le_bytes());
    for name in [1u32, 8] {
        // entry, name, args, deferreturn, pcsp, pcfile, pcln, npcdata, unit, start line
        for field in [0, name, 0, 0, 1, 8, 11, 3, 0, 5] {
            bytes.extend(field.to_le_bytes());
        }
        // funcID, flags, padding, nfuncdata; pcdata and funcdata
        bytes.extend([0, 4, 0, 4]);
        for field in [0u32, 0, 14, 0, 0] {
            bytes.extend(field.to_le_bytes());
        }
    }
    bytes.extend([0; 32]);
    bytes
}

/// Asks for everything there is to ask; bounded however the table lies.
fn read_everything(bytes: &[u8]) {
    let Ok(table) = Pclntab::parse(bytes) else {
        return;
    };
    for function in table.functions().take(1000) {
        let _ = table.stack_depths(&function).take(10_000).count();
        for pc in [function.entry, function.entry + 5, function.end] {
            let _ = table.file_line(&function, pc);
            let _ = table.inline_index(&function, pc);
        }
        let _ = table.inline_tree(&function);
        let _ = table.inlined_call(&function, &bytes[..16.min(bytes.len())]);
    }
    for address in [0, 0x1000, 0x1020, u64::MAX] {
        let _ = table.find(address);
    }
}

#[test]
fn the_sound_table_says_what_was_put_in() {
    let bytes = table();
    let table = Pclntab::parse(&bytes).expect("sound");
    let functions: Vec<_> = table.functions().collect();
    assert_eq!(
        functions.iter().map(|f| f.name).collect::<Vec<_>>(),
        ["main.a", "main.b"]
    );
    assert_eq!((functions[1].entry, functions[1].end), (0x1020, 0x1040));
    assert!(functions[0].flags.assembly());
    let depths: Vec<_> = table.stack_depths(&functions[0]).collect();
    assert_eq!(depths, [(0x1004, 0), (0x1018, 8), (0x1019, 0)]);
    assert_eq!(
        table.file_line(&functions[0], 0x1001),
        Some(("/src/a.go", 7))
    );
    assert_eq!(table.find(0x1021).map(|f| f.name), Some("main.b"));
    assert!(table.find(0x1040).is_none());
}

#[test]
fn every_cut() {
    let bytes = table();
    for len in 0..bytes.len() {
        read_everything(&bytes[..len]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn changed(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..30),
    ) {
        let mut bytes = table();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        read_everything(&bytes);
    }

    #[test]
    fn version_strings(text in ".{0,40}") {
        let _ = GoVersion::parse(&text);
        let _ = GoVersion::parse(&format!("go1.{text}"));
    }
}
