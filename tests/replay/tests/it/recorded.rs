//! Golden stacks: every recorded case still gives the frames and the end it was recorded with.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use seam_replay::cases::{Case, CaseFile, addresses};
use seam_wire::{SEAM_FRAME_EXACT, end, frame_flags};

/// Every rule by which the walk crosses something special.
const SPECIAL: [&str; 10] = [
    "asmcgocall",
    "systemstack",
    "cgocallback",
    "cgocallback-on-g0",
    "mcall",
    "morestack",
    "gogo",
    "signal",
    "plt",
    "deref",
];

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let entries = std::fs::read_dir(folder).expect("the cases are in the tree");
    let mut files: Vec<PathBuf> = entries.map(|e| e.expect("readable").path()).collect();
    files.sort();
    files
}

#[test]
fn recorded_stacks_are_walked_as_they_were() {
    let mut checked = 0;
    for path in files() {
        let file = CaseFile::read(&path).expect("a case file");
        let set = file.table_set().expect("tables of this layout");
        for case in &file.cases {
            let walked = case.replay(&set).expect("a well-formed case");
            let place = format!("{}: {}", path.display(), case.name);
            assert_eq!(
                addresses(&walked),
                case.expected(),
                "{place}\n{:#?}",
                case.frames
            );
            assert_eq!(end(walked.header.end).id, case.end, "{place}");
            checked += 1;
        }
    }
    assert!(checked >= 100, "{checked} cases");
}

/// The same of arm64, whose lazy slots need no rule of their own.
const SPECIAL_ARM64: [&str; 9] = [
    "asmcgocall",
    "systemstack",
    "cgocallback",
    "cgocallback-on-g0",
    "mcall",
    "morestack",
    "gogo",
    "signal",
    "link-kept",
];

#[test]
fn every_special_rule_has_a_case() {
    for (arch, special) in [("x86-64", &SPECIAL[..]), ("arm64", &SPECIAL_ARM64)] {
        let mut met = BTreeSet::new();
        for path in files() {
            let file = CaseFile::read(&path).expect("a case file");
            for case in file.cases.iter().filter(|_| file.arch == arch) {
                met.extend(case.name.split([' ', ':']).map(str::to_owned));
            }
        }
        let missing: Vec<_> = special.iter().filter(|s| !met.contains(**s)).collect();
        assert!(missing.is_empty(), "no case of {arch} for {missing:?}");
    }
}

#[test]
fn a_case_without_its_memory_is_not_whole() {
    // The check above must be able to fail.
    let file = CaseFile::read(&files()[0]).expect("a case file");
    let set = file.table_set().expect("tables");
    let mut case = file
        .cases
        .into_iter()
        .find(|c| c.frames.len() > 5)
        .expect("a deep one");
    case.memory.clear();
    let walked = case.replay(&set).expect("well formed");
    assert!(!end(walked.header.end).root);
}

#[test]
fn unverified_offsets_keep_what_needs_none_and_say_so() {
    let file = CaseFile::read(&files()[0]).expect("a case file");
    let mut set = file.table_set().expect("tables");
    let crossing = |c: &&Case| {
        let rules = c.name.split(" in ").next().unwrap_or_default();
        rules.split([' ', ':']).any(|rule| rule == "systemstack")
    };
    let case = file
        .cases
        .iter()
        .find(crossing)
        .expect("one that needs g.sched");
    let whole = case.replay(&set).expect("well formed");
    assert!(end(whole.header.end).root && whole.header.goid != 0);
    for (verified, known, expected) in [(0, 1, "go-offsets-unverified"), (0, 0, "go-build-unknown")]
    {
        let runtime = set.runtimes.first_mut().expect("a Go program");
        (runtime.verified, runtime.known) = (verified, known);
        let part = case.replay(&set).expect("well formed");
        assert_eq!(end(part.header.end).id, expected);
        let (kept, all) = (addresses(&part), addresses(&whole));
        assert!(!kept.is_empty() && kept.len() < all.len() && all.starts_with(&kept));
        assert_eq!(
            part.header.goid, 0,
            "a goroutine by offsets that do not hold"
        );
    }
}

