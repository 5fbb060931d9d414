//! The loaded kernel side: its maps as typed operations. With `registers`, which reads the threads
//! of a process, and `doctor`, which tries what the kernel offers, all that speaks to libbpf.

use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};
use std::time::Duration;

use libbpf_rs::{
    Link, MapCore, MapFlags, MapHandle, MapType, Object, ObjectBuilder, OpenObject,
    RingBufferBuilder,
};
use seam_wire::{
    FileEntry, FileKey, Late, Mapping, Process, SEAM_BLOCK_WORDS, SEAM_COUNTERS,
    SEAM_MAPPING_BLOCKS, SEAM_MAPPINGS_PER_BLOCK, Scope, bytes_of, from_bytes, seam_mapping_block,
    seam_set_key, seam_table_block, words_as_bytes,
};

use crate::form::Form;
use crate::{Error, Result};

/// Inner arrays of different lengths may stand in for one another (Linux 5.10).
pub(crate) const BPF_F_INNER_MAP: u32 = 1 << 12;
/// Memory of a hash map is taken entry by entry.
const BPF_F_NO_PREALLOC: u32 = 1;

/// The loaded programs and their maps. Everything is freed when this is dropped, or when the
/// process ends in whatever way: nothing is pinned.
pub(crate) struct Kernel {
    // Links before the object: dropping them detaches.
    links: Vec<Link>,
    object: Object,
    form: Form,
    tables: MapHandle,
    mappings: MapHandle,
    files: MapHandle,
    processes: MapHandle,
    late: MapHandle,
    scope: MapHandle,
    cgroups: MapHandle,
    counters: MapHandle,
    samples: MapHandle,
    peers: MapHandle,
    spare_sets: MapHandle,
    inner_bytes: usize,
    /// Of hash maps whose memory is taken entry by entry.
    entry_bytes: usize,
}

impl Kernel {
    /// Loads the programs; `ring_bytes` is a power of two, and so is `peer_bytes`, if what other
    /// profilers would have had of each sample is asked for.
    pub(crate) fn load(ring_bytes: u32, peer_bytes: Option<u32>) -> Result<Self> {
        libbpf_rs::set_print(Some((libbpf_rs::PrintLevel::Warn, |_, text| log(text))));
        let form = Form::of_this_kernel();
        let mut open = ObjectBuilder::default()
            .name("seam")
            .and_then(|b| b.open_memory(form.sampler()))
            .map_err(|e| refused("opened", &e))?;
        for mut map in open.maps_mut() {
            let bytes = match map.name().as_encoded_bytes() {
                b"samples" => ring_bytes,
                b"peers" => peer_bytes.unwrap_or(4096),
                _ => continue,
            };
            map.set_max_entries(bytes)
                .map_err(|e| refused("sized", &e))?;
        }
        let peers_wanted = u32::from(peer_bytes.is_some());
        set_constants(
            &mut open,
            &[
                ("seam_pid_namespace", foreign_pid_namespace().unwrap_or(0)),
                ("seam_peers", peers_wanted),
            ],
        )?;
        let object = open.load().map_err(|e| refused("loaded", &e))?;
        let map = |name: &str| {
            let map = object.maps().find(|m| m.name() == name);
            let map = map.ok_or_else(|| missing(name))?;
            MapHandle::try_from(&map).map_err(|e| refused("loaded", &e))
        };
        Ok(Self {
            tables: map("tables")?,
            mappings: map("mappings")?,
            files: map("files")?,
            processes: map("processes")?,
            late: map("late")?,
            scope: map("scope")?,
            cgroups: map("cgroups")?,
            counters: map("counters")?,
            samples: map("samples")?,
            peers: map("peers")?,
            spare_sets: map("spare_sets")?,
            links: Vec::new(),
            object,
            form,
            inner_bytes: ring_bytes as usize + peer_bytes.unwrap_or(0) as usize,
            entry_bytes: 0,
        })
    }

    /// How stacks are walked.
    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// Attaches the tracepoints of the scheduler and of address spaces. Without the latter (before
    /// Linux 6.1) a new mapping is in force when user space has heard of it.
    pub(crate) fn attach_tracepoints(&mut self) -> Result<()> {
        for program in self.object.progs_mut() {
            let section = program.section().to_string_lossy();
            // One without a name is called by others.
            if !section.starts_with("raw_tracepoint/") {
                continue;
            }
            let optional = section.ends_with("/ma_write");
            match program.attach() {
                Ok(link) => self.links.push(link),
                Err(error) if optional => log(format!("{error:#}\n")),
                Err(error) => return Err(refused("attached", &error)),
            }
        }
        Ok(())
    }

