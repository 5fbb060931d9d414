//! Offsets of the runtime's structures in real programs, built in every way that changes code or
//! leaves DWARF out, and under versions that seam does not know.
//!
//! The Go versions are those of `SEAM_GO_VERSIONS`, separated by commas, else the machine's.

use std::path::Path;

use seam_go::{Field, GoModule, Offsets, OffsetsSource, Row, RuntimeOffsets};
use seam_object::Elf;
use seam_replay::program::{build, build_arm64};

const VARIANTS: [&[&str]; 6] = [
    &[],
    &["-buildmode=pie"],
    &["-race"],
    &["-gcflags=all=-N -l"],
    &["-buildmode=pie", "-ldflags=-s -w"],
    &["-buildmode=plugin"],
];
/// What the walk reads.
const WALKED: [Field; 16] = [
    Field::GStackLo,
    Field::GStackHi,
    Field::GM,
    Field::GSchedSp,
    Field::GSchedPc,
    Field::GSchedBp,
    Field::GAtomicstatus,
    Field::GGoid,
    Field::GStartpc,
    Field::MG0,
    Field::MGsignal,
    Field::MCurg,
    Field::MP,
    Field::MOldp,
    Field::MId,
    Field::MIncgo,
];

fn versions() -> Vec<String> {
    let list = std::env::var("SEAM_GO_VERSIONS").unwrap_or_else(|_| "local".to_owned());
    let versions = list.split(',');
    versions
        .map(|v| v.trim().trim_start_matches("go").to_owned())
        .collect()
}

fn program(go: &str, flags: &[&str]) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = build(go, flags, folder).expect("the program builds");
    std::fs::read(path).expect("it was built")
}

fn found(bytes: &[u8]) -> (RuntimeOffsets, Option<Offsets>, String) {
    let elf = Elf::parse(bytes).expect("an ELF file");
    let module = GoModule::find(&elf).expect("sound").expect("made by Go");
    let version = module.build.as_ref().map(|b| b.version.text.clone());
    (
        RuntimeOffsets::find(&elf, &module),
        Offsets::from_dwarf(&elf).expect("sound DWARF"),
        version.expect("it has build information"),
    )
}

/// The same file by another version of the same length.
fn renamed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(next) = bytes[at..]
        .windows(from.len())
        .position(|w| w == from.as_bytes())
    {
        at += next;
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    assert!(at > 0, "{from} is nowhere in the file");
    bytes
}

#[test]
fn the_table_the_dwarf_and_the_code_agree() {
    for go in versions() {
        for flags in VARIANTS {
            let (found, dwarf, version) = found(&program(&go, flags));
            let which = format!("{version} {flags:?}");
            assert_eq!(
                found.source,
                OffsetsSource::Table,
                "{which}: cargo xtask offsets adds new releases"
            );
            assert!(found.verified, "{which}");
            assert_eq!(
                (&found.moved, &found.unconfirmed),
                (&vec![], &vec![]),
                "{which}"
            );
            assert_eq!(dwarf.is_none(), flags.concat().contains("-s -w"), "{which}");
            if let Some(dwarf) = dwarf {
                assert_eq!(dwarf, found.offsets, "{which}");
            }
        }
    }
}

/// On arm64 structures are laid out alike; what crossing the switches rests on the code shows.
#[test]
fn arm64_has_the_same_offsets() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for go in versions() {
        for flags in [&[][..], &["-ldflags=-s -w"]] {
            let path = build_arm64(&go, flags, folder).expect("the program builds");
            let (found, dwarf, version) = found(&std::fs::read(path).expect("it was built"));
            assert_eq!(found.source, OffsetsSource::Table, "{version}");
            assert!(found.verified, "{version} {flags:?}");
            assert_eq!((&found.moved, &found.unconfirmed), (&vec![], &vec![]));
            for field in Field::ALL.iter().filter(|_| flags.is_empty()) {
                let dwarf = dwarf.as_ref().expect("it has DWARF").get(*field);
                assert_eq!(dwarf, found.offsets.get(*field), "{version} {field}");
            }
        }
    }
}

#[test]
fn a_newer_version_is_tried() {
    for go in versions() {
        let whole = program(&go, VARIANTS[0]);
        let (truth, _, version) = found(&whole);
        let newer = format!("go1.9{}", &version[5..]);
        let (by_dwarf, _, read) = found(&renamed(&whole, &version, &newer));
        assert_eq!(read, newer);
        assert_eq!(by_dwarf.source, OffsetsSource::Dwarf, "{newer}");
        assert_eq!((by_dwarf.offsets, by_dwarf.verified), (truth.offsets, true));

        let stripped = renamed(&program(&go, VARIANTS[4]), &version, &newer);
        let (nearest, _, _) = found(&stripped);
        let newest = Row::newest();
        assert_eq!(
            nearest.source,
            OffsetsSource::Nearest(newest.newest),
            "{newer}"
        );
        assert!(nearest.verified, "{newer}");
        for field in WALKED {
            assert_eq!(
                nearest.offsets.get(field),
                truth.offsets.get(field),
                "{newer} {field}"
            );
        }
        // What no instruction shows is kept only where all that is shown fits.
        let kept = nearest.moved.is_empty().then_some(newest.offsets());
        let labels = kept.and_then(|o| o.get(Field::GLabels));
        assert_eq!(nearest.offsets.get(Field::GLabels), labels, "{newer}");
    }
}

#[test]
fn a_release_with_other_structures_is_believed_less_than_its_code() {
    for go in versions() {
        let (truth, _, version) = found(&program(&go, VARIANTS[0]));
        // 1.25 alone has its m.p at 200.
        let minor = if version.starts_with("go1.25") {
            21
        } else {
            25
        };
        let other = format!("go1.{minor}{}", &version[6..]);
        let (by_dwarf, _, _) = found(&renamed(&program(&go, VARIANTS[0]), &version, &other));
        assert_eq!(
            by_dwarf.source,
            OffsetsSource::Dwarf,
            "{version} as {other}"
        );
        assert_eq!((by_dwarf.offsets, by_dwarf.verified), (truth.offsets, true));

        let (nearest, _, _) = found(&renamed(&program(&go, VARIANTS[4]), &version, &other));
        assert!(matches!(nearest.source, OffsetsSource::Nearest(r) if r.minor == minor));
        assert!(nearest.verified && !nearest.moved.is_empty(), "{other}");
        for field in WALKED {
            assert_eq!(
                nearest.offsets.get(field),
                truth.offsets.get(field),
                "{other} {field}"
            );
        }
        assert_eq!(nearest.offsets.get(Field::GLabels), None);
    }
}
