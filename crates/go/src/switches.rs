//! The places where Go's runtime changes stacks, found in the instructions of the very binary:
//! which addresses of asmcgocall, cgocallback, systemstack, mcall, morestack, gogo and their kin
//! run on which stack, and where the way back is kept. Checked on Go 1.21 to 1.27, amd64
//! (runtime/asm_amd64.s, runtime/sys_linux_amd64.s).

use std::ops::Range;

mod callers_place;
mod saves;

use iced_x86::{Instruction, Mnemonic, Register};
use seam_object::{Elf, ReadRef};

use seam_wire::Arch;

use crate::code::{Step, copy, decode, dwarf_register, flow, load, store};
use crate::{Function, GoModule, arm64};

/// What the walk must do at the addresses of a [`Switch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwitchKind {
    /// Nothing special, but the stack depth is the one at `frame_pc`, not the table's.
    Plain,
    /// The stack pointer before the switch is in a register (DWARF number).
    SavedInRegister(u8),
    /// The stack pointer before the switch is in memory at this offset from sp.
    SavedInSlot(i32),
    /// On the C stack with (depth, g) at this offset from sp.
    Asmcgocall(i32),
    /// On g0, the way back is in the goroutine's g.sched.
    Systemstack,
    /// In cgocallback on the goroutine's stack; its frame keeps the outer g0.sched.sp at sp + this.
    Cgocallback(i32),
    /// In cgocallback on g0.
    CgocallbackOnG0(i32),
    /// In mcall on g0: the g is in a register (DWARF number), else at sp. On AArch64 nowhere.
    Mcall(Option<u8>),
    /// In morestack on g0.
    Morestack,
    /// In gogo with the goroutine's sp: the pc is at `[register + offset]`.
    GogoBuffer(u8, i32),
    /// The same, before the link register is the goroutine's.
    GogoWithoutLink(u8, i32),
    /// In gogo with the goroutine's sp: the pc is in the register.
    GogoRegister(u8),
    /// In gogo while it is on the scheduler's stack and has lost its return address.
    GogoOnG0,
    /// The return address is in the link register, whatever the depth is.
    InLink,
    /// In the link register, and what that held before in this one (DWARF number).
    LinkKeptIn(u8),
    /// Where asyncPreempt goes on, with the interrupted code's stack: in this register.
    ResumesAt(u8),
    /// The outermost frame.
    Root,
    /// The first frame of a new thread.
    RootThread,
    /// Behind the clone system call.
    Clone,
    /// The trampoline that returns from a signal.
    Signal,
    /// The "return address" of this frame is an interrupted pc.
    ExactCaller,
    /// A frame of the scheduler proper.
    Scheduler,
    /// A frame of the signal handler that pushes a call onto the interrupted stack.
    Pushes,
    /// The stack pointer was replaced and the old one is nowhere to be found.
    Lost,
    /// A function called from C that keeps this callee-saved register at sp + offset.
    Saves(u8, i32),
    /// The function has taken its own return address off and goes on in its caller's place.
    InCallersPlace {
        /// The caller's stack pointer behind its call is sp + this.
        cfa: i32,
        /// Where the return address is.
        caller: Caller,
    },
    /// As before, this callee-saved register lies at this (negative) distance from there.
    KeptInCallersPlace(u8, i32),
}

/// A return address that is not where calls put it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// In a register (DWARF number).
    Register(u8),
    /// At sp + this.
    Slot(i32),
}

/// Addresses (as linked) with the same treatment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// The addresses.
    pub range: Range<u64>,
    /// What to do there.
    pub kind: SwitchKind,
    /// Where the pc-sp table gives the depth that counts for this switch.
    pub frame_pc: u64,
}

impl Switch {
    /// Where no depth counts.
    pub(crate) const fn over(range: Range<u64>, kind: SwitchKind) -> Self {
        Self {
            range,
            kind,
            frame_pc: 0,
        }
    }
}

pub(crate) type State = Option<(SwitchKind, u64)>;

/// Functions that get rows of their own by name.
const NAMED: &[&str] = &[
    "runtime.asmcgocall",
    "runtime.systemstack",
    "runtime.cgocallback",
    "runtime.mcall",
    "runtime.morestack",
    "runtime.gogo",
    "gogo",
    "runtime.goexit",
    "runtime.mstart",
    "runtime.rt0_go",
    "_rt0_amd64",
    "_rt0_amd64_linux",
    "runtime.clone",
    "runtime.sigreturn__sigaction",
    "runtime.sigreturn",
    "runtime.sigpanic",
    "runtime.sigpanic0",
    "runtime.asyncPreempt",
    "runtime.debugCallV2",
    "runtime.schedule",
    "crosscall2",
    "callbackasm1",
];

/// All special places of a module.
pub fn switches<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, module: &GoModule<'d>) -> Vec<Switch> {
    let mut all = match Arch::of_machine(elf.machine()) {
        Some(Arch::Arm64) => arm64::switches(elf, module),
        _ => x86_64_switches(elf, module),
    };
    all.sort_by_key(|s| (s.range.start, s.range.end));
    all
}

