//! What can wake parked goroutines: the mark over one look's memory, and what it is made of. Where
//! the mark can't be complete, it is said why, and nothing is called unreachable.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use seam_capture::ImageRuntime;
use seam_dump::{Goroutine, Kind, Trust};
use seam_go::Field;
use seam_leaks::{Context, Reach};
use seam_memory::{Memory, Piece, Source, Window, swapped_out_kib};
use seam_runtime::{
    Budget, Candidate, Frames, From, Heap, HeapLayout, Hidden, Kept, Layout, Marked, Status, Timer,
    WaitKind, WaitsOn, chain, contexts, coro, interfaces, mark, specials, timers,
};

use super::barriers::write_barriers;
use super::c_memory;
use super::holds::holds;
use crate::dump::code::{Code, with_code};
use crate::dump::goroutines::Raw;
use crate::dump::look::Full;

/// Bytes of the target that are read at most for one mark.
const BUDGET: Budget = Budget { bytes: 8 << 30 };
/// Goroutines with the same stack of which the contexts are looked up.
const SAMPLES: u32 = 4;
/// Bytes of a stack in which contexts and locks are looked for.
const STACK_BYTES: u64 = 16 << 10;

/// What is told of a context that is garbage.
const GONE: &str = "gone: only its channel is left";

/// Bytes of each stack in which the frames of the runtime are looked for; beyond them it is asked
/// word by word.
const TOP_BYTES: usize = 512;
/// Stacks that are read at once.
const AT_ONCE: usize = 1024;

/// Marks.
pub(super) fn reach(full: &Full) -> Reach {
    match World::read(full, &full.memory) {
        Ok(world) => with_code(world.runtime, |code| world.reach(code)),
        Err(why) => Reach {
            incomplete: Some(why),
            ..Reach::default()
        },
    }
}

/// What a mark goes over.
struct World<'a> {
    full: &'a Full,
    memory: &'a Source,
    runtime: &'a ImageRuntime,
    heap: Heap,
    heap_layout: HeapLayout,
    mheap: u64,
    candidates: Candidates,
    hidden: Hidden,
    /// What finalizers and cleanups keep.
    kept: Kept,
    layout: Layout,
}

impl<'a> World<'a> {
    fn read(full: &'a Full, memory: &'a Source) -> Result<Self, String> {
        let own: Vec<&ImageRuntime> = full.image.own_runtimes().map(|(_, own)| own).collect();
        let [runtime] = own[..] else {
            return Err(match own.len() {
                0 => "the process has no Go".to_owned(),
                _ => "several Go runtimes share the process".to_owned(),
            });
        };
        if matches!(memory, Source::Live(_)) {
            swapped(full.dump.pid)?;
        }
        running(full)?;
        let facts = runtime.facts().ok_or("the build is not known")?;
        let mheap = runtime.globals.as_ref().and_then(|globals| globals.mheap);
        let mheap = mheap.ok_or("the code does not show where the heap is")?;
        if runtime.data.variables.is_empty() {
            return Err("where the program's variables lie is not known".to_owned());
        }
        let heap_layout = HeapLayout::new(&facts.offsets.offsets).map_err(|e| e.to_string())?;
        let heap = Heap::read(memory, &heap_layout, mheap).map_err(|e| e.to_string())?;
        check(&heap, &full.gs)?;
        if full.raw.len() != full.dump.goroutines.len() {
            return Err("goroutines were not read whole".to_owned());
        }
        let candidates = candidates(full, memory, &heap);
        let minor = facts.version.as_ref().and_then(|version| version.minor);
        let kept = specials(memory, &heap, minor);
        if kept.cut {
            return Err("what finalizers keep could not be read".to_owned());
        }
        let mut hidden = Hidden {
            weak: kept.weak.clone(),
            ..Hidden::default()
        };
        hidden.objects = [&*full.gs, &full.sudogs].concat();
        hidden.g_self = facts.offsets.offsets.get(Field::GSchedG).map(u64::from);
        let buffer = facts.offsets.offsets.get(Field::PWbBuf);
        hidden.ranges = write_barriers(memory, runtime, buffer.map(u64::from));
        Ok(Self {
            full,
            memory,
            runtime,
            heap,
            heap_layout,
            mheap,
            candidates,
            hidden,
            kept,
            layout: Layout::new(&facts.offsets.offsets).map_err(|e| e.to_string())?,
        })
    }

