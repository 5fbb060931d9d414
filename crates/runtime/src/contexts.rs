//! Contexts: which one a channel is the end of, and what it was made from, by type names.
//!
//! A cancelCtx is known by its `done`, which holds the channel (context/context.go, Go 1.19 to
//! 1.27).

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use seam_memory::{Memory, Piece};

use crate::heap::Heap;
use crate::layout::word;

/// Where cancelCtx keeps its parent (an interface) and, in `done`, the channel's type and the
/// channel.
const PARENT: usize = 0;
const DONE_TYPE: usize = 24;
const DONE: usize = 32;
const CANCEL_BYTES: usize = 40;
/// Contexts that are followed from one to its root.
const CHAIN_MAX: usize = 16;
/// Bytes of a type's name.
const NAME_BYTES_MAX: u64 = 256;
/// A cancelCtx has some 80 bytes, a timerCtx 112.
const SIZES: Range<u64> = 48..193;
/// Bytes of the heap that are searched.
const SEARCH_BYTES_MAX: u64 = 1 << 30;
/// Bytes that are read at once.
const CHUNK: u64 = 1 << 20;

/// Searches the heap for the contexts whose ends are among some channels: where each lies.
pub fn contexts(
    memory: &impl Memory,
    heap: &Heap,
    types: &Range<u64>,
    channels: &HashSet<u64>,
) -> HashMap<u64, u64> {
    let mut found = HashMap::new();
    let mut left = SEARCH_BYTES_MAX;
    let spans = heap.spans().iter();
    for span in spans.filter(|s| !s.noscan && SIZES.contains(&s.element)) {
        if found.len() == channels.len() || left < span.bytes || span.bytes > CHUNK {
            break;
        }
        left -= span.bytes;
        let mut bytes = vec![0; span.bytes as usize];
        if memory.read(span.start, &mut bytes).is_err() {
            continue;
        }
        for (number, object) in bytes.chunks_exact(span.element as usize).enumerate() {
            let channel = word(object, DONE);
            if channels.contains(&channel) && types.contains(&word(object, DONE_TYPE)) {
                let address = span.start + number as u64 * span.element;
                found.entry(channel).or_insert(address);
            }
        }
    }
    found
}

/// The type names from a cancelCtx to its root.
pub fn chain(memory: &impl Memory, types: &Range<u64>, context: u64) -> Vec<String> {
    let mut names = vec!["context.cancelCtx".to_owned()];
    let mut at = context;
    for _ in 0..CHAIN_MAX {
        let mut header = [0; CANCEL_BYTES];
        let read = memory.read(at.wrapping_add(PARENT as u64), &mut header[..16]);
        if read.is_err() {
            break;
        }
        let (table, data) = (word(&header, 0), word(&header, 8));
        let Some(name) = type_of_interface(memory, types, table) else {
            break;
        };
        // These hold their parent first; the roots, and types of others, end the chain.
        const HOLD_PARENT: [&str; 5] = [
            "context.cancelCtx",
            "context.timerCtx",
            "context.valueCtx",
            "context.stopCtx",
            "context.afterFuncCtx",
        ];
        let goes_on = HOLD_PARENT.contains(&name.as_str());
        names.push(name);
        if !goes_on {
            break;
        }
        at = data;
    }
    names
}

/// The types, by name, of interfaces among some words, such as a stack's.
pub fn interfaces(memory: &impl Memory, types: &Range<u64>, words: &[u64]) -> Vec<String> {
    let aligned = words.iter().filter(|w| **w % 8 == 0 && **w >= 0x1000);
    let tables: Vec<u64> = aligned.copied().collect();
    let piece = |table: &u64| Piece {
        address: table.wrapping_add(8),
        len: 8,
    };
    let pieces: Vec<Piece> = tables.iter().map(piece).collect();
    let mut bytes = vec![0; 8 * pieces.len()];
    let read = memory.gather(&pieces, &mut bytes);
    let each = read.into_iter().zip(bytes.as_chunks::<8>().0);
    let named = each.filter(|(read, _)| *read).filter_map(|(_, bytes)| {
        let kind = u64::from_le_bytes(*bytes);
        types
            .contains(&kind)
            .then(|| type_name(memory, types, kind))?
    });
    named.collect()
}

/// The type in an interface's table: runtime.itab, the second word (Go 1.19 to 1.27).
fn type_of_interface(memory: &impl Memory, types: &Range<u64>, table: u64) -> Option<String> {
    let kind = memory.word(table.wrapping_add(8)).ok()?;
    types
        .contains(&kind)
        .then(|| type_name(memory, types, kind))?
}

/// The name of a type without the star that pointers have. internal/abi `Type`: flags at 20, the
/// name's offset at 40; a name is flags, a length in seven bits a byte, and text (Go 1.19 to 1.27).
fn type_name(memory: &impl Memory, types: &Range<u64>, kind: u64) -> Option<String> {
    let mut header = [0; 48];
    memory.read(kind, &mut header).ok()?;
    let offset = word(&header, 40) as u32;
    let at = types.start.checked_add(u64::from(offset))?;
    let mut name = [0; 3];
    memory.read(at, &mut name).ok()?;
    let (len, skip) = match (name[1], name[2]) {
        (low, _) if low < 0x80 => (u64::from(low), 2),
        (low, high) if high < 0x80 => (u64::from(low & 0x7f) | u64::from(high) << 7, 3),
        _ => return None,
    };
    let mut text = vec![0; len.min(NAME_BYTES_MAX) as usize];
    memory.read(at.checked_add(skip)?, &mut text).ok()?;
    let text = String::from_utf8(text).ok()?;
    let printable = !text.is_empty() && text.chars().all(|c| !c.is_control());
    printable.then(|| text.trim_start_matches('*').to_owned())
}
