//! Reads what `perf script -F comm,pid,tid,time,event,ip,sym,dso` prints: a line for the sample, a
//! line for each frame from the innermost on, an empty line.

use std::collections::HashMap;

use seam_e2e::pprof::Stack;

use crate::formats::{Moment, stack};

/// The distinct stacks.
pub(crate) fn stacks(text: &[u8]) -> Vec<Stack> {
    let mut counts: HashMap<Vec<(String, String)>, i64> = HashMap::new();
    let mut frames = Vec::new();
    let mut inside = false;
    for line in text.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        if line.trim().is_empty() {
            if inside {
                *counts.entry(std::mem::take(&mut frames)).or_default() += 1;
            }
            inside = false;
        } else if is_frame(&line) && inside {
            frames.extend(frame(&line));
        } else {
            inside = true;
        }
    }
    if inside {
        *counts.entry(frames).or_default() += 1;
    }
    let outermost_first = |(mut frames, count): (Vec<(String, String)>, i64)| {
        frames.reverse();
        stack(frames, count)
    };
    counts.into_iter().map(outermost_first).collect()
}

/// When each sample was taken.
pub(crate) fn times(text: &[u8]) -> Vec<Moment> {
    let lines = text.split(|byte| *byte == b'\n');
    let moments = lines.filter_map(|line| {
        let line = String::from_utf8_lossy(line);
        (!is_frame(&line)).then(|| moment(&line)).flatten()
    });
    moments.collect()
}

fn is_frame(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

/// `b name 17/18 2413.279347: cpu-clock:`
fn moment(line: &str) -> Option<Moment> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let seconds = |word: &str| word.strip_suffix(':')?.parse::<f64>().ok();
    let place = words.iter().position(|word| seconds(word).is_some())?;
    let (_, thread) = words[..place].last()?.split_once('/')?;
    Some(Moment {
        thread: thread.to_owned(),
        ns: seconds(words[place])? * 1e9,
    })
}

/// `   4d15b0 depth_spin (/x/depth)` as name and module.
fn frame(line: &str) -> Option<(String, String)> {
    let (address, rest) = line.trim().split_once(' ')?;
    let (name, module) = rest.rsplit_once(" (")?;
    let module = module.trim_end_matches(')');
    let name = name.split("+0x").next().unwrap_or(name);
    // Go's linker writes so into the symbol table; its own tables, and people, do not.
    let name = name.trim_end_matches(".abi0");
    if module.starts_with("[kernel") || module.starts_with("[guest.kernel") {
        return Some((name.to_owned(), "[kernel]".to_owned()));
    }
    if name != "[unknown]" {
        return Some((name.to_owned(), module.to_owned()));
    }
    // As seam writes it, so that the same rule for stripped system libraries holds.
    let file = module.rsplit('/').next().unwrap_or(module);
    match module {
        "[unknown]" => Some(("[unknown]".to_owned(), String::new())),
        _ => Some((format!("[{file}+0x{address}]"), module.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        let of = |line: &str| frame(line).unwrap();
        let pair = |name: &str, module: &str| (name.to_owned(), module.to_owned());
        assert_eq!(
            of("  4d main.(*t).f (/x/a b)"),
            pair("main.(*t).f", "/x/a b")
        );
        assert_eq!(
            of("  ff do_read ([kernel.kallsyms])"),
            pair("do_read", "[kernel]")
        );
        assert_eq!(of("  1 [unknown] ([unknown])"), pair("[unknown]", ""));
        let unnamed = of("  7f1 [unknown] (/usr/lib/libc.so.6)");
        assert_eq!(unnamed.0, "[libc.so.6+0x7f1]");
    }

    #[test]
    fn samples() {
        let text =
            b"my prog 7/8 12.000250: cpu-clock:\n\t 1 f (/x)\n\t 2 g (/x)\n\nx 7/7 12.5: c:\n\n";
        let mut found = stacks(text);
        found.sort_by_key(|stack| stack.frames.len());
        assert_eq!(found[0].frames.len(), 0);
        assert_eq!(found[1].frames[0].name, "g");
        let times = times(text);
        assert_eq!(times[0].thread, "8");
        assert!((times[0].ns - 12_000_250_000.0).abs() < 1.0);
        assert_eq!(times.len(), 2);
    }
}
