//! From one copied sample to a walked one: which M the thread is, what is proven of its goroutine,
//! the walk itself, and what may be said of the sample.

use std::cell::RefCell;

use seam_memory::{Live, Memory};
use seam_unwind::{Start, TableSet, Walked, walk};
use seam_wire::{
    Arch, SEAM_END_COPY_CUT, SEAM_END_GO_NO_CURG, SEAM_END_GO_STATE, SEAM_END_NOT_PROVEN,
    SEAM_END_READ_STACK, SEAM_R14, SEAM_RSP, SEAM_SAMPLE_GO_TORN, SEAM_SAMPLE_IN_C,
    SEAM_SAMPLE_KERNEL_CUT, SEAM_SAMPLE_KERNEL_MODE, SEAM_SAMPLE_LABELS_CUT, SEAM_SAMPLE_P_HELD,
    SEAM_SAMPLE_P_LOST,
};

use super::machines::{Machine, Machines, Places, State, machine_of, state};
use super::memory::{Sampled, THREAD_POINTER};
use super::record::{Copied, STACK_BYTES};
use crate::ProcessMap;

/// The most that is read of a goroutine's frames.
const FRAMES_MAX: u64 = 256 << 10;
/// No system call has this number: the walk looks at the code whether there was one.
const SOME_SYSCALL: i64 = 1 << 20;
/// A stack is not longer; what is refused further away is another one.
const STACK_MAX: u64 = 64 << 20;
/// The states of a goroutine (runtime/runtime2.go).
const RUNNING: u32 = 2;
const SYSCALL: u32 = 3;

/// A process as the walk sees it.
pub(super) struct Process<'a> {
    pub(super) pid: i32,
    pub(super) map: &'a ProcessMap,
    pub(super) tables: &'a TableSet,
    /// For each runtime of `tables` where it keeps what is read, if that is known.
    pub(super) places: &'a [Option<Places>],
}

/// One attempt at a walk.
struct Attempt {
    walked: Walked,
    refused: Vec<u64>,
    /// What the thread's M said before, and says now.
    said: Option<(Option<State>, State)>,
    proven: bool,
}

impl Process<'_> {
    /// Walks a sample. `tid` is the thread's number in the process's own namespace.
    pub(super) fn walk(
        &self,
        copied: &Copied,
        tid: u64,
        machines: &mut Machines,
    ) -> Option<Walked> {
        let registers = copied.registers?;
        let start = Start {
            reg: Arch::widened(&registers),
            pc: copied.pc,
            fsbase: THREAD_POINTER,
            syscall: if copied.in_kernel { SOME_SYSCALL } else { -1 },
            ..Start::default()
        };
        let mut machine = machines.get(copied.tid);
        if machine.is_none() {
            machine = self.machine(registers[SEAM_R14 as usize], tid);
        }
        let mut attempt = self.attempt(copied, &start, machine, machines, true);
        if machine.is_none() {
            // Behind a call of C, the stub has kept the g: the walk has asked for g.stack.hi.
            let asked = attempt.refused.iter().map(|at| at.wrapping_sub(8));
            machine = asked.into_iter().find_map(|g| self.machine(g, tid));
            if machine.is_some() {
                attempt = self.attempt(copied, &start, machine, machines, true);
            }
        }
        let other_thread = |said: &(Option<State>, State)| said.1.procid != tid;
        match machine {
            // The M has gone to another thread.
            Some(_) if attempt.said.as_ref().is_none_or(other_thread) => {
                machines.remove(copied.tid);
                attempt = self.attempt(copied, &start, None, machines, false);
            }
            Some(machine) if machines.get(copied.tid) != Some(machine) => {
                machines.insert(copied.tid, machine);
            }
            _ => {}
        }
        Some(finished(attempt, copied))
    }

    /// The M of a g, if it is this thread's.
    fn machine(&self, g: u64, tid: u64) -> Option<Machine> {
        let live = Live::new(self.pid);
        let each = self.places.iter().enumerate();
        let known = each.filter_map(|(runtime, places)| Some((runtime, (*places)?)));
        known
            .into_iter()
            .find_map(|(runtime, places)| machine_of(&live, g, tid, runtime, places))
    }

    fn attempt(
        &self,
        copied: &Copied,
        start: &Start,
        machine: Option<Machine>,
        machines: &Machines,
        may_prove: bool,
    ) -> Attempt {
        let live = Live::new(self.pid);
        let before = machines.before(copied.tid, copied.time_ns);
        let frames = before.as_ref().and_then(State::frames);
        let frames = frames.filter(|f| may_prove && f.end - f.start <= FRAMES_MAX);
        let mut bytes = vec![0; frames.as_ref().map_or(0, |f| (f.end - f.start) as usize)];
        let mut proven = None;
        if let Some(frames) = &frames
            && live.read(frames.start, &mut bytes).is_ok()
        {
            proven = Some((frames.start, bytes.as_slice()));
        }
        // Asked behind the read: what is the same now was the same all along.
        let read = machine.and_then(|machine| state(&live, machine));
        let (now, structures) = read.map_or((None, Vec::new()), |(now, read)| (Some(now), read));
        let same = |now: &State| before.is_some_and(|before| before.same_call(now));
        proven = proven.filter(|_| now.as_ref().is_some_and(same));
        let sp = start.reg[SEAM_RSP as usize];
        let slot = machine.zip(now).and_then(|(machine, now)| {
            let runtime = self.tables.runtimes.get(machine.runtime)?;
            let at = THREAD_POINTER.wrapping_add_signed(runtime.tls_offset);
            Some((at, now.owner(sp)))
        });
        let callbacks = machine.zip(now).filter(|(_, now)| now.g0_sp == 0);
        let out_of_callbacks = callbacks.map(|(machine, now)| machine.g0_sp_at(&now));
        let memory = Sampled {
            live,
            code: self.map,
            sp,
            copy: &copied.stack,
            slot,
            structures: &structures,
            out_of_callbacks,
            proven,
            refused: RefCell::default(),
            used: RefCell::default(),
        };
        let walked = walk(&memory, self.tables, start);
        let used = memory.used.into_inner();
        // The sample was in the very call that is proven only if its stub kept the same depth.
        if let (Some((start_at, _)), Some(first)) = (proven, used.first())
            && *first != start_at
        {
            return self.attempt(copied, start, machine, machines, false);
        }
        Attempt {
            walked,
            refused: memory.refused.into_inner(),
            said: now.map(|now| (before, now)),
            proven: !used.is_empty(),
        }
    }
}

