//! What Go's runtime says of a thread before and after a sample. Without BPF it can't be read at
//! the sample itself; where both say the same of a counter that never goes back, it held in
//! between.

use std::collections::HashMap;
use std::ops::Range;

use seam_go::{Field, Offsets};
use seam_memory::{Live, Memory, Piece};

use crate::system::monotonic_ns;

/// Bytes of a g and of an m that are read; the fields lie within, Go 1.19 to 1.27.
const STRUCTURE_BYTES: usize = 512;

/// Where one build keeps what is read. Without one of these nothing can be proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Places {
    g_m: usize,
    g_goid: usize,
    g_syscall_sp: usize,
    g_syscall_pc: usize,
    m_curg: usize,
    m_gsignal: usize,
    m_procid: usize,
    m_ncgocall: usize,
    m_incgo: usize,
}

impl Places {
    pub(super) fn of(offsets: &Offsets) -> Option<Self> {
        let within = |at: &usize| *at + 8 <= STRUCTURE_BYTES;
        let at = |field| offsets.get(field).map(|at| at as usize).filter(within);
        Some(Self {
            g_m: at(Field::GM)?,
            g_goid: at(Field::GGoid)?,
            g_syscall_sp: at(Field::GSyscallsp)?,
            g_syscall_pc: at(Field::GSyscallpc)?,
            m_curg: at(Field::MCurg)?,
            m_gsignal: at(Field::MGsignal)?,
            m_procid: at(Field::MProcid)?,
            m_ncgocall: at(Field::MNcgocall)?,
            m_incgo: at(Field::MIncgo)?,
        })
    }
}

/// An M: where it is, and of which runtime of its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) address: u64,
    pub(super) runtime: usize,
    pub(super) places: Places,
}

/// What an M and its goroutine said at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct State {
    pub(super) procid: u64,
    pub(super) g0: u64,
    pub(super) gsignal: u64,
    /// 0 = none.
    pub(super) curg: u64,
    pub(super) goid: u64,
    /// How many calls of C it has begun, ever.
    pub(super) calls: u64,
    /// It is in C: from before the stub is called until it has returned.
    pub(super) in_c: bool,
    pub(super) stack: (u64, u64),
    pub(super) signal_stack: (u64, u64),
    /// Where the goroutine left Go; 0 while it runs Go.
    pub(super) syscall_sp: u64,
    pub(super) syscall_pc: u64,
}

impl State {
    /// Its goroutine was the same one at both moments, on the same stack.
    pub(super) fn same_goroutine(&self, other: &Self) -> bool {
        let who = |s: &Self| (s.procid, s.curg, s.goid, s.stack);
        self.curg != 0 && who(self) == who(other)
    }

    /// It was in the same call of C at both moments, and so in between: none was begun since, and
    /// the goroutine has left Go at the same place. `runtime.cgocall` counts, calls `entersyscall`
    /// and sets `incgo`, calls the stub, clears `incgo`, calls `exitsyscall` (Go 1.19 to 1.27):
    /// without `incgo` the place of the stub's return address has that of another call.
    pub(super) fn same_call(&self, other: &Self) -> bool {
        let call = |s: &Self| (s.calls, s.syscall_sp, s.syscall_pc);
        let in_c = self.in_c && other.in_c;
        in_c && self.syscall_sp != 0 && call(self) == call(other) && self.same_goroutine(other)
    }

    /// The goroutine's frames from where it left Go to the root.
    pub(super) fn frames(&self) -> Option<Range<u64>> {
        // The return address of the call that left Go lies below.
        let start = self.syscall_sp.checked_sub(8)?;
        let (low, high) = self.stack;
        (low <= start && start < high).then_some(start..high)
    }

    /// The g whose stack a stack pointer is on.
    pub(super) fn owner(&self, sp: u64) -> u64 {
        let on = |(low, high): (u64, u64)| low <= sp && sp < high;
        if self.curg != 0 && on(self.stack) {
            self.curg
        } else if self.gsignal != 0 && on(self.signal_stack) {
            self.gsignal
        } else {
            self.g0
        }
    }
}

