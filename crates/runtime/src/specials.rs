//! What finalizers and cleanups keep: records that the runtime attaches to objects (`special`,
//! runtime/mheap.go, Go 1.19 to 1.27) and that its collector takes as roots (`markrootSpans`,
//! runtime/mgcmark.go). A finalizer's closure may close the channel for which a goroutine waits.

use std::ops::Range;

use seam_memory::{Memory, Piece};

use crate::heap::Heap;
use crate::layout::word;

/// Bytes of a record that are read: the largest has 56 (`specialfinalizer`, Go 1.24 to 1.27).
const BYTES: usize = 64;
/// Records of a span that are followed, for each object that it has room for, and beside these.
const EACH_MAX: u64 = 16;
const FEW: u64 = 64;
/// Records that are read at once.
const AT_ONCE: usize = 4096;

/// What they lead to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Words of the records: closures and what they are called with.
    pub words: Vec<u64>,
    /// Objects with a finalizer: what they lead to is kept for it, they themselves are not.
    pub objects: Vec<Range<u64>>,
    /// Handles of weak pointers (Go 1.24 to 1.27), and the objects that they name. Whoever knows
    /// the handle can get the object as long as anything keeps it; goroutines that wait do, too.
    pub weak: Vec<(u64, u64)>,
    /// Records could not be read, or were too many.
    pub cut: bool,
}

/// Reads all records. `minor` is that of the Go version.
#[must_use]
pub fn specials(memory: &impl Memory, heap: &Heap, minor: Option<u32>) -> Kept {
    let mut kept = Kept::default();
    let all = heap.specials().iter();
    let mut left: Vec<(u64, u64, u64)> = all
        .map(|(span, first)| (*span, *first, EACH_MAX * heap.room(*span) + FEW))
        .collect();
    while !left.is_empty() {
        let some = left.split_off(left.len().saturating_sub(AT_ONCE));
        let piece = |(_, address, _): &(u64, u64, u64)| Piece {
            address: *address,
            len: BYTES,
        };
        let pieces: Vec<Piece> = some.iter().map(piece).collect();
        let mut bytes = vec![0; BYTES * pieces.len()];
        let read = memory.gather(&pieces, &mut bytes);
        for (((span, address, more), bytes), read) in
            some.into_iter().zip(bytes.chunks(BYTES)).zip(read)
        {
            let mut short = [0; BYTES];
            let record = match read {
                true => bytes,
                // The last record of a block of memory.
                false if memory.read(address, &mut short[..BYTES - 16]).is_ok() => &short,
                false => {
                    kept.cut = true;
                    continue;
                }
            };
            one(memory, heap, minor, (span, record), &mut kept);
            let next = word(record, 0);
            if next != 0 {
                kept.cut |= more == 0;
                left.extend((more > 0).then(|| (span, next, more - 1)));
            }
        }
    }
    kept
}

fn one(
    memory: &impl Memory,
    heap: &Heap,
    minor: Option<u32>,
    (span, record): (u64, &[u8]),
    kept: &mut Kept,
) {
    let short = u64::from(u16::from_le_bytes([record[8], record[9]]));
    let places = [short, word(record, 8)].map(|offset| span.checked_add(offset));
    for word in record.as_chunks::<8>().0.iter().skip(1) {
        let word = u64::from_le_bytes(*word);
        match weak(memory, heap, word, places) {
            Some(object) => kept.weak.push((word, object)),
            None => kept.words.push(word),
        }
    }
    // `_KindSpecialFinalizer`: 1, and 2 from Go 1.25 on. Its place follows that of the offset,
    // which has two bytes in older releases and eight in newer ones: either will do.
    let finalizer = |kind: u8| match minor {
        Some(minor) => kind == if minor >= 25 { 2 } else { 1 },
        None => matches!(kind, 1 | 2),
    };
    for (place, kind) in places.into_iter().zip([record[10], record[16]]) {
        let object = place.and_then(|at| heap.object(at));
        let object = object.filter(|object| finalizer(kind) && object.start >= span);
        kept.objects
            .extend(object.map(|o| o.start..o.start.saturating_add(o.bytes)));
    }
}

