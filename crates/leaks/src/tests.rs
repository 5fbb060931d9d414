//! Looks of an invented process, and what is made of them.

use std::rc::Rc;

use seam_dump::{Common, Dump, Frame, Goroutine, Kind, Placed, Stack, Trust, Waits};
use seam_runtime::{Channel, Direction, Status, WaitKind, WaitsOn};

use crate::{
    Growth, Judged, Look, Outcome, Owner, Reach, Report, Severity, Suite, Test, Verdict, facts,
    json, judge, junit, left_behind, outcome_json, outcome_junit, outcome_text, text,
};

const S: u64 = 1_000_000_000;

fn frame(function: &str, kind: Kind) -> Rc<Frame> {
    Rc::new(Frame {
        place: Placed {
            function: function.into(),
            file: "/x/main.go".into(),
            line: 7,
        },
        kind,
        inlined: false,
        wrapper: false,
    })
}

/// Goroutines with these numbers that receive from a channel in main.wait, or that rest in C.
fn look(at: u64, receivers: &[u64], in_c: &[u64]) -> Look {
    let stack = |frames: &[Rc<Frame>]| Stack {
        frames: frames.to_vec(),
        elided: 0,
        end: "root-go",
        whole: true,
    };
    let park = frame("runtime.gopark", Kind::Runtime);
    let stacks = vec![
        stack(&[park, frame("main.wait", Kind::Go)]),
        stack(&[frame("c_wait", Kind::C), frame("main.c", Kind::Go)]),
    ];
    let goroutine = |goid: u64, of_c: bool| Goroutine {
        common: Rc::new(Common {
            runtime: 0,
            status: if of_c {
                Status::Syscall
            } else {
                Status::Waiting
            },
            state: if of_c { "syscall" } else { "chan receive" }.into(),
            creator: None,
            start: Some("main.start".into()),
            labels: Rc::from([]),
        }),
        goid,
        waited_at_most_ns: None,
        asleep_ns: of_c.then(|| S.try_into().unwrap()),
        stack: Some(u32::from(of_c)),
        trust: Trust::Certain,
        parent: None,
        thread: None,
        locked: false,
        kind: if of_c {
            WaitKind::Other
        } else {
            WaitKind::Receive
        },
        waits: Waits {
            first: 0,
            count: u32::from(!of_c),
            cut: false,
        },
    };
    let receivers = receivers.iter().map(|goid| goroutine(*goid, false));
    let goroutines: Vec<Goroutine> = receivers
        .chain(in_c.iter().map(|g| goroutine(*g, true)))
        .collect();
    let channel = Channel {
        len: 0,
        capacity: 0,
        element: 8,
        closed: false,
        timer: None,
        timer_stopped: false,
    };
    let on = WaitsOn::Channel {
        address: 0x10,
        direction: Direction::Receive,
    };
    Look {
        at_ns: at * S,
        reach: Reach {
            unreachable: vec![false; goroutines.len()],
            only_through_c: vec![false; goroutines.len()],
            ..Reach::default()
        },
        dump: Dump {
            pid: 42,
            name: "server<".to_owned(),
            stacks,
            goroutines,
            waits: vec![on],
            channels: [(0x10, channel)].into(),
            ..Dump::default()
        },
    }
}

fn judged(looks: &[Look]) -> Vec<Judged> {
    let mut report = Report {
        pid: 42,
        name: "server<".to_owned(),
        go: vec!["Go 1.26.8".to_owned()],
        goroutines: 0,
        core: false,
        looks: looks.len() as u32,
        span_ns: 2 * S,
        groups: facts(looks, |_, _| true).into_iter().map(judge).collect(),
        ignored: 0,
        incomplete: None,
        notes: Vec::new(),
    };
    report.sort();
    report.groups
}

/// Marks some goroutines of a look.
fn unreachable(mut look: Look, which: &[usize], through_c: bool) -> Look {
    for at in which {
        look.reach.unreachable[*at] = true;
        look.reach.only_through_c[*at] = through_c;
    }
    look
}

