//! The goroutines of one Go runtime of a process: read in pieces, parked ones walked, the rest
//! joined with their threads.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::rc::Rc;
use std::sync::mpsc::{SyncSender, sync_channel};

use seam_capture::{Image, ImageRuntime};
use seam_dump::{Counts, Trust};
use seam_memory::{Memory, Source, Window};
use seam_runtime::{
    Buffers, Channel, Error, Goroutine, GoroutineList, Labels, Layout, Look, Machine, Parked,
    Place, Seen, Status, TOP_WORDS, WaitKind, WaitLayout, WaitReasons, Waits, WaitsOn, labels,
    look, machines, select_tables,
};
use seam_unwind::{ParkedGoroutine, walk_parked};

use super::blocks::Blocks;
use super::code::{Code, with_code};
use super::stacks::{RawStack, RawStacks};

/// Goroutines that are read at once: their g's and stacks take some 6 MiB at most.
const AT_ONCE: u64 = 2048;
/// Chunks that may have been read and not yet taken in.
const CHUNKS_AHEAD: usize = 2;
/// What is kept of a goroutine.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) goid: u64,
    /// The place of its kind in [`Goroutines::kinds`].
    pub(super) of: u32,
    pub(super) wait_since: u64,
    pub(super) stack: Option<u32>,
    pub(super) status: Status,
    pub(super) moving: bool,
    pub(super) locked: bool,
    pub(super) kind: WaitKind,
    pub(super) parent: u64,
    pub(super) m: u64,
    /// What it waits on: where in [`Goroutines::waits`] that begins, and how much it is.
    pub(super) waits: (u32, u32),
    /// That may not be all.
    pub(super) waits_cut: bool,
}

/// What goroutines of one kind have in common, unnamed.
#[derive(Debug)]
pub(super) struct Alike {
    pub(super) status: Status,
    pub(super) state: Rc<str>,
    pub(super) gopc: u64,
    pub(super) startpc: u64,
    pub(super) labels: Rc<[(String, String)]>,
}

/// What makes up a kind: status, wait reason, gopc, startpc, where its labels lie.
type Key = (Status, u8, u64, u64, u64);

/// What only the mark needs to know of a goroutine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Raw {
    pub(crate) g: u64,
    /// From the stack pointer on; all of it where that is not known.
    pub(crate) stack: Range<u64>,
    /// Where it has stopped.
    pub(crate) place: Option<Place>,
}

/// All goroutines of a runtime.
pub(super) struct Goroutines {
    pub(super) all: Blocks<Walked>,
    pub(super) kinds: Vec<Alike>,
    pub(super) waits: Vec<WaitsOn>,
    pub(super) channels: HashMap<u64, Channel>,
    /// In the order of `all`; empty unless asked for.
    pub(super) raw: Vec<Raw>,
    /// Every g, those without a goroutine too; empty unless asked for.
    pub(super) gs: Vec<u64>,
    /// The records of all that wait; empty unless asked for.
    pub(super) sudogs: Vec<u64>,
    pub(super) machines: HashMap<u64, Machine>,
    pub(super) counts: Counts,
    pub(super) has_parents: bool,
    /// What could not be read.
    pub(super) notes: Vec<String>,
}