    fn reach(&self, code: &dyn Code) -> Reach {
        let mut roots = self.variables();
        let frames = |pc: u64| code.frame(pc);
        let first = self.mark(&roots, &frames);
        let mut unreachable: Vec<bool> = first.live.iter().map(|live| !live).collect();
        self.spare_those_like(&first.moving, &mut unreachable);
        let mut reach = Reach {
            unreachable,
            incomplete: first.incomplete,
            bytes: first.bytes,
            ..Reach::default()
        };
        let c = c_memory::ranges(self.full, &self.runtime.data, &self.heap);
        if reach.unreachable.contains(&true) && !c.is_empty() {
            roots.extend(c);
            let second = self.mark(&roots, &frames);
            reach.bytes += second.bytes;
            reach.incomplete = reach.incomplete.or(second.incomplete);
            let both = reach.unreachable.iter().zip(&second.live);
            reach.only_through_c = both.map(|(dead, live)| *dead && *live).collect();
        }
        if reach.incomplete.is_some() {
            reach.unreachable.clear();
            reach.only_through_c.clear();
        }
        reach.contexts = self.contexts(code);
        let stack = |at| self.stack(at);
        reach.holds = holds(&self.full.dump, &self.heap, stack, |wanted| {
            self.timers(wanted)
        });
        reach
    }

    /// Where what leads to some goroutines moves, it may have been missed for others that wait at
    /// the same place: of these nothing is certain.
    fn spare_those_like(&self, moving: &[usize], unreachable: &mut [bool]) {
        /// A single one may have been found by an old word on a stack that runs.
        const SEVERAL: u32 = 2;
        let goroutines = &self.full.dump.goroutines;
        let mut places: HashMap<Option<u32>, u32> = HashMap::new();
        for at in moving {
            *places.entry(goroutines[*at].stack).or_default() += 1;
        }
        for (unreachable, goroutine) in unreachable.iter_mut().zip(goroutines) {
            let moves = places.get(&goroutine.stack);
            *unreachable &= moves.is_none_or(|count| *count < SEVERAL);
        }
    }

    /// Those of plugins too.
    fn variables(&self) -> Vec<Range<u64>> {
        let all = self.full.image.runtimes.iter();
        let all = all.flat_map(|runtime| runtime.data.variables.iter().cloned());
        all.chain(self.kept.objects.iter().cloned()).collect()
    }

    fn mark(&self, roots: &[Range<u64>], frames: &Frames<'_>) -> Marked {
        let mut words = self.full.registers.clone().unwrap_or_default();
        words.extend(&self.kept.words);
        let from = From {
            roots,
            words: &words,
            candidates: &self.candidates.all,
            objects: &self.candidates.objects,
            hidden: &self.hidden,
            frames,
            layout: &self.layout,
            grown: &|heap: &Heap| {
                let moves = matches!(self.memory, Source::Live(_));
                let grown = heap.grown(self.memory, &self.heap_layout, self.mheap);
                grown.ok().filter(|_| moves)
            },
        };
        mark(self.memory, &self.heap, &from, BUDGET)
    }

