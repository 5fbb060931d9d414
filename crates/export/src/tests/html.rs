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

#[test]
fn samples_stand_in_order_of_time_with_their_threads_and_weights() {
    let profile = sqlite();
    let page = Page::of(&profile);
    let mut rows: Vec<_> = profile.samples().iter().collect();
    rows.sort_by_key(|row| row.time_ns);
    let step = page.header["time_step_ns"].as_u64().expect("a number");
    let mut time = 0;
    let times = page.varints("sm_time");
    for (row, delta) in rows.iter().zip(&times) {
        time += delta;
        assert_eq!(time, row.time_ns / step);
    }
    let threads: Vec<_> = rows.iter().map(|row| u64::from(row.thread.raw())).collect();
    assert_eq!(page.varints("sm_thread"), threads);
    let weights: Vec<_> = rows.iter().map(|row| u64::from(row.weight) - 1).collect();
    assert_eq!(page.varints("sm_weight"), weights);
    assert_eq!(times.len(), rows.len());
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
            let [frame, stack] = [format!("{tree}_frame"), format!("st_{tree}")];
            prop_assert!(below(&frame, page.column("fr_fn").len()));
            prop_assert!(below(&stack, nodes));
        }
        let samples = page.column("sm_flags").len();
        let states = page.header["states"].as_array().expect("a list").len();
        let threads = page.varints("sm_thread");
        prop_assert!(threads.iter().all(|id| *id < page.column("th_tid").len() as u64));
        let stacks = page.column("st_full").len() as u64;
        prop_assert!(page.varints("sm_stack").iter().all(|stack| *stack < stacks));
        for (name, bound) in [("sm_goroutine", page.column("go_id").len()), ("sm_state", states)] {
            // Zero is "as before", so the numbers begin at one.
            let numbers = page.varints(name);
            prop_assert!(numbers.iter().all(|number| *number <= bound as u64), "{name}");
            prop_assert_eq!(numbers.len(), samples, "{}", name);
        }
    }
}
