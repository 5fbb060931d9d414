//! The registers of a process's threads, from a task iterator in the kernel: without ptrace, a stop
//! or a signal.

use std::io::Read;

use libbpf_rs::{Iter, Link, Object, ObjectBuilder};
use seam_wire::{ThreadRecord, from_bytes};

use crate::bpf::{foreign_pid_namespace, log, missing, refused, set_constants};
use crate::form::Form;
use crate::{Error, Result};

/// More threads than a process has: `kernel.threads-max` is of this order on large machines.
const THREADS_MAX: usize = 1 << 22;

/// Reads all threads of one process, as often as wanted.
pub struct ThreadRegisters {
    // The link before the object, which it needs.
    link: Link,
    _object: Object,
}

impl ThreadRegisters {
    /// Loads the iterator for a process.
    ///
    /// # Errors
    /// When the kernel has no such thing (before Linux 5.10) or does not allow it.
    pub fn of(pid: i32) -> Result<Self> {
        libbpf_rs::set_print(Some((libbpf_rs::PrintLevel::Warn, |_, text| log(text))));
        let mut open = ObjectBuilder::default()
            .name("seam_threads")
            .and_then(|b| b.open_memory(Form::of_this_kernel().threads()))
            .map_err(|e| refused("opened", &e))?;
        let namespace = foreign_pid_namespace().unwrap_or(0);
        let constants = [
            ("seam_pid_namespace", namespace),
            ("seam_target", pid as u32),
        ];
        set_constants(&mut open, &constants)?;
        let object = open.load().map_err(|e| refused("loaded", &e))?;
        let program = object.progs_mut().find(|p| p.name() == "threads");
        let program = program.ok_or_else(|| missing("threads"))?;
        let link = program.attach().map_err(|e| refused("attached", &e))?;
        Ok(Self {
            link,
            _object: object,
        })
    }

    /// Reads them as they are now.
    ///
    /// # Errors
    /// When the iterator can't be read.
    pub fn read(&self) -> Result<Vec<ThreadRecord>> {
        let iter = Iter::new(&self.link).map_err(|e| refused("attached", &e))?;
        let mut bytes = Vec::new();
        let record = size_of::<ThreadRecord>();
        iter.take((THREADS_MAX * record) as u64)
            .read_to_end(&mut bytes)
            .map_err(Error::io("reading the threads' registers"))?;
        let records = bytes.chunks_exact(record);
        Ok(records.filter_map(from_bytes).collect())
    }
}