    /// Runs the sampling program at every overflow of a perf event.
    pub(crate) fn attach_sampler(&mut self, event: &OwnedFd) -> Result<()> {
        let program = self.object.progs_mut().find(|p| p.name() == "sample");
        let program = program.ok_or_else(|| missing("sample"))?;
        // The link closes its descriptor (bpf_link_perf_detach, libbpf 1.0 to 1.6), so it gets one.
        let own = event
            .try_clone()
            .map_err(Error::io("copying a descriptor"))?;
        let link = program
            .attach_perf_event(own.as_raw_fd())
            .map_err(|e| refused("attached", &e))?;
        let _ = own.into_raw_fd();
        self.links.push(link);
        Ok(())
    }

    /// Fills slots with tables. Takes one RCU grace period, however many there are.
    pub(crate) fn install_tables(&mut self, tables: &[(u32, &[u32])]) -> Result<()> {
        let maps: Vec<MapHandle> = tables
            .iter()
            .map(|(_, words)| self.table_map(words))
            .collect::<Result<_>>()?;
        let keys: Vec<u8> = tables
            .iter()
            .flat_map(|(slot, _)| slot.to_le_bytes())
            .collect();
        let fds: Vec<u8> = maps
            .iter()
            .flat_map(|m| m.as_fd().as_raw_fd().to_le_bytes())
            .collect();
        if maps.is_empty() {
            return Ok(());
        }
        let all = maps.len() as u32;
        let batch = &self.tables;
        let done = batch.update_batch(&keys, &fds, all, MapFlags::ANY, MapFlags::ANY);
        if done.is_ok() || self.form == Form::Loop {
            return done.map_err(|e| refused("filled", &e));
        }
        // Older kernels take maps for such an array one by one only.
        for (key, fd) in keys.chunks_exact(4).zip(fds.chunks_exact(4)) {
            let done = self.tables.update(key, fd, MapFlags::ANY);
            done.map_err(|e| refused("filled", &e))?;
        }
        Ok(())
    }

    fn table_map(&mut self, words: &[u32]) -> Result<MapHandle> {
        let blocks = words.len() / SEAM_BLOCK_WORDS as usize;
        let values = words_as_bytes(&words[..blocks * SEAM_BLOCK_WORDS as usize]);
        let map = inner_map("seam_table", size_of::<seam_table_block>(), blocks)?;
        fill(&map, values, blocks)?;
        self.inner_bytes += values.len();
        Ok(map)
    }

    /// Makes a file's table known for processes that execute it.
    pub(crate) fn install_file(&mut self, key: &FileKey, entry: &FileEntry) -> Result<()> {
        self.files
            .update(bytes_of(key), bytes_of(entry), MapFlags::ANY)
            .map_err(|e| refused("filled", &e))
    }

    /// Makes a mapping set known under a number.
    pub(crate) fn install_set(&mut self, set: u32, mappings: &[Mapping]) -> Result<()> {
        let mut blocks = seam_unwind::mapping_blocks(mappings);
        if blocks.is_empty() {
            // One block to be filled at the next exec.
            let unused = Mapping {
                start: u64::MAX,
                end: u64::MAX,
                ..Mapping::default()
            };
            blocks.push(seam_mapping_block {
                mapping: [unused; SEAM_MAPPINGS_PER_BLOCK as usize],
            });
        }
        for (number, block) in blocks.iter().enumerate() {
            let key = seam_set_key {
                set,
                block: number as u32,
            };
            self.mappings
                .update(bytes_of(&key), bytes_of(block), MapFlags::ANY)
                .map_err(|e| refused("filled", &e))?;
        }
        self.entry_bytes += blocks.len() * size_of::<seam_mapping_block>();
        Ok(())
    }

    /// What an installed set of one block holds.
    pub(crate) fn mappings_of(&self, set: u32) -> Vec<Mapping> {
        let key = seam_set_key { set, block: 0 };
        let bytes = self.mappings.lookup(bytes_of(&key), MapFlags::ANY);
        let bytes = bytes.ok().flatten().unwrap_or_default();
        let mappings = bytes.chunks_exact(size_of::<Mapping>());
        let mappings = mappings.filter_map(from_bytes::<Mapping>);
        mappings.take_while(|m| m.start != u64::MAX).collect()
    }

    /// The set in force for a process, 0 = none.
    pub(crate) fn set_of_process(&self, pid: i32) -> u32 {
        let found = self
            .processes
            .lookup(&(pid as u32).to_le_bytes(), MapFlags::ANY);
        let bytes = found.ok().flatten();
        let process = bytes.and_then(|bytes| from_bytes::<Process>(&bytes));
        process.map_or(0, |process| process.mapping_set)
    }

