//! The page and its data.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::DeflateDecoder;
use proptest::prelude::*;
use seam_profile::fixtures::{scrambled, sqlite};

use super::Page;
use crate::html;

#[test]
fn the_page_holds_its_data_and_no_mark() {
    let profile = sqlite();
    let page = html(&profile).expect("small enough");
    assert!(!page.contains("@SEAM_"), "both marks are replaced");
    assert!(page.contains("<title>api-server</title>"));
    let longest = page
        .split(['<', '>', '"'])
        .max_by_key(|text| data_len(text))
        .expect("some text");
    let deflated = STANDARD.decode(longest.trim()).expect("base64");
    let mut bytes = Vec::new();
    DeflateDecoder::new(&deflated[..])
        .read_to_end(&mut bytes)
        .expect("raw deflate");
    assert_eq!(bytes, html::container(&profile).expect("small enough"));
}

/// Length of a text that can be base64.
fn data_len(text: &str) -> usize {
    let text = text.trim();
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if text.bytes().all(base64) {
        text.len()
    } else {
        0
    }
}

#[test]
fn the_header_says_what_was_recorded() {
    let mut header = Page::of(&sqlite()).header;
    header.as_object_mut().expect("an object").remove("columns");
    header.as_object_mut().expect("an object").remove("strings");
    let text = serde_json::to_string_pretty(&header).expect("JSON");
    insta::assert_snapshot!("html_header", text);
}

#[test]
fn the_folded_tree_reads_as_the_screen_shows_it() {
    insta::assert_snapshot!("html_folded", tree(&Page::of(&sqlite()), "folded"));
}

#[test]
fn the_full_tree_has_every_frame() {
    insta::assert_snapshot!("html_full", tree(&Page::of(&sqlite()), "full"));
}

/// A tree as indented text: total, self, name, place, kind, flags, crossings.
fn tree(page: &Page, name: &str) -> String {
    let column = |part: &str| page.column(&format!("{name}_{part}"));
    let [frame, depth, calls, own, all] =
        ["frame", "depth", "calldepth", "self", "total"].map(column);
    let [fr_fn, fr_line, fr_flags] = ["fr_fn", "fr_line", "fr_flags"].map(|name| page.column(name));
    let [fn_name, fn_file, fn_kind] =
        ["fn_name", "fn_file", "fn_kind"].map(|name| page.column(name));
    let mut text = String::new();
    for node in 0..frame.len() {
        let frame = frame[node] as usize;
        let function = fr_fn[frame] as usize;
        let indent = "  ".repeat(depth[node] as usize);
        let (name, file) = (
            page.string(fn_name[function]),
            page.string(fn_file[function]),
        );
        let (own, all, line) = (own[node], all[node], fr_line[frame]);
        let (kind, flags, calls) = (fn_kind[function], fr_flags[frame], calls[node]);
        let place = format!("{}:{line}", crate::base_name(file));
        text.push_str(&format!(
            "{indent}{all} {own} {name} {place} k{kind} f{flags} d{calls}\n"
        ));
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn indices_stay_inside(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let page = Page::of(&scrambled(&bytes));
        let strings = page.header["strings"].as_array().expect("a list").len() as u64;
        let below = |name: &str, bound: usize| {
            page.column(name).iter().all(|id| *id < bound as u64)
        };
        for name in ["fn_name", "fn_module", "fn_file", "th_name"] {
            prop_assert!(below(name, strings as usize), "{name}");
        }
        prop_assert!(below("fr_fn", page.column("fn_name").len()));
        prop_assert!(below("fn_kind", 7));
        for tree in ["folded", "full"] {
            let nodes = page.column(&format!("{tree}_parent")).len();
            let [frame, sample] = [format!("{tree}_frame"), format!("sm_{tree}")];
            prop_assert!(below(&frame, page.column("fr_fn").len()));
            prop_assert!(below(&sample, nodes));
        }
        prop_assert!(below("sm_thread", page.column("th_tid").len()));
    }
}
