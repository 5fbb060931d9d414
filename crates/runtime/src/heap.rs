//! Go's heap as its spans: which addresses are objects, how large, and whether they can hold
//! pointers.
//!
//! Read from the list of all spans (`mheap.allspans`, runtime/mheap.go, Go 1.19 to 1.27). The
//! program allocates meanwhile: an object of a span that is newer than the list is not known.

use std::collections::{BTreeSet, HashMap};

use seam_go::{Field, Offsets};
use seam_memory::{Memory, Piece};

use crate::layout::word;
use crate::{Error, Result};

/// A page of the heap (`pageShift`, runtime/sizeclasses.go).
const PAGE: u64 = 8192;
/// Pages of an arena of 64 MiB (`heapArenaBytes`, runtime/malloc.go).
const PAGES: u64 = 8192;
/// Spans that are read: with the least of 8 KiB each, 128 GiB.
const SPANS_MAX: u64 = 1 << 24;
/// Spans that are read at once.
const AT_ONCE: u64 = 8192;
/// Bytes of a block of records: a page.
const RECORDS: u64 = 4096;
/// `mSpanInUse`
const IN_USE: u8 = 1;
/// Bytes of an mspan that are read at most; it has 160, Go 1.19 to 1.27.
const SPAN_BYTES_MAX: usize = 256;

/// Where mheap and mspan keep what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapLayout {
    allspans: u64,
    start: usize,
    pages: usize,
    element: usize,
    state: usize,
    class: usize,
    specials: usize,
    bytes: usize,
}

impl HeapLayout {
    /// The layout of a build.
    ///
    /// # Errors
    /// When one of the fields is not known.
    pub fn new(offsets: &Offsets) -> Result<Self> {
        let at = |field| {
            let at = offsets.get(field).map(|at| at as usize);
            at.ok_or(Error::Unknown(field))
        };
        let in_span = |field| {
            let small = at(field).ok().filter(|at| *at < SPAN_BYTES_MAX - 8);
            small.ok_or(Error::Unknown(field))
        };
        let (start, pages) = (
            in_span(Field::MspanStartAddr)?,
            in_span(Field::MspanNpages)?,
        );
        let (element, state) = (in_span(Field::MspanElemsize)?, in_span(Field::MspanState)?);
        let class = in_span(Field::MspanSpanclass)?;
        // Behind elemsize, limit and speciallock, whose one word that is (Go 1.19 to 1.27).
        let specials = Some(element + 24).filter(|at| *at < SPAN_BYTES_MAX - 8);
        let specials = specials.ok_or(Error::Unknown(Field::MspanElemsize))?;
        let last = [start, pages, specials, state, class].into_iter().max();
        Ok(Self {
            allspans: at(Field::MheapAllspans)? as u64,
            start,
            pages,
            element,
            state,
            class,
            specials,
            bytes: last.unwrap_or(0) + 8,
        })
    }
}

/// A span of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first address.
    pub start: u64,
    /// Bytes of all its objects.
    pub bytes: u64,
    /// Bytes of an object.
    pub element: u64,
    /// Its objects hold no pointers.
    pub noscan: bool,
    /// The number of its first object among those of all spans.
    first: u64,
}

impl Span {
    /// Whether it is the same, as far as its objects go.
    fn is_as(&self, other: &Self) -> bool {
        let key = |span: &Self| (span.start, span.bytes, span.element, span.noscan);
        key(self) == key(other)
    }
}

/// An object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object {
    /// Its first address.
    pub start: u64,
    /// Its size.
    pub bytes: u64,
    /// It holds no pointers.
    pub noscan: bool,
    /// Its number among all objects, those that are free included.
    pub number: u64,
}

/// The spans of a heap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heap {
    spans: Vec<Span>,
    /// By arena: which span each page is of, from 1 on.
    arenas: HashMap<u64, Box<[u32]>>,
    /// Where the spans' own records lie, in blocks.
    records: BTreeSet<u64>,
    /// Room for this many objects.
    pub objects: u64,
    /// Bytes in spans whose objects can hold pointers.
    pub scan_bytes: u64,
    /// The first of the records that are attached to objects of a span, with the span's start.
    specials: Vec<(u64, u64)>,
}

impl Heap {
    /// Reads the heap at `mheap`.
    ///
    /// # Errors
    /// When the list can't be read or makes no sense.
    pub fn read(memory: &impl Memory, layout: &HeapLayout, mheap: u64) -> Result<Self> {
        let list = mheap.wrapping_add(layout.allspans);
        let mut header = [0; 16];
        memory
            .read(list, &mut header)
            .map_err(Error::memory("mheap.allspans"))?;
        let (entries, len) = (word(&header, 0), word(&header, 8));
        if len > SPANS_MAX || entries % 8 != 0 || entries >= 1 << 56 {
            return Err(Error::Nonsense {
                what: "mheap.allspans",
                address: list,
                found: format!("{len} entries at {entries:#x}"),
            });
        }
        let mut heap = Self::default();
        let mut first = 0;
        while first < len {
            let count = AT_ONCE.min(len - first);
            let mut addresses = vec![0; 8 * count as usize];
            memory
                .read(entries.wrapping_add(8 * first), &mut addresses)
                .map_err(Error::memory("mheap.allspans"))?;
            heap.add(memory, layout, &addresses);
            first += count;
        }
        Ok(heap)
    }

    /// The same heap with what has come since: numbers of objects stay as they are, and those of
    /// new spans go on from there. Spans that are gone stay.
    ///
    /// # Errors
    /// As [`Heap::read`].
    pub fn grown(&self, memory: &impl Memory, layout: &HeapLayout, mheap: u64) -> Result<Self> {
        let now = Self::read(memory, layout, mheap)?;
        let mut grown = self.clone();
        for span in &now.spans {
            if self.span_at(span.start).is_none_or(|old| !old.is_as(span)) {
                let pages = span.bytes.div_ceil(PAGE);
                grown.insert(span.start, pages, span.element, span.noscan);
            }
        }
        Ok(grown)
    }

