//! The rules for one stack.

use std::collections::HashMap;

use regex::RegexSet;

use super::{Tree, Truth, thread_id};
use crate::pprof::{Frame, Stack};
use crate::program::Said;

/// Outermost frames of stacks of the Go runtime without an application frame.
const RUNTIME_ROOTS: &[&str] = &[
    "runtime.goexit",
    "runtime.mstart",
    "runtime.mcall",
    "runtime.rt0_go",
    "_rt0_amd64",
    "_rt0_amd64_linux",
    "_start",
];
/// Where libc starts a thread.
const THREAD_STARTS: &[&str] = &["clone3", "__clone3", "clone", "__clone", "start_thread"];

/// Truth and what the program said, ready to hold stacks against.
pub(super) struct Checker<'a> {
    truth: &'a Truth,
    app: RegexSet,
    said: &'a Said,
    /// C++ symbol → its name in the tree.
    plain: HashMap<&'a str, &'a str>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(truth: &'a Truth, app: RegexSet, said: &'a Said) -> Self {
        let plain = truth.mangled.iter().map(|(n, m)| (m.as_str(), n.as_str()));
        Self {
            truth,
            app,
            said,
            plain: plain.collect(),
        }
    }

    /// The application frames, outermost first.
    pub(super) fn application_path(&self, stack: &Stack) -> Vec<String> {
        let names = stack.frames.iter().map(|frame| self.name(frame));
        names.filter(|name| self.app.is_match(name)).collect()
    }

    /// What is wrong with a stack.
    pub(super) fn check(&self, stack: &Stack, path: &[String]) -> Result<(), String> {
        let outermost = stack.frames.first().ok_or("no frame at all")?;
        let Some(root) = path.first() else {
            return legitimate_root(outermost, stack);
        };
        self.walk(path)?;
        named(stack)?;
        let end = self.truth.ends.get(root).ok_or("no root of the tree")?;
        if !is_end(end, outermost) {
            return Err(format!("the stack does not begin at {end}"));
        }
        self.ids(stack, root)
    }

    /// The name a frame has in the tree.
    fn name(&self, frame: &Frame) -> String {
        let part = |name: &str| {
            let name = name.strip_suffix(" [clone .cold]").unwrap_or(name);
            name.strip_suffix(".cold").unwrap_or(name).to_owned()
        };
        match self.plain.get(part(&frame.system_name).as_str()) {
            Some(name) => (*name).to_owned(),
            None => part(&frame.name),
        }
    }

    /// The application frames walk down the tree, with nothing missing and nothing added.
    fn walk(&self, path: &[String]) -> Result<(), String> {
        let mut here: (&str, &Tree) = ("nothing", &self.truth.tree);
        let mut repeated = 0;
        for name in path {
            let limit = self.truth.recursive.get(here.0).copied().unwrap_or(1);
            if name == here.0 {
                repeated += 1;
                if repeated > limit {
                    return Err(format!("{name} stands {repeated} times, not {limit}"));
                }
                continue;
            }
            if repeated != 0 && repeated != limit {
                let parent = here.0;
                return Err(format!(
                    "{parent} calls {name} after {repeated}, not {limit}"
                ));
            }
            let callee = here.1.0.get_key_value(name);
            let callee = callee.ok_or_else(|| format!("{} does not call {name}", here.0))?;
            here = (callee.0, callee.1);
            repeated = 1;
        }
        Ok(())
    }

    /// Goroutine and thread are those that the program announced for the root.
    fn ids(&self, stack: &Stack, root: &String) -> Result<(), String> {
        let goid = stack.numbers.get("goid").copied();
        if self.truth.goroutines.contains(root) {
            let announced = self.said.goroutines.get(root);
            if !announced.is_some_and(|ids| goid.is_some_and(|id| ids.contains(&id))) {
                return Err(format!("goid {goid:?} is not of {announced:?}"));
            }
        }
        if self.truth.threads.contains(root) {
            let (tid, announced) = (thread_id(stack), self.said.threads.get(root));
            if !announced.is_some_and(|ids| tid.is_some_and(|id| ids.contains(&id))) {
                return Err(format!("tid {tid:?} is not of {announced:?}"));
            }
        }
        if self.truth.extra_goroutines.contains(root) {
            let inside = stack.frames.iter().any(|f| f.name.starts_with("main."));
            let extra = self.said.goroutines.get("extra");
            let known = goid.is_some_and(|id| extra.is_some_and(|ids| ids.contains(&id)));
            if inside && !known || !inside && goid.is_some() && !known {
                return Err(format!("goid {goid:?} is not of {extra:?}"));
            }
        }
        Ok(())
    }
}

/// Frames without a name are those of stripped system libraries.
fn named(stack: &Stack) -> Result<(), String> {
    let nameless = |f: &&Frame| f.name.starts_with('[') && !f.module.contains(".so");
    match stack.frames.iter().find(nameless) {
        Some(frame) => Err(format!("{} has no name", frame.name)),
        None => Ok(()),
    }
}

fn is_end(end: &str, outermost: &Frame) -> bool {
    match end {
        "goexit" => outermost.name == "runtime.goexit",
        "start" => outermost.name == "_start",
        "thread" => is_thread_start(outermost),
        other => panic!("{other} is no end that the README describes"),
    }
}

fn is_thread_start(frame: &Frame) -> bool {
    let unnamed = frame.name.starts_with("[libc");
    unnamed || THREAD_STARTS.contains(&frame.name.as_str())
}

fn legitimate_root(outermost: &Frame, stack: &Stack) -> Result<(), String> {
    let name = outermost.name.as_str();
    let kernel_only = outermost.module == "[kernel]";
    let known = RUNTIME_ROOTS.contains(&name) || is_thread_start(outermost);
    // A thread that has just been made, or is being ended, has no user stack.
    let no_user = kernel_only && stack.has("ret_from_fork_asm");
    if known || no_user {
        Ok(())
    } else {
        Err(format!("{name} is no root"))
    }
}
