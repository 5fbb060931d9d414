//! A recording without BPF: perf events copy registers and a piece of the stack of each sample, and
//! the walk happens here, a moment later.
//!
//! The C part of a stack is all in the copy. A goroutine's frames below a call of C are not; they
//! are read from the live process and used only if it is proven that they were the same at the
//! sample (`machines`). What is not proven is left out, with that reason. Everything else is as in
//! [`crate::Session`], which this stands in for where BPF is refused.

mod events;
mod follow;
mod machines;
mod memory;
mod record;
mod walk;

use std::collections::HashMap;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant, SystemTime};

use seam_memory::{Live, proc_path};
use seam_unwind::TableSet;
use seam_wire::Mapping;

use crate::cost;
use crate::recording::Collector;
use crate::session::{Options, Scope, Status};
use crate::sideband::{self, Event};
use crate::system::{has_ended, hurry, keep_no_buffers, monotonic_ns};
use crate::table_cache::TableCache;
use crate::target::{cpu_time_ns, kernel_time_ns};
use crate::tracked::Tracked;
use crate::{
    Cost, Counters, Error, Grade, MapHistory, Modules, ProcessMap, Recording, Result, Target,
    TargetInfo,
};
use events::Events;
use follow::thread;
use machines::{Machines, Places};
use record::{Copied, Kind};

/// How often rings are emptied and Ms asked, at most: what is read of the live process should be
/// young. With so many threads that this takes long, asking takes a twentieth of the time.
const EVERY: Duration = Duration::from_millis(5);
const SHARE: u32 = 20;

/// A process that is followed.
struct Followed {
    tracked: Tracked,
    machines: Machines,
    mappings: Vec<Mapping>,
    runtimes: Vec<seam_wire::GoRuntime>,
    places: Vec<Option<Places>>,
    /// Names of threads, and their numbers in the process's own namespace.
    threads: HashMap<i32, ([u8; 16], u64)>,
    kernel_first_ns: u64,
    kernel_last_ns: u64,
}

/// A recording without BPF, in progress. Dropping it ends it.
pub struct CopySession {
    why: String,
    /// How long to wait between two looks.
    every: Duration,
    events: Events,
    options: Options,
    modules: Modules,
    slots: HashMap<u32, u32>,
    tables: TableSet,
    /// Whose mappings `tables` has now.
    shown: Option<(i32, u32)>,
    processes: HashMap<i32, Followed>,
    history: MapHistory,
    next_set: u32,
    collector: Collector,
    counters: Counters,
    started: Option<(Instant, SystemTime, u64, Duration)>,
}

impl CopySession {
    /// Makes ready; nothing is recorded yet. `why`: why not with BPF.
    ///
    /// # Errors
    /// When perf events are refused, or more is asked for than single processes.
    pub fn new(options: Options, why: String) -> Result<Self> {
        if !matches!(options.scope, Scope::Named) {
            return Err(Error::NeedsBpf("recording whole machines and groups"));
        }
        hurry();
        keep_no_buffers();
        let events = Events::new(options.rate_hz)?;
        let mut modules = Modules::with_tables(TableCache::of_user());
        // The target's own may not be readable.
        let _ = modules.prepare_vdso();
        Ok(Self {
            why,
            every: EVERY,
            events,
            options,
            modules,
            slots: HashMap::new(),
            tables: TableSet::default(),
            shown: None,
            processes: HashMap::new(),
            history: MapHistory::default(),
            next_set: 1,
            collector: Collector::default(),
            counters: Counters::default(),
            started: None,
        })
    }

    /// Whether it would work, tried on this very process; true where the kernel's part is seen too.
    pub(crate) fn try_on_self() -> Result<bool> {
        let mut events = Events::new(99)?;
        events.add(std::process::id() as i32, true)?;
        Ok(events.with_kernel)
    }

    /// Reads files' tables before anything maps them.
    pub fn prepare(&mut self, files: &[std::path::PathBuf]) {
        for file in files {
            let _ = self.modules.prepare(file);
        }
    }