/// Reads the runtime with this place in the image.
pub(super) fn read(
    memory: &Source,
    image: &Image,
    number: usize,
    stacks: &mut RawStacks,
    keep_raw: bool,
) -> Result<Goroutines, String> {
    let runtime = &image.runtimes[number];
    let facts = runtime.facts().ok_or("its build is not known")?;
    let globals = runtime.globals.as_ref();
    let globals = globals.ok_or("its code does not show where the list of goroutines is")?;
    if !facts.offsets.verified {
        return Err("where it keeps things could not be checked against its code".to_owned());
    }
    let error = |e: Error| e.to_string();
    let layout = Layout::new(&facts.offsets.offsets).map_err(error)?;
    let list = GoroutineList::read(memory, globals.allglen, globals.allgptr).map_err(error)?;
    let minor = facts.version.as_ref().and_then(|version| version.minor);
    let reasons = WaitReasons::read(memory, &globals.wait_reasons);
    let mut reader = Reader {
        waits: Waits::new(WaitLayout::new(&facts.offsets.offsets, minor)),
        kinds: [None; 256],
        has_waiting: layout.has_waiting(),
        keep_raw,
        memory,
        runtime,
        reasons: reasons.as_ref(),
        numbers: foldhash::HashMap::default(),
        label_sets: foldhash::HashMap::default(),
        none: Rc::from([]),
        labels_cut: 0,
    };
    let mut found = Goroutines {
        all: Blocks::default(),
        kinds: Vec::new(),
        waits: Vec::new(),
        channels: HashMap::new(),
        raw: Vec::new(),
        gs: Vec::new(),
        sudogs: Vec::new(),
        machines: HashMap::new(),
        counts: Counts::default(),
        has_parents: layout.has_parent(),
        notes: Vec::new(),
    };
    if reader.reasons.is_none() {
        let note = "the runtime's words for what goroutines wait for were not found";
        found.notes.push(note.to_owned());
    }
    let walker = Walker {
        memory,
        image,
        number,
        layout,
        reasons: reasons.as_ref(),
    };
    let mut known = Vec::new();
    let mut failed = None;
    // One thread reads and walks, this one finds what they wait on.
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(CHUNKS_AHEAD);
        scope.spawn(move || with_code(runtime, |code| walker.all(&list, &sender, code)));
        for chunk in receiver {
            match chunk {
                Ok(chunk) => reader.chunk(chunk, &mut known, stacks, &mut found),
                Err(error) => failed = Some(error),
            }
        }
    });
    if let Some(failed) = failed {
        return Err(error(failed));
    }
    if reader.labels_cut > 0 {
        found.notes.push(format!(
            "{} sets of labels are cut: too many, too long, or not to be read",
            reader.labels_cut
        ));
    }
    let nonsense = reader.waits.nonsense.iter();
    let nonsense = nonsense.map(|(what, count)| format!("{count} of {what} made no sense"));
    found.notes.extend(nonsense);
    found.channels = reader.waits.channels;
    // A list of which nothing makes sense is none.
    if found.all.is_empty() && found.counts.unreadable > 0 {
        return Err(format!(
            "none of the {} entries of what should be its list of goroutines makes sense",
            list.len()
        ));
    }
    let ms: BTreeSet<u64> = found.all.iter().map(|g| g.m).collect();
    found.machines = machines(memory, &layout, ms);
    Ok(found)
}

/// Some goroutines with their stacks.
struct Chunk {
    addresses: Vec<u64>,
    look: Look<(u32, Vec<u64>)>,
    /// Stacks that were not there before; their numbers go on from those that were.
    new_stacks: Vec<RawStack>,
}

/// Reads and walks.
struct Walker<'a> {
    memory: &'a Source,
    image: &'a Image,
    number: usize,
    layout: Layout,
    reasons: Option<&'a WaitReasons>,
}

impl Walker<'_> {
    /// Sends all goroutines, a chunk at a time.
    fn all(
        &self,
        list: &GoroutineList,
        sender: &SyncSender<Result<Chunk, Error>>,
        code: &dyn Code,
    ) {
        let mut stacks = RawStacks::default();
        let mut buffers = Buffers::default();
        let mut kinds = [None; 256];
        let (mut first, mut sent) = (0, 0);
        while first < list.len() {
            let addresses = match list.addresses(self.memory, first, AT_ONCE) {
                Ok(addresses) => addresses,
                Err(error) => {
                    let _ = sender.send(Err(error));
                    return;
                }
            };
            first += addresses.len() as u64;
            let look = self.some(&addresses, &mut stacks, &mut buffers, &mut kinds, code);
            let new_stacks = stacks.all()[sent..].to_vec();
            sent = stacks.all().len();
            let chunk = Chunk {
                addresses,
                look,
                new_stacks,
            };
            if sender.send(Ok(chunk)).is_err() {
                return;
            }
        }
    }

    fn some(
        &self,
        addresses: &[u64],
        stacks: &mut RawStacks,
        buffers: &mut Buffers,
        kinds: &mut [Option<WaitKind>; 256],
        code: &dyn Code,
    ) -> Look<(u32, Vec<u64>)> {
        let (image, number, memory) = (self.image, self.number, self.memory);
        look(
            memory,
            &self.layout,
            addresses,
            buffers,
            |goroutine, window| {
                let raw = walk_one(image, number, memory, &self.layout, goroutine, window)?;
                let kind = *kinds[usize::from(goroutine.wait_reason)]
                    .get_or_insert_with(|| kind_of(self.reasons, goroutine.wait_reason));
                let waits = goroutine.status == Status::Waiting;
                let top = match goroutine.place() {
                    _ if !waits => Vec::new(),
                    Some(place) if kind == WaitKind::Select => {
                        let frames = |pc| code.frame(pc);
                        select_tables(window, &frames, place, goroutine.stack.end)
                    }
                    _ if kind.needs_stack() && goroutine.waiting == 0 => top(window),
                    _ => Vec::new(),
                };
                Some((stacks.intern(raw), top))
            },
        )
    }
}