    /// Adds an empty set to those for processes that have none prepared.
    pub(crate) fn offer_spare_set(&mut self, set: u32) -> Result<()> {
        self.spare_sets
            .update(&[], &set.to_le_bytes(), MapFlags::ANY)
            .map_err(|e| refused("filled", &e))
    }

    /// The one of them that is taken next.
    pub(crate) fn next_spare_set(&self) -> Option<u32> {
        let found = self.spare_sets.lookup(&[], MapFlags::ANY).ok().flatten()?;
        Some(u32::from_le_bytes(found.get(..4)?.try_into().ok()?))
    }

    /// Forgets a mapping set.
    pub(crate) fn remove_set(&mut self, set: u32) {
        for block in 0..SEAM_MAPPING_BLOCKS {
            if self
                .mappings
                .delete(bytes_of(&seam_set_key { set, block }))
                .is_err()
            {
                // There are no more.
                break;
            }
            self.entry_bytes -= size_of::<seam_mapping_block>();
        }
    }

    /// Records every process, or every one under a control group, besides those named.
    pub(crate) fn set_scope(&mut self, cgroup: Option<&OwnedFd>) -> Result<()> {
        let first = 0u32.to_le_bytes();
        if let Some(cgroup) = cgroup {
            let fd = cgroup.as_raw_fd().to_le_bytes();
            self.cgroups
                .update(&first, &fd, MapFlags::ANY)
                .map_err(|e| refused("filled", &e))?;
        }
        let scope = Scope {
            all: 1,
            cgroup: u32::from(cgroup.is_some()),
            own: std::process::id(),
            ..Scope::default()
        };
        self.scope
            .update(&first, bytes_of(&scope), MapFlags::ANY)
            .map_err(|e| refused("filled", &e))
    }

    /// Lets the kernel side note what a process maps, from before its mappings are read.
    pub(crate) fn note_mappings(&mut self, pid: i32) -> Result<()> {
        let key = (pid as u32).to_le_bytes();
        match self
            .late
            .update(&key, bytes_of(&Late::default()), MapFlags::NO_EXIST)
        {
            Ok(()) => self.entry_bytes += size_of::<Late>(),
            // A child has what its parent had.
            Err(e) if e.kind() == libbpf_rs::ErrorKind::AlreadyExists => {}
            // No room for more: of the others user space hears a little later.
            Err(_) if self.form == Form::TailCalls => {}
            Err(e) => return Err(refused("filled", &e)),
        }
        Ok(())
    }

    /// Makes a process a target, or changes what is known of it.
    pub(crate) fn set_process(&mut self, pid: i32, process: &Process) -> Result<()> {
        self.processes
            .update(
                &(pid as u32).to_le_bytes(),
                bytes_of(process),
                MapFlags::ANY,
            )
            .map_err(|e| refused("filled", &e))
    }

    /// Forgets a process.
    pub(crate) fn remove_process(&mut self, pid: i32) {
        let key = (pid as u32).to_le_bytes();
        let _ = self.processes.delete(&key);
        if self.late.delete(&key).is_ok() {
            self.entry_bytes = self.entry_bytes.saturating_sub(size_of::<Late>());
        }
    }

    /// The counters, summed over CPUs.
    pub(crate) fn counters(&self) -> [u64; SEAM_COUNTERS as usize] {
        let mut sums = [0; SEAM_COUNTERS as usize];
        for (number, sum) in sums.iter_mut().enumerate() {
            let key = (number as u32).to_le_bytes();
            let Ok(Some(per_cpu)) = self.counters.lookup_percpu(&key, MapFlags::ANY) else {
                continue;
            };
            let word = |v: &Vec<u8>| v.get(..8).and_then(|b| b.try_into().ok());
            *sum = per_cpu
                .iter()
                .filter_map(word)
                .map(u64::from_le_bytes)
                .sum();
        }
        sums
    }

    /// Hands every sample that has arrived to `each`.
    pub(crate) fn drain(&self, each: impl FnMut(&[u8])) -> Result<()> {
        consume(&self.samples, each)
    }

    /// Hands what other profilers would have had of samples to `each`. Those of all samples that
    /// have been drained are there.
    pub(crate) fn drain_peers(&self, each: impl FnMut(&[u8])) -> Result<()> {
        consume(&self.peers, each)
    }

    /// Bytes of memory in the kernel for maps whose size depends on the targets.
    pub(crate) fn map_bytes(&self) -> usize {
        let fixed = self.object.maps().filter_map(|m| {
            let info = m.info().ok()?;
            if info.info.map_flags & BPF_F_NO_PREALLOC != 0 {
                // Grows with its entries, which are counted as they are added.
                return None;
            }
            let per_entry = info.info.value_size as usize + info.info.key_size as usize;
            Some(per_entry * info.info.max_entries as usize)
        });
        // The form for older kernels has no such maps: theirs count as a whole.
        let grown = match self.form {
            Form::Loop => self.entry_bytes,
            Form::TailCalls => 0,
        };
        self.inner_bytes + grown + fixed.sum::<usize>()
    }

