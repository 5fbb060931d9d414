//! A recording in progress: owns the kernel side, drains samples. How it follows what targets map,
//! execute and make is in `follow`.

mod follow;
mod spare;

use std::collections::HashMap;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use seam_memory::Live;
use seam_wire::{
    Process, SEAM_COUNT_NO_REGISTERS, SEAM_COUNT_RING_FULL, SEAM_COUNT_SAMPLES, SEAM_GO_RUNTIMES,
    seam_peer,
};

use crate::bpf::Kernel;
use crate::peers::PeerCollector;
use crate::recording::Collector;
use crate::sideband::Sideband;
use crate::system::{enable_stats, hurry, keep_no_buffers, monotonic_ns};
use crate::table_cache::TableCache;
use crate::target::{cpu_time_ns, cpu_times};
use crate::tracked::Tracked;
use crate::{
    Cost, Counters, Error, Grade, MapHistory, Module, Modules, ProcessMap, Recording, Result,
    Target, TargetInfo,
};
use crate::{cost, perf};

/// How long a mapping set outlives its successor: long enough for every sample that began with it.
const SET_GRACE: Duration = Duration::from_millis(500);
/// Slots in the map of tables, as in bpf/maps.h; slot 0 means "no table".
const TABLE_SLOTS: u32 = 4096;

/// What is recorded besides the processes named.
#[derive(Debug, Clone, Default)]
pub enum Scope {
    /// Nothing.
    #[default]
    Named,
    /// Every process of the machine, kernel threads included; seam itself is not.
    Machine,
    /// Every process under a control group (version 2).
    Cgroup(Arc<OwnedFd>),
}

/// What to record.
#[derive(Debug, Clone)]
pub struct Options {
    /// Samples a second on each CPU.
    pub rate_hz: u32,
    /// Also record processes that the targets make.
    pub follow_children: bool,
    /// What is recorded besides the targets.
    pub scope: Scope,
    /// Also keep what other profilers would have had of each sample.
    pub compare: bool,
}

/// How a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Samples so far.
    pub samples: usize,
    /// Targets that still run.
    pub running: usize,
}

/// A recording in progress. Dropping it detaches everything.
pub struct Session {
    kernel: Kernel,
    sideband: Sideband,
    clocks: Vec<OwnedFd>,
    /// Kept open: while it is, the kernel counts run times.
    _stats: Option<OwnedFd>,
    options: Options,
    modules: Modules,
    slots: HashMap<u32, u32>,
    processes: HashMap<i32, Tracked>,
    history: MapHistory,
    retired_sets: Vec<(Instant, u32)>,
    next_set: u32,
    spares: spare::SpareSets,
    collector: Collector,
    /// What other profilers would have had, if asked for.
    peers: Option<PeerCollector>,
    /// CPU time of every process before the recording, when all may be recorded.
    cpu_before: HashMap<i32, u64>,
    sideband_lost: u64,
    started: Option<(Instant, SystemTime, u64, Duration)>,
}

impl Session {
    /// Loads the kernel side; nothing is recorded yet.
    ///
    /// # Errors
    /// When perf events or BPF are refused.
    pub fn new(options: Options) -> Result<Self> {
        hurry();
        keep_no_buffers();
        let cpus = perf::online_cpus()?;
        // The side-band streams first: nothing mapped from here on is missed.
        let sideband = Sideband::open(&cpus)?;
        let ring_bytes = ring_bytes(options.rate_hz, cpus.len());
        let peer_bytes = peer_bytes(options.rate_hz, cpus.len());
        Ok(Self {
            kernel: Kernel::load(ring_bytes, options.compare.then_some(peer_bytes))?,
            sideband,
            clocks: Vec::new(),
            _stats: enable_stats(),
            peers: options.compare.then(PeerCollector::default),
            options,
            modules: Modules::with_tables(TableCache::of_user()),
            slots: HashMap::new(),
            processes: HashMap::new(),
            history: MapHistory::default(),
            retired_sets: Vec::new(),
            next_set: 1,
            spares: spare::SpareSets::default(),
            collector: Collector::default(),
            cpu_before: HashMap::new(),
            sideband_lost: 0,
            started: None,
        })
    }

