//! The text in which compilers that work at run time tell profilers what they have made
//! (`/tmp/perf-PID.map`): a line for each function, its start and size in hexadecimal and its name.
//! Files grow while a program runs and places are used again, so the last line that covers an
//! address counts. Any bytes may stand in them: work and memory are bounded by the text and by the
//! addresses asked for.

/// The longest name that is kept, in bytes.
const NAME_BYTES_MAX: usize = 512;

/// What a text calls each address; `addresses` must rise.
#[must_use]
pub fn perf_map_names<'t>(text: &'t [u8], addresses: &[u64]) -> Vec<Option<&'t [u8]>> {
    debug_assert!(addresses.is_sorted());
    let mut found = vec![None; addresses.len()];
    // For each address the first one from there on that still has no name.
    let mut open: Vec<usize> = (0..=addresses.len()).collect();
    for (start, end, name) in text.rsplit(|byte| *byte == b'\n').filter_map(line) {
        let first = addresses.partition_point(|address| *address < start);
        let mut at = first_open(&mut open, first);
        while addresses.get(at).is_some_and(|address| *address < end) {
            found[at] = Some(name);
            open[at] = at + 1;
            at = first_open(&mut open, at);
        }
    }
    found
}

/// Follows the chain and halves it.
fn first_open(open: &mut [usize], mut at: usize) -> usize {
    while open[at] != at {
        open[at] = open[open[at]];
        at = open[at];
    }
    at
}

/// `start size name`; `None` for anything else.
fn line(line: &[u8]) -> Option<(u64, u64, &[u8])> {
    let (start, rest) = number(line)?;
    let (size, name) = number(rest)?;
    let name = name.trim_ascii();
    let name = &name[..name.len().min(NAME_BYTES_MAX)];
    let end = start.checked_add(size)?;
    (end > start && !name.is_empty()).then_some((start, end, name))
}

/// A hexadecimal number, with or without 0x, and what stands behind the blank after it.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let text = text.strip_prefix(b"0x").unwrap_or(text);
    let blank = text.iter().take(17).position(|byte| *byte == b' ')?;
    let digits = std::str::from_utf8(&text[..blank]).ok()?;
    let signed = digits.starts_with('+');
    let value = u64::from_str_radix(digits, 16).ok().filter(|_| !signed)?;
    Some((value, &text[blank + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, addresses: &[u64]) -> Vec<String> {
        let found = perf_map_names(text.as_bytes(), addresses);
        let text = |name: &Option<&[u8]>| {
            name.map_or("-".into(), |n| String::from_utf8_lossy(n).into_owned())
        };
        found.iter().map(text).collect()
    }

    #[test]
    fn names_have_blanks_and_ends() {
        let text = "1000 10 JS:*leaf /a b.js:1\n0x1010 0x8 two\r\n";
        let at = [0xfff, 0x1000, 0x100f, 0x1010, 0x1017, 0x1018];
        let leaf = "JS:*leaf /a b.js:1";
        assert_eq!(names(text, &at), ["-", leaf, leaf, "two", "two", "-"]);
    }

    #[test]
    fn the_last_line_counts() {
        let text = "1000 100 old\n1010 10 new\n1020 10 newer\n1000 8 newest";
        let at = [0x1000, 0x1008, 0x1010, 0x101f, 0x1020, 0x1030, 0x10ff];
        let expected = ["newest", "old", "new", "new", "newer", "old", "old"];
        assert_eq!(names(text, &at), expected);
    }

    #[test]
    fn what_is_no_line_is_left_out() {
        for text in [
            "",
            "\n\n\n",
            "1000",
            "1000 10",
            "1000 10 ",
            "1000  10 a",
            "+1000 +10 a",
            "-1000 10 a",
            "xyz 10 a",
            "1000 0 a",
            "ffffffffffffffff 10 a",
            "10000000000000000 10 a",
            "1000\t10\ta",
        ] {
            assert_eq!(names(text, &[0x1000, u64::MAX]), ["-", "-"], "{text:?}");
        }
    }

    #[test]
    fn lines_that_cover_everything_cost_no_more_than_others() {
        let line = format!("0 {:x} everything\n", u64::MAX);
        let text = line.repeat(100_000);
        let addresses: Vec<u64> = (0..100_000).map(|n| n * 16).collect();
        let found = perf_map_names(text.as_bytes(), &addresses);
        assert!(found.iter().all(|name| *name == Some(b"everything")));
    }

    #[test]
    fn bytes_that_are_no_text_and_endless_names() {
        let mut text = b"1000 10 \xff\xfe\n".to_vec();
        text.extend(b"2000 10 ");
        text.extend([b'a'; 100_000]);
        let found = perf_map_names(&text, &[0x1000, 0x2000]);
        assert_eq!(found[0], Some(&b"\xff\xfe"[..]));
        assert_eq!(found[1].map(<[u8]>::len), Some(NAME_BYTES_MAX));
    }
}
