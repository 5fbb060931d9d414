//! The timers that run: those in the heaps of all Ps (runtime/time.go). Up to Go 1.22 a P has an
//! array of pointers, from 1.23 on one of pairs, of pointer and time.

use seam_go::{Field, Offsets};
use seam_memory::{Memory, Piece};

use crate::layout::word;
use crate::{Error, Result};

/// Ps: GOMAXPROCS is some hundreds at most.
const PS_MAX: u64 = 1 << 14;
/// Timers of one P that are read.
const TIMERS_MAX: u64 = 1 << 20;
/// Bytes of a timer that are read; it has some 100.
const TIMER_BYTES: usize = 128;

/// A timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    /// Where it lies.
    pub address: u64,
    /// When it ends, in the runtime's time.
    pub when: u64,
    /// Time from end to end of a ticker; 0 for others.
    pub period: u64,
    /// The first address of what it calls.
    pub function: u64,
    /// Its argument's value: a channel, or for time.AfterFunc the function.
    pub argument: u64,
}

/// Reads the timers of all Ps that lie where `wanted` says. `allp` is the address of the slice.
///
/// # Errors
/// When the build's timers are not known, or the list of Ps makes no sense.
pub fn timers(
    memory: &impl Memory,
    offsets: &Offsets,
    allp: u64,
    wanted: impl Fn(u64) -> bool,
) -> Result<Vec<Timer>> {
    let layout = Layout::new(offsets)?;
    let of_ps = |at| memory.word(at).map_err(Error::memory("runtime.allp"));
    let (first, count) = (of_ps(allp)?, of_ps(allp.wrapping_add(8))?);
    if count > PS_MAX || first % 8 != 0 {
        return Err(Error::Nonsense {
            what: "runtime.allp",
            address: allp,
            found: format!("{count} entries at {first:#x}"),
        });
    }
    let ps = (0..count).filter_map(|at| memory.word(first.wrapping_add(8 * at)).ok());
    let mut found = Vec::new();
    for p in ps.filter(|p| *p != 0) {
        found.extend(of_p(memory, &layout, p, &wanted));
    }
    found.sort_by_key(|timer| (timer.when, timer.address));
    Ok(found)
}

struct Layout {
    /// The slice of timers in p.
    heap: u64,
    /// Bytes of an entry, which begins with the pointer.
    entry: u64,
    when: usize,
    period: usize,
    function: usize,
    argument: usize,
}

impl Layout {
    fn new(offsets: &Offsets) -> Result<Self> {
        let at = |field| offsets.get(field).ok_or(Error::Unknown(field));
        let small = |field| {
            let at = at(field)? as usize;
            let fits = at < TIMER_BYTES - 16;
            if fits {
                Ok(at)
            } else {
                Err(Error::Unknown(field))
            }
        };
        let pairs = offsets.get(Field::TimersHeap);
        Ok(Self {
            heap: u64::from(at(Field::PTimers)?) + u64::from(pairs.unwrap_or(0)),
            entry: if pairs.is_some() { 16 } else { 8 },
            when: small(Field::TimerWhen)?,
            period: small(Field::TimerPeriod)?,
            function: small(Field::TimerF)?,
            argument: small(Field::TimerArg)?,
        })
    }
}

fn of_p(
    memory: &impl Memory,
    layout: &Layout,
    p: u64,
    wanted: &impl Fn(u64) -> bool,
) -> Vec<Timer> {
    let slice = p.wrapping_add(layout.heap);
    let header = (memory.word(slice), memory.word(slice.wrapping_add(8)));
    let (Ok(first), Ok(count)) = header else {
        return Vec::new();
    };
    let len = (count.min(TIMERS_MAX) * layout.entry) as usize;
    let mut entries = vec![0; len];
    if first == 0 || memory.read(first, &mut entries).is_err() {
        return Vec::new();
    }
    let entries = entries.chunks_exact(layout.entry as usize);
    let pieces: Vec<Piece> = entries
        .map(|entry| Piece {
            address: word(entry, 0),
            len: TIMER_BYTES,
        })
        .filter(|piece| piece.address != 0 && wanted(piece.address))
        .collect();
    let mut bytes = vec![0; pieces.iter().map(|piece| piece.len).sum()];
    let read = memory.gather(&pieces, &mut bytes);
    let each = pieces.iter().zip(read).zip(bytes.chunks(TIMER_BYTES));
    let read = each.filter(|((_, read), _)| *read);
    read.map(|((piece, _), bytes)| {
        // A func value points to the function's address; an interface is type and value.
        let function = memory.word(word(bytes, layout.function)).unwrap_or(0);
        Timer {
            address: piece.address,
            when: word(bytes, layout.when),
            period: word(bytes, layout.period),
            function,
            argument: word(bytes, layout.argument + 8),
        }
    })
    .collect()
}