    /// Reads files' tables before anything maps them. Files that can't be read are left out.
    ///
    /// # Errors
    /// When the kernel side can't take the tables.
    pub fn prepare(&mut self, files: &[std::path::PathBuf]) -> Result<()> {
        let vdso = self.modules.prepare_vdso();
        let files = files.iter().filter_map(|path| self.modules.prepare(path));
        let modules: Vec<Arc<Module>> = files.collect();
        let modules: Vec<Arc<Module>> = vdso.into_iter().chain(modules).collect();
        self.install(&modules)
    }

    /// Adds a running process.
    ///
    /// # Errors
    /// When its mappings can't be read or the kernel side can't take it.
    pub fn add_target(&mut self, target: Target) -> Result<()> {
        let pid = target.pid;
        self.kernel.note_mappings(pid)?;
        let map = ProcessMap::read(pid, &mut self.modules)
            .map_err(|source| Error::Inspect { pid, source })?;
        self.track(target, map, false);
        self.publish(pid)
    }

    /// Adds a process that will execute a program: nothing of what it maps now counts.
    ///
    /// # Errors
    /// When the kernel side can't take it.
    pub fn add_before_exec(&mut self, target: Target) -> Result<()> {
        let pid = target.pid;
        self.track(target, ProcessMap::default(), true);
        self.kernel.note_mappings(pid)?;
        self.publish_as(pid, true)
    }

    /// Starts the clocks.
    ///
    /// # Errors
    /// When perf events are refused.
    pub fn start(&mut self) -> Result<()> {
        match &self.options.scope {
            Scope::Named => {}
            Scope::Machine => self.kernel.set_scope(None)?,
            Scope::Cgroup(group) => self.kernel.set_scope(Some(group))?,
        }
        self.renew_spares()?;
        self.kernel.attach_tracepoints()?;
        self.adopt_busy()?;
        for cpu in perf::online_cpus()? {
            let clock = perf::clock(cpu, self.options.rate_hz)?;
            self.kernel.attach_sampler(&clock)?;
            self.clocks.push(clock);
        }
        for tracked in self.processes.values_mut() {
            tracked.cpu_first_ns = cpu_time_ns(tracked.target.pid).unwrap_or(0);
            tracked.cpu_last_ns = tracked.cpu_first_ns;
        }
        if !matches!(self.options.scope, Scope::Named) {
            self.cpu_before = cpu_times();
        }
        let own = cost::own_cpu();
        self.started = Some((Instant::now(), SystemTime::now(), monotonic_ns(), own));
        for clock in &self.clocks {
            perf::enable(clock)?;
        }
        Ok(())
    }

    /// Waits for something to happen, at most `timeout`, and takes it in.
    ///
    /// # Errors
    /// When the kernel side fails.
    pub fn poll(&mut self, timeout: Duration) -> Result<Status> {
        self.wait(timeout);
        self.renew_spares()?;
        self.follow()?;
        self.drain()?;
        self.adopt_strangers()?;
        self.drop_retired_sets();
        self.note_cpu_times();
        Ok(self.status())
    }

    /// Takes samples in, and then what belongs to them.
    fn drain(&mut self) -> Result<()> {
        let (collector, peers) = (&mut self.collector, &mut self.peers);
        self.kernel.drain(|record| {
            let sample = collector.add(record);
            if let (Some(sample), Some(peers)) = (sample, peers.as_mut()) {
                let header = collector.header(sample);
                peers.expect(header.tid, header.time_ns, sample, header.mapping_set);
            }
        })?;
        let Some(peers) = peers else { return Ok(()) };
        let maps = &self.history;
        peers.add_early(maps);
        self.kernel.drain_peers(|record| peers.add(record, maps))
    }