fn x86_64_switches<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, module: &GoModule<'d>) -> Vec<Switch> {
    let named = module.functions_named(NAMED).into_iter();
    let named = named.flat_map(|(name, function)| named_switches(elf, name, &function));
    let mut all: Vec<Switch> = named.collect();
    all.extend(writing_sp(module, NAMED, |f| decode(elf, f), saved_sp));
    all
}

fn named_switches<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    name: &str,
    function: &Function<'d>,
) -> Vec<Switch> {
    let whole = |kind| vec![Switch::over(function.entry..function.end, kind)];
    let flowing = |entry: State, transfer: &dyn Fn(&Instruction, State) -> State| {
        let code = decode(elf, function);
        ranges(&code, function, flow(&code, entry, transfer))
    };
    match name {
        "runtime.goexit" | "runtime.mstart" | "runtime.rt0_go" | "_rt0_amd64"
        | "_rt0_amd64_linux" => whole(SwitchKind::Root),
        "runtime.sigpanic"
        | "runtime.sigpanic0"
        | "runtime.asyncPreempt"
        | "runtime.debugCallV2" => whole(SwitchKind::ExactCaller),
        "runtime.schedule" => whole(SwitchKind::Scheduler),
        // The kernel pushes the trampoline's first address as a return address, so the walk looks
        // one byte before it, as glibc's own unwind information for __restore_rt provides for.
        "runtime.sigreturn__sigaction" | "runtime.sigreturn" => {
            let range = function.entry.saturating_sub(1)..function.end;
            vec![Switch::over(range, SwitchKind::Signal)]
        }
        "runtime.clone" => clone(&decode(elf, function), function),
        "crosscall2" => saves::of_caller(&decode(elf, function), function.end),
        "callbackasm1" => callers_place::in_callers_place(&decode(elf, function)),
        "runtime.asmcgocall" => {
            let code = decode(elf, function);
            let on_stack = |i| store(i).filter(|(base, _, _)| *base == Register::RSP);
            let after = code.iter().skip_while(|i| loads_sp(i).is_none());
            let g_slot = after
                .filter_map(on_stack)
                .map(|(_, offset, _)| offset)
                .next();
            flowing(None, &move |i, state| {
                asmcgocall(i, state, g_slot.unwrap_or(i64::MIN + 8), function.entry)
            })
        }
        "runtime.systemstack" => flowing(None, &systemstack),
        "runtime.cgocallback" => flowing(Some((SwitchKind::CgocallbackOnG0(0), 0)), &cgocallback),
        "runtime.morestack" => flowing(None, &|i, state| match loads_sp(i) {
            Some(_) if state.is_none() => Some((SwitchKind::Morestack, 0)),
            _ => state,
        }),
        "runtime.mcall" => {
            let pushed = decode(elf, function)
                .iter()
                .skip_while(|i| loads_sp(i).is_none())
                .find(|i| i.mnemonic() == Mnemonic::Push)
                .and_then(|i| dwarf_register(i.op0_register()));
            flowing(None, &move |i, state| mcall(i, state, pushed))
        }
        _ => flowing(None, &gogo),
    }
}

/// `mov rsp, [base + offset]` with a base other than rsp.
fn loads_sp(i: &Instruction) -> Option<(Register, i64)> {
    let (to, base, offset) = load(i)?;
    (to == Register::RSP && base != Register::RSP).then_some((base, offset))
}

/// `g_slot` is where g is kept on the C stack; the depth lies one word below it.
fn asmcgocall(i: &Instruction, state: State, g_slot: i64, entry: u64) -> State {
    match state {
        None if loads_sp(i).is_some() => Some((SwitchKind::Systemstack, i.ip())),
        // Already on a system stack: room is made with the old sp in a register.
        None if i.mnemonic() == Mnemonic::Sub && i.op0_register() == Register::RSP => {
            Some((SwitchKind::SavedInRegister(1), i.ip()))
        }
        Some((SwitchKind::Systemstack | SwitchKind::SavedInRegister(_), pc)) => match store(i) {
            Some((Register::RSP, offset, Some(_))) if offset == g_slot - 8 => {
                Some((SwitchKind::Asmcgocall(offset as i32), pc))
            }
            _ => state,
        },
        Some((SwitchKind::Asmcgocall(_), pc)) => match copy(i) {
            Some((Register::RSP, _)) => Some((SwitchKind::Plain, pc)),
            _ => state,
        },
        // The frame pointer is popped: the depth is the entry's.
        Some((SwitchKind::Plain, _)) if i.mnemonic() == Mnemonic::Pop => {
            Some((SwitchKind::Plain, entry))
        }
        _ => state,
    }
}

fn systemstack(i: &Instruction, state: State) -> State {
    // Up to Go 1.20 the new sp goes through a register.
    let copied = copy(i).is_some_and(|(to, from)| to == Register::RSP && from != Register::RBP);
    match (state, loads_sp(i)) {
        (None, loaded) if loaded.is_some() || copied => Some((SwitchKind::Systemstack, i.ip())),
        (Some((SwitchKind::Systemstack, _)), Some(_)) => None,
        _ => state,
    }
}

