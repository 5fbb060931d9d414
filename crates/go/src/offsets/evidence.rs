//! What the instructions of a binary say of the offsets: one function of the runtime and one
//! pattern for each field that the walk reads.
//!
//! The functions are in every Go executable, with cgo or without, since the runtime itself uses
//! them; the one that sets labels is where there can be labels. A pattern names one access that its
//! function makes to one field, so that what it finds is that field's offset, or nothing.

mod code;
mod patterns;

use std::collections::HashMap;

use seam_object::{Elf, ReadRef};
use seam_wire::Arch;

use self::code::Code;
use super::{Field, Offsets};
use crate::code::decode;
use crate::{GoModule, arm64};

type Pattern = fn(&Code<'_>) -> Option<i64>;

/// What shows a field.
const PATTERNS: [(Field, &str, Pattern); 17] = [
    (Field::GM, SYSTEMSTACK, patterns::g_m),
    (Field::MGsignal, SYSTEMSTACK, patterns::m_gsignal),
    (Field::MG0, SYSTEMSTACK, patterns::m_g0),
    (Field::MCurg, SYSTEMSTACK, patterns::m_curg),
    (Field::GSchedSp, SYSTEMSTACK, patterns::sched_sp),
    (Field::GSchedPc, GOSAVE, patterns::sched_pc),
    (Field::GSchedBp, GOSAVE, patterns::sched_bp),
    (Field::GStackHi, "runtime.asmcgocall", patterns::stack_hi),
    (
        Field::GAtomicstatus,
        "runtime.casgstatus",
        patterns::atomicstatus,
    ),
    (Field::GGoid, "runtime.newproc1", patterns::goid),
    (
        Field::GStartpc,
        "runtime.isSystemGoroutine",
        patterns::startpc,
    ),
    (Field::MP, "runtime.wirep", patterns::m_p),
    (Field::MOldp, "runtime.exitsyscall", patterns::oldp),
    (Field::MId, "runtime.mcommoninit", patterns::m_id),
    (Field::MIncgo, "runtime.cgocall", patterns::incgo),
    (
        Field::MIsExtraInC,
        "runtime.sigtrampgo",
        patterns::is_extra_in_c,
    ),
    (Field::GLabels, SET_LABELS, patterns::labels),
];

/// Only programs that import runtime/pprof have it; in others no goroutine has labels.
const SET_LABELS: &str = "runtime/pprof.runtime_setProfLabel";

pub(crate) const SYSTEMSTACK: &str = "runtime.systemstack";
pub(crate) const GOSAVE: &str = "gosave_systemstack_switch";

/// Fields that crossing the runtime's switches rests on: where the code does not show one of them,
/// no switch is crossed. The others only say whose sample it is.
const STITCHING: [Field; 8] = [
    Field::GM,
    Field::MGsignal,
    Field::MG0,
    Field::MCurg,
    Field::GSchedSp,
    Field::GSchedPc,
    Field::GSchedBp,
    Field::GStackHi,
];

/// The offsets that the code shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Evidence {
    shown: Vec<(Field, Option<u64>)>,
}

impl Evidence {
    pub(super) fn read<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, module: &GoModule<'d>) -> Self {
        if Arch::of_machine(elf.machine()) == Some(Arch::Arm64) {
            return Self {
                shown: arm64::shown_offsets(elf, module),
            };
        }
        let functions = module.functions_named(&PATTERNS.map(|(_, name, _)| name));
        let mut code: HashMap<&str, Code<'_>> = HashMap::new();
        for (name, function) in &functions {
            code.insert(name, Code::new(decode(elf, function), module));
        }
        let g_m = code.get(SYSTEMSTACK).and_then(patterns::g_m);
        code.values_mut().for_each(|c| c.g_m = g_m);
        let looked = PATTERNS
            .iter()
            .filter(|(_, name, _)| *name != SET_LABELS || code.contains_key(name));
        let shown = looked.map(|(field, name, pattern)| {
            let offset = code.get(name).and_then(pattern);
            (*field, offset.and_then(|o| u64::try_from(o).ok()))
        });
        Self {
            shown: shown.collect(),
        }
    }

    /// Every field that has a pattern, and what the code shows of it.
    pub(super) fn fields(&self) -> impl Iterator<Item = (Field, Option<u64>)> {
        self.shown.iter().copied()
    }

    /// Fields that lie elsewhere in the code.
    pub(super) fn contradicted(&self, offsets: &Offsets) -> Vec<Field> {
        let differs = |(field, shown): &(Field, Option<u64>)| {
            shown.is_some_and(|shown| offsets.get(*field).map(u64::from) != Some(shown))
        };
        self.fields().filter(differs).map(|(f, _)| f).collect()
    }

    /// Whether the code shows all that stitching rests on, and at these offsets.
    pub(super) fn confirms_stitching(&self, offsets: &Offsets) -> bool {
        let confirmed = |field| {
            let shown = self.fields().find(|(f, _)| *f == field).and_then(|f| f.1);
            shown.is_some() && shown == offsets.get(field).map(u64::from)
        };
        STITCHING.into_iter().all(confirmed)
    }

    /// Fields with an offset of which the code shows nothing.
    pub(super) fn unconfirmed(&self, offsets: &Offsets) -> Vec<Field> {
        let silent = self.fields().filter(|(_, shown)| shown.is_none());
        let used = silent.filter(|(field, _)| offsets.get(*field).is_some());
        used.map(|(field, _)| field).collect()
    }
}