struct Reader<'a> {
    memory: &'a Source,
    runtime: &'a ImageRuntime,
    reasons: Option<&'a WaitReasons>,
    /// The places of kinds in [`Goroutines::kinds`].
    numbers: foldhash::HashMap<Key, u32>,
    label_sets: foldhash::HashMap<u64, Rc<[(String, String)]>>,
    none: Rc<[(String, String)]>,
    /// Sets of labels that are not all, or not whole.
    labels_cut: u64,
    waits: Waits,
    /// The kinds of waits by wait reason.
    kinds: [Option<WaitKind>; 256],
    /// This build says where `g.waiting` is.
    has_waiting: bool,
    keep_raw: bool,
}

impl Reader<'_> {
    /// Takes in a chunk. `known` has the numbers of the walker's stacks among all.
    fn chunk(
        &mut self,
        chunk: Chunk,
        known: &mut Vec<u32>,
        stacks: &mut RawStacks,
        found: &mut Goroutines,
    ) {
        let memory = self.memory;
        known.extend(chunk.new_stacks.into_iter().map(|new| stacks.intern(new)));
        if self.keep_raw {
            found.gs.extend(&chunk.addresses);
        }
        let seen = chunk.look;
        found.counts.dead += seen.dead;
        found.counts.unreadable += seen.unreadable;
        let parked: Vec<Parked> = seen.seen.iter().map(|one| self.parked(one)).collect();
        let waits = self.waits.read(memory, &parked);
        for ((one, parked), waits) in seen.seen.into_iter().zip(parked).zip(waits) {
            let first = found.waits.len() as u32;
            let count = waits.on.len() as u32;
            found.waits.extend_from_slice(&waits.on);
            if self.keep_raw {
                found.raw.push(raw(&one.goroutine));
                found.sudogs.extend(&waits.sudogs);
            }
            let walked = Walked {
                kind: parked.kind,
                waits: (first, count),
                waits_cut: waits.cut,
                ..self.keep(one, known, &mut found.kinds)
            };
            found.all.push(walked);
        }
    }

    fn parked(&self, seen: &Seen<(u32, Vec<u64>)>) -> Parked {
        let g = &seen.goroutine;
        let waits = matches!(g.status, Status::Waiting | Status::Leaked) && !seen.moving;
        let kind = self.kinds[usize::from(g.wait_reason)];
        let kind = kind.unwrap_or_else(|| kind_of(self.reasons, g.wait_reason));
        // A case on a nil channel has no record: of a select without records all are.
        let nothing = kind == WaitKind::Select && self.has_waiting && g.waiting == 0;
        let kind = if nothing { WaitKind::NoCases } else { kind };
        Parked {
            g: g.address,
            kind: if waits { kind } else { WaitKind::Other },
            waiting: g.waiting,
            timer: g.timer,
            pc: g.sched_pc,
            top: seen
                .stack
                .as_ref()
                .map_or_else(Vec::new, |(_, top)| top.clone()),
        }
    }

    fn keep(
        &mut self,
        seen: Seen<(u32, Vec<u64>)>,
        known: &[u32],
        kinds: &mut Vec<Alike>,
    ) -> Walked {
        let g = seen.goroutine;
        Walked {
            goid: g.goid,
            of: self.number(&g, kinds),
            wait_since: g.wait_since,
            stack: seen
                .stack
                .and_then(|(at, _)| known.get(at as usize).copied()),
            status: g.status,
            moving: seen.moving,
            locked: g.locked_m != 0,
            kind: WaitKind::Other,
            parent: g.parent,
            m: if g.m != 0 { g.m } else { g.locked_m },
            waits: (0, 0),
            waits_cut: false,
        }
    }

    /// The number of a goroutine's kind.
    fn number(&mut self, g: &Goroutine, kinds: &mut Vec<Alike>) -> u32 {
        let key = (g.status, g.wait_reason, g.gopc, g.startpc, g.labels);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = kinds.len() as u32;
        kinds.push(Alike {
            status: g.status,
            state: self.state(g.status, g.wait_reason),
            gopc: g.gopc,
            startpc: g.startpc,
            labels: self.labels(g.labels),
        });
        self.numbers.insert(key, number);
        number
    }

    /// What the runtime would say (`goroutineheader`).
    fn state(&self, status: Status, reason: u8) -> Rc<str> {
        let waits = matches!(status, Status::Waiting | Status::Leaked);
        let words = self.reasons.filter(|_| waits);
        Rc::from(words.and_then(|w| w.get(reason)).unwrap_or(status.word()))
    }

    fn labels(&mut self, address: u64) -> Rc<[(String, String)]> {
        if address == 0 {
            return Rc::clone(&self.none);
        }
        let minor = self.runtime.facts().and_then(|f| f.version.as_ref()?.minor);
        let slice = minor.is_none_or(|minor| minor >= 24);
        let (memory, labels_cut) = (self.memory, &mut self.labels_cut);
        let known = self.label_sets.entry(address).or_insert_with(|| {
            let Labels { pairs, cut } = labels(memory, address, slice);
            *labels_cut += u64::from(cut);
            pairs.into()
        });
        Rc::clone(known)
    }
}

