//! Our own programs: loaded for one target, each attached to a clock of its own.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};
use libbpf_rs::{Link, MapCore, MapFlags, Object, ObjectBuilder};

use crate::clock;
use crate::walk::Runs;

#[repr(C, align(16))]
struct Aligned<const N: usize>([u8; N]);
static OBJECT: &Aligned<{ include_bytes!(concat!(env!("OUT_DIR"), "/walk.bpf.o")).len() }> =
    &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/walk.bpf.o")));

/// Words of `struct counts`.
const COUNTS: usize = 8;

/// The programs by name, in the order of their counts.
pub(crate) const NAMES: [&str; 3] = ["walk", "record", "read_user"];

/// What the clocks' periods are longer by. A program that always runs soon after another finds
/// that one's tables in the caches; these pass through every distance in half a second.
const DRIFTS_NS: [u64; 3] = [7_000, 13_000, 19_000];

/// Loaded and attached programs. Dropping them detaches.
pub(crate) struct Ours {
    _links: Vec<Link>,
    object: Object,
    _clocks: Vec<OwnedFd>,
}

impl Ours {
    /// Attaches the named programs, each to clocks whose period differs a little.
    pub(crate) fn attach(target: u32, rate: u32, names: &[&str]) -> Result<Self> {
        let mut open = ObjectBuilder::default()
            .name("bench")?
            .open_memory(&OBJECT.0)?;
        for mut map in open.maps_mut() {
            if map.name().to_string_lossy().ends_with(".rodata")
                && let Some(data) = map.initial_value_mut()
            {
                data[..4].copy_from_slice(&target.to_le_bytes());
            }
        }
        let object = open.load()?;
        let mut links = Vec::new();
        let mut clocks = Vec::new();
        for (place, name) in names.iter().enumerate() {
            let mut programs = object.progs_mut();
            let program = programs.find(|p| p.name() == *name);
            let program = program.with_context(|| format!("no program {name}"))?;
            for clock in clock::on_each_cpu(rate, DRIFTS_NS[place % DRIFTS_NS.len()])? {
                links.push(program.attach_perf_event(clock.as_fd().as_raw_fd())?);
                clocks.push(clock);
            }
        }
        clock::start(&clocks)?;
        Ok(Self {
            _links: links,
            object,
            _clocks: clocks,
        })
    }

    /// Runs of a program so far.
    pub(crate) fn runs(&self, place: usize) -> Result<Runs> {
        let mut programs = self.object.progs();
        let program = programs.find(|p| p.name() == NAMES[place]);
        let program = program.context("a program of ours")?;
        let mut info = libbpf_rs::libbpf_sys::bpf_prog_info::default();
        let mut len = size_of_val(&info) as u32;
        // SAFETY: `info` is a plain structure of the size that `len` names.
        let done = unsafe {
            libbpf_rs::libbpf_sys::bpf_obj_get_info_by_fd(
                program.as_fd().as_raw_fd(),
                (&raw mut info).cast(),
                &raw mut len,
            )
        };
        anyhow::ensure!(done == 0, "the kernel does not tell about our programs");
        let counts = self.counts(place)?;
        Ok(Runs {
            time_ns: info.run_time_ns,
            runs: info.run_cnt,
            samples: counts[0],
            other: counts[1],
            user_frames: counts[2],
            kernel_frames: counts[3],
            in_kernel: counts[4],
            small_ns: counts[5],
            large_ns: counts[6],
            clock_ns: counts[7],
        })
    }

    fn counts(&self, place: usize) -> Result<[u64; COUNTS]> {
        let mut maps = self.object.maps();
        let map = maps.find(|m| m.name() == "counts").context("counts")?;
        let key = (place as u32).to_le_bytes();
        let per_cpu = map.lookup_percpu(&key, MapFlags::ANY)?.context("counts")?;
        let mut sums = [0; COUNTS];
        for value in per_cpu {
            for (sum, word) in sums.iter_mut().zip(value.as_chunks::<8>().0) {
                *sum += u64::from_le_bytes(*word);
            }
        }
        Ok(sums)
    }
}

/// Runs the program that does nothing.
pub(crate) fn nothing(rate: u32, seconds: f64) -> Result<()> {
    let ours = Ours::attach(0, rate, &["nothing"])?;
    println!("attached");
    // The caller may end us before.
    sleep(Duration::from_secs_f64(seconds));
    drop(ours);
    Ok(())
}
