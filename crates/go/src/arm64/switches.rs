//! The switches of AArch64. A function without a frame that calls something (mcall, morestack,
//! gogo) loses its return address there, so what holds begins before the call and not at the change
//! of stacks.

use seam_object::arm64::{FP, Instruction, LR, Op, SP};
use seam_object::{Elf, ReadRef};

use super::{code, definition};
use crate::code::flow;
use crate::switches::{State, Switch, SwitchKind, clone, ranges, writing_sp};
use crate::{Function, GoModule};

/// Functions that get rows of their own by name.
const NAMED: &[&str] = &[
    "runtime.asmcgocall",
    "runtime.systemstack",
    "runtime.cgocallback",
    "runtime.mcall",
    "runtime.morestack",
    "runtime.morestack_noctxt",
    "runtime.gogo",
    "gogo",
    "runtime.goexit",
    "runtime.mstart",
    "runtime.rt0_go",
    "_rt0_arm64",
    "_rt0_arm64_linux",
    "_rt0_arm64_lib_go",
    "runtime.clone",
    "runtime.sigpanic",
    "runtime.sigpanic0",
    "runtime.asyncPreempt",
    "runtime.schedule",
    "runtime.doSigPreempt",
    "runtime.(*sigctxt).pushCall",
    "runtime.(*sigctxt).preparePanic",
    "crosscall2",
    "callbackasm1",
];

/// All special places of a module, in no order.
pub(crate) fn switches<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, module: &GoModule<'d>) -> Vec<Switch> {
    let named = module.functions_named(NAMED);
    let morestack = named.get("runtime.morestack");
    let link = morestack.and_then(|f| kept_link(&code(elf, f)));
    let mut all = Vec::new();
    for (name, function) in &named {
        all.extend(of_function(name, function, &code(elf, function), link));
    }
    all.extend(writing_sp(module, NAMED, |f| code(elf, f), saved_sp));
    all
}

fn of_function(
    name: &str,
    function: &Function<'_>,
    code: &[Instruction],
    link: Option<u8>,
) -> Vec<Switch> {
    let whole = |kind| vec![Switch::over(function.entry..function.end, kind)];
    let flowing = |entry: State, transfer: &dyn Fn(&Instruction, State) -> State| {
        ranges(code, function, flow(code, entry, transfer))
    };
    let kept = link.map_or(SwitchKind::Lost, SwitchKind::LinkKeptIn);
    match name {
        "runtime.asmcgocall" => match slots(code) {
            Some(slot) => flowing(None, &|i, state| asmcgocall(code, i, state, slot)),
            None => whole(SwitchKind::Lost),
        },
        "runtime.systemstack" => flowing(None, &|i, state| match (state, i.op) {
            (None, Op::Copy { to: SP, .. }) => Some((SwitchKind::Systemstack, i.address)),
            (Some(_), Op::Copy { to: SP, .. }) => None,
            _ => state,
        }),
        "runtime.cgocallback" => match outer_slot(code) {
            Some(outer) => flowing(
                Some((SwitchKind::CgocallbackOnG0(outer), 0)),
                &|i, state| cgocallback(code, i, state, outer),
            ),
            None => whole(SwitchKind::Lost),
        },
        // What it has put into g.sched says where to go on, from the pc on, which is the last.
        "runtime.mcall" => flowing(None, &|i, state| match i.op {
            Op::Store(store) if store.register == LR => Some((SwitchKind::Mcall(None), 0)),
            _ => state,
        }),
        "runtime.morestack" => flowing(Some((kept, 0)), &|i, state| match i.op {
            Op::Store(store) if Some(store.register) == link => Some((SwitchKind::Morestack, 0)),
            _ => state,
        }),
        "runtime.morestack_noctxt" => whole(kept),
        "gogo" => flowing(Some((SwitchKind::GogoOnG0, 0)), &|i, state| {
            gogo(code, i, state)
        }),
        "runtime.goexit" | "runtime.mstart" | "runtime.rt0_go" | "_rt0_arm64"
        | "_rt0_arm64_linux" | "_rt0_arm64_lib_go" => whole(SwitchKind::Root),
        "runtime.sigpanic" | "runtime.sigpanic0" => whole(SwitchKind::ExactCaller),
        "runtime.asyncPreempt" => async_preempt(code, function),
        "runtime.schedule" => whole(SwitchKind::Scheduler),
        "runtime.doSigPreempt"
        | "runtime.(*sigctxt).pushCall"
        | "runtime.(*sigctxt).preparePanic" => whole(SwitchKind::Pushes),
        "runtime.clone" => clone(code, function),
        "crosscall2" => crosscall2(code, function),
        // purego's: not looked at on AArch64.
        "callbackasm1" => whole(SwitchKind::Lost),
        _ => Vec::new(),
    }
}

