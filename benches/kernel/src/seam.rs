//! A running seam, looked at through the kernel: its sampling program and its counters.

use std::collections::HashSet;
use std::fs;

use anyhow::{Context, Result};
use libbpf_rs::query::{ProgInfoIter, ProgInfoQueryOptions, ProgramInfo};
use libbpf_rs::{MapCore, MapFlags, MapHandle};
use seam_wire::{SEAM_COUNT_OTHER, SEAM_COUNT_SAMPLES};

use crate::walk::Runs;

/// The kernel side of a seam.
pub(crate) struct Seam {
    program: u32,
    counters: MapHandle,
}

impl Seam {
    /// Finds what a seam process holds; none before it has loaded it.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let held = programs_held_by(pid);
        let options = ProgInfoQueryOptions::default().include_map_ids(true);
        let mut all = ProgInfoIter::with_query_opts(options);
        let program = all.find(|p| held.contains(&p.id) && p.name == "sample")?;
        let maps = program.map_ids.iter();
        let counters = maps
            .filter_map(|id| MapHandle::from_map_id(*id).ok())
            .find(|map| map.name() == "counters")?;
        Some(Self {
            program: program.id,
            counters,
        })
    }

    /// Its runs so far. Run times of other processes' samples are in the time too.
    pub(crate) fn runs(&self) -> Result<Runs> {
        let info = self.info()?;
        Ok(Runs {
            time_ns: info.run_time_ns,
            runs: info.run_cnt,
            samples: self.counter(SEAM_COUNT_SAMPLES)?,
            other: self.counter(SEAM_COUNT_OTHER)?,
            ..Runs::default()
        })
    }

    /// Samples of targets so far.
    pub(crate) fn samples(&self) -> Result<u64> {
        self.counter(SEAM_COUNT_SAMPLES)
    }

    fn info(&self) -> Result<ProgramInfo> {
        let mut all = ProgInfoIter::default();
        all.find(|p| p.id == self.program)
            .context("seam has ended while it was measured")
    }

    fn counter(&self, number: u32) -> Result<u64> {
        let per_cpu = self
            .counters
            .lookup_percpu(&number.to_le_bytes(), MapFlags::ANY)?
            .context("no such counter")?;
        let word = |bytes: &Vec<u8>| bytes.get(..8).and_then(|b| b.try_into().ok());
        Ok(per_cpu
            .iter()
            .filter_map(word)
            .map(u64::from_le_bytes)
            .sum())
    }
}

fn programs_held_by(pid: i32) -> HashSet<u32> {
    let files = fs::read_dir(format!("/proc/{pid}/fdinfo"));
    let texts = files
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|file| fs::read_to_string(file.path()).ok());
    texts
        .filter_map(|text| {
            let line = text.lines().find_map(|l| l.strip_prefix("prog_id:"))?;
            line.trim().parse().ok()
        })
        .collect()
}
