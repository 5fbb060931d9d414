//! Judges recordings of a test program by its truth file, the same for every profiler, and prints
//! the counts as JSON. The rules are those of the end-to-end tests.
//!
//! Usage: `seam-bench-whole PROGRAM FORMAT FILE`, FORMAT being `seam` (pprof that seam wrote), `go`
//! (pprof that Go wrote) or `perf` (what `perf script` printed). What a format cannot say, which
//! are goroutine and thread numbers, is not asked of anyone here.

mod perf;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use seam_e2e::pprof::{Frame, Pprof, Stack};
use seam_e2e::program::Said;
use seam_e2e::truth::Truth;
use serde_json::Value;

/// The number that every goroutine and thread has here.
const ANY: i64 = 1;
/// Wrong stacks to show.
const SHOWN: usize = 5;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, format, file] = arguments.as_slice() else {
        bail!("usage: seam-bench-whole PROGRAM FORMAT FILE");
    };
    let path = Path::new(file);
    let stacks = match format.as_str() {
        "perf" => perf::read(path)?,
        "seam" => Pprof::read(path).stacks,
        "go" => Pprof::read(path).stacks.into_iter().map(rooted).collect(),
        other => bail!("{other} is no format"),
    };
    println!("{}", judge(program, format, stacks)?);
    Ok(())
}

/// Go's profiles leave `runtime.goexit` out of every stack.
fn rooted(mut stack: Stack) -> Stack {
    let mut root = stack.frames.first().cloned().unwrap_or_else(no_frame);
    root.name = "runtime.goexit".to_owned();
    root.system_name.clone_from(&root.name);
    stack.frames.insert(0, root);
    stack
}

fn no_frame() -> Frame {
    Frame {
        name: String::new(),
        system_name: String::new(),
        file: String::new(),
        line: 0,
        module: String::new(),
    }
}

/// Go's profiles show time in C as time in the function that calls it, without what is in it.
fn lacks_c(stack: &Stack) -> bool {
    stack
        .frames
        .last()
        .is_some_and(|leaf| leaf.name == "runtime.cgocall")
}

fn judge(program: &str, format: &str, stacks: Vec<Stack>) -> Result<Value> {
    let truth = Truth::of(program);
    let said = said(program)?;
    let (mut all, mut application, mut whole) = (0, 0, 0);
    let mut wrong: BTreeMap<String, i64> = BTreeMap::new();
    for mut stack in stacks {
        let (count, lacks_c) = (stack.count, format == "go" && lacks_c(&stack));
        stack.numbers = ["goid", "tid"].map(|key| (key.to_owned(), ANY)).into();
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
        match verdict.wrong.first() {
            Some(why) => *wrong.entry(why.clone()).or_default() += count,
            None if lacks_c => {
                *wrong.entry("the C part is missing".to_owned()).or_default() += count
            }
            None => whole += count,
        }
    }
    let mut most: Vec<_> = wrong.into_iter().collect();
    most.sort_by_key(|(_, count)| -count);
    for (why, count) in most.iter().take(SHOWN) {
        eprintln!("{program}, {format}: {count} samples: {why}");
    }
    Ok(serde_json::json!({ "all": all, "application": application, "whole": whole }))
}

/// A program that announced the one number for every root.
fn said(program: &str) -> Result<Said> {
    let path = seam_e2e::places::repository()
        .join("tests/programs")
        .join(program)
        .join("truth.json");
    let truth: Value = serde_json::from_slice(&std::fs::read(path)?)?;
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