    /// Adds a running process.
    ///
    /// # Errors
    /// When its mappings can't be read or perf events are refused.
    pub fn add_target(&mut self, target: Target) -> Result<()> {
        let pid = target.pid;
        // The events first: nothing mapped from here on is missed.
        if let Err(refused) = self.events.add(pid, false) {
            // The commonest cause has a name of its own: it is another user's.
            let map = std::fs::read(proc_path(pid, "maps"));
            map.map_err(|source| Error::Inspect { pid, source })?;
            return Err(refused);
        }
        let map = ProcessMap::read(pid, &mut self.modules)
            .map_err(|source| Error::Inspect { pid, source })?;
        self.track(target, map, false);
        Ok(())
    }

    /// Adds a process that will execute a program: it is sampled from there on.
    ///
    /// # Errors
    /// When perf events are refused.
    pub fn add_before_exec(&mut self, target: Target) -> Result<()> {
        self.events.add(target.pid, true)?;
        self.track(target, ProcessMap::default(), true);
        Ok(())
    }

    /// From here on samples count.
    pub fn start(&mut self) {
        self.take_in(None);
        for followed in self.processes.values_mut() {
            let pid = followed.tracked.target.pid;
            followed.tracked.cpu_first_ns = cpu_time_ns(pid).unwrap_or(0);
            followed.tracked.cpu_last_ns = followed.tracked.cpu_first_ns;
            followed.kernel_first_ns = kernel_time_ns(pid).unwrap_or(0);
            followed.kernel_last_ns = followed.kernel_first_ns;
        }
        let own = cost::own_cpu();
        self.started = Some((Instant::now(), SystemTime::now(), monotonic_ns(), own));
    }