#[test]
fn what_is_unreachable_in_every_look_is_leaked() {
    let dead = |at, which: &[usize]| unreachable(look(at, &[5, 6, 7], &[]), which, false);
    let groups = judged(&[dead(0, &[0, 1]), dead(1, &[0, 1, 2])]);
    assert_eq!(groups.len(), 1);
    let group = &groups[0];
    assert_eq!(
        (group.verdict, group.severity),
        (Verdict::Leak, Severity::Medium)
    );
    assert_eq!(group.cause.map(|c| c.name), Some("receive-no-partner"));
    assert_eq!((group.facts.unreachable(), group.facts.count()), (2, 3));
    assert!(group.because.starts_with("2 of 3: "), "{}", group.because);
    assert_eq!(group.facts.age.at_least_ns, S);
    // In one look only.
    let groups = judged(&[dead(0, &[]), dead(1, &[0, 1, 2])]);
    assert_eq!(groups[0].verdict, Verdict::Healthy);
    // Another goroutine each time: nobody waits through both.
    let other = unreachable(look(1, &[8], &[]), &[0], false);
    let groups = judged(&[unreachable(look(0, &[5], &[]), &[0], false), other]);
    assert_eq!(groups[0].verdict, Verdict::Healthy);
}

#[test]
fn what_c_may_know_is_suspect() {
    let dead = |at, c| unreachable(look(at, &[5], &[]), &[0], c);
    let groups = judged(&[dead(0, true), dead(1, true)]);
    assert_eq!(groups[0].verdict, Verdict::Suspect);
    assert!(
        groups[0].because.contains("C memory"),
        "{}",
        groups[0].because
    );
    // A word that was there once was no more than that.
    let groups = judged(&[dead(0, true), dead(1, false)]);
    assert_eq!(groups[0].verdict, Verdict::Leak);
}

#[test]
fn growth_needs_looks() {
    let looks: Vec<Look> = (0..5)
        .map(|at| look(at, &[1], &(10..20 + 2 * at).collect::<Vec<_>>()))
        .collect();
    let groups = judged(&looks);
    let of_c = &groups[0];
    assert_eq!(
        (of_c.verdict, of_c.severity),
        (Verdict::Leak, Severity::High)
    );
    assert_eq!(of_c.cause.map(|c| c.name), Some("stuck-in-c"));
    assert!((of_c.facts.growth.per_second - 2.0).abs() < 1e-9);
    assert_eq!(groups[1].verdict, Verdict::Healthy);
    assert_eq!(judged(&looks[..3])[0].verdict, Verdict::Suspect);
    assert_eq!(judged(&looks[..1])[0].verdict, Verdict::Healthy);
    assert!(facts(&[], |_, _| true).is_empty());
}

#[test]
fn forms_escape_what_comes_from_the_target() {
    let dead = |at| unreachable(look(at, &[5], &[]), &[0], false);
    let mut report = Report {
        pid: 42,
        name: "server<\u{1b}".to_owned(),
        go: vec!["Go 1.26.8".to_owned()],
        goroutines: 1,
        core: false,
        looks: 2,
        span_ns: S,
        groups: judged(&[dead(0), dead(1)]),
        ignored: 0,
        incomplete: Some("why\nnot".to_owned()),
        notes: Vec::new(),
    };
    report.sort();
    let shown = text(&report, false);
    assert!(
        shown.contains("goroutine-leak  receive-no-partner  medium"),
        "{shown}"
    );
    assert!(
        shown.contains("1 leaked goroutine in 1 group") && !shown.contains('\u{1b}'),
        "{shown}"
    );
    assert!(
        shown.contains("the mark is not complete: why\u{fffd}not"),
        "{shown}"
    );
    let xml = junit(&report);
    assert!(
        xml.contains("server&lt;\u{fffd}") && xml.contains("failures=\"1\""),
        "{xml}"
    );
    let value: serde_json::Value = serde_json::from_str(&json(&report)).expect("JSON");
    assert_eq!(
        value["groups"][0]["waits_on"][0],
        "receive from chan 0x10 (0 of 0)"
    );
    assert_eq!(value["groups"][0]["count"], 1);
}

