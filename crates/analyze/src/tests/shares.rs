//! Time by kind of code and activity of the runtime.

use seam_profile::FunctionKind;
use seam_profile::fixtures::sqlite;

use super::profile;
use crate::{Activity, Folder, Limits, Shares, activity, facts};

fn shares(stacks: &[(u32, &str)]) -> Shares {
    let profile = profile(stacks);
    facts(&Folder::new(&profile), Limits::NONE).shares
}

#[test]
fn the_leaf_decides_the_kind() {
    let found = shares(&[
        (1, "go:runtime.goexit go:main.main"),
        (2, "go:main.main f"),
        (4, "go:main.main f k:read"),
        (8, "go:main.main go:runtime.memmove"),
        (16, "go:main.main ?x"),
        (32, ""),
    ]);
    assert_eq!(
        (found.go, found.c, found.kernel, found.go_runtime),
        (1, 18, 4, 8)
    );
    assert_eq!(found.unknown, 32);
    assert_eq!((found.gc, found.idle, found.scheduler), (0, 0, 0));
}

#[test]
fn the_innermost_telling_function_decides_the_activity() {
    let found = shares(&[
        (
            1,
            "go:main.main go:runtime.mallocgc go:runtime.gcAssistAlloc go:runtime.procyield",
        ),
        (
            2,
            "go:runtime.mcall go:runtime.park_m go:runtime.schedule go:runtime.findRunnable \
             go:runtime.osyield",
        ),
        (4, "go:runtime.mcall go:runtime.park_m go:runtime.schedule"),
        (8, "go:runtime.schedule go:main.main go:runtime.memmove"),
        (16, "go:runtime.gcDrain k:irq"),
        (32, "go:runtime.systemstack go:runtime.gcDrain"),
    ]);
    assert_eq!((found.gc, found.idle, found.scheduler), (33, 2, 4));
    assert_eq!((found.go_runtime, found.kernel), (47, 16));
    let activities: Vec<_> = found.activities.into_iter().collect();
    assert_eq!(
        activities,
        [
            (Activity::GcMark, 48),
            (Activity::GcAssist, 1),
            (Activity::Idle, 2),
            (Activity::Scheduler, 4),
        ]
    );
}

#[test]
fn an_assist_marks_by_the_functions_of_the_workers() {
    let found = shares(&[
        (
            1,
            "go:main.main go:runtime.mallocgc go:runtime.gcAssistAlloc go:runtime.gcDrainN \
             go:runtime.scanobject",
        ),
        (
            2,
            "go:runtime.gcBgMarkWorker go:runtime.gcDrain go:runtime.scanobject",
        ),
        (
            4,
            "go:main.main go:runtime.gcAssistAlloc go:runtime.gcParkAssist go:runtime.mcall",
        ),
        (8, "go:runtime.findRunnable go:runtime.netpoll k:epoll_wait"),
        (16, "go:runtime.schedule go:runtime.(*timers).check"),
    ]);
    let activities: Vec<_> = found.activities.into_iter().collect();
    assert_eq!(
        activities,
        [
            (Activity::GcMark, 2),
            (Activity::GcAssist, 1),
            (Activity::Netpoll, 8),
            (Activity::Timers, 16),
            (Activity::Scheduler, 4),
        ]
    );
}

#[test]
fn activities_are_known_by_name() {
    use Activity::{
        GcAssist, GcControl, GcMark, GcScavenge, GcSweep, Idle, Netpoll, Scheduler, Timers,
    };
    let known = [
        (GcMark, "runtime.gcBgMarkWorker"),
        (GcMark, "runtime.gcBgMarkWorker.func2"),
        (GcMark, "runtime.markroot.func1"),
        (GcMark, "runtime.gcWriteBarrier4"),
        (GcAssist, "runtime.gcAssistAlloc"),
        (GcSweep, "runtime.bgsweep"),
        (GcSweep, "runtime.(*sweepLocked).sweep"),
        (GcScavenge, "runtime.bgscavenge"),
        (GcScavenge, "runtime.(*pageAlloc).scavengeOne"),
        (GcControl, "runtime.gcStart.func2"),
        (GcControl, "runtime.gcMarkTermination"),
        (GcControl, "runtime.(*gcControllerState).endCycle"),
        (Netpoll, "runtime.netpoll"),
        (Timers, "runtime.runtimer"),
        (Timers, "runtime.(*timer).modify"),
        (Idle, "runtime.findRunnable"),
        (Idle, "runtime.stopm"),
        (Scheduler, "runtime.schedule"),
        (Scheduler, "runtime.park_m"),
        (Scheduler, "runtime.mcall"),
    ];
    for (expected, name) in known {
        assert_eq!(activity(name), Some(expected), "{name}");
    }
    for name in [
        "runtime.mallocgc",
        "main.gcDrain",
        "gcDrain",
        "runtime.(*gcWork).empty",
        "runtime.goexit",
    ] {
        assert_eq!(activity(name), None, "{name}");
    }
}

#[test]
fn kinds_add_up_to_all_samples() {
    let profile = sqlite();
    let found = facts(&Folder::new(&profile), Limits::default());
    let sum: u64 = FunctionKind::ALL
        .iter()
        .map(|kind| found.shares.kind(*kind))
        .sum();
    assert_eq!((sum, found.samples), (1874, 1874));
    assert_eq!(
        (found.shares.gc, found.shares.idle, found.shares.scheduler),
        (131, 22, 9)
    );
}
