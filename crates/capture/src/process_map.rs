//! What one process has mapped at one time, and its form for the walk.

use std::sync::Arc;

use seam_go::{Field, TlsOffset};
use seam_memory::{Memory, proc_path};
use seam_unwind::GoRuntimeFacts;
use seam_wire::{
    Arch, GoRuntime, Mapping, SEAM_CODE_FILE, SEAM_CODE_MADE, SEAM_CODE_PROBE, SEAM_G_BYTES,
    SEAM_GO_RUNTIMES, SEAM_LABELS_MAP, SEAM_LABELS_SLICE, SEAM_M_BYTES, SEAM_TLS_NONE,
};

use crate::maps::{MapsEntry, executable_entries};
use crate::module::{Module, ModuleKind, Modules};

/// An executable mapping with its module.
#[derive(Debug, Clone)]
pub struct MappedModule {
    /// First address.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// Offset of `start` in the file.
    pub offset: u64,
    /// Where the module's address 0 is loaded.
    pub load_bias: u64,
    /// The module.
    pub module: Arc<Module>,
}

/// All executable mappings of a process, by rising address, without overlap.
#[derive(Debug, Clone, Default)]
pub struct ProcessMap {
    /// The mappings.
    pub mappings: Vec<MappedModule>,
}

impl ProcessMap {
    /// Reads the process's `maps`.
    ///
    /// # Errors
    /// When the process is gone or may not be looked at.
    pub fn read(pid: i32, modules: &mut Modules) -> std::io::Result<Self> {
        let text = std::fs::read(proc_path(pid, "maps"))?;
        let mut map = Self::default();
        for entry in executable_entries(&String::from_utf8_lossy(&text)) {
            // The legacy page at the end of the address space is never executed natively.
            if entry.path != "[vsyscall]" {
                map.insert(pid, &entry, modules);
            }
        }
        Ok(map)
    }

    /// Adds one mapping; whatever was mapped at its addresses before is gone.
    pub fn insert(&mut self, pid: i32, entry: &MapsEntry, modules: &mut Modules) {
        self.insert_module(entry, modules.of_mapping(pid, entry));
    }

    /// The same for a mapping of which the module is known.
    pub(crate) fn insert_module(&mut self, entry: &MapsEntry, module: Arc<Module>) {
        let load_bias = module.load_bias(entry.start, entry.offset).unwrap_or(0);
        let new = MappedModule {
            start: entry.start,
            end: entry.end,
            offset: entry.offset,
            load_bias,
            module,
        };
        let mut kept = Vec::with_capacity(self.mappings.len() + 2);
        for old in self.mappings.drain(..) {
            if old.end <= new.start || old.start >= new.end {
                kept.push(old);
                continue;
            }
            if old.start < new.start {
                kept.push(MappedModule {
                    end: new.start,
                    ..old.clone()
                });
            }
            if old.end > new.end {
                let skip = new.end - old.start;
                kept.push(MappedModule {
                    start: new.end,
                    offset: old.offset + skip,
                    ..old
                });
            }
        }
        kept.push(new);
        kept.sort_by_key(|m| m.start);
        self.mappings = kept;
    }

    /// The mapping that covers an address.
    #[must_use]
    pub fn find(&self, address: u64) -> Option<&MappedModule> {
        let after = self.mappings.partition_point(|m| m.start <= address);
        let mapping = self.mappings.get(after.checked_sub(1)?)?;
        (address < mapping.end).then_some(mapping)
    }

    /// The Go runtimes in the process that has this memory, with the number of their module.
    #[must_use]
    pub fn go_runtimes(&self, memory: &dyn Memory) -> Vec<(u32, GoRuntime)> {
        let mut runtimes: Vec<(u32, GoRuntime)> = Vec::new();
        for mapping in &self.mappings {
            let Ok(table) = &mapping.module.table else {
                continue;
            };
            let Some(facts) = &table.go else { continue };
            let number = mapping.module.number;
            if runtimes.iter().any(|(n, _)| *n == number)
                || runtimes.len() == SEAM_GO_RUNTIMES as usize
            {
                continue;
            }
            runtimes.push((number, go_runtime(memory, facts, mapping.load_bias)));
        }
        runtimes
    }

    /// Whether the loader has yet to fill in where a Go runtime's g lies.
    #[must_use]
    pub fn awaits_loader(&self, runtimes: &[(u32, GoRuntime)]) -> bool {
        let slotted = |m: &MappedModule| {
            let go = m.module.table.as_ref().ok().and_then(|t| t.go.as_ref());
            go.is_some_and(|go| matches!(go.tls, Some(TlsOffset::Slot(_))))
        };
        runtimes
            .iter()
            .filter(|(_, runtime)| runtime.known == 0)
            .any(|(number, _)| {
                let mut of_it = self.mappings.iter().filter(|m| m.module.number == *number);
                of_it.any(slotted)
            })
    }

