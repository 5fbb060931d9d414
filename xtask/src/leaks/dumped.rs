//! What a program's own runtime says of its goroutines (runtime.Stack): who waits, where, made by
//! whom.

use std::collections::BTreeMap;

/// By what goroutines are compared: the innermost function of package main, and who made it.
pub(super) type Key = (String, String);

/// A group of goroutines that wait on channels or locks.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting {
    pub(super) count: u64,
    /// The runtime's words.
    pub(super) state: String,
}

/// Waits that end by time, by the kernel or by the scheduler.
const OTHERS: [&str; 6] = [
    "sleep",
    "IO wait",
    "runnable",
    "running",
    "syscall",
    "finalizer wait",
];

/// The goroutines of a dump that wait on channels or locks, the main goroutine aside.
pub(super) fn waiting(dump: &str) -> BTreeMap<Key, Waiting> {
    let mut found: BTreeMap<Key, Waiting> = BTreeMap::new();
    for block in dump.split("\n\n") {
        let mut lines = block.trim().lines();
        let Some(head) = lines.next().and_then(|l| l.strip_prefix("goroutine ")) else {
            continue;
        };
        let Some((number, rest)) = head.split_once(" [") else {
            continue;
        };
        let state = rest.split([',', ']']).next().unwrap_or_default();
        if number == "1" || OTHERS.contains(&state) {
            continue;
        }
        let functions: Vec<&str> = lines.filter(|l| !l.starts_with('\t')).collect();
        let creator = functions.iter().find_map(|l| l.strip_prefix("created by "));
        let creator = creator.map_or("", |c| c.split(" in goroutine").next().unwrap_or(c));
        let own = functions.iter().find(|l| l.starts_with("main."));
        let own = own.map_or("", |l| without_arguments(l));
        let key = (own.to_owned(), creator.to_owned());
        let group = found.entry(key).or_default();
        group.count += 1;
        state.clone_into(&mut group.state);
    }
    found
}

/// `main.(*T).f(0x1, {0x2})` without the last pair of parentheses.
fn without_arguments(line: &str) -> &str {
    let mut depth = 0;
    for (at, c) in line.char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &line[..at];
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumps_are_read() {
        let text = "goroutine 1 [chan receive]:\nmain.main()\n\t/x.go:1\n\n\
            goroutine 7 [chan send, 2 minutes]:\nmain.(*T).f(0x1, {0x2, (3)})\n\t/x.go:2\n\
            created by main.g in goroutine 1\n\t/x.go:3\n\n\
            goroutine 8 [sleep]:\nmain.h()\n\t/x.go:4\n";
        let found = waiting(text);
        let key = ("main.(*T).f".to_owned(), "main.g".to_owned());
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[&key].count, found[&key].state.as_str()),
            (1, "chan send")
        );
    }
}