    /// The contexts whose end goroutines wait for: of a few for each stack.
    fn contexts(&self, code: &dyn Code) -> BTreeMap<u32, Context> {
        let dump = &self.full.dump;
        let types = &self.runtime.data.types;
        let mut asked: HashMap<Option<u32>, u32> = HashMap::new();
        let mut waiting: Vec<(u32, u64)> = Vec::new();
        for (at, goroutine) in dump.goroutines.iter().enumerate() {
            let ends = dump.waits_on(goroutine).iter().filter_map(|on| match on {
                WaitsOn::Channel { address, .. } => Some(*address),
                _ => None,
            });
            // The channel of a context carries nothing.
            let empty = |a: &u64| dump.channels.get(a).is_some_and(|c| c.element == 0);
            let ends: Vec<u64> = ends.filter(empty).collect();
            let count = asked.entry(goroutine.stack).or_default();
            if !ends.is_empty() && *count < SAMPLES {
                *count += 1;
                waiting.extend(ends.into_iter().map(|end| (at as u32, end)));
            }
        }
        if waiting.is_empty() {
            return BTreeMap::new();
        }
        let channels: HashSet<u64> = waiting.iter().map(|(_, channel)| *channel).collect();
        let found = contexts(self.memory, &self.heap, types, &channels);
        let mut all: BTreeMap<u32, Context> = BTreeMap::new();
        let mut by_code: HashMap<u64, bool> = HashMap::new();
        for (at, channel) in waiting {
            if let Some(context) = found.get(&channel) {
                let chain = chain(self.memory, types, *context);
                all.entry(at).or_insert(Context { chain });
                continue;
            }
            // Once it is collected, only the code still tells of a context.
            let goroutine = &dump.goroutines[at as usize];
            let Some((_, pc)) = own_frame(self.full, goroutine) else {
                continue;
            };
            let select = goroutine.kind == WaitKind::Select;
            if *by_code
                .entry(pc)
                .or_insert_with(|| code.waits_for_done(pc, select))
            {
                let chain = vec![GONE.to_owned()];
                all.entry(at).or_insert(Context { chain });
            }
        }
        self.foreign(&mut all);
        all
    }

    /// Package context's own goroutines wait for contexts of other types: these are named.
    fn foreign(&self, all: &mut BTreeMap<u32, Context>) {
        let dump = &self.full.dump;
        let mut left = SAMPLES;
        for (at, goroutine) in dump.goroutines.iter().enumerate() {
            let start = goroutine.common.start.as_deref().unwrap_or_default();
            if !(start.starts_with("context.") && start.contains("propagateCancel")) || left == 0 {
                continue;
            }
            left -= 1;
            let names = interfaces(self.memory, &self.runtime.data.types, &self.stack(at));
            let names: Vec<String> = names
                .into_iter()
                .filter(|name| name.contains('.') && !name.starts_with("context."))
                .collect();
            if let Some(name) = names.first() {
                let chain = vec![name.clone()];
                all.insert(at as u32, Context { chain });
            }
        }
    }

    /// The timers that run and lie where it is asked for; none where they are not known.
    fn timers(&self, wanted: &dyn Fn(u64) -> bool) -> Vec<Timer> {
        let allp = self
            .runtime
            .globals
            .as_ref()
            .and_then(|globals| globals.allp);
        let Some((facts, allp)) = self.runtime.facts().zip(allp) else {
            return Vec::new();
        };
        timers(self.memory, &facts.offsets.offsets, allp, wanted).unwrap_or_default()
    }

    fn stack(&self, at: usize) -> Vec<u64> {
        let stack = self.full.raw.get(at).map_or(0..0, |raw| raw.stack.clone());
        words(self.memory, stack.start, stack.end)
    }
}

/// What a goroutine that runs knows may be in registers only. Where these can't be had, nothing is
/// certain while one runs. Of what has ended, the one that ended it did nothing else.
fn running(full: &Full) -> Result<(), String> {
    let runs = |g: &&Goroutine| g.common.status == Status::Running && !g.is_the_runtimes();
    let count = full.dump.goroutines.iter().filter(runs).count();
    match (&full.memory, &full.registers) {
        (_, Some(_)) | (Source::Core(_), _) => Ok(()),
        (Source::Opened(_), None) if count > 1 => Err(format!(
            "{count} goroutines were running when it ended: what only their registers knew is gone"
        )),
        (Source::Live(_), None) if count > 0 => Err(format!(
            "{} running, whose registers can't be read without BPF",
            seam_dump::count(count as u64, "goroutine")
        )),
        _ => Ok(()),
    }
}

