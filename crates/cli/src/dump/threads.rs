//! The threads of a process: registers from the kernel, stacks walked here, and the registers once
//! more to see who has run meanwhile.

use std::collections::{BTreeSet, HashMap};

use seam_capture::{BlockedIn, Image, Target, ThreadFacts, ThreadRegisters, thread_facts};
use seam_dump::Trust;
use seam_memory::{Core, CoreThread, Memory, Resident};
use seam_unwind::{Start, walk, walk_by_sp, walk_knowing};
use seam_wire::{
    Arch, SEAM_R8, SEAM_R9, SEAM_R10, SEAM_RDI, SEAM_RDX, SEAM_RSI, SEAM_RSP, ThreadRecord,
};

use super::running::sampled;
use super::stacks::{RawStack, RawStacks};

/// How often threads that run between two reads are looked at.
const LOOKS_MAX: usize = 3;

/// A thread, walked.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) facts: ThreadFacts,
    /// The number of its stack.
    pub(super) stack: Option<u32>,
    /// Its goroutine and the number (from 1 on) of its runtime.
    pub(super) goroutine: Option<(u64, u8)>,
    pub(super) asleep_ns: Option<u64>,
    pub(super) trust: Trust,
    /// Addresses in the kernel, innermost first.
    pub(super) kernel: Vec<u64>,
    switches: Option<u64>,
}

/// All threads.
pub(super) struct Threads {
    registers: Option<ThreadRegisters>,
    pub(super) all: Vec<Walked>,
    /// Words in the registers of those that were interrupted, or run: a system call leaves nothing
    /// of Go's in them. `None` where they can't be had or were not asked for.
    pub(super) words: Option<Vec<u64>>,
    /// Why there are no registers.
    pub(super) note: Option<String>,
}

impl Threads {
    pub(super) fn look(
        pid: i32,
        memory: &Resident,
        image: &Image,
        stacks: &mut RawStacks,
        with_words: bool,
    ) -> Result<Self, seam_capture::Error> {
        let (registers, note) = match ThreadRegisters::of(pid) {
            Ok(registers) => (Some(registers), None),
            Err(error) => (
                None,
                Some(format!(
                    "threads by /proc alone, whose stacks may end early: {error}"
                )),
            ),
        };
        let facts = thread_facts(pid)?;
        let all = match &registers {
            Some(registers) => by_registers(registers, facts, image, memory, stacks),
            None => {
                let each = facts.into_iter();
                each.map(|facts| by_proc(facts, image, memory, stacks))
                    .collect()
            }
        };
        let words = registers.as_ref().filter(|_| with_words).map(words);
        Ok(Self {
            registers,
            all,
            words,
            note,
        })
    }

    /// Gives threads that run, or have run while they were read, the stack of a sample, where one
    /// can be had.
    pub(super) fn sample(&mut self, target: &Target, stacks: &mut RawStacks) {
        let runs = |t: &&Walked| matches!(t.trust, Trust::Running | Trust::Moving);
        let running = self.all.iter().filter(runs);
        let running: BTreeSet<i32> = running.map(|t| t.facts.tid).collect();
        if running.is_empty() {
            return;
        }
        let mut found = match sampled(target, &running) {
            Ok(found) => found,
            Err(error) => {
                let note = format!("threads that run are without stacks: {error}");
                self.note.get_or_insert(note);
                return;
            }
        };
        for thread in &mut self.all {
            if let Some((stack, header)) = found.remove(&thread.facts.tid) {
                thread.stack = Some(stacks.intern(stack));
                thread.trust = Trust::Sampled;
                thread.goroutine = (header.goid != 0).then_some((header.goid, header.go_runtime));
            }
        }
    }

    /// Those of a process that has ended.
    pub(super) fn none() -> Self {
        Self {
            registers: None,
            all: Vec::new(),
            words: None,
            note: None,
        }
    }

    /// Those of a core: all of them stand still.
    pub(super) fn of_core(core: &Core, image: &Image, stacks: &mut RawStacks) -> Self {
        let each = core.threads().iter();
        Self {
            registers: None,
            all: each.map(|t| of_core(t, core, image, stacks)).collect(),
            words: Some(core.threads().iter().flat_map(|t| t.registers).collect()),
            note: None,
        }
    }

    /// Marks threads that have run since they were walked.
    pub(super) fn verify(&mut self, pid: i32) {
        let now: HashMap<i32, u64> = match &self.registers {
            Some(registers) => {
                let now = registers.read().unwrap_or_default().into_iter();
                let still = now.filter(|r| r.running == 0);
                still.map(|r| (r.tid as i32, r.switches)).collect()
            }
            None => {
                let now = thread_facts(pid).unwrap_or_default().into_iter();
                let still = now.filter(|t| t.syscall.is_some());
                still.filter_map(|t| Some((t.tid, t.switches?))).collect()
            }
        };
        for thread in &mut self.all {
            let same =
                thread.switches.is_some() && now.get(&thread.facts.tid).copied() == thread.switches;
            if thread.trust == Trust::Certain && !same {
                thread.trust = Trust::Moving;
                thread.asleep_ns = None;
            }
        }
    }
}

/// Of a thread on a CPU they are those with which the kernel was entered last: a tick ago at most.
fn words(registers: &ThreadRegisters) -> Vec<u64> {
    let records = registers.read().unwrap_or_default().into_iter();
    let interrupted = records.filter(|r| r.running != 0 || r.syscall < 0);
    interrupted.flat_map(|record| record.reg).collect()
}

