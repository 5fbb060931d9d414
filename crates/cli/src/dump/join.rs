//! Putting together what was read of a process: names for addresses, goroutines with their threads.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU64;
use std::rc::Rc;

use seam_capture::{BlockedIn, Image};
use seam_dump::{Common, Dump, Frame, Goroutine, Kind, Placed, Thread, Trust, Waits, syscall_name};
use seam_runtime::{Status, WaitsOn};
use seam_symbolize::KernelSymbols;
use seam_wire::frame_address;

use super::goroutines::{self, Goroutines};
use super::look::{Full, Read, ThreadStack, Wanted};
use super::names::Names;
use super::stacks::{RawStack, RawStacks};
use super::threads::{self, Threads};
use super::timers;

/// Puts together what was read, with names.
pub(super) fn joined(mut dump: Dump, wanted: Wanted, read: Read) -> Full {
    let Read {
        image,
        memory,
        maps,
        stacks,
        threads,
        mut runtimes,
    } = read;
    dump.go = versions(&image);
    let raw = runtimes.iter_mut();
    let raw = raw
        .flat_map(|(_, found)| std::mem::take(&mut found.raw))
        .collect();
    let gs = runtimes
        .iter()
        .flat_map(|(_, found)| found.gs.iter().copied())
        .collect();
    let sudogs = runtimes
        .iter()
        .flat_map(|(_, found)| found.sudogs.iter().copied())
        .collect();
    let frames = if wanted.raw { stacks.all() } else { &[] };
    let frames = frames
        .iter()
        .map(|s| s.frames.iter().map(|f| frame_address(*f)).collect());
    let frames = frames.collect();
    let timers = if wanted.timers {
        timers::read(&memory, &image, &mut dump.notes)
    } else {
        Vec::new()
    };
    let kernel = kernel_names(&threads, wanted);
    named(
        &image, &stacks, &threads, runtimes, &timers, &kernel, &mut dump,
    );
    let blocked = threads.all.iter();
    let blocked = blocked.filter_map(|t| Some((t.facts.syscall.as_ref()?.sp, t.stack)));
    let thread_stacks = blocked.map(|(sp, stack)| ThreadStack {
        sp,
        in_c: stack.is_none_or(|stack| in_c(&dump, stack)),
    });
    let thread_stacks = thread_stacks.collect();
    Full {
        dump,
        image,
        raw,
        gs,
        sudogs,
        frames,
        thread_stacks,
        registers: threads.words,
        memory,
        maps,
    }
}

/// Whether C was called by anything on a stack: some C frame lies below a Go frame, or there is no
/// Go.
fn in_c(dump: &Dump, stack: u32) -> bool {
    let frames = dump.stacks.get(stack as usize).map(|stack| &stack.frames);
    let is_go = |frame: &Rc<Frame>| matches!(frame.kind, Kind::Go | Kind::Runtime);
    let go: Vec<bool> = frames.into_iter().flatten().map(is_go).collect();
    let last_go = go.iter().rposition(|go| *go);
    last_go.is_none_or(|last| go[..last].contains(&false))
}

/// The Go builds of a process; several are told apart by their modules.
fn versions(image: &Image) -> Vec<String> {
    let count = image.own_runtimes().count();
    image
        .own_runtimes()
        .map(|(_, runtime)| match count {
            1 => version(runtime),
            _ => format!("{} in {}", version(runtime), runtime.module.name()),
        })
        .collect()
}

fn version(runtime: &seam_capture::ImageRuntime) -> String {
    let version = runtime.facts().and_then(|f| f.version.as_ref());
    let text = version
        .map(|v| v.text.as_str())
        .unwrap_or("of unknown version");
    format!("Go {}", text.strip_prefix("go").unwrap_or(text))
}

