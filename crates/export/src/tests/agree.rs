//! All formats tell of the same samples.

use proptest::prelude::*;
use seam_profile::Profile;
use seam_profile::fixtures::{scrambled, sqlite};

use super::{Page, facts_of, pprof};
use crate::{folded, html, summary_json};

fn check(profile: &Profile) {
    let samples = profile.samples().weight_sum();
    let lines = folded(profile);
    let counts = lines
        .lines()
        .map(|line| line.rsplit_once(' ').expect("a count").1);
    let folded: u64 = counts
        .map(|count| count.parse::<u64>().expect("a number"))
        .sum();
    assert_eq!(folded, samples, "folded");

    let decoded = pprof::decode(profile);
    let values: i64 = decoded.sample.iter().map(|sample| sample.value[0]).sum();
    let times: i64 = decoded.sample.iter().map(|sample| sample.value[1]).sum();
    assert_eq!(values as u64, samples, "pprof");
    assert_eq!(
        times as u64,
        samples * profile.recording().sampling.period_ns,
        "pprof time"
    );

    let page = Page::of(profile);
    for tree in ["folded", "full"] {
        assert_eq!(page.column(&format!("{tree}_total"))[0], samples, "page");
        let own = page.column(&format!("{tree}_self"));
        assert_eq!(own.iter().sum::<u64>(), samples, "page");
        let mut at_node = vec![0; own.len()];
        let nodes = page.column(&format!("st_{tree}"));
        let more = page.varints("sm_weight");
        for (stack, more) in page.varints("sm_stack").into_iter().zip(more) {
            at_node[nodes[stack as usize] as usize] += 1 + more;
        }
        assert_eq!(at_node, own, "each sample is at its node");
    }
    html(profile).expect("small enough");

    let summary = summary_json(profile, &facts_of(profile));
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("JSON");
    assert_eq!(summary["samples"], samples, "summary");
    let time = &summary["time"];
    let kinds = ["go", "go_runtime", "c", "kernel", "unknown"];
    let sum: u64 = kinds
        .iter()
        .map(|kind| time[kind].as_u64().expect("a count"))
        .sum();
    assert_eq!(sum, samples, "summary by kind");
}

#[test]
fn on_the_fixture() {
    check(&sqlite());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn on_any_profile(bytes in prop::collection::vec(any::<u8>(), 0..800)) {
        check(&scrambled(&bytes));
    }
}
