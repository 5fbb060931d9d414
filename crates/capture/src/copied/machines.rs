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
    g_sched_sp: usize,
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
            g_sched_sp: at(Field::GSchedSp)?,
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

impl Machine {
    /// Where g0.sched.sp lies.
    pub(super) fn g0_sp_at(&self, state: &State) -> u64 {
        state.g0.wrapping_add(self.places.g_sched_sp as u64)
    }
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
    /// g0.sched.sp: the innermost callback's record on the C stack, while there is one.
    pub(super) g0_sp: u64,
}

/// What was read at one moment of an M, its g0, its gsignal and its goroutine: where each lies, and
/// its first bytes.
pub(super) type Structures = Vec<(u64, Vec<u8>)>;

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
        let call = |s: &Self| (s.calls, s.syscall_sp, s.syscall_pc, s.g0_sp);
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
    let (state, _) = state(memory, machine)?;
    let own = [state.g0, state.gsignal, state.curg];
    (state.procid == tid && own.contains(&g)).then_some(machine)
}

/// What an M says now, and the structures that it was read from.
pub(super) fn state(memory: &Live, machine: Machine) -> Option<(State, Structures)> {
    states(memory, &[machine]).pop().flatten()
}

/// What some Ms say now; `None` for one that can't be read.
fn states(memory: &Live, machines: &[Machine]) -> Vec<Option<(State, Structures)>> {
    let of_m = structures(memory, machines.iter().map(|m| m.address));
    let mut found: Vec<Option<(State, Structures)>> = machines
        .iter()
        .zip(of_m)
        .map(|(machine, bytes)| {
            let (bytes, at) = (bytes?, machine.places);
            let state = State {
                // m.g0 is the first field, Go 1.19 to 1.27.
                g0: word(&bytes, 0),
                procid: word(&bytes, at.m_procid),
                gsignal: word(&bytes, at.m_gsignal),
                curg: word(&bytes, at.m_curg),
                calls: word(&bytes, at.m_ncgocall),
                in_c: bytes[at.m_incgo] != 0,
                ..State::default()
            };
            Some((state, vec![(machine.address, bytes)]))
        })
        .collect();
    let each = |pick: fn(&State) -> u64| {
        let addresses = found
            .iter()
            .map(|found| found.as_ref().map_or(0, |(s, _)| pick(s)));
        structures(memory, addresses)
    };
    let gs = [each(|s| s.g0), each(|s| s.gsignal), each(|s| s.curg)];
    let [of_g0, of_gsignal, of_curg] = gs.map(Vec::into_iter);
    let rest = found.iter_mut().zip(machines);
    for (((found, machine), g0), (gsignal, curg)) in rest.zip(of_g0).zip(of_gsignal.zip(of_curg)) {
        let Some((state, structures)) = found else {
            continue;
        };
        let at = machine.places;
        if let Some(g) = g0 {
            state.g0_sp = word(&g, at.g_sched_sp);
            structures.push((state.g0, g));
        }
        if let Some(g) = gsignal {
            state.signal_stack = (word(&g, 0), word(&g, 8));
            structures.push((state.gsignal, g));
        }
        if let Some(g) = curg {
            state.goid = word(&g, at.g_goid);
            state.stack = (word(&g, 0), word(&g, 8));
            state.syscall_sp = word(&g, at.g_syscall_sp);
            state.syscall_pc = word(&g, at.g_syscall_pc);
            structures.push((state.curg, g));
        }
    }
    found
}

/// The first bytes at some addresses; `None` for what can't be read, and for 0.
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
            *said = state.map(|(state, _)| (now, state));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_the_same_only_with_the_same_callback_around_it() {
        let state = State {
            procid: 1,
            curg: 8,
            calls: 3,
            in_c: true,
            syscall_sp: 64,
            g0_sp: 128,
            ..State::default()
        };
        assert!(state.same_call(&state));
        let others = [
            State { calls: 4, ..state },
            State { g0_sp: 96, ..state },
            State {
                in_c: false,
                ..state
            },
            State { curg: 16, ..state },
        ];
        for other in others {
            assert!(
                !state.same_call(&other) && !other.same_call(&state),
                "{other:?}"
            );
        }
    }
}