fn named(
    image: &Image,
    stacks: &RawStacks,
    threads: &Threads,
    runtimes: Vec<(usize, Goroutines)>,
    timers: &[timers::Raw],
    kernel: &KernelSymbols,
    dump: &mut Dump,
) {
    let kinds = runtimes.iter().flat_map(|(_, found)| &found.kinds);
    let others: BTreeSet<u64> = kinds
        .flat_map(|kind| [kind.gopc.wrapping_sub(1), kind.startpc])
        .collect();
    let others = &others | &timers::addresses(timers);
    let names = Names::of(image, stacks.all(), &others);
    dump.timers = timers
        .iter()
        .map(|raw| timers::named(raw, &names))
        .collect();
    dump.notes.extend(names.notes.iter().cloned());
    let mut known = HashMap::new();
    dump.stacks = stacks
        .all()
        .iter()
        .map(|raw| names.stack(raw, &mut known))
        .collect();
    let mut join = Join {
        names: &names,
        stacks,
        by_tid: threads.all.iter().map(|t| (t.facts.tid, t)).collect(),
        now_ns: dump.now_ns,
        by_goroutine: by_goroutine(threads),
        by_own_tid: threads
            .all
            .iter()
            .map(|t| (t.facts.own_tid, t.facts.tid))
            .collect(),
        creators: HashMap::new(),
        kinds: Vec::new(),
        first_wait: 0,
    };
    let all = runtimes.iter().map(|(_, found)| found.all.len()).sum();
    dump.goroutines.reserve_exact(all);
    for (number, mut found) in runtimes {
        join.first_wait = dump.waits.len() as u32;
        if dump.waits.is_empty() {
            dump.waits = std::mem::take(&mut found.waits);
        } else {
            dump.waits.extend_from_slice(&found.waits);
        }
        dump.channels.extend(&found.channels);
        dump.counts.unreadable += found.counts.unreadable;
        dump.counts.dead += found.counts.dead;
        join.kinds_of(number, &found);
        for walked in std::mem::take(&mut found.all).into_each() {
            let goroutine = join.goroutine(number, &walked, &found);
            let whole = goroutine.stack.and_then(|s| stacks.get(s));
            let whole = whole.is_some_and(RawStack::whole);
            match goroutine.trust {
                Trust::Moving => dump.counts.moving += 1,
                Trust::Running | Trust::Sampled => {}
                Trust::Certain | Trust::GoOnly => {
                    dump.counts.go_only += u64::from(goroutine.trust == Trust::GoOnly);
                    dump.counts.not_whole += u64::from(!whole);
                }
            }
            dump.goroutines.push(goroutine);
        }
    }
    dump.threads = threads.all.iter().map(|t| thread(t, kernel)).collect();
    dump.goroutines.iter_mut().for_each(|goroutine| {
        let stack = goroutine.stack.and_then(|id| dump.stacks.get(id as usize));
        goroutine.kind = stack.map_or(goroutine.kind, |stack| stack.wait(goroutine.kind));
    });
    dump.descriptors = descriptors(dump);
}

/// What the descriptors are that goroutines wait for.
fn descriptors(dump: &Dump) -> BTreeMap<i32, String> {
    let fds = dump.waits.iter().filter_map(|on| match on {
        WaitsOn::Descriptor { fd, .. } => Some(*fd),
        _ => None,
    });
    let fds: BTreeSet<i32> = fds.collect();
    if fds.is_empty() || dump.core {
        return BTreeMap::new();
    }
    let sockets = seam_capture::Sockets::of(dump.pid);
    let named = |fd| Some((fd, sockets.descriptor(fd)?));
    fds.into_iter().filter_map(named).collect()
}

/// Threads by the goroutine that they run, and the number of its runtime.
fn by_goroutine(threads: &Threads) -> HashMap<(u64, usize), &threads::Walked> {
    let running = threads.all.iter().filter_map(|t| {
        let (goid, runtime) = t.goroutine?;
        Some(((goid, usize::from(runtime).checked_sub(1)?), t))
    });
    running.collect()
}

/// What goroutines are joined with.
struct Join<'a> {
    names: &'a Names<'a>,
    stacks: &'a RawStacks,
    by_tid: HashMap<i32, &'a threads::Walked>,
    now_ns: u64,
    by_goroutine: HashMap<(u64, usize), &'a threads::Walked>,
    by_own_tid: HashMap<u64, i32>,
    /// By address: what is made at one place has one creator.
    creators: HashMap<u64, Option<Rc<Placed>>>,
    /// What goroutines of this runtime have in common, as [`Goroutines::kinds`] with names.
    kinds: Vec<Rc<Common>>,
    /// Where this runtime's waits begin among those of all.
    first_wait: u32,
}