/// The object that a word of a record names weakly: the word is a handle, a small object that holds
/// the place of the record's (`specialWeakHandle` and `getOrAddWeakHandle`, runtime/mheap.go).
fn weak(memory: &impl Memory, heap: &Heap, word: u64, places: [Option<u64>; 2]) -> Option<u64> {
    let small = heap.object(word).filter(|o| o.noscan && o.bytes <= 16);
    let named = memory.word(small.map(|_| word)?).ok()?;
    let own = places.contains(&Some(named)) && heap.object(named).is_some();
    own.then_some(named)
}

#[cfg(test)]
#[allow(
    clippy::single_range_in_vec_init,
    reason = "a list of ranges of addresses"
)]
mod tests {
    use seam_memory::Snapshot;

    use super::*;

    const SPAN: u64 = 0xc000_0000_0000;

    fn record(memory: &mut Snapshot, at: u64, next: u64, head: [u8; 16], function: u64) {
        let mut bytes = next.to_le_bytes().to_vec();
        bytes.extend(head);
        bytes.extend(function.to_le_bytes());
        bytes.resize(BYTES, 0);
        memory.insert(at, &bytes);
    }

    fn heap(first: u64) -> Heap {
        let mut heap = Heap::default();
        heap.insert(SPAN, 1, 64, false);
        heap.add_specials(SPAN, first);
        heap
    }

    #[test]
    fn a_weak_pointer_keeps_nothing() {
        const SMALL: u64 = SPAN + 8192;
        let (object, handle) = (SPAN + 128, SMALL + 8);
        let mut memory = Snapshot::default();
        memory.insert(SMALL, &[0; 64]);
        memory.insert(handle, &object.to_le_bytes());
        // The offset in two bytes and in eight: special.offset is a uintptr from Go 1.25 on.
        for offset in [[128, 0, 2, 0, 0, 0, 0, 0, 0], [128, 0, 0, 0, 0, 0, 0, 0, 3]] {
            let mut head = [0; 16];
            head[..9].copy_from_slice(&offset);
            record(&mut memory, 0x1000, 0, head, handle);
            let mut heap = heap(0x1000);
            heap.insert(SMALL, 1, 16, true);
            let kept = specials(&memory, &heap, Some(26));
            assert_eq!(kept.weak, [(handle, object)]);
            assert!(!kept.words.contains(&handle), "{kept:x?}");
            // A handle of another object is a word as others are.
            memory.insert(handle, &(object + 64).to_le_bytes());
            let kept = specials(&memory, &heap, Some(26));
            assert!(kept.weak.is_empty() && kept.words.contains(&handle));
            memory.insert(handle, &object.to_le_bytes());
        }
    }

    #[test]
    fn closures_and_objects_with_finalizers_are_kept() {
        let mut memory = Snapshot::default();
        let new = |offset: u8, kind: u8| {
            let mut head = [0; 16];
            (head[0], head[8]) = (offset, kind);
            head
        };
        record(&mut memory, 0x1000, 0x2000, new(64, 2), 0xabc0);
        record(&mut memory, 0x2000, 0, new(128, 4), 0xdef0);
        let kept = specials(&memory, &heap(0x1000), Some(26));
        assert!(kept.words.contains(&0xabc0) && kept.words.contains(&0xdef0));
        assert_eq!(kept.objects, [SPAN + 64..SPAN + 128]);
        assert!(!kept.cut);
        // The same number is another kind in older releases.
        let kept = specials(&memory, &heap(0x1000), Some(24));
        assert_eq!(kept.objects, []);
        let old = [64, 0, 1, 0, 0, 0, 0, 0, 0xc0, 0xab, 0, 0, 0, 0, 0, 0];
        record(&mut memory, 0x3000, 0, old, 0);
        let kept = specials(&memory, &heap(0x3000), Some(21));
        assert!(kept.words.contains(&0xabc0));
        assert_eq!(kept.objects, [SPAN + 64..SPAN + 128]);
    }

    #[test]
    fn lists_without_end_end() {
        let mut memory = Snapshot::default();
        record(&mut memory, 0x1000, 0x1000, [0; 16], 0);
        assert!(specials(&memory, &heap(0x1000), None).cut);
        assert!(specials(&memory, &heap(0x9000), None).cut);
    }
}
