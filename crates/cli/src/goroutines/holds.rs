//! What goroutines hold: the locks and channels that others wait for, and the timers that run, to
//! which their stacks point. Nothing in Go's memory names a lock's owner, nor who is to send on a
//! channel or to stop a timer: it is inferred.

use std::collections::{BTreeMap, HashMap, HashSet};

use seam_dump::{Dump, Goroutine, StackId, age, describe, object};
use seam_runtime::{Direction, Heap, Timer, WaitsOn};

/// Goroutines with the same stack that are asked.
const SAMPLES: u32 = 4;

/// Somebody who waits, and for what.
type Waiting<'d> = (&'d Goroutine, &'d WaitsOn);

/// By the goroutine's place in the dump. `stack` gives the words of one's stack, `timers` those
/// that run and lie where it is asked for.
pub(super) fn holds(
    dump: &Dump,
    heap: &Heap,
    stack: impl Fn(usize) -> Vec<u64>,
    timers: impl FnOnce(&dyn Fn(u64) -> bool) -> Vec<Timer>,
) -> BTreeMap<u32, Vec<String>> {
    let start = |address: u64| of_object(heap, address);
    let mut asked: HashMap<Option<StackId>, u32> = HashMap::new();
    let mut objects: BTreeMap<u32, HashSet<u64>> = BTreeMap::new();
    for (at, goroutine) in dump.goroutines.iter().enumerate() {
        let count = asked.entry(goroutine.stack).or_default();
        if *count < SAMPLES && !goroutine.is_the_runtimes() {
            *count += 1;
            let words = stack(at).into_iter();
            objects.insert(at as u32, words.filter_map(start).collect());
        }
    }
    let pointed: HashSet<u64> = objects.values().flatten().copied().collect();
    let waited_for = waited_for(dump, start, &pointed);
    let running = timers(&|address| start(address).is_some_and(|start| pointed.contains(&start)));
    let running = running.into_iter();
    let running: HashMap<u64, Timer> = running
        .filter_map(|timer| Some((start(timer.address)?, timer)))
        .collect();
    let mut found = BTreeMap::new();
    for (at, objects) in objects {
        let goroutine = &dump.goroutines[at as usize];
        let own = dump.waits_on(goroutine).iter();
        let own: Vec<u64> = own.filter_map(|on| object(goroutine.kind, on)).collect();
        let held = objects.iter().filter_map(|start| waited_for.get(start));
        let others = held.filter(|(of, on)| {
            let address = object(of.kind, on);
            address.is_some_and(|address| !own.contains(&address))
        });
        let timers = objects.iter().filter_map(|start| running.get(start));
        // Its sleep is what it waits on.
        let timers = timers.filter(|timer| !own.contains(&timer.address));
        let mut held: Vec<String> = others.map(|(of, on)| words_of(dump, of, on)).collect();
        held.extend(timers.map(|timer| words_of_timer(dump, timer)));
        held.sort();
        if !held.is_empty() {
            found.insert(at, held);
        }
    }
    found
}

/// What a word points to: where the object of the heap begins that it points into.
fn of_object(heap: &Heap, address: u64) -> Option<u64> {
    /// The runtime puts several small values without pointers into one object, side by side
    /// (`maxTinySize`, runtime/malloc.go, Go 1.19 to 1.27). A lock has 8 bytes.
    const TINY: u64 = 16;
    const LOCK: u64 = 8;
    let object = heap.object(address)?;
    let shared = object.noscan && object.bytes == TINY;
    Some(if shared {
        address - address % LOCK
    } else {
        object.start
    })
}

/// One who waits for each of these objects of the heap, if it is a lock or a channel.
fn waited_for<'d>(
    dump: &'d Dump,
    start: impl Fn(u64) -> Option<u64>,
    pointed: &HashSet<u64>,
) -> HashMap<u64, Waiting<'d>> {
    let mut all = HashMap::new();
    for goroutine in &dump.goroutines {
        for on in dump.waits_on(goroutine) {
            // A timer sends by itself.
            let by_timer = |a: &u64| dump.channels.get(a).is_some_and(|c| c.timer == Some(true));
            let held = match on {
                WaitsOn::Semaphore { .. } => true,
                WaitsOn::Channel { address, .. } => *address != 0 && !by_timer(address),
                WaitsOn::Descriptor { .. } | WaitsOn::Timer { .. } => false,
            };
            let address = object(goroutine.kind, on).filter(|_| held);
            if let Some(of) = address.and_then(&start).filter(|of| pointed.contains(of)) {
                all.entry(of).or_insert((goroutine, on));
            }
        }
    }
    all
}

fn words_of(dump: &Dump, of: &Goroutine, on: &WaitsOn) -> String {
    match on {
        WaitsOn::Channel { address, direction } => {
            let waits = match direction {
                Direction::Send => "to which others want to send",
                Direction::Receive => "from which others want to receive",
                Direction::Unknown => "on which others wait",
            };
            format!("chan {address:#x}, {waits}")
        }
        _ => describe(dump, of.kind, on),
    }
}

fn words_of_timer(dump: &Dump, timer: &Timer) -> String {
    let Timer { address, when, .. } = timer;
    if timer.period > 0 {
        return format!("ticker {address:#x}, every {}", age(timer.period));
    }
    match when.checked_sub(dump.now_ns) {
        Some(left) if dump.now_ns > 0 => format!("timer {address:#x}, {} left", age(left)),
        _ => format!("timer {address:#x}"),
    }
}
