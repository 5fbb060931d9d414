//! The still picture.

use proptest::prelude::*;
use seam_profile::Profile;
use seam_profile::fixtures::{scrambled, sqlite};

use super::Page;
use crate::svg;

#[test]
fn the_fixture_is_drawn_with_titles_and_kinds() {
    let text = svg(&sqlite());
    for class in ["k0", "k1", "k2", "k3", "k4"] {
        assert!(
            text.contains(&format!("class=\"{class}\" x=")),
            "a box of kind {class}"
        );
    }
    assert!(text.contains("sqlite3_step"));
    assert!(text.contains(">↳ "), "edges have an arrow");
    assert!(!text.contains("<script"), "a picture needs no script");
    assert!(text.contains("drawn from"));
}

/// Opened elements are closed in order, and nothing but known entities follows an ampersand.
fn check_xml(text: &str) {
    let mut open = Vec::new();
    for tag in text.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("each tag ends");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "closed in order"),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().expect("a name")),
        }
    }
    assert!(open.is_empty(), "all closed: {open:?}");
    for entity in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;"];
        assert!(
            known.iter().any(|known| entity.starts_with(known)),
            "{entity:.9}"
        );
    }
    let odd =
        |char: char| char.is_control() && char != '\n' || matches!(char, '\u{fffe}' | '\u{ffff}');
    assert!(!text.contains(odd), "only characters that XML has");
}

/// Every node is a box or counted.
fn check_counts(profile: &Profile) {
    let text = svg(profile);
    check_xml(&text);
    let boxes = text.matches("<g><title>").count();
    let bars = text.matches("<rect class=\"more\"").count();
    let number = |words: &str| -> usize {
        let Some((before, _)) = text.split_once(words) else {
            return 0;
        };
        let digits = before.rsplit([' ', '>']).next().expect("a number");
        digits.replace(',', "").parse().expect("a number")
    };
    let narrow = number(" frames too narrow to draw are in");
    let deep = number(" frames deeper than");
    let nodes = Page::of(profile).column("folded_parent").len();
    assert_eq!(boxes - bars + narrow + deep, nodes);
}

#[test]
fn every_frame_of_the_fixture_is_drawn_or_counted() {
    check_counts(&sqlite());
}

#[test]
fn an_empty_profile_is_a_picture_too() {
    check_counts(&scrambled(&[]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_frame_is_drawn_or_counted(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        check_counts(&scrambled(&bytes));
    }
}
