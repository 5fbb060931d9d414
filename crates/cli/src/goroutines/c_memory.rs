//! The memory of C: what else could know a Go object. Go forbids C to keep such pointers, so what
//! is reached only from here is told apart.

use std::ops::Range;

use seam_capture::GoData;
use seam_runtime::Heap;

use crate::dump::look::{Full, ThreadStack};

/// Bytes that are taken; a process with more has C memory that is not looked at.
const BYTES_MAX: u64 = 2 << 30;

/// Writable memory that is not Go's: variables of C, its heap, stacks of threads from their stack
/// pointers on. Empty where there is no C.
pub(super) fn ranges(full: &Full, go: &GoData, heap: &Heap) -> Vec<Range<u64>> {
    let maps = &full.maps;
    // A libc that is part of the program has its heap behind the program.
    let has_c = full.image.modules.len() > 2 || maps.contains("[heap]");
    if !has_c {
        return Vec::new();
    }
    let mut left = BYTES_MAX;
    let mut found = Vec::new();
    for range in maps.lines().filter_map(|line| writable(line, heap)) {
        let own = [&go.variables[..], &go.plain[..]].concat();
        for range in without(from_stack_pointer(range, &full.thread_stacks), &own) {
            let len = range.end - range.start;
            if len <= left {
                left -= len;
                found.push(range);
            }
        }
    }
    found
}

/// The range of a line of maps, if it can be memory of C.
fn writable(line: &str, heap: &Heap) -> Option<Range<u64>> {
    let mut fields = line.split_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let permissions = fields.next()?;
    let name = fields.nth(3).unwrap_or_default();
    let hex = |text| u64::from_str_radix(text, 16).ok();
    let range = hex(start)?..hex(end)?;
    // Go 1.25 and newer name their mappings (setVMAName, runtime/set_vma_name_linux.go).
    let gos = name.starts_with("[anon:") && line.contains("Go:");
    let special = name.starts_with("[v") || name.starts_with("/dev/");
    let usable = permissions.starts_with("rw") && !gos && !special;
    let of_runtime = heap.has_arena_in(&range) || heap.has_records_in(&range);
    (usable && !of_runtime).then_some(range)
}

/// Of a stack only what is in use counts, and nothing of one on which only the runtime works: there
/// lie words that were the program's once.
fn from_stack_pointer(range: Range<u64>, stacks: &[ThreadStack]) -> Range<u64> {
    let inside = stacks.iter().filter(|stack| range.contains(&stack.sp));
    match inside.min_by_key(|stack| stack.sp) {
        Some(stack) if stack.in_c => stack.sp & !7..range.end,
        Some(_) => range.end..range.end,
        None => range,
    }
}

/// A range without some others.
fn without(range: Range<u64>, others: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut left = vec![range];
    for other in others {
        let cut = left.into_iter().flat_map(|r| {
            let before = r.start..r.end.min(other.start).max(r.start);
            let behind = r.start.max(other.end).min(r.end)..r.end;
            if other.start >= r.end || other.end <= r.start {
                vec![r]
            } else {
                vec![before, behind]
            }
        });
        left = cut.filter(|r| !r.is_empty()).collect();
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut() {
        assert_eq!(without(0..10, &[3..5, 8..20]), [0..3, 5..8]);
        assert_eq!(without(0..10, &[0..4, 4..10]), []);
        assert_eq!(without(5..10, &[0..3, 12..14]), vec![5..10u64; 1]);
        let stack = |sp, in_c| ThreadStack { sp, in_c };
        let (low, high) = (0x1000, 0x9000);
        let all = [stack(0x8007, true), stack(0xa000, false)];
        assert_eq!(from_stack_pointer(low..high, &all), 0x8000..0x9000);
        assert!(from_stack_pointer(low..high, &[stack(0x8000, false)]).is_empty());
        assert_eq!(from_stack_pointer(low..high, &[]), low..high);
    }

    #[test]
    fn only_memory_of_c_counts() {
        let mut heap = Heap::default();
        heap.insert(0xc000_0000_0000, 1, 64, false);
        let line = |text: &str| writable(text, &heap);
        assert_eq!(
            line("1000-3000 rw-p 00000000 00:00 0"),
            Some(0x1000..0x3000)
        );
        assert_eq!(
            line("1000-3000 rw-p 00000000 00:00 0    [heap]"),
            Some(0x1000..0x3000)
        );
        assert_eq!(
            line("1000-3000 rw-p 00000000 00:00 0    [anon: Go: heap index]"),
            None
        );
        assert_eq!(line("1000-3000 r--p 00000000 00:00 0"), None);
        assert_eq!(
            line("c000000000-c004000000 rw-p 00000000 00:00 0"),
            Some(0xc0_0000_0000..0xc0_0400_0000)
        );
        assert_eq!(
            line("c00000000000-c00004000000 rw-p 00000000 00:00 0"),
            None
        );
    }
}