    /// The mappings as the walk reads them; `slot` gives a module's table slot, 0 = not there yet.
    #[must_use]
    pub fn wire(
        &self,
        runtimes: &[(u32, GoRuntime)],
        mut slot: impl FnMut(&Arc<Module>) -> u32,
    ) -> Vec<Mapping> {
        let mapping = |m: &MappedModule| {
            let mut wire = Mapping {
                start: m.start,
                end: m.end,
                ..Mapping::default()
            };
            if let Ok(built) = &m.module.table {
                wire.bias = m.load_bias.wrapping_add(built.table.base);
                wire.table = slot(&m.module);
                wire.index_word = built.table.index_word;
                wire.pages = built.table.pages;
                let number = m.module.number;
                let runtime = runtimes.iter().position(|(n, _)| *n == number);
                wire.go = runtime.map_or(0, |i| i as u32 + 1);
            } else {
                wire.index_word = match m.module.kind {
                    ModuleKind::Anonymous => SEAM_CODE_MADE,
                    ModuleKind::Probe => SEAM_CODE_PROBE,
                    ModuleKind::File | ModuleKind::Vdso => SEAM_CODE_FILE,
                };
            }
            wire
        };
        self.mappings.iter().map(mapping).collect()
    }
}

/// A runtime's facts at the addresses of one process.
pub(crate) fn go_runtime(memory: &dyn Memory, facts: &GoRuntimeFacts, load_bias: u64) -> GoRuntime {
    let tls = match facts.tls {
        Some(TlsOffset::Fixed(offset)) => Some(offset),
        // The loader fills the slot in, in the process's memory only, some time after it has mapped
        // the library. Thread-local storage lies below the thread pointer, on AArch64 above it.
        Some(TlsOffset::Slot(slot)) => memory
            .word(slot.wrapping_add(load_bias))
            .ok()
            .map(|v| v as i64)
            .filter(|offset| match Arch::HOST {
                Arch::X86_64 => *offset < 0,
                Arch::Arm64 => *offset > 0,
            }),
        Some(TlsOffset::Nowhere) => Some(SEAM_TLS_NONE as i64),
        None => None,
    };
    let place = |address: u64| {
        if address == 0 {
            0
        } else {
            address.wrapping_add(load_bias)
        }
    };
    let offsets = &facts.offsets.offsets;
    let of_g = |field| word_within(offsets.get(field), SEAM_G_BYTES);
    let of_m = |field| word_within(offsets.get(field), SEAM_M_BYTES);
    let flag = |field| offset_within(offsets.get(field), 1, SEAM_M_BYTES);
    // The walk reads p.id at the start of p.
    let of_p = |field| match offsets.get(Field::PId) {
        Some(0) | None => of_m(field),
        Some(_) => 0,
    };
    let mut runtime = GoRuntime {
        tls_offset: tls.unwrap_or(0),
        crosscall2_start: place(facts.crosscall2.start),
        crosscall2_end: place(facts.crosscall2.end),
        g_m: of_g(Field::GM),
        g_sched_sp: of_g(Field::GSchedSp),
        g_sched_pc: of_g(Field::GSchedPc),
        g_sched_bp: of_g(Field::GSchedBp),
        g_status: of_g(Field::GAtomicstatus),
        g_goid: of_g(Field::GGoid),
        g_startpc: of_g(Field::GStartpc),
        m_gsignal: of_m(Field::MGsignal),
        m_curg: of_m(Field::MCurg),
        m_p: of_p(Field::MP),
        m_oldp: of_p(Field::MOldp),
        m_id: of_m(Field::MId),
        m_incgo: flag(Field::MIncgo),
        m_is_extra_in_c: flag(Field::MIsExtraInC),
        g_labels: of_g(Field::GLabels),
        labels_kind: labels_kind(facts),
        known: u32::from(tls.is_some()),
        ..GoRuntime::default()
    };
    let r = &runtime;
    let stitching = [
        r.g_m,
        r.g_sched_sp,
        r.g_sched_pc,
        r.g_sched_bp,
        r.m_gsignal,
        r.m_curg,
    ];
    let complete = !stitching.contains(&0);
    runtime.verified = u32::from(facts.offsets.verified && complete);
    runtime
}

/// How labels are kept: as a map up to Go 1.23, as a slice since.
fn labels_kind(facts: &GoRuntimeFacts) -> u16 {
    let minor = facts.version.as_ref().and_then(|v| v.minor);
    if minor.is_some_and(|minor| minor < 24) {
        SEAM_LABELS_MAP as u16
    } else {
        SEAM_LABELS_SLICE as u16
    }
}

/// The offset of a word, or of the lower half of one; 0 where the walk can't read it.
fn word_within(offset: Option<u32>, bytes: u32) -> u16 {
    offset_within(offset.filter(|at| at % 8 == 0), 8, bytes)
}

/// The offset of a field of `size` bytes, 0 where it is unknown or not among the first `bytes`.
fn offset_within(offset: Option<u32>, size: u32, bytes: u32) -> u16 {
    offset
        .filter(|at| at.saturating_add(size) <= bytes)
        .and_then(|at| u16::try_from(at).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_the_walk_cannot_read_are_unknown() {
        assert_eq!(word_within(Some(152), SEAM_G_BYTES), 152);
        assert_eq!(
            word_within(Some(SEAM_G_BYTES - 8), SEAM_G_BYTES),
            SEAM_G_BYTES as u16 - 8
        );
        for unreadable in [None, Some(148), Some(SEAM_G_BYTES), Some(u32::MAX - 7)] {
            assert_eq!(word_within(unreadable, SEAM_G_BYTES), 0);
        }
        assert_eq!(offset_within(Some(282), 1, SEAM_M_BYTES), 282);
    }
}
