//! Labels that a program has put on its goroutines (runtime/pprof.Do): a slice of key and value
//! from Go 1.24 on, a map before (runtime/pprof/label.go). Neither is changed once a goroutine has
//! it.

use seam_memory::Memory;

use crate::layout::word;

/// Labels of one goroutine that are read.
const LABELS_MAX: u64 = 64;
/// Bytes of a key or value that are kept.
const TEXT_BYTES_MAX: u64 = 256;
/// Buckets of a map that are read.
const BUCKETS_MAX: u64 = 64;

/// runtime/map.go, Go 1.19 to 1.23: struct hmap and bmap of strings to strings.
const HMAP_BYTES: usize = 48;
const HMAP_B: usize = 9;
const HMAP_BUCKETS: usize = 16;
const HMAP_OLDBUCKETS: usize = 24;
const BMAP_BYTES: usize = 272;
const BMAP_KEYS: usize = 8;
const BMAP_VALUES: usize = 136;
const BMAP_OVERFLOW: usize = 264;
const BMAP_SLOTS: usize = 8;
/// Smaller values mark slots that are empty or were moved.
const MIN_TOP_HASH: u8 = 5;

/// Keys and values, and whether some could not be read or were left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// Sorted by key.
    pub pairs: Vec<(String, String)>,
    /// They are not all, or not whole.
    pub cut: bool,
}

/// Reads what `g.labels` points to; `slice` for Go 1.24 and newer.
pub fn labels(memory: &impl Memory, address: u64, slice: bool) -> Labels {
    let mut found = Labels::default();
    let read = if slice {
        of_slice(memory, address, &mut found)
    } else {
        of_map(memory, address, &mut found)
    };
    found.cut |= read.is_none();
    found.pairs.sort();
    found
}

fn of_slice(memory: &impl Memory, address: u64, found: &mut Labels) -> Option<()> {
    let first = memory.word(address).ok()?;
    let count = memory.word(address.wrapping_add(8)).ok()?;
    found.cut |= count > LABELS_MAX;
    for index in 0..count.min(LABELS_MAX) {
        let mut pair = [0; 32];
        let at = first.wrapping_add(32 * index);
        memory.read(at, &mut pair).ok()?;
        add(memory, &pair[..16], &pair[16..], found)?;
    }
    Some(())
}

fn of_map(memory: &impl Memory, address: u64, found: &mut Labels) -> Option<()> {
    let map = memory.word(address).ok()?;
    if map == 0 {
        return Some(());
    }
    let mut header = [0; HMAP_BYTES];
    memory.read(map, &mut header).ok()?;
    let buckets = 1u64 << (header[HMAP_B] & 31);
    // While a map grows, part of it is still in the old buckets.
    let old = word(&header, HMAP_OLDBUCKETS);
    let arrays = [(word(&header, HMAP_BUCKETS), buckets), (old, buckets / 2)];
    let mut left = BUCKETS_MAX;
    for (array, count) in arrays {
        for index in (0..count).take_while(|_| array != 0) {
            let mut bucket = array.wrapping_add(BMAP_BYTES as u64 * index);
            while bucket != 0 {
                left = left.checked_sub(1)?;
                bucket = one_bucket(memory, bucket, found)?;
            }
        }
    }
    Some(())
}

/// Reads a bucket and gives the one that it overflows into.
fn one_bucket(memory: &impl Memory, bucket: u64, found: &mut Labels) -> Option<u64> {
    let mut bytes = [0; BMAP_BYTES];
    memory.read(bucket, &mut bytes).ok()?;
    for slot in (0..BMAP_SLOTS).filter(|slot| bytes[*slot] >= MIN_TOP_HASH) {
        let key = &bytes[BMAP_KEYS + 16 * slot..][..16];
        let value = &bytes[BMAP_VALUES + 16 * slot..][..16];
        add(memory, key, value, found)?;
    }
    Some(word(&bytes, BMAP_OVERFLOW))
}

fn add(memory: &impl Memory, key: &[u8], value: &[u8], found: &mut Labels) -> Option<()> {
    if found.pairs.len() as u64 == LABELS_MAX {
        return None;
    }
    let mut text = |header: &[u8]| {
        let len = word(header, 8);
        found.cut |= len > TEXT_BYTES_MAX;
        let mut bytes = vec![0; len.min(TEXT_BYTES_MAX) as usize];
        if !bytes.is_empty() {
            memory.read(word(header, 0), &mut bytes).ok()?;
        }
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let pair = (text(key)?, text(value)?);
    found.pairs.push(pair);
    Some(())
}
