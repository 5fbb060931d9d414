//! Threads that run: nothing can be read of them while they do, but a sample of each, taken in the
//! kernel as a recording takes it, tells where they were a moment ago.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use seam_capture::{Options, Scope, Session, Target};
use seam_wire::SampleHeader;

use super::stacks::RawStack;

/// How long is waited for a sample of each. A thread that is ready and gets no CPU has none.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often samples are asked for.
const POLL: Duration = Duration::from_millis(5);
/// Samples for each thread that end the wait earlier.
const ENOUGH: usize = 16;
/// Samples a second: a thread on a CPU has one within two milliseconds.
const RATE_HZ: u32 = 997;

/// Samples some threads of a process, by their numbers.
///
/// # Errors
/// When samples can't be taken here.
pub(super) fn sampled(
    target: &Target,
    tids: &BTreeSet<i32>,
) -> Result<HashMap<i32, (RawStack, SampleHeader)>, seam_capture::Error> {
    let mut session = Session::new(Options {
        rate_hz: RATE_HZ,
        follow_children: false,
        scope: Scope::Named,
        compare: false,
    })?;
    session.add_target(target.clone())?;
    session.start()?;
    let begun = Instant::now();
    // One a thread is enough, but whose they are is told at the end only.
    while begun.elapsed() < PATIENCE {
        let status = session.poll(POLL)?;
        if status.running == 0 || status.samples >= ENOUGH * tids.len() {
            break;
        }
    }
    let recording = session.finish()?;
    let mut found = HashMap::new();
    // The last one of a thread stays.
    for sample in &recording.samples {
        let tid = sample.header.tid as i32;
        let raw = &recording.stacks[sample.stack as usize];
        if tids.contains(&tid) && !raw.user.is_empty() {
            let stack = RawStack {
                frames: raw.user.clone(),
                elided: raw.elided,
                end: sample.header.end,
            };
            found.insert(tid, (stack, sample.header));
        }
    }
    Ok(found)
}
