//! Reads what `perf script -F comm,pid,tid,event,ip,sym,dso` prints: a line for the sample, a line
//! for each frame from the innermost on, an empty line.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Result;
use seam_e2e::pprof::{Frame, Stack};

/// The distinct stacks of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<Stack>> {
    let mut counts: HashMap<Vec<(String, String)>, i64> = HashMap::new();
    let mut frames = Vec::new();
    let mut inside = false;
    for line in BufReader::new(File::open(path)?).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        if line.trim().is_empty() {
            if inside {
                *counts.entry(std::mem::take(&mut frames)).or_default() += 1;
            }
            inside = false;
        } else if line.starts_with([' ', '\t']) && inside {
            frames.extend(frame(&line));
        } else {
            inside = true;
        }
    }
    if inside {
        *counts.entry(frames).or_default() += 1;
    }
    Ok(counts.into_iter().map(stack).collect())
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

fn stack((mut frames, count): (Vec<(String, String)>, i64)) -> Stack {
    frames.reverse();
    let frame = |(name, module): (String, String)| Frame {
        system_name: name.clone(),
        name,
        file: String::new(),
        line: 0,
        module,
    };
    Stack {
        frames: frames.into_iter().map(frame).collect(),
        count,
        nanoseconds: 0,
        numbers: BTreeMap::new(),
        texts: BTreeMap::new(),
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
}
