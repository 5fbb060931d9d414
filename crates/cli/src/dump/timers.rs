//! The timers of a dump, with what they call.

use std::collections::BTreeSet;

use seam_capture::Image;
use seam_dump::Timer;
use seam_memory::{Memory, Source};

use super::names::Names;

/// A timer as it was read, and the function behind its argument.
pub(super) struct Raw {
    timer: seam_runtime::Timer,
    argument_function: u64,
}

/// Reads the timers of all runtimes; what is not known is noted.
pub(super) fn read(memory: &Source, image: &Image, notes: &mut Vec<String>) -> Vec<Raw> {
    let mut all = Vec::new();
    for (_, runtime) in image.own_runtimes() {
        let name = runtime.module.name();
        let allp = runtime.globals.as_ref().and_then(|globals| globals.allp);
        let (Some(facts), Some(allp)) = (runtime.facts(), allp) else {
            notes.push(format!(
                "{name}: no timers: its code does not show where they are"
            ));
            continue;
        };
        match seam_runtime::timers(memory, &facts.offsets.offsets, allp, |_| true) {
            Ok(timers) => all.extend(timers.into_iter().map(|timer| Raw {
                timer,
                argument_function: memory.word(timer.argument).unwrap_or(0),
            })),
            Err(why) => notes.push(format!("{name}: no timers: {why}")),
        }
    }
    all
}

/// The addresses that need names.
pub(super) fn addresses(timers: &[Raw]) -> BTreeSet<u64> {
    let both = timers
        .iter()
        .flat_map(|raw| [raw.timer.function, raw.argument_function]);
    both.collect()
}

/// A timer with names. time.AfterFunc's timers all call goFunc, whose argument is the program's
/// function; those of channels call sendTime (time/sleep.go, Go 1.19 to 1.27).
pub(super) fn named(raw: &Raw, names: &Names<'_>) -> Timer {
    let calls = names.function(raw.timer.function);
    let is = |name: &str| calls.as_deref() == Some(name);
    let of_program = is("time.goFunc")
        .then(|| names.function(raw.argument_function))
        .flatten();
    Timer {
        address: raw.timer.address,
        when_ns: raw.timer.when,
        period_ns: raw.timer.period,
        channel: is("time.sendTime").then_some(raw.timer.argument),
        calls: of_program.or(calls),
    }
}
