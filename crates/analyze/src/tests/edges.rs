//! Crossings by call site.

use seam_profile::Profile;
use seam_profile::fixtures::sqlite;

use super::profile;
use crate::{CgoEdge, Direction, Folder, Limits, facts};

const CALL: &str = "go:main._Cfunc_f go:runtime.cgocall go:runtime.asmcgocall";
const BACK: &str = "F crosscall2 go:runtime.cgocallback go:_cgoexp_0123abcd_F";

fn text(profile: &Profile, edge: &CgoEdge) -> String {
    let site = edge.site.map_or(String::new(), |site| {
        let name = profile.text(profile.functions().get(site.function).name);
        format!("{name}:{}", site.line)
    });
    let callbacks = edge
        .callbacks
        .rows
        .iter()
        .map(|row| format!(" [{} {}]", row.callee, row.weight));
    let arrow = if edge.direction == Direction::Call {
        "→"
    } else {
        "⤶"
    };
    format!(
        "{site}{arrow}{} {}{}",
        edge.callee,
        edge.weight,
        callbacks.collect::<String>()
    )
}

fn edges(profile: &Profile) -> Vec<String> {
    let found = facts(&Folder::new(profile), Limits::NONE);
    found
        .edges
        .rows
        .iter()
        .map(|edge| text(profile, edge))
        .collect()
}

#[test]
fn call_sites_are_told_apart() {
    let one = format!("go:main.main@5 {CALL} f");
    let other = format!("go:main.main@9 {CALL} f g");
    let inside = format!("go:main.main@9 {CALL}");
    let rows = edges(&profile(&[(1, &one), (2, &other), (4, &inside)]));
    assert_eq!(rows, ["main.main:9→f 6", "main.main:5→f 1"]);
}

#[test]
fn callbacks_hang_below_their_call_and_nested_calls_stand_alone() {
    let nested = format!("go:main.main@5 {CALL} f {BACK} go:main.F@7 {CALL} f");
    let rows = edges(&profile(&[(3, &nested)]));
    assert_eq!(rows, ["main.main:5→f 3 [main.F 3]", "main.F:7→f 3"]);
}

#[test]
fn a_recursive_crossing_counts_once_per_sample() {
    let once = format!("go:main.F@5 {CALL} f {BACK}");
    let rows = edges(&profile(&[(1, &format!("{once} {once} go:main.F@5"))]));
    assert_eq!(rows, ["main.F:5→f 1 [main.F 1]"]);
}

#[test]
fn callbacks_on_threads_of_c_stand_alone() {
    let rows = edges(&profile(&[(2, &format!("clone3 pump {BACK} go:main.F"))]));
    assert_eq!(rows, ["pump:0⤶main.F 2"]);
}

#[test]
fn the_fixture_has_its_edges() {
    let store = "example.com/api/store";
    let expected = [
        format!("{store}.(*Rows).step:118→sqlite3_step 912 [{store}.goCollate 112]"),
        format!("{store}.(*DB).Exec:66→sqlite3_exec 270"),
        format!("pump:12⤶{store}.goCollate 65"),
        "example.com/api/collate.(*Collator).Compare:25→ucol_strcoll 4".to_owned(),
    ];
    assert_eq!(edges(&sqlite()), expected);
}