/// Every g is an object of the heap (`malg`, runtime/proc.go, Go 1.19 to 1.27). Where they are not,
/// the heap is not what it was taken for: a build whose structures are not those of its release
/// (GOEXPERIMENT=staticlockranking, say), without debug information that tells.
fn check(heap: &Heap, gs: &[u64]) -> Result<(), String> {
    let is_object = |g: &&u64| {
        heap.object(**g)
            .is_some_and(|o| o.start == **g && !o.noscan)
    };
    let known = gs.iter().filter(is_object).count();
    // A span may have been changed while it was read.
    if 100 * known >= 99 * gs.len() {
        return Ok(());
    }
    Err(format!(
        "{} of {} of its goroutines are not where this Go release has its heap",
        gs.len() - known,
        gs.len()
    ))
}

/// Reading memory that is swapped out would bring it back.
fn swapped(pid: i32) -> Result<(), String> {
    match swapped_out_kib(pid) {
        0 => Ok(()),
        kib => Err(format!(
            "{} MiB of the process are swapped out, and reading would bring them back",
            kib.div_ceil(1024)
        )),
    }
}

/// All goroutines, and what they wait on.
struct Candidates {
    all: Vec<Candidate>,
    objects: Vec<u64>,
}

fn candidates(full: &Full, memory: &Source, heap: &Heap) -> Candidates {
    let mut all = Vec::with_capacity(full.raw.len());
    let mut objects = Vec::with_capacity(full.raw.len());
    let mut buffer = vec![0; TOP_BYTES * AT_ONCE];
    let goroutines = full.dump.goroutines.chunks(AT_ONCE);
    for (goroutines, raws) in goroutines.zip(full.raw.chunks(AT_ONCE)) {
        // The frames of the runtime lie in the innermost part of each stack.
        let piece = |raw: &Raw| Piece {
            address: raw.stack.start,
            len: TOP_BYTES.min(raw.stack.end.saturating_sub(raw.stack.start) as usize),
        };
        let pieces: Vec<Piece> = raws.iter().map(piece).collect();
        let read = memory.gather(&pieces, &mut buffer);
        let mut at = 0;
        for (((goroutine, raw), piece), read) in goroutines.iter().zip(raws).zip(&pieces).zip(read)
        {
            let bytes = &buffer[at..at + piece.len];
            at += piece.len;
            let window = Window {
                start: piece.address,
                bytes: if read { bytes } else { &[] },
                also: (0, &[]),
                below: memory,
                end: raw.stack.end,
            };
            let waits_on = waits_on(full, goroutine, &mut objects);
            let waits_on = waits_on.or_else(|| {
                let coro = on_coro(&window, heap, goroutine, raw)?;
                objects.push(coro);
                Some(objects.len() as u32 - 1..objects.len() as u32)
            });
            all.push(candidate(full, &window, goroutine, raw, waits_on));
        }
    }
    Candidates { all, objects }
}

fn candidate(
    full: &Full,
    memory: &Window<'_, Source>,
    goroutine: &Goroutine,
    raw: &Raw,
    waits_on: Option<Range<u32>>,
) -> Candidate {
    let asleep = matches!(goroutine.kind, WaitKind::Sleep | WaitKind::Io);
    let known = (waits_on.is_some() || asleep) && goroutine.trust == Trust::Certain;
    let own = known
        .then(|| own_frames(full, memory, goroutine, raw))
        .flatten()
        .or_else(|| idle_worker(full, goroutine).then_some(raw.stack.end));
    // In a call until it goes on: there the stack maps say what is alive.
    let calls = matches!(
        goroutine.common.status,
        Status::Waiting | Status::Leaked | Status::Syscall
    );
    let still = calls && goroutine.trust == Trust::Certain && own != Some(raw.stack.end);
    Candidate {
        g: raw.g,
        stack: own.unwrap_or(raw.stack.start)..raw.stack.end,
        waits_on,
        parked: raw.place.filter(|_| still),
    }
}