    fn span_at(&self, address: u64) -> Option<&Span> {
        let page = address / PAGE;
        let arena = self.arenas.get(&(page / PAGES))?;
        let number = *arena.get((page % PAGES) as usize)?;
        self.spans.get((number as usize).checked_sub(1)?)
    }

    /// Adds the spans at these addresses that are in use.
    fn add(&mut self, memory: &impl Memory, layout: &HeapLayout, addresses: &[u8]) {
        let len = layout.bytes;
        let pieces: Vec<Piece> = addresses
            .chunks_exact(8)
            .map(|address| Piece {
                address: word(address, 0),
                len,
            })
            .collect();
        let mut bytes = vec![0; len * pieces.len()];
        let read = memory.gather(&pieces, &mut bytes);
        self.records
            .extend(pieces.iter().map(|piece| piece.address / RECORDS));
        for (bytes, _) in bytes.chunks(len).zip(read).filter(|(_, read)| *read) {
            if bytes[layout.state] == IN_USE {
                let start = word(bytes, layout.start);
                let pages = word(bytes, layout.pages);
                let element = word(bytes, layout.element);
                self.insert(start, pages, element, bytes[layout.class] & 1 == 1);
                let first = word(bytes, layout.specials);
                if first != 0 {
                    self.specials.push((start, first));
                }
            }
        }
    }

    /// Adds a span, if it can be one.
    pub fn insert(&mut self, start: u64, pages: u64, element: u64, noscan: bool) {
        let bytes = pages.saturating_mul(PAGE);
        let sound = start.is_multiple_of(PAGE)
            && (1..1 << 56).contains(&start)
            && (1..=1 << 24).contains(&pages)
            && (8..=bytes).contains(&element);
        if !sound || self.spans.len() as u64 >= SPANS_MAX {
            return;
        }
        let count = bytes / element;
        self.spans.push(Span {
            start,
            bytes: count * element,
            element,
            noscan,
            first: self.objects,
        });
        self.objects += count;
        self.scan_bytes += if noscan { 0 } else { bytes };
        let number = self.spans.len() as u32;
        for page in start / PAGE..start / PAGE + pages {
            let arena = self.arenas.entry(page / PAGES);
            let pages = arena.or_insert_with(|| vec![0; PAGES as usize].into());
            pages[(page % PAGES) as usize] = number;
        }
    }

    #[cfg(test)]
    pub(crate) fn add_specials(&mut self, start: u64, first: u64) {
        self.specials.push((start, first));
    }

    /// The first record of each span that has some, with the span's start (`mspan.specials`).
    #[must_use]
    pub fn specials(&self) -> &[(u64, u64)] {
        &self.specials
    }

    /// How many objects the span at an address has room for.
    #[must_use]
    pub fn room(&self, start: u64) -> u64 {
        let object = self.object(start);
        let span = object.and_then(|object| {
            let behind = self.spans.partition_point(|s| s.first <= object.number);
            self.spans.get(behind.checked_sub(1)?)
        });
        span.map_or(0, |span| span.bytes / span.element)
    }

    /// All spans.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Whether a range has an arena of the heap in it.
    #[must_use]
    pub fn has_arena_in(&self, range: &std::ops::Range<u64>) -> bool {
        const ARENA: u64 = PAGE * PAGES;
        let arenas = self.arenas.keys().map(|arena| arena * ARENA);
        let mut inside = arenas.filter(|start| *start < range.end && range.start < start + ARENA);
        inside.next().is_some()
    }

    /// Whether a range has records of spans in it.
    #[must_use]
    pub fn has_records_in(&self, range: &std::ops::Range<u64>) -> bool {
        let first = self.records.range(range.start / RECORDS..).next();
        first.is_some_and(|block| block * RECORDS < range.end)
    }

    /// The object that an address lies in.
    #[must_use]
    pub fn object(&self, address: u64) -> Option<Object> {
        let span = self.span_at(address)?;
        let offset = address
            .checked_sub(span.start)
            .filter(|at| *at < span.bytes)?;
        let index = offset / span.element;
        Some(Object {
            start: span.start + index * span.element,
            bytes: span.element,
            noscan: span.noscan,
            number: span.first + index,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_belong_to_objects() {
        let mut heap = Heap::default();
        heap.insert(0xc000_0000_0000, 1, 48, false);
        heap.insert(0xc000_0000_4000, 2, 16_384, true);
        // No span: not on a page, larger than itself, of nothing.
        heap.insert(0xc000_0000_2001, 1, 48, false);
        heap.insert(0xc000_0000_2000, 1, 8200, false);
        heap.insert(0xc000_0000_2000, 0, 8, false);
        let second = heap.object(0xc000_0000_0000 + 50).expect("it is there");
        assert_eq!((second.start, second.bytes), (0xc000_0000_0030, 48));
        assert_eq!(second.number, 1);
        // 170 objects of 48 bytes leave a rest of the page.
        assert_eq!(heap.object(0xc000_0000_0000 + 8160), None);
        assert_eq!(heap.object(0xc000_0000_2000), None);
        let large = heap.object(0xc000_0000_7fff).expect("it is there");
        assert_eq!((large.start, large.number), (0xc000_0000_4000, 170));
        assert!(large.noscan);
        assert_eq!(heap.object(0), None);
        assert_eq!(heap.object(u64::MAX), None);
        assert_eq!(heap.scan_bytes, 8192);
    }
}