    /// How the recording stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let running = self.processes.values().filter(|t| !t.ended).count();
        Status {
            samples: self.collector.len(),
            running,
        }
    }

    /// Stops the clocks, detaches and gives what was recorded.
    ///
    /// # Errors
    /// When the last samples can't be read.
    pub fn finish(mut self) -> Result<Recording> {
        let now = Instant::now();
        self.clocks.iter().for_each(perf::disable);
        self.poll(Duration::ZERO)?;
        let (began, wall, monotonic, cpu) =
            self.started
                .unwrap_or((now, SystemTime::now(), monotonic_ns(), Duration::ZERO));
        let counters = self.kernel.counters();
        let (bpf_time, bpf_runs) = self.kernel.sampler_runs().unwrap_or_default();
        let cost = Cost {
            cpu: cost::own_cpu().saturating_sub(cpu),
            rss_bytes: cost::peak_rss(),
            map_bytes: (self.kernel.map_bytes() + self.sideband.bytes()) as u64,
            bpf_time,
            bpf_runs,
            tables_found: self.modules.keep_tables(),
        };
        let maps = self
            .processes
            .iter()
            .map(|(pid, t)| (*pid, t.map.clone()))
            .collect();
        self.collector.tell_late_mappings(&maps);
        let collected = self.collector.finish();
        let made_names = self.processes.values().filter_map(Tracked::made_names);
        let made_names = made_names.collect();
        let mut targets: Vec<TargetInfo> = self
            .processes
            .into_values()
            .map(Tracked::into_info)
            .collect();
        if !matches!(self.options.scope, Scope::Named) {
            targets.retain(|t| t.cpu_time_ns > 0 || !t.ended);
        }
        let busiest = |t: &TargetInfo| std::cmp::Reverse(t.cpu_time_ns);
        match self.options.scope {
            Scope::Named => targets.sort_by_key(|t| (!t.started_here, t.is_child, t.target.pid)),
            Scope::Machine | Scope::Cgroup(_) => {
                targets.sort_by_key(|t| (busiest(t), t.target.pid))
            }
        }
        Ok(Recording {
            grade: Grade::Bpf,
            samples: collected.samples,
            stacks: collected.stacks,
            labels: collected.labels,
            births: collected.births,
            peers: self.peers.map(PeerCollector::finish),
            maps: self.history,
            modules: self.modules.all().to_vec(),
            made_names,
            targets,
            counters: Counters {
                samples: counters[SEAM_COUNT_SAMPLES as usize],
                ring_full: counters[SEAM_COUNT_RING_FULL as usize],
                no_registers: counters[SEAM_COUNT_NO_REGISTERS as usize],
                malformed: collected.malformed,
                sideband_lost: self.sideband_lost,
            },
            cost,
            started: Some(wall),
            started_ns: monotonic,
            duration: now.saturating_duration_since(began),
            rate_hz: self.options.rate_hz,
        })
    }

    fn track(&mut self, target: Target, map: ProcessMap, started_here: bool) {
        let pid = target.pid;
        let tracked = Tracked::new(target, map, started_here);
        self.processes.insert(pid, tracked);
    }

    /// Makes a process's current mappings those of the kernel side.
    fn publish(&mut self, pid: i32) -> Result<()> {
        self.publish_as(pid, false)
    }

    fn publish_as(&mut self, pid: i32, held: bool) -> Result<()> {
        let Some(tracked) = self.processes.get_mut(&pid) else {
            return Ok(());
        };
        tracked.note_made_code();
        let (map, exec_set) = (tracked.map.clone(), tracked.exec_set);
        let runtimes = map.go_runtimes(&Live::new(pid));
        if !map.awaits_loader(&runtimes) {
            tracked.looks_left = 0;
        }
        let modules: Vec<Arc<Module>> =
            map.mappings.iter().map(|m| Arc::clone(&m.module)).collect();
        self.install(&modules)?;
        let mappings = map.wire(&runtimes, |m| {
            self.slots.get(&m.number).copied().unwrap_or_default()
        });
        let mut process = Process {
            follow: u32::from(self.options.follow_children),
            held: u32::from(held),
            go_runtimes: runtimes.len() as u32,
            ..Process::default()
        };
        for (slot, (_, runtime)) in process
            .go
            .iter_mut()
            .zip(&runtimes)
            .take(SEAM_GO_RUNTIMES as usize)
        {
            *slot = *runtime;
        }
        process.exec_set = exec_set;
        if process.exec_set == 0 {
            process.exec_set = self.next_set;
            self.next_set += 1;
            self.kernel.install_set(process.exec_set, &[])?;
        }
        if !mappings.is_empty() {
            let set = self.next_set;
            self.next_set += 1;
            self.kernel.install_set(set, &mappings)?;
            process.mapping_set = set;
            process.mapping_count = mappings.len() as u32;
            self.history.insert(set, map);
        }
        self.kernel.set_process(pid, &process)?;
        if let Some(tracked) = self.processes.get_mut(&pid) {
            tracked.exec_set = process.exec_set;
            let old = std::mem::replace(&mut tracked.set, process.mapping_set);
            self.history.follow(old, process.mapping_set);
            if old != 0 {
                self.retired_sets.push((Instant::now(), old));
            }
        }
        Ok(())
    }

    /// Gives every new module a slot and installs their tables together.
    fn install(&mut self, modules: &[Arc<Module>]) -> Result<()> {
        let mut new: Vec<(u32, Arc<Module>)> = Vec::new();
        for module in modules {
            if self.slots.contains_key(&module.number) {
                continue;
            }
            let next = self.slots.len() as u32 + 1;
            let slot = if module.table.is_ok() && next < TABLE_SLOTS {
                next
            } else {
                0
            };
            self.slots.insert(module.number, slot);
            if slot != 0 {
                new.push((slot, Arc::clone(module)));
            }
        }
        let tables = new.iter().filter_map(|(slot, module)| {
            let built = module.table.as_ref().ok()?;
            Some((*slot, built.table.words.as_slice()))
        });
        let tables: Vec<(u32, &[u32])> = tables.collect();
        self.kernel.install_tables(&tables)?;
        for (slot, module) in &new {
            if let Some((key, entry)) = module.kernel_entry(*slot) {
                self.kernel.install_file(&key, &entry)?;
            }
        }
        Ok(())
    }

    fn wait(&self, timeout: Duration) {
        let alive = self
            .processes
            .values()
            .filter(|t| !t.ended)
            .filter_map(|t| t.pidfd.as_ref());
        let mut polled: Vec<libc::pollfd> = self
            .sideband
            .descriptors()
            .chain(alive.map(AsRawFd::as_raw_fd))
            .map(|fd| libc::pollfd {
                fd,
                events: libc::POLLIN,
                revents: 0,
            })
            .collect();
        let milliseconds = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: `polled` is a valid array of the length given. A signal ends the wait early; that
        // is what it is for.
        unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as _, milliseconds) };
    }

    fn drop_retired_sets(&mut self) {
        let in_use: Vec<u32> = self.processes.values().map(|t| t.set).collect();
        self.retired_sets.retain(|(since, set)| {
            if since.elapsed() < SET_GRACE || in_use.contains(set) {
                return true;
            }
            self.kernel.remove_set(*set);
            self.history.forget(*set, |set| self.collector.uses(set));
            false
        });
    }

    fn note_cpu_times(&mut self) {
        for tracked in self.processes.values_mut() {
            if let Some(now) = cpu_time_ns(tracked.target.pid) {
                tracked.cpu_last_ns = now;
            }
        }
    }
}

/// Room for half a second of samples with deep stacks on every CPU.
fn ring_bytes(rate_hz: u32, cpus: usize) -> u32 {
    let wanted = rate_hz as usize * cpus * 1024;
    wanted.next_power_of_two().clamp(1 << 18, 1 << 26) as u32
}

/// Room for half a second of what other profilers would have had.
fn peer_bytes(rate_hz: u32, cpus: usize) -> u32 {
    let wanted = rate_hz as usize * cpus * size_of::<seam_peer>() / 2;
    wanted.next_power_of_two().clamp(1 << 20, 1 << 28) as u32
}
