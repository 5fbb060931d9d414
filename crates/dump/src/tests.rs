//! Groups and forms of a small dump.

use std::num::NonZeroU64;
use std::rc::Rc;

use seam_runtime::{Status, WaitKind};

use crate::{
    Common, Counts, Dump, Frame, Goroutine, Kind, Placed, Stack, TextOptions, Thread, Trust, Waits,
    debug2, groups, json, text, thread_groups,
};

fn frame(function: &str, file: &str, kind: Kind) -> Rc<Frame> {
    Rc::new(Frame {
        place: Placed {
            function: function.into(),
            file: file.into(),
            line: 7,
        },
        kind,
        inlined: false,
        wrapper: function.ends_with("gowrap1"),
    })
}

fn stack(frames: &[Rc<Frame>]) -> Stack {
    Stack {
        frames: frames.to_vec(),
        elided: 0,
        end: "root-go",
        whole: true,
    }
}

fn goroutine(goid: u64, state: &str, stack: u32) -> Goroutine {
    Goroutine {
        common: Rc::new(Common {
            runtime: 0,
            status: Status::Waiting,
            state: state.into(),
            creator: Some(Rc::new(Placed {
                function: "a/b.make[go.shape.int]".into(),
                file: "/x/b.go".into(),
                line: 3,
            })),
            start: Some("main.f".into()),
            labels: Rc::from([]),
        }),
        goid,
        waited_at_most_ns: NonZeroU64::new(goid * 60_000_000_000),
        asleep_ns: None,
        stack: Some(stack),
        trust: Trust::Certain,
        parent: NonZeroU64::new(1),
        thread: None,
        locked: false,
        kind: WaitKind::Receive,
        waits: Waits::default(),
    }
}

fn common(goroutine: &mut Goroutine) -> &mut Common {
    Rc::make_mut(&mut goroutine.common)
}

fn dump() -> Dump {
    let park = frame("runtime.gopark", "/go/proc.go", Kind::Runtime);
    let goexit = frame("runtime.goexit", "/go/asm.s", Kind::Runtime);
    let wait = frame("a/b.(*Pool[go.shape.int]).Get", "/x/b.go", Kind::Go);
    let wrapper = frame("main.main.gowrap1", "/x/main.go", Kind::Go);
    let c = frame("c_wait", "", Kind::C);
    let bad = frame("evil\u{1b}[2J", "/x/\ny.c", Kind::C);
    let stacks = vec![
        stack(&[park, wait, wrapper, Rc::clone(&goexit)]),
        stack(&[c, bad, goexit]),
    ];
    let mut running = goroutine(9, "running", 0);
    common(&mut running).status = Status::Running;
    running.stack = None;
    running.trust = Trust::Running;
    running.thread = Some(77);
    let mut own = goroutine(2, "GC worker (idle)", 0);
    common(&mut own).start = Some("runtime.gcBgMarkWorker".into());
    Dump {
        pid: 42,
        name: "server".to_owned(),
        go: vec!["Go 1.26.8".to_owned()],
        read_ns: 38_000_000,
        goroutines: vec![
            own,
            goroutine(3, "chan receive", 0),
            running,
            goroutine(5, "chan receive", 0),
            goroutine(6, "select", 1),
        ],
        threads: vec![Thread {
            tid: 77,
            name: "server".to_owned(),
            state: 'S',
            cpu_ns: 1_500_000_000,
            asleep_ns: Some(2_000_000_000),
            waits_in: Some("futex(0x10)".to_owned()),
            wchan: "futex_wait_queue".to_owned(),
            kernel: vec!["futex_wait_queue".to_owned()],
            goid: Some(9),
            stack: Some(1),
            trust: Trust::Certain,
        }],
        stacks,
        counts: Counts {
            moving: 1,
            ..Counts::default()
        },
        notes: vec!["no\nnews".to_owned()],
        ..Dump::default()
    }
}

const OPTIONS: TextOptions = TextOptions {
    groups_max: 1,
    own_workers: 1,
    full: false,
};

#[test]
fn the_largest_group_comes_first() {
    let dump = dump();
    let found = groups(&dump, |g| !g.is_the_runtimes());
    let sizes: Vec<usize> = found.iter().map(|g| g.members.len()).collect();
    assert_eq!(sizes, [2, 1, 1]);
    let minute = 60_000_000_000;
    assert_eq!(found[0].waited_at_most(&dump.goroutines), Some(5 * minute));
    assert_eq!(groups(&dump, |_| false), []);
}