fn by_registers(
    registers: &ThreadRegisters,
    facts: Vec<ThreadFacts>,
    image: &Image,
    memory: &Resident,
    stacks: &mut RawStacks,
) -> Vec<Walked> {
    let read = || {
        let records = registers.read().unwrap_or_default();
        let by_tid = records.into_iter().map(|r| (r.tid as i32, r));
        by_tid.collect::<HashMap<i32, ThreadRecord>>()
    };
    let mut left: Vec<ThreadFacts> = facts;
    let mut done = Vec::new();
    let mut before = read();
    for round in 1..=LOOKS_MAX {
        let walked: Vec<_> = left
            .into_iter()
            .map(|facts| {
                let record = before.get(&facts.tid);
                let stack = record.filter(|r| r.running == 0).map(|r| {
                    let (start, known) = start(r);
                    walk_knowing(memory, &image.tables, &start, known)
                });
                (facts, stack)
            })
            .collect();
        let after = read();
        left = Vec::new();
        for (facts, walked) in walked {
            let (old, new) = (before.get(&facts.tid), after.get(&facts.tid));
            let same = old
                .zip(new)
                .is_some_and(|(a, b)| a.switches == b.switches && b.running == 0);
            if !same && new.is_some() && round < LOOKS_MAX {
                left.push(facts);
                continue;
            }
            let trust = match (&walked, same) {
                (None, _) => Trust::Running,
                (Some(_), true) => Trust::Certain,
                (Some(_), false) => Trust::Moving,
            };
            let asleep = new.or(old).filter(|r| r.last_ran_ns != 0);
            let header = walked.as_ref().map(|w| w.header);
            done.push(Walked {
                stack: walked.map(|w| stacks.intern(RawStack::of(w, false))),
                goroutine: header
                    .filter(|h| h.goid != 0)
                    .map(|h| (h.goid, h.go_runtime)),
                asleep_ns: asleep
                    .filter(|_| trust == Trust::Certain)
                    .map(|r| r.now_ns.saturating_sub(r.last_ran_ns)),
                trust,
                kernel: old.map_or_else(Vec::new, kernel_frames),
                switches: old.map(|r| r.switches),
                facts,
            });
        }
        before = after;
        if left.is_empty() {
            break;
        }
    }
    done.sort_by_key(|thread| thread.facts.tid);
    done
}

fn kernel_frames(record: &ThreadRecord) -> Vec<u64> {
    let frames = record.kernel.iter().copied();
    frames.take_while(|frame| *frame != 0).collect()
}

/// Where its walk begins, and which registers are known.
fn start(record: &ThreadRecord) -> (Start, u64) {
    let (reg, known) = Arch::HOST.of_thread(record);
    let start = Start {
        reg,
        pc: record.pc,
        fsbase: record.fsbase,
        syscall: record.syscall,
        ..Start::default()
    };
    (start, known)
}

fn of_core(thread: &CoreThread, core: &Core, image: &Image, stacks: &mut RawStacks) -> Walked {
    let start = Start {
        reg: Arch::widened(&thread.registers),
        pc: thread.pc,
        fsbase: thread.fsbase,
        syscall: thread.syscall,
        ..Start::default()
    };
    let walked = walk(core, &image.tables, &start);
    let header = walked.header;
    // The kernel's number stays there after the call; the code tells whether it is still in it.
    let mut code = [0; 2];
    let inside = core.read(thread.pc.wrapping_sub(2), &mut code).is_ok() && code == [0x0f, 0x05];
    let register = |number: u32| thread.registers[number as usize];
    let syscall = (thread.syscall >= 0 && inside).then(|| BlockedIn {
        number: thread.syscall,
        arguments: [SEAM_RDI, SEAM_RSI, SEAM_RDX, SEAM_R10, SEAM_R8, SEAM_R9].map(register),
        sp: register(SEAM_RSP),
        pc: thread.pc,
        file: None,
    });
    Walked {
        facts: ThreadFacts {
            tid: thread.tid,
            own_tid: thread.tid as u64,
            state: 'T',
            syscall,
            ..ThreadFacts::default()
        },
        stack: Some(stacks.intern(RawStack::of(walked, false))),
        goroutine: (header.goid != 0).then_some((header.goid, header.go_runtime)),
        asleep_ns: None,
        trust: Trust::Certain,
        kernel: Vec::new(),
        switches: None,
    }
}

/// Without registers: /proc tells sp and pc of threads that wait in a system call.
fn by_proc(facts: ThreadFacts, image: &Image, memory: &Resident, stacks: &mut RawStacks) -> Walked {
    let blocked = |b: &BlockedIn| {
        let mut start = Start {
            pc: b.pc,
            syscall: b.number,
            ..Start::default()
        };
        start.reg[Arch::HOST.sp() as usize] = b.sp;
        // Not 0, by which the walk knows a new child behind clone.
        start.reg[0] = u64::MAX;
        let walked = walk_by_sp(memory, &image.tables, &start);
        stacks.intern(RawStack::of(walked, false))
    };
    let stack = facts.syscall.as_ref().map(blocked);
    Walked {
        stack,
        goroutine: None,
        asleep_ns: None,
        trust: match (stack, facts.switches) {
            (None, _) => Trust::Running,
            // Whether it has run since is seen at the end.
            (Some(_), Some(_)) => Trust::Certain,
            (Some(_), None) => Trust::Moving,
        },
        kernel: Vec::new(),
        switches: facts.switches,
        facts,
    }
}
