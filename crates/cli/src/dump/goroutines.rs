//! The goroutines of one Go runtime of a process: read in pieces, parked ones walked, the rest
//! joined with their threads.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use seam_capture::{Image, ImageRuntime};
use seam_dump::{Counts, Trust};
use seam_memory::{Live, Memory, Window};
use seam_runtime::{
    Error, Goroutine, GoroutineList, Labels, Layout, Machine, Seen, Status, WaitReasons, labels,
    look, machines,
};
use seam_unwind::{ParkedGoroutine, walk_parked};

use super::stacks::{RawStack, RawStacks};

/// Goroutines that are read at once: their g's and stacks take some 6 MiB at most.
const AT_ONCE: u64 = 2048;
/// Words of the wait reasons' table are asked for once each.
type Words = HashMap<(Status, u8), Rc<str>>;

/// What is kept of a goroutine.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) goid: u64,
    pub(super) status: Status,
    pub(super) state: Rc<str>,
    pub(super) wait_since: u64,
    pub(super) stack: Option<u32>,
    pub(super) moving: bool,
    pub(super) gopc: u64,
    pub(super) startpc: u64,
    pub(super) parent: u64,
    pub(super) m: u64,
    pub(super) locked: bool,
    pub(super) labels: Rc<[(String, String)]>,
}

/// All goroutines of a runtime.
pub(super) struct Goroutines {
    pub(super) all: Vec<Walked>,
    pub(super) machines: HashMap<u64, Machine>,
    pub(super) counts: Counts,
    pub(super) has_parents: bool,
    /// What could not be read.
    pub(super) notes: Vec<String>,
}

/// Reads the runtime with this place in the image.
pub(super) fn read(
    memory: &Live,
    image: &Image,
    number: usize,
    stacks: &mut RawStacks,
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
    let mut reader = Reader {
        memory,
        image,
        number,
        runtime,
        reasons: WaitReasons::read(memory, &globals.wait_reasons),
        layout,
        words: HashMap::new(),
        label_sets: HashMap::new(),
        none: Rc::from([]),
        labels_cut: 0,
    };
    let mut found = Goroutines {
        all: Vec::new(),
        machines: HashMap::new(),
        counts: Counts::default(),
        has_parents: layout.has_parent(),
        notes: Vec::new(),
    };
    if reader.reasons.is_none() {
        let note = "the runtime's words for what goroutines wait for were not found";
        found.notes.push(note.to_owned());
    }
    let mut first = 0;
    while first < list.len() {
        let addresses = list.addresses(memory, first, AT_ONCE).map_err(error)?;
        first += addresses.len() as u64;
        reader.chunk(&addresses, stacks, &mut found);
    }
    if reader.labels_cut > 0 {
        found.notes.push(format!(
            "{} sets of labels are cut: too many, too long, or not to be read",
            reader.labels_cut
        ));
    }
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

struct Reader<'a> {
    memory: &'a Live,
    image: &'a Image,
    number: usize,
    runtime: &'a ImageRuntime,
    reasons: Option<WaitReasons>,
    layout: Layout,
    words: Words,
    label_sets: HashMap<u64, Rc<[(String, String)]>>,
    none: Rc<[(String, String)]>,
    /// Sets of labels that are not all, or not whole.
    labels_cut: u64,
}

impl Reader<'_> {
    fn chunk(&mut self, addresses: &[u64], stacks: &mut RawStacks, found: &mut Goroutines) {
        let (image, number) = (self.image, self.number);
        let (memory, layout) = (self.memory, self.layout);
        let seen = look(memory, &layout, addresses, |goroutine, window| {
            let raw = walk_one(image, number, memory, &layout, goroutine, window)?;
            Some(stacks.intern(raw))
        });
        found.counts.dead += seen.dead;
        found.counts.unreadable += seen.unreadable;
        for one in seen.seen {
            let walked = self.keep(one);
            found.all.push(walked);
        }
    }

    fn keep(&mut self, seen: Seen<u32>) -> Walked {
        let g = seen.goroutine;
        Walked {
            goid: g.goid,
            status: g.status,
            state: self.state(g.status, g.wait_reason),
            wait_since: g.wait_since,
            stack: seen.stack,
            moving: seen.moving,
            gopc: g.gopc,
            startpc: g.startpc,
            parent: g.parent,
            m: if g.m != 0 { g.m } else { g.locked_m },
            locked: g.locked_m != 0,
            labels: self.labels(g.labels),
        }
    }

    /// What the runtime would say (`goroutineheader`).
    fn state(&mut self, status: Status, reason: u8) -> Rc<str> {
        let reasons = &self.reasons;
        let words = self.words.entry((status, reason)).or_insert_with(|| {
            let waits = matches!(status, Status::Waiting | Status::Leaked);
            let words = reasons.as_ref().filter(|_| waits);
            Rc::from(words.and_then(|w| w.get(reason)).unwrap_or(status.word()))
        });
        Rc::clone(words)
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

/// The Go frames of a goroutine that no thread runs, and the C frames between them.
fn walk_one(
    image: &Image,
    runtime: usize,
    memory: &Live,
    layout: &Layout,
    goroutine: &Goroutine,
    window: &Window<'_, Live>,
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
    Some(RawStack::of(&walked, place.pc != goroutine.startpc))
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
