//! The text and JSON summaries.

use proptest::prelude::*;
use seam_profile::fixtures::{scrambled, sqlite};

use super::facts_of;
use crate::{TextOptions, TrailerLine, cost_words, summary_json, summary_text};

fn trailer() -> Vec<TrailerLine> {
    let profile = sqlite();
    let cost = profile.cost().expect("the fixture has a cost");
    vec![
        TrailerLine {
            label: "cost".into(),
            text: cost_words(cost, profile.recording().duration_ns),
        },
        TrailerLine {
            label: "wrote".into(),
            text: "seam-api-server-4242.html   (open it in a browser)".into(),
        },
    ]
}

#[test]
fn the_screen() {
    let profile = sqlite();
    let options = TextOptions {
        color: false,
        trailer: trailer(),
    };
    insta::assert_snapshot!(
        "summary_text",
        summary_text(&profile, &facts_of(&profile), &options)
    );
}

#[test]
fn colour_only_adds() {
    let profile = sqlite();
    let facts = facts_of(&profile);
    let plain = summary_text(&profile, &facts, &TextOptions::default());
    let options = TextOptions {
        color: true,
        ..TextOptions::default()
    };
    let coloured = summary_text(&profile, &facts, &options);
    assert_ne!(plain, coloured);
    let mut stripped = String::new();
    let mut in_code = false;
    for char in coloured.chars() {
        match char {
            '\x1b' => in_code = true,
            'm' if in_code => in_code = false,
            _ if !in_code => stripped.push(char),
            _ => {}
        }
    }
    let trimmed = |text: &str| {
        text.lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(trimmed(&plain), trimmed(&stripped));
}

#[test]
fn the_json() {
    let profile = sqlite();
    insta::assert_snapshot!("summary_json", summary_json(&profile, &facts_of(&profile)));
}

#[test]
fn nothing_sampled_is_said() {
    let profile = scrambled(&[]);
    let text = summary_text(&profile, &facts_of(&profile), &TextOptions::default());
    assert!(text.contains("0 samples"), "{text}");
    assert!(text.contains("no samples"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_profile_fits_a_screen(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let profile = scrambled(&bytes);
        let options = TextOptions { color: false, trailer: trailer() };
        let text = summary_text(&profile, &facts_of(&profile), &options);
        prop_assert!(text.lines().count() <= 24, "{text}");
        prop_assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        prop_assert!(!text.contains('\x1b'));
        let json = summary_json(&profile, &facts_of(&profile));
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        prop_assert_eq!(&json["schema"], 1);
    }
}
