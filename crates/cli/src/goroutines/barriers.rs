//! Where the runtime keeps pointers for its collector, in which old ones stay.

use std::ops::Range;

use seam_capture::ImageRuntime;
use seam_memory::{Memory, Source};

/// Bytes of `p.wbBuf` (runtime/mwbbuf.go: two words and 512 entries, Go 1.19 to 1.27).
const WRITE_BARRIER_BYTES: u64 = 16 + 8 * 512;
/// Bytes of `p.gcw`, which stands just before it: what the collector has yet to look at, and from
/// Go 1.25 on a ring of spans. By minor, from DWARF; of newer ones it is not known.
const COLLECTOR_BYTES: [(std::ops::RangeInclusive<u32>, u64); 3] =
    [(0..=24, 40), (25..=25, 592), (26..=27, 4856)];
/// Ps: GOMAXPROCS is some hundreds at most.
const PS_MAX: u64 = 1 << 14;
/// The buffers of the write barriers and of the collector's work, in which pointers stay that are
/// long gone.
pub(super) fn write_barriers(
    memory: &Source,
    runtime: &ImageRuntime,
    buffer: Option<u64>,
) -> Vec<Range<u64>> {
    let allp = runtime.globals.as_ref().and_then(|globals| globals.allp);
    let (Some(allp), Some(buffer)) = (allp, buffer) else {
        return Vec::new();
    };
    let first = memory.word(allp).unwrap_or(0);
    let count = memory.word(allp.wrapping_add(8)).unwrap_or(0).min(PS_MAX);
    let ps = (0..count).filter_map(|at| memory.word(first.wrapping_add(8 * at)).ok());
    let facts = runtime.facts().and_then(|facts| facts.version.as_ref());
    let minor = facts.and_then(|version| version.minor).unwrap_or(u32::MAX);
    let own = COLLECTOR_BYTES
        .iter()
        .find(|(minors, _)| minors.contains(&minor));
    let before = own.map_or(0, |(_, bytes)| *bytes).min(buffer);
    ps.map(|p| {
        let start = p.wrapping_add(buffer);
        start - before.min(start)..start.saturating_add(WRITE_BARRIER_BYTES)
    })
    .collect()
}