#[test]
fn what_a_test_leaves_is_judged_by_its_end() {
    // Goroutine 5 comes from TestA, 6 from TestB, 7 from a test that still runs; 1 is main.
    let all = [1, 5, 6, 7, 8];
    let test = |name: &str, ended_ns, running| Test {
        name: name.to_owned(),
        ended_ns,
        running,
        ..Test::default()
    };
    let tests = vec![
        test("TestC", 0, true),
        test("TestB", S / 2, false),
        test("TestA", 2 * S, false),
    ];
    let owner = |goroutine: &Goroutine| match goroutine.goid {
        5 => Owner::Test(2),
        6 => Owner::Test(1),
        7 => Owner::Test(0),
        8 => Owner::Unknown,
        _ => Owner::Nobody,
    };
    let left = |look: Look| left_behind(look, tests.clone(), |_, _| true, owner);
    let verdicts = |tests: &[Test]| -> Vec<(String, Verdict)> {
        let each = tests.iter().flat_map(|test| {
            let groups = test.groups.iter();
            groups.map(|group| (test.name.clone(), group.verdict))
        });
        each.collect()
    };
    let (found, others, unknown) = left(look(0, &all, &[]));
    let told = |name: &str, verdict| (name.to_owned(), verdict);
    assert_eq!(
        verdicts(&found),
        [
            told("TestA", Verdict::Leak),
            told("TestB", Verdict::Suspect),
            told("TestC", Verdict::Healthy)
        ]
    );
    assert_eq!((others.len(), others[0].facts.count(), unknown), (1, 2, 1));
    // What nothing can wake is leaked, however young.
    let (found, others, _) = left(unreachable(look(0, &all, &[]), &[2, 3, 4], false));
    assert!(verdicts(&found).iter().all(|(_, v)| *v == Verdict::Leak));
    assert_eq!(others[0].verdict, Verdict::Leak);
    let outcome = Outcome {
        suites: vec![Suite {
            package: "x<y".to_owned(),
            tests: found,
            others,
            unknown,
            ..Suite::default()
        }],
        notes: vec!["a\nb".to_owned()],
        ..Outcome::default()
    };
    let shown = outcome_text(&outcome, false);
    assert!(shown.contains("5 leaked goroutines of 3 tests"), "{shown}");
    assert!(shown.contains("not seen  a\u{fffd}b"), "{shown}");
    let xml = outcome_junit(&outcome);
    assert!(
        xml.contains("<testsuite name=\"x&lt;y\" tests=\"4\" failures=\"4\">"),
        "{xml}"
    );
    let value: serde_json::Value = serde_json::from_str(&outcome_json(&outcome)).expect("JSON");
    assert_eq!(value["programs"][0]["tests"][1]["name"], "TestB");
}

#[test]
fn groups_with_nearly_the_same_stack_grow_together() {
    let receivers = |at: u64| (1..=1 + at.min(1)).collect::<Vec<_>>();
    let looks: Vec<Look> = (0..5).map(|at| look(at, &receivers(at), &[])).collect();
    let alone = facts(&looks, |_, _| true).remove(0);
    assert_eq!(alone.cluster.groups, 1);
    assert_eq!(alone.cluster.id, alone.key.id);
    assert_eq!(alone.cluster.growth, alone.growth);
    assert_eq!(judge(alone.clone()).verdict, Verdict::Healthy);
    let times: Vec<u64> = (0..5).map(|at| at * S).collect();
    let mut together = alone;
    together.cluster.groups = 3;
    together.cluster.growth = Growth::of(vec![2, 4, 6, 8, 10], &times, 2);
    let judged = judge(together);
    assert_eq!(judged.verdict, Verdict::Leak);
    assert!(
        judged.because.starts_with("with 2 groups"),
        "{}",
        judged.because
    );
}
