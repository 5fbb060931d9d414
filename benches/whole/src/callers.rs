//! What a profiler shows of C in benches/programs/callers: two C functions that do all the work,
//! each called by a Go function of its own.

use seam_e2e::pprof::{Frame, Stack};
use seam_e2e::truth::is_rooted;
use serde_json::{Value, json};

/// The innermost C functions, the C functions that Go calls, and the Go functions that call them.
const CHAINS: [[&str; 3]; 2] = [
    ["callers_one_leaf", "callers_one", "main.callOne"],
    ["callers_two_leaf", "callers_two", "main.callTwo"],
];

/// Without the threads on which Go's runtime waits: samples; user frames of all; samples whose
/// innermost frame is one of the C functions that work; samples in C under the right Go function.
pub(crate) fn seen(stacks: &[Stack]) -> Value {
    let (mut all, mut frames, mut visible, mut attributed) = (0, 0, 0, 0);
    for stack in stacks.iter().filter(|stack| !is_idle(stack)) {
        let own: Vec<&Frame> = stack.frames.iter().filter(|f| is_user(f)).collect();
        all += stack.count;
        frames += stack.count * own.len() as i64;
        let leaf = own.last().map(|frame| frame.name.as_str());
        visible += stack.count * i64::from(CHAINS.iter().any(|chain| leaf == Some(chain[0])));
        attributed += stack.count * i64::from(is_attributed(&own));
    }
    json!({ "all": all, "frames": frames, "visible": visible, "attributed": attributed })
}

/// A stack from a root that is there to be seen, with nothing of the program's.
fn is_idle(stack: &Stack) -> bool {
    let mut stack = stack.clone();
    stack.numbers.clear();
    let own = |frame: &Frame| {
        let name = &frame.name;
        ["main.", "callers_", "_cgo"]
            .iter()
            .any(|start| name.starts_with(start))
    };
    is_rooted(&stack) && !stack.frames.iter().any(own)
}

fn is_user(frame: &Frame) -> bool {
    frame.module != "[kernel]" && !frame.inlined
}

/// The innermost sign of C, be it a C function or what cgo puts in front of it, has its own Go
/// function as the next one further out.
fn is_attributed(frames: &[&Frame]) -> bool {
    let chain_in_c = |frame: &&Frame| {
        let name = frame.name.trim_start_matches("main._Cfunc_");
        CHAINS.iter().position(|chain| chain[..2].contains(&name))
    };
    let chain_in_go = |frame: &&Frame| CHAINS.iter().position(|chain| chain[2] == frame.name);
    let in_c = frames.iter().rev().find_map(chain_in_c);
    in_c.is_some() && in_c == frames.iter().rev().find_map(chain_in_go)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folded;

    fn of(names: &str) -> [i64; 3] {
        let found = seen(&folded::stacks(&format!("p;{names} 2")).unwrap());
        ["frames", "visible", "attributed"].map(|key| found[key].as_i64().unwrap() / 2)
    }

    #[test]
    fn whole_stacks() {
        let stack = "main.worker;main.callOne;main._Cfunc_callers_one;callers_one;callers_one_leaf";
        assert_eq!(of(stack), [5, 1, 1]);
        assert_eq!(of(&format!("{stack};irq_[k]")), [5, 1, 1]);
    }

    #[test]
    fn stacks_with_faults() {
        assert_eq!(of("callers_one;callers_one_leaf"), [2, 1, 0]);
        assert_eq!(of("main.callTwo;callers_one_leaf"), [2, 1, 0]);
        assert_eq!(
            of("main.callOne;main._Cfunc_callers_one;runtime.cgocall"),
            [3, 0, 1]
        );
        assert_eq!(of("main.callOne;main.callTwo;runtime.cgocall"), [3, 0, 0]);
        assert_eq!(of("irq_[k]"), [0, 0, 0]);
        assert_eq!(of("runtime.asmcgocall"), [1, 0, 0]);
    }

    #[test]
    fn waiting_threads_do_not_count() {
        let all = |text: &str| seen(&folded::stacks(text).unwrap())["all"].clone();
        assert_eq!(
            all("p;runtime.mstart;runtime.sysmon;runtime.usleep 3"),
            json!(0)
        );
        assert_eq!(all("p;runtime.sysmon;runtime.usleep 3"), json!(3));
        assert_eq!(all("p;runtime.goexit;main.callOne 3"), json!(3));
    }
}
