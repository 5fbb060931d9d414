//! Watching one Go program that a command runs, from its exec to its end: who makes whom, which
//! goroutines run tests, and what they are called. Looks are frequent and cheap; the full one comes
//! when the process has ended, over its memory, which is kept.

use std::ops::Range;
use std::time::{Duration, Instant};

use seam_capture::{Image, Kept};
use seam_runtime::{Census, Layout};

/// The shortest time between two looks.
const EVERY: Duration = Duration::from_millis(5);
/// Of the time at most one in so many parts is spent on looks.
const SHARE: u32 = 20;
/// The longest time between two looks.
const AT_LEAST_EVERY: Duration = Duration::from_millis(500);
/// How often mappings are read.
const MAPS_EVERY: Duration = Duration::from_millis(50);
/// What makes the goroutines of tests.
const TESTING: &str = "testing.";

/// A program that has ended.
pub(super) struct Ended {
    pub(super) kept: Kept,
    pub(super) image: Image,
    pub(super) census: Census,
    /// Since it was first looked at.
    pub(super) at_ns: u64,
}

/// Watches until the process ends.
pub(super) fn watch(mut kept: Kept) -> Ended {
    let started = Instant::now();
    let now = || started.elapsed().as_nanos() as u64;
    kept.follow();
    let mut image = kept.image();
    let mut testing = image.functions_of(TESTING);
    let mut census = Census::default();
    let mut maps_read = Instant::now();
    loop {
        let begun = Instant::now();
        // Before it is seen to live there is no list of goroutines; after its end, in the kept
        // memory, the last word.
        look(&image, &kept, &mut census, now(), &testing);
        let pause = (begun.elapsed() * SHARE).clamp(EVERY, AT_LEAST_EVERY);
        if kept.ends_within(pause) {
            break;
        }
        if maps_read.elapsed() > MAPS_EVERY {
            maps_read = Instant::now();
            if kept.follow() {
                image = kept.image();
                testing = image.functions_of(TESTING);
            }
        }
    }
    look(&image, &kept, &mut census, now(), &testing);
    Ended {
        at_ns: now(),
        kept,
        image,
        census,
    }
}

fn look(image: &Image, kept: &Kept, census: &mut Census, now: u64, testing: &[Range<u64>]) {
    let mut own = image.own_runtimes();
    let (Some((_, runtime)), None) = (own.next(), own.next()) else {
        return;
    };
    let facts = runtime.facts().filter(|facts| facts.offsets.verified);
    let Some((facts, globals)) = facts.zip(runtime.globals.as_ref()) else {
        return;
    };
    let Ok(layout) = Layout::new(&facts.offsets.offsets) else {
        return;
    };
    let list = (globals.allglen, globals.allgptr);
    let is_test = |gopc: u64| {
        let call = gopc.wrapping_sub(1);
        testing.iter().any(|function| function.contains(&call))
    };
    // What can't be read now is read at the next look; if never, the report says so.
    let _ = census.look(kept.memory(), &layout, list, now, is_test);
}