impl Join<'_> {
    /// Names what a runtime's goroutines have in common.
    fn kinds_of(&mut self, number: usize, found: &Goroutines) {
        let names = self.names;
        let named = found.kinds.iter().map(|kind| {
            let creator = self.creators.entry(kind.gopc);
            let creator = creator.or_insert_with(|| names.creator(kind.gopc).map(Rc::new));
            Rc::new(Common {
                runtime: number as u8,
                status: kind.status,
                state: Rc::clone(&kind.state),
                creator: creator.clone(),
                start: names.function(kind.startpc),
                labels: Rc::clone(&kind.labels),
            })
        });
        self.kinds = named.collect();
    }

    fn goroutine(
        &self,
        number: usize,
        walked: &goroutines::Walked,
        found: &Goroutines,
    ) -> Goroutine {
        let waits = walked.wait_since != 0 && self.now_ns != 0;
        let waited = waits.then(|| self.now_ns.saturating_sub(walked.wait_since));
        let mut goroutine = Goroutine {
            common: Rc::clone(&self.kinds[walked.of as usize]),
            goid: walked.goid,
            waited_at_most_ns: waited.and_then(at_least_one),
            asleep_ns: None,
            stack: walked.stack,
            trust: walked.trust(),
            parent: NonZeroU64::new(walked.parent).filter(|_| found.has_parents),
            thread: None,
            locked: walked.locked,
            kind: walked.kind,
            waits: Waits {
                first: self.first_wait.saturating_add(walked.waits.0),
                count: walked.waits.1,
                cut: walked.waits_cut,
            },
        };
        let of_m = (walked.m != 0).then(|| found.machines.get(&walked.m));
        let of_m = of_m.flatten().filter(|m| m.tid != 0);
        let of_m = of_m.and_then(|m| self.by_own_tid.get(&m.tid).copied());
        goroutine.thread = of_m;
        // In a system call or in C, the thread's stack goes on where the goroutine's ends.
        if walked.status == Status::Syscall {
            let thread = self.by_goroutine.get(&(walked.goid, number)).copied();
            let thread = thread.or_else(|| self.by_frames(of_m, walked.stack));
            goroutine.thread = thread.map(|t| t.facts.tid).or(goroutine.thread);
            match thread.filter(|t| t.trust == Trust::Certain) {
                Some(thread) => {
                    goroutine.asleep_ns = thread.asleep_ns.and_then(at_least_one);
                    goroutine.stack = thread.stack;
                }
                None if thread.is_some_and(|t| t.trust == Trust::Sampled) => {
                    goroutine.stack = thread.and_then(|t| t.stack);
                    goroutine.trust = Trust::Sampled;
                }
                // Where it left Go is known from its g.
                None => goroutine.trust = goroutine.trust.max(Trust::GoOnly),
            }
        }
        // A thread that waits for a CPU holds still as well.
        if walked.status == Status::Running
            && let Some(thread) = self.by_goroutine.get(&(walked.goid, number))
            && matches!(thread.trust, Trust::Certain | Trust::Sampled)
        {
            goroutine.stack = thread.stack;
            goroutine.trust = thread.trust;
        }
        goroutine
    }
}

/// A time that is known, be it none at all.
fn at_least_one(ns: u64) -> Option<NonZeroU64> {
    NonZeroU64::new(ns.max(1))
}

impl<'a> Join<'a> {
    /// The thread of an M whose walk did not tell a goroutine (without registers there is no place
    /// to begin), if it ends with the goroutine's own frames.
    fn by_frames(&self, tid: Option<i32>, stack: Option<u32>) -> Option<&'a threads::Walked> {
        let thread = *self.by_tid.get(&tid?)?;
        let of = |number: Option<u32>| Some(&*self.stacks.get(number?)?.frames);
        // The innermost function of its own goes on after it has noted that it leaves Go.
        let (own, whole) = (of(stack)?.get(1..)?, of(thread.stack)?);
        let tail = whole.get(whole.len().checked_sub(own.len())?..)?;
        let same = |(a, b): (&u64, &u64)| frame_address(*a) == frame_address(*b);
        let fits = !own.is_empty() && own.iter().zip(tail).all(same);
        let fits = fits && thread.goroutine.is_none();
        fits.then_some(thread)
    }
}

/// The kernel's symbols, if they are wanted: reading them takes longer than most dumps.
fn kernel_names(threads: &Threads, wanted: Wanted) -> KernelSymbols {
    let any = wanted.kernel && threads.all.iter().any(|t| !t.kernel.is_empty());
    let kallsyms = any.then(|| std::fs::read_to_string("/proc/kallsyms").ok());
    KernelSymbols::parse(kallsyms.flatten().unwrap_or_default())
}

fn thread(walked: &threads::Walked, kernel: &KernelSymbols) -> Thread {
    let facts = &walked.facts;
    let named = |address: &u64| Some(kernel.find(address.wrapping_sub(1))?.name.to_owned());
    Thread {
        tid: facts.tid,
        name: facts.name.clone(),
        state: facts.state,
        cpu_ns: facts.cpu_ns,
        asleep_ns: walked.asleep_ns,
        waits_in: facts.syscall.as_ref().and_then(waits_in),
        wchan: facts.wchan.clone(),
        kernel: walked.kernel.iter().filter_map(named).collect(),
        goid: walked.goroutine.map(|(goid, _)| goid),
        stack: walked.stack,
        trust: walked.trust,
    }
}

/// `futex(0x7f31…)`, `read(3 → /dev/null)`.
fn waits_in(syscall: &BlockedIn) -> Option<String> {
    /// futex(2): the word's address is the first argument.
    const FUTEX: i64 = 202;
    if syscall.number < 0 {
        return None;
    }
    let first = syscall.arguments[0];
    Some(match (syscall_name(syscall.number), &syscall.file) {
        (Some(name), Some(file)) => format!("{name}({first} → {file})"),
        (Some(name), None) if syscall.number == FUTEX => format!("{name}({first:#x})"),
        (Some(name), None) => name.to_owned(),
        (None, _) => format!("system call {}", syscall.number),
    })
}