/// Whether an address may be a g of the thread, and if so the M: its g must name an M that names
/// the thread and the g.
pub(super) fn machine_of(
    memory: &Live,
    g: u64,
    tid: u64,
    runtime: usize,
    places: Places,
) -> Option<Machine> {
    if g == 0 || !g.is_multiple_of(8) {
        return None;
    }
    let address = memory.word(g.checked_add(places.g_m as u64)?).ok()?;
    let machine = Machine {
        address,
        runtime,
        places,
    };
    let state = states(memory, &[machine]).pop()??;
    let own = [state.g0, state.gsignal, state.curg];
    (state.procid == tid && own.contains(&g)).then_some(machine)
}

/// What some Ms say now; `None` for one that can't be read.
pub(super) fn states(memory: &Live, machines: &[Machine]) -> Vec<Option<State>> {
    let of_m = structures(memory, machines.iter().map(|m| m.address));
    let mut found: Vec<Option<State>> = machines
        .iter()
        .zip(of_m)
        .map(|(machine, bytes)| {
            let (bytes, at) = (bytes?, machine.places);
            Some(State {
                // m.g0 is the first field, Go 1.19 to 1.27.
                g0: word(&bytes, 0),
                procid: word(&bytes, at.m_procid),
                gsignal: word(&bytes, at.m_gsignal),
                curg: word(&bytes, at.m_curg),
                calls: word(&bytes, at.m_ncgocall),
                in_c: bytes[at.m_incgo] != 0,
                ..State::default()
            })
        })
        .collect();
    let each = |pick: fn(&State) -> u64| {
        let addresses = found.iter().map(move |s| s.as_ref().map_or(0, pick));
        structures(memory, addresses)
    };
    let (of_curg, of_gsignal) = (each(|s| s.curg), each(|s| s.gsignal));
    let rest = found.iter_mut().zip(machines).zip(of_curg).zip(of_gsignal);
    for (((state, machine), curg), gsignal) in rest {
        let Some(state) = state else { continue };
        let at = machine.places;
        if let Some(g) = curg.filter(|_| state.curg != 0) {
            state.goid = word(&g, at.g_goid);
            state.stack = (word(&g, 0), word(&g, 8));
            state.syscall_sp = word(&g, at.g_syscall_sp);
            state.syscall_pc = word(&g, at.g_syscall_pc);
        }
        if let Some(g) = gsignal.filter(|_| state.gsignal != 0) {
            state.signal_stack = (word(&g, 0), word(&g, 8));
        }
    }
    found
}

/// The first bytes at some addresses.
fn structures(memory: &Live, addresses: impl Iterator<Item = u64>) -> Vec<Option<Vec<u8>>> {
    let piece = |address| Piece {
        address,
        len: STRUCTURE_BYTES,
    };
    let pieces: Vec<Piece> = addresses.map(piece).collect();
    let mut bytes = vec![0; STRUCTURE_BYTES * pieces.len()];
    let read = memory.gather(&pieces, &mut bytes);
    let each = bytes.chunks(STRUCTURE_BYTES).zip(read);
    each.map(|(bytes, read)| read.then(|| bytes.to_vec()))
        .collect()
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at..at + 8).and_then(|b| b.try_into().ok());
    word.map_or(0, u64::from_le_bytes)
}

/// The Ms of a process by thread, and what each said when it was last asked.
#[derive(Debug, Default)]
pub(super) struct Machines {
    by_tid: HashMap<i32, (Machine, Option<(u64, State)>)>,
}

impl Machines {
    pub(super) fn get(&self, tid: i32) -> Option<Machine> {
        self.by_tid.get(&tid).map(|(machine, _)| *machine)
    }

    pub(super) fn insert(&mut self, tid: i32, machine: Machine) {
        self.by_tid.insert(tid, (machine, None));
    }

    pub(super) fn remove(&mut self, tid: i32) {
        self.by_tid.remove(&tid);
    }

    pub(super) fn clear(&mut self) {
        self.by_tid.clear();
    }

    /// What the thread's M said, if that was before `time_ns`.
    pub(super) fn before(&self, tid: i32, time_ns: u64) -> Option<State> {
        let (_, said) = self.by_tid.get(&tid)?;
        said.filter(|(at, _)| *at < time_ns).map(|(_, state)| state)
    }

    /// Asks all of them.
    pub(super) fn ask(&mut self, memory: &Live) {
        let machines: Vec<Machine> = self.by_tid.values().map(|(m, _)| *m).collect();
        let states = states(memory, &machines);
        let now = monotonic_ns();
        for ((_, said), state) in self.by_tid.values_mut().zip(states) {
            *said = state.map(|state| (now, state));
        }
    }
}