/// Whether a copy to sp takes a value that came from memory.
fn from_memory(code: &[Instruction], i: &Instruction) -> bool {
    let Op::Copy { from, .. } = i.op else {
        return false;
    };
    let at = code.partition_point(|other| other.address < i.address);
    let definition = definition(code, at, from);
    definition.is_some_and(|i| matches!(i.op, Op::Load(_)))
}

/// On the C stack asmcgocall stores g, and one word above it the depth: where g is.
fn slots(code: &[Instruction]) -> Option<i64> {
    let behind = code.iter();
    let behind = behind.skip_while(|i| !matches!(i.op, Op::Copy { to: SP, .. }));
    let mut stores = behind.filter_map(|i| match i.op {
        Op::Store(store) if store.base == SP && store.added == 0 => Some(store.offset),
        _ => None,
    });
    let (g, depth) = (stores.next()?, stores.next()?);
    (depth == g + 8).then_some(g)
}

fn asmcgocall(code: &[Instruction], i: &Instruction, state: State, slot: i64) -> State {
    match (state, i.op) {
        (None, Op::Copy { to: SP, .. }) if from_memory(code, i) => {
            Some((SwitchKind::Systemstack, i.address))
        }
        // Already on a system stack: room is made with the old sp in a register.
        (None, Op::Copy { to: SP, .. }) => {
            let before = code.iter().take_while(|other| other.address < i.address);
            let old = before.filter_map(|i| match i.op {
                Op::Copy { to, from: SP } => Some(to),
                _ => None,
            });
            let kind = old
                .last()
                .map_or(SwitchKind::Lost, SwitchKind::SavedInRegister);
            Some((kind, i.address))
        }
        (
            Some((SwitchKind::Systemstack | SwitchKind::SavedInRegister(_), pc)),
            Op::Store(store),
        ) if store.base == SP && store.offset == slot + 8 => {
            Some((SwitchKind::Asmcgocall(slot as i32), pc))
        }
        (Some((SwitchKind::Asmcgocall(_), _)), Op::Copy { to: SP, .. }) => None,
        _ => state,
    }
}

/// Where cgocallback keeps the `g0.sched.sp` that it finds: it is loaded from where sp is stored
/// next.
fn outer_slot(code: &[Instruction]) -> Option<i32> {
    let sched_sp = code
        .windows(2)
        .find_map(|pair| match (pair[0].op, pair[1].op) {
            (Op::Copy { to, from: SP }, Op::Store(store)) if store.register == to => {
                Some(store.offset)
            }
            _ => None,
        })?;
    code.windows(2)
        .find_map(|pair| match (pair[0].op, pair[1].op) {
            (Op::Load(load), Op::Store(store))
                if load.offset == sched_sp
                    && load.base != SP
                    && store.base == SP
                    && store.register == load.register =>
            {
                i32::try_from(store.offset).ok()
            }
            _ => None,
        })
}

fn cgocallback(code: &[Instruction], i: &Instruction, state: State, outer: i32) -> State {
    match i.op {
        Op::Copy { to: SP, .. } if from_memory(code, i) => {
            Some((SwitchKind::CgocallbackOnG0(outer), i.address))
        }
        Op::Copy { to: SP, .. } => Some((SwitchKind::Cgocallback(outer), i.address)),
        _ => state,
    }
}

/// The register in which a function that needs more stack hands its own return address to
/// morestack: what morestack stores behind its own, as `g.sched.lr`.
fn kept_link(code: &[Instruction]) -> Option<u8> {
    let mut stores = code.iter().filter_map(|i| match i.op {
        Op::Store(store) => Some(store.register),
        _ => None,
    });
    stores.find(|from| *from == LR)?;
    stores.next().filter(|from| *from < FP)
}

