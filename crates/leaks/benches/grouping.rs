//! How long it takes to group and judge a million goroutines: `cargo bench -p seam-leaks`. They
//! have a thousand different stacks; three looks, of which the last is grouped and the others are
//! what it is compared with.

use std::num::NonZeroU64;
use std::rc::Rc;
use std::time::Instant;

use seam_dump::{Common, Dump, Frame, Goroutine, Kind, Placed, Stack, Trust, Waits};
use seam_leaks::{Look, facts, judge};
use seam_runtime::{Channel, Direction, Status, WaitKind, WaitsOn};

const GOROUTINES: u64 = 1_000_000;
const STACKS: u64 = 1000;
const DEPTH: u64 = 12;

fn frame(function: &str) -> Rc<Frame> {
    Rc::new(Frame {
        place: Placed {
            function: function.into(),
            file: "/x/main.go".into(),
            line: 7,
        },
        kind: Kind::Go,
        inlined: false,
        wrapper: false,
    })
}

fn look(at_ns: u64) -> Look {
    let stack = |number: u64| Stack {
        frames: (0..DEPTH)
            .map(|depth| frame(&format!("example.com/x.f{}", number * (DEPTH - depth) / 3)))
            .collect(),
        elided: 0,
        end: "root-go",
        whole: true,
    };
    let creator = Rc::new(frame("example.com/x.start").place.clone());
    let common = Rc::new(Common {
        runtime: 0,
        status: Status::Waiting,
        state: "chan receive".into(),
        creator: Some(creator),
        start: Some("example.com/x.f0".into()),
        labels: Rc::from([]),
    });
    let goroutine = |number: u64| Goroutine {
        common: Rc::clone(&common),
        goid: number + 1,
        waited_at_most_ns: None,
        asleep_ns: None,
        stack: Some((number % STACKS) as u32),
        trust: Trust::Certain,
        parent: NonZeroU64::new(1),
        thread: None,
        locked: false,
        kind: WaitKind::Receive,
        waits: Waits {
            first: number as u32,
            count: 1,
            cut: false,
        },
    };
    let channel = Channel {
        len: 0,
        capacity: 0,
        element: 8,
        closed: false,
        timer: None,
        timer_stopped: false,
    };
    let on = |number: u64| WaitsOn::Channel {
        address: 0x1000 + 96 * (number % 100),
        direction: Direction::Receive,
    };
    Look {
        at_ns,
        dump: Dump {
            stacks: (0..STACKS).map(stack).collect(),
            goroutines: (0..GOROUTINES).map(goroutine).collect(),
            waits: (0..GOROUTINES).map(on).collect(),
            channels: (0..100).map(|at| (0x1000 + 96 * at, channel)).collect(),
            ..Dump::default()
        },
        ..Look::default()
    }
}

fn main() {
    let looks: Vec<Look> = (0..3).map(|at| look(at * 1_000_000_000)).collect();
    for (what, looks) in [("one look", &looks[..1]), ("three looks", &looks[..])] {
        let begun = Instant::now();
        let groups = facts(looks, |_, _| true).into_iter().map(judge).count();
        println!("{what}: {groups} groups in {:.2?}", begun.elapsed());
    }
    let begun = Instant::now();
    let groups = seam_dump::groups(&looks[0].dump, |_| true).len();
    println!("seam dump's: {groups} groups in {:.2?}", begun.elapsed());
}
