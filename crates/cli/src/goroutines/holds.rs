//! What goroutines hold that others wait for: the locks and channels to which their stacks point.
//! Nothing in Go's memory names a lock's owner, nor who is to send on a channel: it is inferred.

use std::collections::{BTreeMap, HashMap, HashSet};

use seam_dump::{Dump, Goroutine, StackId, describe, object};
use seam_runtime::{Direction, Heap, WaitsOn};

/// Goroutines with the same stack that are asked.
const SAMPLES: u32 = 4;

/// Somebody who waits, and for what.
type Waiting<'d> = (&'d Goroutine, &'d WaitsOn);

/// By the goroutine's place in the dump. `stack` gives the words of one's stack.
pub(super) fn holds(
    dump: &Dump,
    heap: &Heap,
    stack: impl Fn(usize) -> Vec<u64>,
) -> BTreeMap<u32, Vec<String>> {
    let waited_for = waited_for(dump, heap);
    let mut found = BTreeMap::new();
    let mut asked: HashMap<Option<StackId>, u32> = HashMap::new();
    for (at, goroutine) in dump.goroutines.iter().enumerate() {
        let count = asked.entry(goroutine.stack).or_default();
        if waited_for.is_empty() || *count >= SAMPLES || goroutine.is_the_runtimes() {
            continue;
        }
        *count += 1;
        let own = dump.waits_on(goroutine).iter();
        let own: Vec<u64> = own.filter_map(|on| object(goroutine.kind, on)).collect();
        let words = stack(at).into_iter();
        let starts: HashSet<u64> = words.filter_map(|w| Some(heap.object(w)?.start)).collect();
        let held = starts.iter().filter_map(|start| waited_for.get(start));
        let others = held.filter(|(of, on)| {
            let address = object(of.kind, on);
            address.is_some_and(|address| !own.contains(&address))
        });
        let mut held: Vec<String> = others.map(|(of, on)| words_of(dump, of, on)).collect();
        held.sort();
        if !held.is_empty() {
            found.insert(at as u32, held);
        }
    }
    found
}

/// One who waits for each lock and channel, by the object of the heap that this lies in.
fn waited_for<'d>(dump: &'d Dump, heap: &Heap) -> HashMap<u64, Waiting<'d>> {
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
            if let Some(of) = address.and_then(|address| heap.object(address)) {
                all.entry(of.start).or_insert((goroutine, on));
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