    /// Waits for at most `timeout`, takes in what there is.
    ///
    /// # Errors
    /// None now; as [`crate::Session::poll`].
    pub fn poll(&mut self, timeout: Duration) -> Result<Status> {
        let until = Instant::now() + timeout;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            self.wait(left.min(self.every));
            let since = self.started.map(|(_, _, monotonic, _)| monotonic);
            self.take_in(since);
            let status = self.status();
            if left <= self.every || status.running == 0 {
                return Ok(status);
            }
        }
    }

    /// How the recording stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let running = self.processes.values().filter(|p| !p.tracked.ended).count();
        Status {
            samples: self.collector.len(),
            running,
        }
    }

    /// Stops and gives what was recorded.
    ///
    /// # Errors
    /// None now; as [`crate::Session::finish`].
    pub fn finish(mut self) -> Result<Recording> {
        let now = Instant::now();
        self.events.stop();
        self.poll(Duration::ZERO)?;
        let (began, wall, monotonic, cpu) =
            self.started
                .unwrap_or((now, SystemTime::now(), monotonic_ns(), Duration::ZERO));
        let cost = Cost {
            cpu: cost::own_cpu().saturating_sub(cpu),
            rss_bytes: cost::peak_rss(),
            map_bytes: self.events.bytes() as u64,
            tables_found: self.modules.keep_tables(),
            ..Cost::default()
        };
        let kernel_ns = |p: &Followed| p.kernel_last_ns.saturating_sub(p.kernel_first_ns);
        let grade = Grade::Copied {
            why: std::mem::take(&mut self.why),
            unseen_kernel_ns: (!self.events.with_kernel)
                .then(|| self.processes.values().map(kernel_ns).sum()),
        };
        let collected = self.collector.finish();
        let tracked = || self.processes.values().map(|p| &p.tracked);
        let made_names = tracked().filter_map(Tracked::made_names).collect();
        let mut targets: Vec<TargetInfo> = self
            .processes
            .into_values()
            .map(|p| p.tracked.into_info())
            .collect();
        targets.sort_by_key(|t| (!t.started_here, t.is_child, t.target.pid));
        Ok(Recording {
            grade,
            samples: collected.samples,
            stacks: collected.stacks,
            labels: collected.labels,
            births: collected.births,
            peers: None,
            maps: self.history,
            modules: self.modules.all().to_vec(),
            made_names,
            targets,
            counters: Counters {
                malformed: self.counters.malformed + collected.malformed,
                ..self.counters
            },
            cost,
            started: Some(wall),
            started_ns: monotonic,
            duration: now.saturating_duration_since(began),
            rate_hz: self.options.rate_hz,
        })
    }

    fn wait(&self, timeout: Duration) {
        let alive = self.processes.values().filter(|p| !p.tracked.ended);
        let mut polled: Vec<libc::pollfd> = alive
            .filter_map(|p| p.tracked.pidfd.as_ref())
            .map(|fd| libc::pollfd {
                fd: fd.as_raw_fd(),
                events: libc::POLLIN,
                revents: 0,
            })
            .collect();
        let milliseconds = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: `polled` is a valid array of the length given; a signal may end the wait early.
        unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as _, milliseconds) };
    }

    /// Empties the rings, in the order of time, and asks all threads' Ms anew. Samples before
    /// `since` are dropped; without it, all are.
    fn take_in(&mut self, since: Option<u64>) {
        enum Item {
            Event(Event),
            Sample(Box<Copied>),
        }
        let with_kernel = self.events.with_kernel;
        let (mut items, mut malformed, mut lost) = (Vec::new(), 0, 0);
        self.events.drain(|record| match record::kind(record) {
            Kind::Sample => match Copied::parse(record, with_kernel) {
                Some(sample) => items.push((sample.time_ns, Item::Sample(Box::new(sample)))),
                None => malformed += 1,
            },
            Kind::Lost(records) => lost += records,
            Kind::Other => {
                let event = sideband::parse(record, record::TRAILER);
                items.extend(event.map(|(time, event)| (time, Item::Event(event))));
            }
        });
        items.sort_by_key(|(time, _)| *time);
        for (time, item) in items {
            match item {
                Item::Event(event) => self.follow(event),
                Item::Sample(sample) if since.is_some_and(|since| time >= since) => {
                    self.add(&sample);
                }
                Item::Sample(_) => {}
            }
        }
        self.counters.malformed += malformed;
        if lost > 0 {
            // Mappings may be among what was lost.
            self.counters.ring_full += lost;
            self.counters.samples += lost;
            self.reread();
        }
        let asking = Instant::now();
        for (pid, followed) in &mut self.processes {
            followed.machines.ask(&Live::new(*pid));
            let tracked = &mut followed.tracked;
            tracked.cpu_last_ns = cpu_time_ns(*pid).unwrap_or(tracked.cpu_last_ns);
            followed.kernel_last_ns = kernel_time_ns(*pid).unwrap_or(followed.kernel_last_ns);
            tracked.ended |= tracked.pidfd.as_ref().is_none_or(has_ended);
        }
        self.every = EVERY.max(asking.elapsed() * SHARE);
    }

    fn add(&mut self, copied: &Copied) {
        let Some(followed) = self.processes.get_mut(&copied.pid) else {
            return;
        };
        self.counters.samples += 1;
        let key = (copied.pid, followed.tracked.set);
        if self.shown != Some(key) {
            self.tables.set_mappings(&followed.mappings);
            self.tables.runtimes.clone_from(&followed.runtimes);
            self.shown = Some(key);
        }
        let (comm, tid) = *followed
            .threads
            .entry(copied.tid)
            .or_insert_with(|| thread(copied.pid, copied.tid));
        let process = walk::Process {
            pid: copied.pid,
            map: &followed.tracked.map,
            tables: &self.tables,
            places: &followed.places,
        };
        match process.walk(copied, tid, &mut followed.machines) {
            Some(mut sample) => {
                sample.header.comm = comm;
                sample.header.mapping_set = followed.tracked.set;
                self.collector.add_sample(sample);
            }
            None => self.counters.no_registers += 1,
        }
    }
}
