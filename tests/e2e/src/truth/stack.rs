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
    "runtime.rt0_go",
    "_rt0_amd64",
    "_rt0_amd64_linux",
    "_rt0_arm64",
    "_rt0_arm64_linux",
    "_start",
    // A thread of a program without cgo, between the system call and its first function.
    "runtime.clone",
];
/// Outermost frames of a thread that has left its goroutine to look for another; with a goroutine
/// and outside the scheduler they are where a stack was lost.
const SCHEDULER_ROOTS: &[&str] = &["runtime.mcall", "runtime.morestack", "gogo"];
/// Where libc starts a thread.
const THREAD_STARTS: &[&str] = &["clone3", "__clone3", "clone", "__clone", "start_thread"];

/// Truth and what the program said, ready to hold stacks against.
pub(super) struct Checker<'a> {
    truth: &'a Truth,
    app: RegexSet,
    said: &'a Said,
    /// C++ symbol → its name in the tree.
    plain: HashMap<&'a str, &'a str>,
    /// A goroutine may be left unsaid.
    pub(super) lenient: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn new(truth: &'a Truth, app: RegexSet, said: &'a Said) -> Self {
        let plain = truth.mangled.iter().map(|(n, m)| (m.as_str(), n.as_str()));
        Self {
            truth,
            app,
            said,
            plain: plain.collect(),
            lenient: false,
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
        if let Some(reason) = stack.texts.get("end") {
            return Err(format!("the walk ended early ({reason})"));
        }
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

    /// What is wrong with a stack of which the outer part is left out.
    pub(super) fn check_part(&self, stack: &Stack, path: &[String]) -> Result<(), String> {
        named(stack)?;
        let pairs = path.windows(2);
        for pair in pairs.filter(|pair| pair[0] != pair[1]) {
            if !calls(&self.truth.tree, &pair[0], &pair[1]) {
                return Err(format!("{} does not call {}", pair[0], pair[1]));
            }
        }
        // It may be left out, but not be somebody else's.
        let goid = stack.numbers.get("goid");
        let mut announced = self.said.goroutines.values().flatten();
        match goid.filter(|_| !path.is_empty() && self.truth.extra_goroutines.is_empty()) {
            Some(id) if !announced.any(|known| known == id) => Err(format!("no goroutine {id}")),
            _ => Ok(()),
        }
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
        if self.lenient && goid.is_none() {
            return Ok(());
        }
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
            if !known && (inside || goid.is_some()) {
                return Err(format!("goid {goid:?} is not of {extra:?}"));
            }
        }
        Ok(())
    }
}

/// Whether one function calls the other anywhere in a tree.
fn calls(tree: &Tree, caller: &str, callee: &str) -> bool {
    tree.0.iter().any(|(name, callees)| {
        (name == caller && callees.0.contains_key(callee)) || calls(callees, caller, callee)
    })
}

/// Frames without a name are those of stripped system libraries; and the innermost may be a stub
/// of the linker's.
fn named(stack: &Stack) -> Result<(), String> {
    let user: Vec<&Frame> = stack.frames.iter().filter(|f| !is_kernel(f)).collect();
    let callers = &user[..user.len().saturating_sub(1)];
    let nameless = |f: &&&Frame| {
        let unnamed = f.name.starts_with('[') && (f.name.contains("+0x") || f.module.is_empty());
        unnamed && !f.module.contains(".so")
    };
    match callers.iter().find(nameless) {
        Some(frame) => Err(format!("{} has no name", frame.name)),
        None => Ok(()),
    }
}

/// Before libgcc jumps to where an exception is caught, it copies the saved registers and the
/// return address of that frame over those of its own (uw_install_context_1). For some 50 ns the
/// stack is half the old and half the new one, and no unwind information can tell.
pub(super) fn is_half_installed(stack: &Stack) -> bool {
    let innermost = stack.frames.iter().rfind(|f| !is_kernel(f));
    let in_libgcc = innermost.is_some_and(|f| f.module.contains("libgcc_s"));
    in_libgcc && stack.frames.iter().any(|f| f.name.starts_with("_Unwind_"))
}

fn is_kernel(frame: &Frame) -> bool {
    frame.module == "[kernel]"
}

fn is_end(end: &str, outermost: &Frame) -> bool {
    match end {
        "goexit" => outermost.name == "runtime.goexit",
        "start" => outermost.name == "_start",
        "thread" => is_thread_start(outermost),
        other => panic!("{other} is no end that the README describes"),
    }
}

/// Whether a frame is where libc starts a thread; a libc without symbols has no names there.
#[must_use]
pub fn is_thread_start(frame: &Frame) -> bool {
    let unnamed = frame.name.starts_with("[libc");
    unnamed || THREAD_STARTS.contains(&frame.name.as_str())
}

/// Whether a stack of a program that is not known begins at a root.
#[must_use]
pub fn is_rooted(stack: &Stack) -> bool {
    let outermost = stack.frames.first();
    let cut = stack.texts.contains_key("end");
    !cut && outermost.is_some_and(|frame| legitimate_root(frame, stack).is_ok())
}

fn legitimate_root(outermost: &Frame, stack: &Stack) -> Result<(), String> {
    let name = outermost.name.as_str();
    // The scheduler names the goroutine that it has chosen before it goes there, and so does a
    // switch between coroutines.
    let chosen = stack.has("runtime.schedule") || stack.has("runtime.coroswitch_m");
    let left = chosen || !stack.numbers.contains_key("goid");
    let scheduler = SCHEDULER_ROOTS.contains(&name) && left;
    let known = RUNTIME_ROOTS.contains(&name) || is_thread_start(outermost);
    // A thread that has just been made has no user stack yet, one that is given up none any more.
    let made_or_given_up = stack.has("ret_from_fork_asm") || stack.has("do_exit");
    let no_user = is_kernel(outermost) && made_or_given_up;
    if known || scheduler || no_user {
        Ok(())
    } else {
        Err(format!("{name} is no root"))
    }
}