    /// Run time and number of runs of the sampling program, when the kernel counts them.
    pub(crate) fn sampler_runs(&self) -> Option<(Duration, u64)> {
        let program = self.object.progs().find(|p| p.name() == "sample")?;
        let mut info = libbpf_rs::libbpf_sys::bpf_prog_info::default();
        let mut len = size_of_val(&info) as u32;
        let fd = program.as_fd().as_raw_fd();
        // SAFETY: `info` is a plain structure of the size that `len` names.
        let done = unsafe {
            libbpf_rs::libbpf_sys::bpf_obj_get_info_by_fd(
                fd,
                std::ptr::from_mut(&mut info).cast(),
                &raw mut len,
            )
        };
        (done == 0).then(|| (Duration::from_nanos(info.run_time_ns), info.run_cnt))
    }
}

fn consume(ring: &MapHandle, mut each: impl FnMut(&[u8])) -> Result<()> {
    let mut builder = RingBufferBuilder::new();
    let taken = |record: &[u8]| {
        each(record);
        0
    };
    builder.add(ring, taken).map_err(|e| refused("read", &e))?;
    let ring = builder.build().map_err(|e| refused("read", &e))?;
    ring.consume().map_err(|e| refused("read", &e))
}

/// Sets an object's constants, all 32 bits wide and named here in the order of their definition.
pub(crate) fn set_constants(open: &mut OpenObject, constants: &[(&str, u32)]) -> Result<()> {
    let mut rodata = open.maps_mut().find(|map| {
        let name = map.name().as_encoded_bytes();
        name.ends_with(b".rodata")
    });
    let value = rodata.as_mut().and_then(|map| map.initial_value_mut());
    let value = value.filter(|value| value.len() == 4 * constants.len());
    let value = value.ok_or_else(|| missing(".rodata"))?;
    for ((_, constant), place) in constants.iter().zip(value.chunks_mut(4)) {
        place.copy_from_slice(&constant.to_le_bytes());
    }
    Ok(())
}

fn inner_map(name: &str, value_size: usize, entries: usize) -> Result<MapHandle> {
    let options = libbpf_rs::libbpf_sys::bpf_map_create_opts {
        sz: size_of::<libbpf_rs::libbpf_sys::bpf_map_create_opts>() as _,
        map_flags: BPF_F_INNER_MAP,
        ..Default::default()
    };
    MapHandle::create(
        MapType::Array,
        Some(name),
        4,
        value_size as u32,
        entries as u32,
        &options,
    )
    .map_err(|e| refused("filled", &e))
}

/// Writes entries 0 to `count` of an array.
fn fill(map: &MapHandle, values: &[u8], count: usize) -> Result<()> {
    if count == 0 {
        return Ok(());
    }
    let keys: Vec<u8> = (0..count as u32).flat_map(u32::to_le_bytes).collect();
    map.update_batch(&keys, values, count as u32, MapFlags::ANY, MapFlags::ANY)
        .map_err(|e| refused("filled", &e))
}

pub(crate) fn refused(step: &'static str, error: &libbpf_rs::Error) -> Error {
    if !std::path::Path::new("/sys/kernel/btf/vmlinux").exists() {
        return Error::NoBtf;
    }
    let denied = error.kind() == libbpf_rs::ErrorKind::PermissionDenied;
    let missing = if denied {
        crate::target::missing_capabilities()
    } else {
        Vec::new()
    };
    Error::Bpf {
        step,
        detail: format!("{error:#}"),
        missing,
    }
}

pub(crate) fn missing(name: &str) -> Error {
    let detail = format!("{name} is not in the compiled object");
    Error::Bpf {
        step: "loaded",
        detail,
        missing: Vec::new(),
    }
}

/// libbpf's own words, only for those who ask (-v sets SEAM_LOG).
pub(crate) fn log(text: String) {
    if std::env::var_os("SEAM_LOG").is_some() {
        eprint!("libbpf: {text}");
    }
}

/// The number of seam's PID namespace, if it is not the first.
pub(crate) fn foreign_pid_namespace() -> Option<u32> {
    /// `PROC_PID_INIT_INO`, include/linux/proc_ns.h, Linux 3.8 to 6.18.
    const FIRST: u64 = 0xeffffffc;
    let own = std::fs::metadata("/proc/self/ns/pid").ok()?;
    let number = std::os::unix::fs::MetadataExt::ino(&own);
    u32::try_from(number).ok().filter(|_| number != FIRST)
}