#[test]
fn the_screen_says_what_it_leaves_out() {
    let dump = dump();
    let goroutines = groups(&dump, |g| !g.is_the_runtimes());
    let threads = thread_groups(&dump, |_| true);
    let screen = text(&dump, &goroutines, &threads, OPTIONS);
    let expected = "\
server (pid 42)   Go 1.26.8   1 thread   5 goroutines   read in 38ms, nothing stopped
      2 goroutines  chan receive, at most 5m00s
        goroutine 3, 5
        b.(*Pool[...]).Get b.go:7
        created by b.make[...] b.go:3
      … 2 more groups, 2 goroutines: --all shows them
      1 goroutine  the runtime's own: --all shows them
threads
      1 thread  asleep, for 2.0s
        77 server   goroutine 9   futex(0x10)   CPU 1.5s
        c_wait ← evil\u{fffd}[2J \u{fffd}y.c:7
not seen  1 goroutine moving while they were read
note      no\u{fffd}news
";
    assert_eq!(screen, expected);
}

#[test]
fn every_frame_has_its_line_when_asked_for() {
    let dump = dump();
    let one = groups(&dump, |g| g.goid == 3);
    let options = TextOptions {
        full: true,
        own_workers: 0,
        ..OPTIONS
    };
    let screen = text(&dump, &one, &[], options);
    let frames: Vec<&str> = screen.lines().skip(3).take(4).collect();
    assert_eq!(
        frames,
        [
            "        rt   runtime.gopark proc.go:7",
            "        go   b.(*Pool[...]).Get b.go:7",
            "        go   main.main.gowrap1 main.go:7",
            "        rt   runtime.goexit asm.s:7",
        ]
    );
    assert!(screen.contains("b.go:3 in goroutine 1"), "{screen}");
}

#[test]
fn the_form_of_gos_own_dump() {
    let mut dump = dump();
    dump.goroutines.truncate(3);
    let expected = "\
goroutine 3 [chan receive, 3 minutes]:
a/b.(*Pool[...]).Get(...)
\t/x/b.go:7
created by a/b.make[...] in goroutine 1
\t/x/b.go:3

goroutine 9 [running]:
\tgoroutine running on other thread; stack unavailable
created by a/b.make[...] in goroutine 1
\t/x/b.go:3

";
    assert_eq!(debug2(&dump), expected);
}

#[test]
fn the_json_has_its_keys() {
    let dump = dump();
    let found = groups(&dump, |_| true);
    let value: serde_json::Value = serde_json::from_str(&json(&dump, &found)).expect("it is JSON");
    assert_eq!(value["schema"], 1);
    assert_eq!(value["target"]["pid"], 42);
    assert_eq!(value["groups"][0]["goids"], serde_json::json!([3, 5]));
    assert_eq!(value["goroutines"][2]["trust"], "running");
    assert_eq!(value["goroutines"][2]["stack"], serde_json::Value::Null);
    assert_eq!(value["stacks"][1]["frames"][0]["kind"], "c");
    assert_eq!(value["threads"][0]["waits_in"], "futex(0x10)");
}

#[test]
fn panics_and_frames_left_out_are_told() {
    let deep = frame("main.deep", "/x/main.go", Kind::Go);
    let mut inlined = Frame::clone(&deep);
    inlined.inlined = true;
    let inlined = Rc::new(inlined);
    // Inlined calls do not count among the 384 that are kept.
    let mut frames = vec![
        frame("main.cleanUp", "/x/main.go", Kind::Go),
        frame("runtime.gopanic", "/go/panic.go", Kind::Runtime),
    ];
    frames.extend((0..382).flat_map(|_| [Rc::clone(&inlined), Rc::clone(&deep)]));
    frames.push(frame("main.main", "/x/main.go", Kind::Go));
    let mut one = stack(&frames);
    one.elided = 5;
    assert_eq!(one.gap(), Some(frames.len() - 1));
    let dump = Dump {
        stacks: vec![one],
        goroutines: vec![goroutine(4, "chan receive", 0)],
        ..Dump::default()
    };
    let runtimes = debug2(&dump);
    let own: Vec<&str> = runtimes.lines().filter(|l| !l.starts_with('\t')).collect();
    assert_eq!(own[1..3], ["main.cleanUp(...)", "panic(...)"]);
    let gap = own.iter().position(|l| *l == "...5 frames elided...");
    assert_eq!(gap, Some(1 + 2 + 2 * 382));
    assert_eq!(own[gap.unwrap_or(0) + 1], "main.main(...)");
    let all = groups(&dump, |_| true);
    let screen = text(&dump, &all, &[], OPTIONS);
    assert!(
        screen.contains("main.deep main.go:7 (764 times)"),
        "{screen}"
    );
    assert!(
        screen.contains("5 frames, and what was inlined"),
        "{screen}"
    );
}