/// Cases that take one rule and not another, with their tables.
fn crossing(wanted: &str, without: &[&str], mut each: impl FnMut(&seam_unwind::TableSet, Case)) {
    for path in files() {
        let file = CaseFile::read(&path).expect("a case file");
        let set = file.table_set().expect("tables");
        for case in file.cases {
            let rules = case.name.split(" in ").next().unwrap_or_default();
            let has = |rule: &str| rules.split([' ', ':']).any(|r| r == rule);
            if has(wanted) && !without.iter().any(|rule| has(rule)) {
                each(&set, case);
            }
        }
    }
}

/// Where a case's g pointer lies, and its goroutine.
fn places(set: &seam_unwind::TableSet, case: &Case) -> (u64, u64) {
    let runtime = set.runtimes.first().expect("a Go program");
    let at = case.fsbase().wrapping_add(runtime.tls_offset as u64);
    let word = |address| case.word(address).expect("the walk read it");
    let m = word(word(at) + u64::from(runtime.g_m));
    (at, word(m + u64::from(runtime.m_curg)))
}

/// runtime.copystack sets g.stack before g.sched.sp: until then the old stack is still whole.
#[test]
fn a_stack_that_is_being_copied_is_walked_where_it_was() {
    let mut checked = 0;
    crossing(
        "morestack",
        &["asmcgocall", "cgocallback"],
        |set, mut case| {
            let status = u64::from(set.runtimes.first().expect("a Go program").g_status);
            let (_, goroutine) = places(set, &case);
            if case.end != "root-go" {
                return;
            }
            let stack = case.word(goroutine).expect("g.stack.lo");
            case.set_word(goroutine, stack + (1 << 30));
            case.set_word(goroutine + 8, stack + (1 << 30) + 8192);
            let rest = case.word(goroutine + status).expect("g.atomicstatus") >> 32 << 32;
            for (number, ends) in [(2, "go-state-unreadable"), (8, case.end.clone().as_str())] {
                case.set_word(goroutine + status, rest | number);
                let walked = case.replay(set).expect("well formed");
                assert_eq!(
                    end(walked.header.end).id,
                    ends,
                    "{} status {number}",
                    case.name
                );
                let same = addresses(&walked) == case.expected();
                assert_eq!(same, number == 8, "{} status {number}", case.name);
            }
            checked += 1;
        },
    );
    assert!(checked > 5, "{checked} cases");
}

/// needm has not set g yet, dropm has cleared it: cgocallback stands on the thread's own stack.
#[test]
fn a_callback_is_left_without_a_goroutine() {
    let mut checked = 0;
    crossing("cgocallback-on-g0", &[], |set, mut case| {
        let expected = case.expected();
        let first = |name: &str| case.frames.iter().position(|(_, n)| n.starts_with(name));
        let Some(callback) = first("runtime.cgocallback").filter(|at| *at < 2) else {
            return;
        };
        let (at, _) = places(set, &case);
        case.set_word(at, 0);
        let walked = addresses(&case.replay(set).expect("well formed"));
        assert!(
            walked.len() > callback + 2,
            "{}: {} frames",
            case.name,
            walked.len()
        );
        assert!(expected.starts_with(&walked), "{}", case.name);
        checked += 1;
    });
    assert!(checked > 0, "no case begins in cgocallback on g0");
}

/// A panic has passed the callback (here: its C side is not where it should be): the walk goes on
/// in Go, at g.sched.pc, which no call has pushed: up to Go 1.20 a function's first byte.
#[test]
fn behind_a_lost_callback_the_pc_is_exact() {
    let mut checked = 0;
    for path in files() {
        let file = CaseFile::read(&path).expect("a case file");
        let whole = file.table_set().expect("tables");
        let mut set = whole.clone();
        let runtime = set.runtimes.first_mut().expect("a Go program");
        (runtime.crosscall2_start, runtime.crosscall2_end) = (1, 1);
        for case in &file.cases {
            let walked = case.replay(&set).expect("well formed");
            let crossed = case.replay(&whole).expect("well formed");
            if walked.header.callbacks_lost == crossed.header.callbacks_lost {
                continue;
            }
            // The first frame that is another one.
            let mut pairs = walked.user.iter().zip(&crossed.user);
            let Some((lost, _)) = pairs.find(|(lost, crossed)| lost != crossed) else {
                continue;
            };
            assert!(frame_flags(*lost) & SEAM_FRAME_EXACT != 0, "{}", case.name);
            checked += 1;
        }
    }
    assert!(checked > 5, "{checked} cases");
}
