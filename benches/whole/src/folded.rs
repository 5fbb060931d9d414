//! Reads folded stacks: `NAME;ROOT;…;LEAF COUNT`, one stack a line, of which NAME, the program's or
//! thread's, is no frame. `[FILE+0xADDRESS]` is a frame without a name, `FUNCTION_[k]` one of the
//! kernel's, as seam writes them too.

use anyhow::{Context, Result};
use seam_e2e::pprof::Stack;

use crate::formats::stack;

pub(crate) fn stacks(text: &str) -> Result<Vec<Stack>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| one(line).with_context(|| format!("no folded stack: {line:?}")))
        .collect()
}

fn one(line: &str) -> Option<Stack> {
    let (names, count) = line.rsplit_once(' ')?;
    let frames = names.split(';').skip(1).map(frame).collect();
    Some(stack(frames, count.parse().ok()?))
}

fn frame(name: &str) -> (String, String) {
    if let Some(name) = name.strip_suffix("_[k]") {
        return (name.to_owned(), "[kernel]".to_owned());
    }
    let file = name
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("+0x"));
    (
        name.to_owned(),
        file.map_or("", |(file, _)| file).to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let found = stacks("my prog;_start;f(int, char);[libc.so.6+0x1f];read_[k] 12\n\n").unwrap();
        let frames: Vec<_> = found[0].frames.iter().collect();
        assert_eq!((found.len(), found[0].count), (1, 12));
        assert_eq!(frames[1].name, "f(int, char)");
        assert_eq!(frames[2].module, "libc.so.6");
        assert_eq!((&*frames[3].name, &*frames[3].module), ("read", "[kernel]"));
        assert_eq!(stacks("alone 1").unwrap()[0].frames.len(), 0);
    }

    #[test]
    fn other_texts_are_refused() {
        assert!(stacks("x;y;z").is_err());
        assert!(stacks("x;y many").is_err());
    }
}