fn gogo(code: &[Instruction], i: &Instruction, state: State) -> State {
    match (state, i.op) {
        (Some((SwitchKind::GogoOnG0, _)), Op::Copy { to: SP, from }) => {
            let at = code.partition_point(|other| other.address < i.address);
            let Some(Op::Load(load)) = definition(code, at, from).map(|i| i.op) else {
                return Some((SwitchKind::Lost, 0));
            };
            // gobuf: the pc follows the sp.
            let pc = i32::try_from(load.offset + 8).ok()?;
            Some((SwitchKind::GogoWithoutLink(load.base, pc), 0))
        }
        (Some((SwitchKind::GogoWithoutLink(base, pc), _)), Op::Load(load))
            if load.register == LR =>
        {
            Some((SwitchKind::GogoBuffer(base, pc), 0))
        }
        (Some((SwitchKind::GogoBuffer(base, pc), _)), Op::Load(load))
            if load.base == base && load.offset == i64::from(pc) =>
        {
            Some((SwitchKind::GogoRegister(load.register), 0))
        }
        _ => state,
    }
}

/// asyncPreempt was put there by the signal handler. In its last instruction the stack is the
/// interrupted code's again.
fn async_preempt(code: &[Instruction], function: &Function<'_>) -> Vec<Switch> {
    let last = code.iter().find_map(|i| match i.op {
        Op::Return(to) | Op::JumpRegister(to) if to != LR => Some((i.address, to)),
        _ => None,
    });
    let end = last.map_or(function.end, |(address, _)| address);
    let mut all = vec![Switch::over(function.entry..end, SwitchKind::ExactCaller)];
    all.extend(last.map(|(address, register)| {
        Switch::over(address..address + 4, SwitchKind::ResumesAt(register))
    }));
    all
}

/// Functions that keep the old sp in a register that C keeps, while they use another stack or align
/// theirs: nanotime1, walltime, vgetrandom1, racecall.
fn saved_sp(i: &Instruction, state: State) -> State {
    match (state, i.op) {
        (None, Op::Copy { to, from: SP }) if (19..FP).contains(&to) => {
            Some((SwitchKind::SavedInRegister(to), i.address))
        }
        (Some((SwitchKind::SavedInRegister(kept), _)), Op::Copy { to: SP, from })
            if from == kept =>
        {
            None
        }
        (None, Op::Copy { to: SP, from }) if from != SP => Some((SwitchKind::Lost, i.address)),
        _ => state,
    }
}

/// crosscall2 makes its own frame: the return address is in the link register until it is stored
/// beside the frame pointer, and again from where both are loaded.
fn crosscall2(code: &[Instruction], function: &Function<'_>) -> Vec<Switch> {
    let own = |second: u8, access: &seam_object::arm64::Access| {
        (access.register, second) == (FP, LR) && access.base == SP && access.added == 0
    };
    let stored = code.iter().find_map(|i| match i.op {
        Op::StorePair(access, second) if own(second, &access) => Some((i, access.offset as i32)),
        _ => None,
    });
    let Some((store, slot)) = stored else {
        let range = function.entry..function.end;
        return vec![Switch::over(range, SwitchKind::Lost)];
    };
    let loaded = code.iter().find(|i| match i.op {
        Op::LoadPair(access, second) => own(second, &access),
        _ => false,
    });
    let end = loaded.map_or(function.end, Instruction::next);
    let mut all = vec![
        Switch::over(function.entry..store.next(), SwitchKind::InLink),
        Switch::over(end..function.end, SwitchKind::InLink),
    ];
    let saves = |register, slot, start: u64| Switch {
        range: start..end,
        kind: SwitchKind::Saves(register, slot),
        frame_pc: store.address,
    };
    all.push(saves(FP, slot, store.next()));
    all.push(saves(LR, slot + 8, store.next()));
    for i in code.iter().take_while(|i| !i.is_call()) {
        if let Op::StorePair(access, _) = i.op
            && access.base == SP
            && access.added == 0
        {
            let kept = i.moved().filter(|(r, _)| (19..FP).contains(r));
            let slot = |above: i64| (access.offset + above) as i32;
            all.extend(kept.map(|(r, above)| saves(r, slot(above), store.next())));
        }
    }
    all
}
