//! pprof, as Go's own tool reads it. A missing `go` fails these tests.

use std::io::Read;
use std::process::Command;

use flate2::read::GzDecoder;
use prost::Message;
use seam_profile::Profile;
use seam_profile::fixtures::{scrambled, sqlite};

use crate::pprof;
use crate::pprof::proto;

pub(super) fn decode(profile: &Profile) -> proto::Profile {
    let mut bytes = Vec::new();
    GzDecoder::new(&pprof(profile)[..])
        .read_to_end(&mut bytes)
        .expect("gzip");
    proto::Profile::decode(&bytes[..]).expect("a profile")
}

fn go_tool(profile: &Profile, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("profile.pb.gz");
    std::fs::write(&file, pprof(profile)).expect("writable");
    let output = Command::new("go")
        .args(["tool", "pprof", "-symbolize=none"])
        .args(arguments)
        .arg(&file)
        .env("PPROF_TMPDIR", folder.path())
        .env("TZ", "UTC")
        .output()
        .expect("go is on the PATH");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pprof: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn go_reads_the_raw_profile() {
    let raw = go_tool(&sqlite(), &["-raw"]);
    insta::assert_snapshot!("pprof_raw", raw.replace(['\t'], " "));
}

#[test]
fn go_ranks_functions_as_we_do() {
    let top = go_tool(
        &sqlite(),
        &["-top", "-sample_index=samples", "-nodecount=6"],
    );
    let rows: Vec<_> = top
        .lines()
        .skip_while(|line| !line.contains("flat%"))
        .collect();
    insta::assert_snapshot!("pprof_top", rows.join("\n"));
}

#[test]
fn labels_reach_go_even_when_zero() {
    let raw = go_tool(&sqlite(), &["-raw"]);
    for label in [
        "cpu:[0 id]",
        "p:[0 id]",
        "goid:[18 id]",
        "state:[running]",
        "thread:[pump]",
    ] {
        assert!(raw.contains(label), "{label}");
    }
}

#[test]
fn go_accepts_scrambled_profiles() {
    let bytes: Vec<u8> = (0..3000u32).map(|at| (at * 41 % 253) as u8).collect();
    let raw = go_tool(&scrambled(&bytes), &["-raw"]);
    assert!(raw.contains("Samples:"));
    go_tool(&scrambled(&[]), &["-raw"]);
}

#[test]
fn ids_and_strings_lead_somewhere() {
    let profile = decode(&sqlite());
    assert_eq!(profile.string_table[0], b"");
    let strings = profile.string_table.len() as i64;
    let functions = profile.function.len() as u64;
    for (at, function) in profile.function.iter().enumerate() {
        assert_eq!(function.id, at as u64 + 1);
        assert!(
            [function.name, function.system_name, function.filename]
                .iter()
                .all(|id| *id < strings)
        );
    }
    for (at, location) in profile.location.iter().enumerate() {
        assert_eq!(location.id, at as u64 + 1);
        assert!(!location.line.is_empty());
        assert!(
            location
                .line
                .iter()
                .all(|line| (1..=functions).contains(&line.function_id))
        );
        let mapping = profile
            .mapping
            .iter()
            .find(|mapping| mapping.id == location.mapping_id);
        let inside = |mapping: &proto::Mapping| {
            (mapping.memory_start..mapping.memory_limit).contains(&location.address)
        };
        assert!(mapping.is_none_or(inside), "an address lies in its mapping");
    }
    let main = &profile.string_table[profile.mapping[0].filename as usize];
    assert_eq!(main, b"/srv/api-server", "the program comes first");
}

#[test]
fn equal_samples_are_one() {
    let profile = decode(&sqlite());
    assert_eq!(
        profile.sample.len(),
        19,
        "one per stack and place in the fixture"
    );
}
