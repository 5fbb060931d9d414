//! The rules of the end-to-end tests for stacks of any profiler.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use seam_e2e::pprof::{Pprof, Stack};
use seam_e2e::program::Said;
use seam_e2e::truth::{Truth, is_rooted};
use serde_json::{Value, json};

use crate::formats::LACKS_C;

/// The number that every goroutine and thread has here.
const ANY: i64 = 1;
/// Wrong stacks to show.
const SHOWN: usize = 5;

/// The ends of stacks of which a word could not be read.
const UNREAD: [&str; 2] = ["stack-unreadable", "go-state-unreadable"];

/// How many samples hold a frame of the program's, how many of these are whole, and how many are
/// not and say that a word could not be read.
pub(crate) fn whole(program: &str, stacks: &[Stack]) -> Result<Value> {
    let (truth, said) = (Truth::of(program), said(program)?);
    let (mut all, mut application, mut whole, mut half_installed) = (0, 0, 0, 0);
    let mut unread = 0;
    let mut wrong: BTreeMap<String, i64> = BTreeMap::new();
    for stack in stacks {
        let mut stack = stack.clone();
        let lacks_c = stack.texts.remove(LACKS_C).is_some();
        stack.numbers = ["goid", "tid"].map(|key| (key.to_owned(), ANY)).into();
        let count = stack.count;
        let end = stack.texts.get("end");
        let is_unread = end.is_some_and(|end| UNREAD.contains(&end.as_str()));
        let one = Pprof {
            types: Vec::new(),
            stacks: vec![stack],
            modules: Vec::new(),
        };
        let verdict = truth.check(&one, &said);
        all += count;
        if verdict.application == 0 {
            continue;
        }
        application += count;
        half_installed += verdict.half_installed;
        match verdict.wrong.first() {
            Some(why) => {
                *wrong.entry(why.clone()).or_default() += count;
                // What is there must be right all the same.
                let is_part = || truth.check_parts(&one, &said, &UNREAD).wrong.is_empty();
                unread += count * i64::from(is_unread && is_part());
            }
            None if lacks_c => {
                *wrong.entry("the C part is missing".to_owned()).or_default() += count
            }
            None => whole += count - verdict.half_installed,
        }
    }
    tell(program, wrong);
    Ok(json!({
        "all": all, "counted": application, "whole": whole, "half_installed": half_installed,
        "unread": unread,
    }))
}

/// How many samples begin at a root.
pub(crate) fn rooted(stacks: &[Stack]) -> Value {
    let mut wrong: BTreeMap<String, i64> = BTreeMap::new();
    let (mut all, mut whole) = (0, 0);
    for stack in stacks {
        let mut stack = stack.clone();
        stack.numbers.clear();
        all += stack.count;
        if is_rooted(&stack) {
            whole += stack.count;
        } else {
            *wrong.entry(stack.text()).or_default() += stack.count;
        }
    }
    tell("not rooted", wrong);
    json!({ "all": all, "counted": all, "whole": whole, "half_installed": 0 })
}

fn tell(what: &str, wrong: BTreeMap<String, i64>) {
    let mut most: Vec<_> = wrong.into_iter().collect();
    most.sort_by_key(|(_, count)| -count);
    for (why, count) in most.iter().take(SHOWN) {
        eprintln!("{what}: {count} samples: {why}");
    }
}

/// The functions of a program for which the truth file gives the mangled name.
pub(crate) fn mangled(program: &str) -> Result<Vec<String>> {
    let truth = truth(program)?;
    let mangled = truth["mangled"].as_object().into_iter().flatten();
    Ok(mangled.map(|(name, _)| name.clone()).collect())
}