/// The sample, with what can be said of it.
fn finished(attempt: Attempt, copied: &Copied) -> Walked {
    let Attempt {
        mut walked,
        refused,
        said,
        proven,
    } = attempt;
    let header = &mut walked.header;
    header.time_ns = copied.time_ns;
    header.pid = copied.pid as u32;
    header.tid = copied.tid as u32;
    header.cpu = copied.cpu;
    // Read later: where its P was then is not known, and structures may have changed.
    header.p = -1;
    let unknown = SEAM_SAMPLE_P_HELD
        | SEAM_SAMPLE_P_LOST
        | SEAM_SAMPLE_IN_C
        | SEAM_SAMPLE_GO_TORN
        | SEAM_SAMPLE_LABELS_CUT;
    let mut flags = u32::from(header.flags) & !unknown;
    let sp = copied.registers.map_or(0, |r| r[SEAM_RSP as usize]);
    let goroutine = said.and_then(|(before, now)| {
        let same = before.is_some_and(|before| before.same_goroutine(&now));
        let on = |at: u64| now.stack.0 <= at && at < now.stack.1;
        let in_c = proven || refused.iter().any(|at| on(*at));
        (same && (on(sp) || in_c)).then_some(in_c && !on(sp))
    });
    match goroutine {
        Some(in_c) => {
            header.go_status = if in_c { SYSCALL } else { RUNNING };
            flags |= if in_c { SEAM_SAMPLE_IN_C } else { 0 };
        }
        None => {
            header.goid = 0;
            header.start_pc = 0;
            header.go_status = 0;
        }
    }
    if copied.in_kernel {
        flags |= SEAM_SAMPLE_KERNEL_MODE;
    }
    if copied.kernel_cut {
        flags |= SEAM_SAMPLE_KERNEL_CUT;
    }
    header.flags = flags as u16;
    header.kernel_frames = copied.kernel.len() as u16;
    header.end = end(u32::from(header.end), &refused, copied, sp) as u8;
    walked.kernel.clone_from(&copied.kernel);
    walked
}

/// The reason for which the walk ends, where it is that this sample was only copied.
fn end(end: u32, refused: &[u64], copied: &Copied, sp: u64) -> u32 {
    if ![SEAM_END_READ_STACK, SEAM_END_GO_STATE, SEAM_END_GO_NO_CURG].contains(&end) {
        return end;
    }
    let beyond = |at: u64| at >= sp && at < sp.saturating_add(STACK_MAX);
    let full = copied.stack.len() as u64 + 512 >= u64::from(STACK_BYTES);
    match refused.last() {
        Some(at) if full && end == SEAM_END_READ_STACK && beyond(*at) => SEAM_END_COPY_CUT,
        _ => SEAM_END_NOT_PROVEN,
    }
}
