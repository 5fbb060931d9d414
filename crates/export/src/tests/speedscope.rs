//! The file format of speedscope.

use proptest::prelude::*;
use seam_profile::Profile;
use seam_profile::fixtures::{scrambled, sqlite};
use serde_json::Value;

fn parsed(profile: &Profile) -> Value {
    let text = crate::speedscope(profile).expect("small enough");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_first_profile_has_all_threads_and_then_comes_each() {
    let profile = sqlite();
    let file = parsed(&profile);
    let names: Vec<_> = file["profiles"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|profile| profile["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names[0], "all threads");
    assert_eq!(names.len(), 1 + profile.threads().len());
    assert!(names[1..].iter().all(|name| name.starts_with("thread ")));
}

#[test]
fn frames_have_name_file_and_line() {
    let file = parsed(&sqlite());
    let frames = file["shared"]["frames"].as_array().expect("a list");
    let step = frames
        .iter()
        .find(|frame| frame["name"] == "sqlite3_step")
        .expect("sqlite3_step");
    insta::assert_snapshot!("speedscope_frame", step.to_string());
}

/// What the reader checks: indices inside, as many weights as samples, and that they add up.
fn check(profile: &Profile) {
    let file = parsed(profile);
    let frames = file["shared"]["frames"].as_array().expect("a list").len() as u64;
    let expected = profile.samples().weight_sum() * profile.recording().sampling.period_ns;
    let mut of_threads = 0;
    for (at, sampled) in file["profiles"]
        .as_array()
        .expect("a list")
        .iter()
        .enumerate()
    {
        let samples = sampled["samples"].as_array().expect("a list");
        let weights = sampled["weights"].as_array().expect("a list");
        assert_eq!(samples.len(), weights.len());
        for stack in samples {
            let stack = stack.as_array().expect("a stack");
            assert!(!stack.is_empty(), "no stack is empty");
            assert!(
                stack
                    .iter()
                    .all(|frame| frame.as_u64().expect("a number") < frames)
            );
        }
        let sum: u64 = weights
            .iter()
            .map(|weight| weight.as_u64().expect("a number"))
            .sum();
        assert_eq!(sampled["endValue"], sum);
        if at == 0 {
            assert_eq!(sum, expected);
        } else {
            of_threads += sum;
        }
    }
    assert_eq!(of_threads, expected);
}

#[test]
fn the_fixture_adds_up() {
    check(&sqlite());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_profile_adds_up(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        check(&scrambled(&bytes));
    }
}
