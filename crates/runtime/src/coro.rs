//! Coroutines of iter.Pull: which one a parked goroutine waits on.

use seam_memory::Memory;

use crate::heap::Heap;

/// A coro has 24 to 32 bytes (runtime/coro.go, Go 1.23 to 1.27); what is larger and begins with a
/// g is something else: a sudog.
const BYTES_MAX: u64 = 64;

/// The coro that a goroutine waits on, among what its stack and its g point to: it begins with the
/// goroutine that is blocked on it (`coro.gp`). While that waits, its frames know the coro (an
/// argument of `coroswitch`, a variable of `corostart`), and before it has begun its g does
/// (`g.coroarg`).
pub fn coro(
    memory: &impl Memory,
    heap: &Heap,
    g: u64,
    words: impl Iterator<Item = u64>,
) -> Option<u64> {
    let mut last = 0;
    for word in words {
        // A pointer often stands several times in a row.
        if word == last {
            continue;
        }
        last = word;
        let object = heap.object(word).filter(|object| object.start == word);
        let small = object.is_some_and(|o| !o.noscan && o.bytes <= BYTES_MAX);
        if small && memory.word(word) == Ok(g) {
            return Some(word);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use seam_memory::Snapshot;

    use super::*;

    #[test]
    fn a_coro_names_who_waits_on_it() {
        const HEAP: u64 = 0xc000_0000_0000;
        let (g, other) = (HEAP + 8192 + 512, HEAP + 8192 + 1024);
        let mut memory = Snapshot::default();
        memory.insert(HEAP, &[0; 16384]);
        for (at, word) in [(32, other), (64, g), (8192, g)] {
            memory.insert(HEAP + at, &u64::to_le_bytes(word));
        }
        let mut heap = Heap::default();
        heap.insert(HEAP, 1, 32, false);
        heap.insert(HEAP + 8192, 1, 512, false);
        let find = |words: &[u64]| coro(&memory, &heap, g, words.iter().copied());
        // Another one's, the middle of its own, something large, nothing.
        let others = [HEAP + 32, HEAP + 72, HEAP + 8192, 0, 42];
        assert_eq!(find(&others), None);
        assert_eq!(find(&[&others[..], &[HEAP + 64]].concat()), Some(HEAP + 64));
    }
}