fn cgocallback(i: &Instruction, state: State) -> State {
    match copy(i) {
        Some((Register::RSP, from)) if from != Register::RBP => {
            Some((SwitchKind::Cgocallback(0), i.ip()))
        }
        _ if loads_sp(i).is_some() => Some((SwitchKind::CgocallbackOnG0(0), i.ip())),
        _ => state,
    }
}

fn mcall(i: &Instruction, state: State, pushed: Option<u8>) -> State {
    match state {
        None if loads_sp(i).is_some() => Some((SwitchKind::Mcall(pushed), i.ip())),
        Some((SwitchKind::Mcall(Some(_)), pc)) if i.mnemonic() == Mnemonic::Push => {
            Some((SwitchKind::Mcall(None), pc))
        }
        _ => state,
    }
}

fn gogo(i: &Instruction, state: State) -> State {
    match state {
        None => loads_sp(i).and_then(|(base, offset)| {
            // gobuf: the pc follows the sp.
            Some((
                SwitchKind::GogoBuffer(dwarf_register(base)?, offset as i32 + 8),
                i.ip(),
            ))
        }),
        Some((SwitchKind::GogoBuffer(base, offset), pc)) => match load(i) {
            Some((to, from, at))
                if dwarf_register(from) == Some(base) && at == i64::from(offset) =>
            {
                dwarf_register(to).map(|to| (SwitchKind::GogoRegister(to), pc))
            }
            _ => state,
        },
        _ => state,
    }
}

/// Functions that keep the old sp in a register or a stack slot while they use another stack
/// or align theirs: nanotime1, time.now, vgetrandom1, racecall, sigfwd, callCgoSigaction,
/// asmcgocall_no_g.
fn saved_sp(i: &Instruction, state: State) -> State {
    if let Some((to, Register::RSP)) = copy(i)
        && state.is_none()
    {
        return dwarf_register(to)
            .filter(|_| to != Register::RBP)
            .map(|to| (SwitchKind::SavedInRegister(to), i.ip()));
    }
    match state {
        None => loads_sp(i).map(|_| (SwitchKind::Lost, i.ip())),
        Some((kind, pc)) => {
            let restored = copy(i).is_some_and(|(to, _)| to == Register::RSP)
                || load(i).is_some_and(|(to, base, _)| to == Register::RSP && base == to);
            if restored {
                return None;
            }
            // A caller-saved register does not survive a call; its copy on the stack does.
            match (kind, store(i)) {
                (SwitchKind::SavedInRegister(r), Some((Register::RSP, offset, Some(from))))
                    if dwarf_register(from) == Some(r) =>
                {
                    Some((SwitchKind::SavedInSlot(offset as i32), pc))
                }
                _ => state,
            }
        }
    }
}

/// Behind the system call the child has a new stack; its code follows the parent's return.
pub(crate) fn clone<I: Step>(code: &[I], function: &Function<'_>) -> Vec<Switch> {
    let Some(call) = code.iter().position(Step::enters_kernel) else {
        return Vec::new();
    };
    let ret = code[call..].iter().find(|i| i.returns());
    let child = ret.map_or(function.end, Step::behind);
    let start = code[call].address();
    vec![
        Switch {
            frame_pc: start,
            ..Switch::over(start..child, SwitchKind::Clone)
        },
        Switch::over(child..function.end, SwitchKind::RootThread),
    ]
}

/// The places of functions that write the stack pointer as the assembler can't follow, but for
/// those that are known by name.
pub(crate) fn writing_sp<'d, I: Step>(
    module: &GoModule<'d>,
    named: &[&str],
    code: impl Fn(&Function<'d>) -> Vec<I>,
    transfer: impl Fn(&I, State) -> State,
) -> Vec<Switch> {
    let functions = module.pclntab.functions();
    let writing = functions.filter(|f| f.flags.writes_sp() && !named.contains(&f.name));
    let places = writing.flat_map(|function| {
        let code = code(&function);
        ranges(&code, &function, flow(&code, None, &transfer))
    });
    places.collect()
}

/// Joins equal neighbours into ranges; instructions without a state get none.
pub(crate) fn ranges<I: Step>(
    code: &[I],
    function: &Function<'_>,
    states: Vec<Option<State>>,
) -> Vec<Switch> {
    let mut all: Vec<Switch> = Vec::new();
    for (instruction, state) in code.iter().zip(states) {
        let Some(Some((kind, frame_pc))) = state else {
            continue;
        };
        let (start, end) = (
            instruction.address(),
            instruction.behind().min(function.end),
        );
        match all.last_mut() {
            Some(last)
                if last.kind == kind && last.frame_pc == frame_pc && last.range.end == start =>
            {
                last.range.end = end;
            }
            _ => all.push(Switch {
                range: start..end,
                kind,
                frame_pc,
            }),
        }
    }
    all
}
