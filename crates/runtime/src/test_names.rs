//! The names of Go tests, from the goroutines that run them.
//!
//! Package testing starts each test on a goroutine of its own, whose outermost frames hold the
//! test's `*testing.T` (`tRunner`, testing/testing.go, Go 1.19 to 1.27). Where in it the name lies
//! changes with versions, and test binaries have no DWARF. So the place is found by what is there:
//! the first string that is a test's name. All tests of a process must have theirs at the same
//! place.

use std::ops::Range;

use seam_memory::Memory;

use crate::layout::word;

/// Bytes of the outermost frames that are searched: goexit, the wrapper of the go statement, its
/// arguments and the frame of tRunner have some 200, Go 1.19 to 1.27.
const OUTERMOST: u64 = 256;
/// Bytes of a testing.T that are searched; it has some 650, Go 1.27.
const TEST_BYTES: usize = 768;
/// The name stands behind locks, output and flags (`testing.common`).
const FIRST: usize = 64;
/// Bytes of a name that are read; longer ones are cut.
const NAME_BYTES_MAX: u64 = 512;
/// What names of tests begin with (cmd/go, `isTest`).
const KINDS: [&str; 4] = ["Test", "Benchmark", "Fuzz", "Example"];

/// Finds names in one process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestNames {
    /// Where in a testing.T the name lies, once one was found.
    place: Option<usize>,
}

impl TestNames {
    /// The name of the test that runs on a stack; `None` where none is found there.
    pub fn of(&mut self, memory: &impl Memory, stack: &Range<u64>) -> Option<String> {
        let start = stack.end.checked_sub(OUTERMOST)?.max(stack.start);
        let mut bytes = vec![0; stack.end.checked_sub(start)?.min(OUTERMOST) as usize];
        memory.read(start, &mut bytes).ok()?;
        let words = bytes.as_chunks::<8>().0.iter().rev();
        let words = words.map(|word| u64::from_le_bytes(*word));
        let pointers = words.filter(|w| w % 8 == 0 && (0x1000..1 << 56).contains(w));
        // The outermost first: arguments come before what tRunner works with.
        let mut pointers = pointers.filter(|pointer| !stack.contains(pointer));
        pointers.find_map(|pointer| self.at(memory, pointer))
    }

    /// The name in what may be a testing.T.
    fn at(&mut self, memory: &impl Memory, address: u64) -> Option<String> {
        let mut bytes = [0; TEST_BYTES];
        memory.read(address, &mut bytes).ok()?;
        let name = |at: usize| test_name(memory, word(&bytes, at), word(&bytes, at + 8));
        if let Some(place) = self.place {
            return name(place);
        }
        let mut places = (FIRST..TEST_BYTES - 8).step_by(8);
        let (place, found) = places.find_map(|at| Some((at, name(at)?)))?;
        self.place = Some(place);
        Some(found)
    }
}

/// The string there, if it can be a test's name.
fn test_name(memory: &impl Memory, data: u64, len: u64) -> Option<String> {
    if !(4..1 << 16).contains(&len) || !(0x1000..1 << 56).contains(&data) {
        return None;
    }
    let mut bytes = vec![0; len.min(NAME_BYTES_MAX) as usize];
    memory.read(data, &mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    is_test_name(&text).then_some(text)
}

/// Whether a name is one of a test, be it within another.
#[must_use]
pub fn is_test_name(name: &str) -> bool {
    let of_kind = |kind: &&str| {
        let rest = name.strip_prefix(*kind)?;
        Some(!rest.starts_with(char::is_lowercase))
    };
    KINDS.iter().any(|kind| of_kind(kind) == Some(true)) && !name.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use seam_memory::Snapshot;

    use super::*;

    const STACK: Range<u64> = 0x1_0000..0x1_0800;

    /// A stack whose outermost words are these, and a string at 0x5000.
    fn memory(outermost: &[u64], text: &str, header: (u64, usize), len: u64) -> Snapshot {
        let mut memory = Snapshot::default();
        let mut stack = vec![0; 0x800];
        for (at, word) in outermost.iter().enumerate() {
            stack[0x7f8 - 8 * at..][..8].copy_from_slice(&word.to_le_bytes());
        }
        memory.insert(STACK.start, &stack);
        memory.insert(0x5000, text.as_bytes());
        let mut object = vec![0; TEST_BYTES];
        object[header.1..][..8].copy_from_slice(&0x5000u64.to_le_bytes());
        object[header.1 + 8..][..8].copy_from_slice(&len.to_le_bytes());
        memory.insert(header.0, &object);
        memory
    }

    #[test]
    fn the_name_is_found_wherever_it_lies() {
        for place in [64, 240, 752] {
            let found = memory(&[1, 0, 0x1_0100, 0x8000], "TestA/b", (0x8000, place), 7);
            let mut names = TestNames::default();
            assert_eq!(names.of(&found, &STACK).as_deref(), Some("TestA/b"));
            // From now on it must lie there.
            let other = memory(&[0x8000], "TestA/b", (0x8000, 80), 7);
            assert_eq!(names.of(&other, &STACK), None);
        }
    }

    #[test]
    fn what_is_no_name_is_none() {
        let of = |text: &str, len| {
            let memory = memory(&[0x8000], text, (0x8000, 240), len);
            TestNames::default().of(&memory, &STACK)
        };
        assert_eq!(of("Testing", 7), None);
        assert_eq!(of("TestA", u64::MAX), None);
        assert_eq!(of("TestA", 6), None);
        assert_eq!(of("Test\u{1b}", 5), None);
        assert_eq!(of("FuzzX/seed#0", 12).as_deref(), Some("FuzzX/seed#0"));
        assert!(is_test_name("Test") && is_test_name("Test_x") && is_test_name("ExampleT_m"));
        assert!(!is_test_name("Tes") && !is_test_name("Example\n"));
        // No stack at all.
        let memory = Snapshot::default();
        assert_eq!(TestNames::default().of(&memory, &(5..5)), None);
        assert_eq!(TestNames::default().of(&memory, &STACK), None);
    }
}