/// What a wait reason's words say.
fn kind_of(reasons: Option<&WaitReasons>, reason: u8) -> WaitKind {
    let words = reasons.and_then(|reasons| reasons.get(reason));
    words.map_or(WaitKind::Other, WaitKind::of)
}

/// The innermost words of a stack.
fn top(window: &Window<'_, Source>) -> Vec<u64> {
    let words = window.bytes.as_chunks::<8>().0.iter().take(TOP_WORDS);
    words.map(|word| u64::from_le_bytes(*word)).collect()
}

fn raw(goroutine: &Goroutine) -> Raw {
    let place = goroutine.place();
    let start = place.map_or(goroutine.stack.start, |place| place.sp);
    Raw {
        g: goroutine.address,
        stack: start..goroutine.stack.end,
        place,
    }
}

/// The Go frames of a goroutine that no thread runs, and the C frames between them.
fn walk_one(
    image: &Image,
    runtime: usize,
    memory: &Source,
    layout: &Layout,
    goroutine: &Goroutine,
    window: &Window<'_, Source>,
) -> Option<RawStack> {
    let place = goroutine.place()?;
    // Called back from C it is locked to its thread, whose g0 has the list of callbacks.
    let g0_sp = || {
        let g0 = memory.word(goroutine.locked_m).ok()?;
        memory.word(g0.wrapping_add(layout.sched_sp())).ok()
    };
    let locked = goroutine.locked_m != 0;
    let parked = ParkedGoroutine {
        runtime,
        g: goroutine.address,
        g0_sp: if locked { g0_sp().unwrap_or(0) } else { 0 },
        pc: place.pc,
        sp: place.sp,
        bp: place.bp,
    };
    let walked = walk_parked(window, &image.tables, &parked);
    // A new goroutine stands at the first byte of its function; any other behind a call.
    Some(RawStack::of(walked, place.pc != goroutine.startpc))
}

impl Walked {
    /// How far its stack can be relied on.
    pub(super) fn trust(&self) -> Trust {
        match self.status {
            _ if self.moving => Trust::Moving,
            Status::Running => Trust::Running,
            _ => Trust::Certain,
        }
    }
}