fn truth(program: &str) -> Result<Value> {
    let path = seam_e2e::places::repository()
        .join("tests/programs")
        .join(program)
        .join("truth.json");
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

/// A program that announced the one number for every root.
fn said(program: &str) -> Result<Said> {
    let truth = truth(program)?;
    let names = |key: &str| -> BTreeMap<String, BTreeSet<i64>> {
        let listed = truth[key].as_array().into_iter().flatten();
        listed
            .filter_map(|name| Some((name.as_str()?.to_owned(), [ANY].into())))
            .collect()
    };
    let mut goroutines = names("goroutines");
    goroutines.insert("extra".to_owned(), [ANY].into());
    truth["tree"]
        .as_object()
        .context("a truth file has a tree")?;
    Ok(Said {
        goroutines,
        threads: names("threads"),
        ok: true,
        ..Said::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folded;

    /// Counted and whole samples of program b.
    fn counts(line: &str) -> (i64, i64) {
        let answer = whole("b", &folded::stacks(line).unwrap()).unwrap();
        let of = |key: &str| answer[key].as_i64().unwrap();
        (of("counted"), of("whole"))
    }

    const WHOLE: &str = "b;runtime.goexit;main.workerB;main.callB;main._Cfunc_seam_b_outer;\
                         runtime.cgocall;runtime.asmcgocall;seam_b_outer;seam_b_middle;\
                         seam_b_leaf 3";

    #[test]
    fn a_whole_stack() {
        assert_eq!(counts(WHOLE), (3, 3));
        assert_eq!(counts(&WHOLE.replace(" 3", ";irq_[k] 3")), (3, 3));
    }

    #[test]
    fn what_is_missing_or_added_is_seen() {
        for part in [
            "runtime.goexit;",
            "main.workerB;",
            "main.callB;",
            ";seam_b_middle",
        ] {
            assert_eq!(counts(&WHOLE.replace(part, "")), (3, 0), "without {part}");
        }
        assert_eq!(
            counts(&WHOLE.replace("main.callB", "main.callB;main.callB")),
            (3, 0)
        );
        assert_eq!(
            counts(&WHOLE.replace("runtime.cgocall", "[b+0x12]")),
            (3, 0)
        );
        assert_eq!(counts("b;runtime.mstart;runtime.futex 5"), (0, 0));
    }

    #[test]
    fn a_stack_without_its_c_part_is_not_whole() {
        let line = "b;runtime.goexit;main.workerB;main.callB;runtime.cgocall 3";
        let mut stacks = folded::stacks(line).unwrap();
        stacks[0].texts.insert(LACKS_C.to_owned(), String::new());
        let answer = whole("b", &stacks).unwrap();
        assert_eq!(
            (&answer["counted"], &answer["whole"]),
            (&json!(3), &json!(0))
        );
    }

    #[test]
    fn a_stack_that_says_so_is_unread() {
        let line = "b;main.callB;main._Cfunc_seam_b_outer;runtime.cgocall;\
                    runtime.asmcgocall;seam_b_outer;seam_b_middle;seam_b_leaf 3";
        let mut stacks = folded::stacks(line).unwrap();
        let unread = |stacks: &[Stack]| whole("b", stacks).unwrap()["unread"].clone();
        assert_eq!(unread(&stacks), json!(0));
        stacks[0]
            .texts
            .insert("end".to_owned(), UNREAD[0].to_owned());
        assert_eq!(unread(&stacks), json!(3));
        stacks[0].frames.remove(5);
        assert_eq!(unread(&stacks), json!(0), "what is there must be right");
        let mut stacks = folded::stacks(WHOLE).unwrap();
        stacks[0]
            .texts
            .insert("end".to_owned(), "root-go".to_owned());
        assert_eq!(unread(&stacks), json!(0));
    }

    #[test]
    fn roots() {
        let of = |line: &str| rooted(&folded::stacks(line).unwrap())["whole"].clone();
        assert_eq!(of("s;runtime.goexit;main.f 2"), json!(2));
        assert_eq!(of("s;runtime.mcall;runtime.schedule 2"), json!(2));
        assert_eq!(of("s;ret_from_fork_asm_[k] 1"), json!(1));
        assert_eq!(of("s;main.f 2"), json!(0));
        assert_eq!(of("s 2"), json!(0));
    }
}
