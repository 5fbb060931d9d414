//! Folded stacks.

use seam_profile::fixtures::{scrambled, sqlite};

use crate::folded;

#[test]
fn every_frame_is_there() {
    insta::assert_snapshot!("folded", folded(&sqlite()));
}

#[test]
fn names_cannot_break_a_line() {
    // Bytes chosen so that all nasty names of the fixture occur.
    let bytes: Vec<u8> = (0..4000u32).map(|at| (at * 37 % 251) as u8).collect();
    let text = folded(&scrambled(&bytes));
    assert!(
        text.contains("a:b c d"),
        "separators inside a name are replaced"
    );
    for line in text.lines() {
        let (stack, count) = line.rsplit_once(' ').expect("a count");
        assert!(count.parse::<u64>().is_ok_and(|count| count > 0), "{line}");
        assert!(stack.split(';').all(|frame| !frame.is_empty()), "{line}");
    }
    let lines: Vec<_> = text
        .lines()
        .map(|line| line.rsplit_once(' ').expect("a count").0)
        .collect();
    assert!(lines.is_sorted(), "sorted by stack");
}

#[test]
fn an_empty_profile_is_an_empty_file() {
    assert_eq!(folded(&scrambled(&[])), "");
}