/// Whether it is a worker of the runtime that rests: it knows nothing of the program's objects, and
/// its stack may have been another goroutine's, whose words are still there.
fn idle_worker(full: &Full, goroutine: &Goroutine) -> bool {
    let stack = goroutine
        .stack
        .and_then(|id| full.dump.stacks.get(id as usize));
    let own = stack.is_some_and(|s| s.whole && s.frames.iter().all(|f| f.kind == Kind::Runtime));
    let rests = goroutine.common.status == Status::Waiting && goroutine.trust == Trust::Certain;
    own && rests && goroutine.is_the_runtimes()
}

/// Where the frames begin that are not the runtime's. Those by which a goroutine waits hold what it
/// waits on, which is known, and old words that calls before have left.
fn own_frames(full: &Full, memory: &impl Memory, goroutine: &Goroutine, raw: &Raw) -> Option<u64> {
    let (count, _) = own_frame(full, goroutine)?;
    let addresses = full.frames.get(goroutine.stack? as usize)?;
    let mut bp = raw.place?.bp;
    let mut start = None;
    for next in addresses.get(1..=count)? {
        if !raw.stack.contains(&bp) || memory.word(bp.wrapping_add(8)) != Ok(*next) {
            return None;
        }
        start = Some(bp + 16);
        let outer = memory.word(bp).ok().filter(|outer| *outer > bp);
        bp = outer.unwrap_or(0);
    }
    start
}

/// How many frames of the runtime's a goroutine waits in, and the address in the next one.
fn own_frame(full: &Full, goroutine: &Goroutine) -> Option<(usize, u64)> {
    let id = goroutine.stack? as usize;
    let (stack, addresses) = (full.dump.stacks.get(id)?, full.frames.get(id)?);
    let runtimes = stack.frames.iter().take_while(|f| f.of_the_runtime());
    let count = runtimes.filter(|frame| !frame.inlined).count();
    Some((count, *addresses.get(count)?))
}

/// What could wake a goroutine, which goes to `objects`; `None` where it can run or that is not
/// known.
fn waits_on(full: &Full, goroutine: &Goroutine, objects: &mut Vec<u64>) -> Option<Range<u32>> {
    let kind = goroutine.kind;
    let parked = matches!(goroutine.common.status, Status::Waiting | Status::Leaked);
    let known = kind.on_channels() || kind.on_semaphore() || kind.for_ever();
    let certain = goroutine.trust == Trust::Certain && !goroutine.waits.cut;
    if !parked || !known || !certain || goroutine.is_the_runtimes() {
        return None;
    }
    let first = objects.len();
    for on in full.dump.waits_on(goroutine) {
        match on {
            WaitsOn::Channel { address, .. } | WaitsOn::Semaphore { address } => {
                objects.push(*address);
            }
            WaitsOn::Descriptor { .. } | WaitsOn::Timer { .. } => {
                objects.truncate(first);
                return None;
            }
        }
    }
    let found = first as u32..objects.len() as u32;
    (kind.for_ever() || !found.is_empty()).then_some(found)
}

/// The coroutine that a goroutine waits on; `None` where it waits for anything else, or where that
/// is not known.
fn on_coro(memory: &impl Memory, heap: &Heap, goroutine: &Goroutine, raw: &Raw) -> Option<u64> {
    let parked = goroutine.common.status == Status::Waiting && goroutine.trust == Trust::Certain;
    if goroutine.kind != WaitKind::Coroutine || !parked {
        return None;
    }
    let stack = words(memory, raw.stack.start, raw.stack.end);
    let g = heap
        .object(raw.g)
        .map_or(0..0, |g| g.start..g.start + g.bytes);
    let of_g = || words(memory, g.start, g.end);
    let known = coro(memory, heap, raw.g, stack.into_iter());
    known.or_else(|| coro(memory, heap, raw.g, of_g().into_iter()))
}

/// The words of a stack or of an object, as many as are looked at.
fn words(memory: &impl Memory, start: u64, end: u64) -> Vec<u64> {
    let len = end.saturating_sub(start).min(STACK_BYTES) as usize;
    let mut bytes = vec![0; len];
    if memory.read(start, &mut bytes).is_err() {
        return Vec::new();
    }
    let words = bytes.as_chunks::<8>().0.iter();
    words.map(|word| u64::from_le_bytes(*word)).collect()
}
