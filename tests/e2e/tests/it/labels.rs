//! What a program says of its goroutines (`runtime/pprof.Do`), and who made which thread.

use std::collections::BTreeMap;

use seam_e2e::page::Page;
use seam_e2e::places;
use seam_e2e::pprof::{Pprof, Stack};
use seam_e2e::program::Program;
use seam_e2e::refusal::Refusal;
use seam_e2e::seam::{Bench, not_rooted, run_well};

const OURS: [&str; 4] = ["thread", "state", "end", "activity"];

/// The program's own labels of a sample.
fn own(stack: &Stack) -> BTreeMap<&str, &str> {
    let texts = stack.texts.iter();
    texts
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .filter(|(key, _)| !OURS.contains(key))
        .collect()
}

/// What must be set under which function; the innermost one counts.
fn expected(stack: &Stack) -> Option<BTreeMap<String, String>> {
    let pairs = |pairs: &[(&str, &str)]| {
        let own = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Some(own.collect())
    };
    if stack.has("main.insideL") {
        // Only while it works: before and after, pprof.Do sets and takes back.
        return pairs(&[("inner", "yes"), ("kind", "changed"), ("ü", "ö")]);
    }
    if stack.has("main.outsideL") {
        return pairs(&[("kind", "nested"), ("ü", "ö")]);
    }
    if stack.has("main.longL") {
        // 200 and 100 bytes, of which 127 and 63 are kept.
        return pairs(&[("long", &"x".repeat(127)), (&"k".repeat(63), "v")]);
    }
    if stack.has("main.oneL") {
        return pairs(&[("kind", "one")]);
    }
    if stack.has("main.heirL") {
        return pairs(&[("kind", "parent")]);
    }
    if stack.has("main.manyL") {
        let mut many: BTreeMap<_, _> = (0..12)
            .map(|i| (format!("key{i:02}"), format!("value {i}")))
            .collect();
        many.insert("empty".to_owned(), String::new());
        return Some(many);
    }
    let none = ["main.plainL", "main.makerL", "seam_l_thread"];
    none.iter().any(|f| stack.has(f)).then(BTreeMap::new)
}

/// The page has each set of labels as often as the pprof file.
fn on_the_page(profile: &Pprof, page: &Page) {
    let threads = page.by_row("sm_thread");
    let sets = page.carried("sm_labels", &threads);
    let weights = page.by_row("sm_weight");
    let mut shown = BTreeMap::new();
    for (set, weight) in sets.iter().zip(weights) {
        let labels = page.header["label_sets"][*set as usize].as_object();
        let labels = labels.expect("a set").iter();
        let labels: Vec<String> = labels
            .filter(|(key, _)| !OURS.contains(&key.as_str()))
            .map(|(k, v)| format!("{k}={}", v.as_str().expect("a text")))
            .collect();
        *shown.entry(labels).or_insert(0) += weight as i64 + 1;
    }
    let mut expected = BTreeMap::new();
    for stack in &profile.stacks {
        let labels = own(stack).iter().map(|(k, v)| format!("{k}={v}")).collect();
        *expected.entry(labels).or_insert(0) += stack.count;
    }
    assert_eq!(shown, expected);
}

#[test]
fn every_sample_has_its_goroutines_labels() {
    // Labels are a map up to Go 1.23 and a slice from 1.24 on.
    for go in [places::machine_go(), "go1.21.13"] {
        let program = Program::start_file(&places::program_by(go, "l"), 60);
        let bench = Bench::new();
        run_well(&mut bench.record(program.pid(), "-d 3s -r 999 -o x.pb.gz -o x.json -o x.html"));
        let profile = bench.pprof("x.pb.gz");
        let summary = bench.json("x.json");
        assert_eq!(not_rooted(&summary), [""; 0], "{go}");
        // Also before and after the function, while pprof.Do sets and takes back.
        let cut = profile.count_where(|s| s.texts.contains_key("long"));
        let said = format!("labels of {cut} samples are cut: ");
        assert!(
            summary["quality"]["notes"].to_string().contains(&said),
            "{go}: {said}"
        );
        on_the_page(&profile, &Page::of(&bench.text("x.html")));
        let mut seen = BTreeMap::new();
        for stack in &profile.stacks {
            let Some(expected) = expected(stack) else {
                continue;
            };
            let expected: BTreeMap<&str, &str> = expected
                .iter()
                .map(|(k, v)| (k.as_str(), v.as_str()))
                .collect();
            assert_eq!(own(stack), expected, "{go}: {}", stack.text());
            *seen.entry(expected.len()).or_insert(0) += stack.count;
        }
        // None, one, two, three and thirteen.
        for labels in [0, 1, 2, 3, 13] {
            let count = seen.get(&labels).copied().unwrap_or(0);
            assert!(count > 50, "{go}: {count} samples with {labels} labels");
        }
    }
}

#[test]
fn a_thread_is_put_under_its_maker() {
    let program = Program::start("l", 60);
    let bench = Bench::new();
    run_well(&mut bench.record(program.pid(), "-d 3s -r 499 --started-by -o x.pb.gz"));
    let profile = bench.pprof("x.pb.gz");
    let born = |s: &&Stack| s.has("seam_l_born_leaf");
    let born: Vec<&Stack> = profile.stacks.iter().filter(born).collect();
    assert!(
        born.iter().map(|s| s.count).sum::<i64>() > 20,
        "{}",
        born.len()
    );
    let mut not_under = 0;
    for stack in born {
        let names: Vec<&str> = stack.frames.iter().map(|f| f.name.as_str()).collect();
        let at = |name: &str| names.iter().position(|n| *n == name);
        let path = [
            "main.makerL",
            "seam_l_make",
            "pthread_create",
            "seam_l_thread",
        ]
        .map(at);
        if path[0].is_none() {
            // It was made before the recording began.
            not_under += stack.count;
            continue;
        }
        assert!(
            path.is_sorted() && path.iter().all(Option::is_some),
            "{}",
            stack.text()
        );
    }
    assert!(not_under <= 60, "{not_under} samples without a maker");
}

#[test]
fn stacks_are_grouped() {
    let program = Program::start("l", 60);
    let cases = [
        (
            "label:kind",
            vec!["[kind=one]", "[kind=nested]", "[kind=changed]", "[no kind]"],
        ),
        ("state", vec!["[syscall]", "[no goroutine]"]),
        ("module", vec!["[l]"]),
    ];
    for (by, groups) in cases {
        let bench = Bench::new();
        let options = format!("-d 2s -r 499 --group {by} -o x.folded");
        run_well(&mut bench.record(program.pid(), &options));
        let text = bench.text("x.folded");
        for line in text.lines() {
            let group = line.split(';').nth(1);
            assert!(group.is_some_and(|g| g.starts_with('[')), "{line}");
        }
        for group in groups {
            assert!(text.contains(&format!(";{group};")), "no {group} in {by}");
        }
    }
    let refused = Refusal::of(&["record", "-p", "1", "--group", "colour"]);
    let _ = refused
        .error_has("none of process, thread, goroutine, state, module, activity and label:KEY");
}
