//! Every parser over its corpus, over the corpus with bytes changed, and over real files.

use std::path::{Path, PathBuf};

use seam_parsers::{TARGETS, Target};

/// Changed copies of each file.
const CHANGES: u64 = 40;
/// The largest real file that is read, in bytes.
const REAL_BYTES_MAX: u64 = 1 << 20;

fn corpus(target: &Target) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target.name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
    let mut files: Vec<_> = entries.map(|e| e.expect("readable").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no corpus", target.name);
    files
}

/// A copy with some bytes changed and, every fourth time, the end cut off. The same every time.
fn changed(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut copy = bytes.to_vec();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..1 + seed % 8 {
        if !copy.is_empty() {
            let at = next() as usize % copy.len();
            copy[at] = next() as u8;
        }
    }
    if seed.is_multiple_of(4) && !copy.is_empty() {
        copy.truncate(next() as usize % copy.len());
    }
    copy
}

#[test]
fn all_corpora() {
    for target in &TARGETS {
        for file in corpus(target) {
            let bytes = std::fs::read(&file).expect("readable");
            (target.run)(&bytes);
            for seed in 0..CHANGES {
                (target.run)(&changed(&bytes, seed));
            }
        }
        (target.run)(&[]);
    }
}

#[test]
fn every_corpus_has_a_parser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for entry in std::fs::read_dir(folder).expect("readable") {
        let name = entry.expect("readable").file_name();
        assert!(TARGETS.iter().any(|t| name == *t.name), "{name:?}");
    }
}

#[test]
fn real_programs() {
    for file in ["/bin/true", "/bin/cat", "/bin/ls"] {
        let bytes = std::fs::read(file).expect("coreutils are essential");
        assert!((bytes.len() as u64) < REAL_BYTES_MAX);
        for target in TARGETS.iter().filter(|t| matches!(t.name, "elf" | "table")) {
            (target.run)(&bytes);
            for seed in 0..CHANGES {
                (target.run)(&changed(&bytes, seed));
            }
        }
    }
}
