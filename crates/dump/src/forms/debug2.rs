//! The form of Go's own goroutine dump (`debug=2`, SIGQUIT), so that tools made for it read it:
//! `goroutineheader` and `traceback2` in runtime/traceback.go, Go 1.21 to 1.27. Arguments are not
//! known from outside, so every function has `(...)`, as the runtime writes inlined ones. C frames
//! stand where they are; the runtime's own dump lacks them.

use std::fmt::Write;

use seam_runtime::Status;

use crate::words::{clean, without_types};
use crate::{Dump, Frame, Goroutine, Kind, Stack, Trust};

/// What the runtime writes as `panic`.
const PANIC: &str = "runtime.gopanic";

/// A minute, by which the runtime counts waits.
const MINUTE_NS: u64 = 60_000_000_000;

/// All goroutines but the runtime's own.
#[must_use]
pub fn debug2(dump: &Dump) -> String {
    let mut out = String::new();
    let users = dump.goroutines.iter().filter(|g| !g.is_the_runtimes());
    for goroutine in users {
        header(goroutine, &mut out);
        frames(dump, goroutine, &mut out);
        creator(goroutine, &mut out);
        out.push('\n');
    }
    out
}

fn header(goroutine: &Goroutine, out: &mut String) {
    let _ = write!(
        out,
        "goroutine {} [{}",
        goroutine.goid,
        clean(&goroutine.common.state)
    );
    if goroutine.common.status == Status::Leaked {
        out.push_str(" (leaked)");
    }
    let blocked = matches!(goroutine.common.status, Status::Waiting | Status::Syscall);
    let waited = goroutine.waited_at_most_ns.filter(|_| blocked);
    let minutes = waited.map_or(0, |ns| ns.get() / MINUTE_NS);
    if minutes > 0 {
        let _ = write!(out, ", {minutes} minutes");
    }
    if goroutine.locked {
        out.push_str(", locked to thread");
    }
    out.push_str("]:\n");
}

fn frames(dump: &Dump, goroutine: &Goroutine, out: &mut String) {
    if goroutine.trust == Trust::Running {
        // As the runtime writes it of a goroutine on another thread.
        out.push_str("\tgoroutine running on other thread; stack unavailable\n");
        return;
    }
    let stack = goroutine.stack.and_then(|id| dump.stacks.get(id as usize));
    let gap = stack.and_then(Stack::gap);
    let elided = stack.map_or(0, |stack| stack.elided);
    for (at, frame) in stack.into_iter().flat_map(|s| &s.frames).enumerate() {
        if gap == Some(at) {
            let _ = writeln!(out, "...{elided} frames elided...");
        }
        if shown(frame, at == 0) {
            let function = match &*frame.place.function {
                PANIC => "panic".to_owned(),
                function => clean(&without_types(function)),
            };
            let _ = writeln!(out, "{function}(...)");
            let file = match &*frame.place.file {
                "" => "??".to_owned(),
                file => clean(file),
            };
            let _ = writeln!(out, "\t{file}:{}", frame.place.line);
        }
    }
}

/// `showframe`: what the runtime does for itself is not shown, but what programs call is; nor are
/// functions that the compiler made to wrap others. A panic is shown, since it stands between what
/// failed and what was deferred.
fn shown(frame: &Frame, innermost: bool) -> bool {
    if frame.kind == Kind::C || frame.kind == Kind::Unknown {
        return true;
    }
    if frame.wrapper {
        return false;
    }
    match frame.place.function.strip_prefix("runtime.") {
        Some("gopanic") => !innermost,
        Some(name) => name.starts_with(|c: char| c.is_ascii_uppercase()),
        None => frame.place.function.contains('.'),
    }
}

fn creator(goroutine: &Goroutine, out: &mut String) {
    // The main goroutine's creator is the runtime's start code.
    let Some(creator) = goroutine
        .common
        .creator
        .as_ref()
        .filter(|_| goroutine.goid != 1)
    else {
        return;
    };
    let _ = write!(
        out,
        "created by {}",
        clean(&without_types(&creator.function))
    );
    if let Some(parent) = goroutine.parent {
        let _ = write!(out, " in goroutine {parent}");
    }
    let _ = writeln!(out, "\n\t{}:{}", clean(&creator.file), creator.line);
}
