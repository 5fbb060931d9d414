//! What the instructions of AArch64 show of the offsets that crossing the runtime's switches rests
//! on. For the others there are no patterns yet: those of a release in the table are its DWARF's.

use seam_object::arm64::{FP, Instruction, Op, SP};
use seam_object::{Elf, ReadRef};

use super::code;
use crate::offsets::{GOSAVE, SYSTEMSTACK};
use crate::{Field, GoModule};

/// In Go code this register holds g.
const G: u8 = 28;

type Pattern = fn(&[Instruction]) -> Option<i64>;

const PATTERNS: [(Field, &str, Pattern); 8] = [
    (Field::GM, SYSTEMSTACK, |code| m_chain(code).next()),
    (Field::MGsignal, SYSTEMSTACK, |code| m_chain(code).nth(1)),
    (Field::MG0, SYSTEMSTACK, |code| m_chain(code).nth(2)),
    (Field::MCurg, SYSTEMSTACK, |code| m_chain(code).nth(3)),
    (Field::GSchedSp, SYSTEMSTACK, sched_sp),
    (Field::GSchedPc, GOSAVE, sched_pc),
    (Field::GSchedBp, GOSAVE, sched_bp),
    (Field::GStackHi, "runtime.asmcgocall", stack_hi),
];

/// Every field that has a pattern, and what the code shows of it.
pub(crate) fn shown_offsets<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    module: &GoModule<'d>,
) -> Vec<(Field, Option<u64>)> {
    let functions = module.functions_named(&PATTERNS.map(|(_, name, _)| name));
    let shown = PATTERNS.iter().map(|(field, name, pattern)| {
        let offset = functions.get(name).and_then(|f| pattern(&code(elf, f)));
        (*field, offset.and_then(|o| u64::try_from(o).ok()))
    });
    shown.collect()
}

/// systemstack loads `g.m` first, and then from m gsignal, g0 and curg, each to compare g with.
fn m_chain(code: &[Instruction]) -> impl Iterator<Item = i64> {
    let first = code.iter().enumerate().find_map(|(at, i)| match i.op {
        Op::Load(load) if load.base == G => Some((at, load)),
        _ => None,
    });
    let of_m = first.into_iter().flat_map(|(at, m)| {
        let pairs = code[at..].windows(2);
        pairs.filter_map(move |pair| match (pair[0].op, pair[1].op) {
            (Op::Load(load), Op::Compare { a, b })
                if load.base == m.register
                    && [(load.register, G), (G, load.register)].contains(&(a, b)) =>
            {
                Some(load.offset)
            }
            _ => None,
        })
    });
    first.into_iter().map(|(_, m)| m.offset).chain(of_m)
}

/// systemstack takes the new sp from `g0.sched.sp`.
fn sched_sp(code: &[Instruction]) -> Option<i64> {
    code.windows(2)
        .find_map(|pair| match (pair[0].op, pair[1].op) {
            (Op::Load(load), Op::Copy { to: SP, from })
                if load.base == G && load.register == from =>
            {
                Some(load.offset)
            }
            _ => None,
        })
}

/// gosave_systemstack_switch computes an address in systemstack_switch and stores it first.
fn sched_pc(code: &[Instruction]) -> Option<i64> {
    let address = code.iter().find_map(|i| match i.op {
        Op::Address { to, .. } => Some(to),
        _ => None,
    })?;
    let store = stores_to_g(code).next()?;
    (store.0 == address).then_some(store.1)
}

fn sched_bp(code: &[Instruction]) -> Option<i64> {
    let mut stores = stores_to_g(code);
    stores.find(|(from, _)| *from == FP).map(|(_, at)| at)
}

fn stores_to_g(code: &[Instruction]) -> impl Iterator<Item = (u8, i64)> {
    code.iter().filter_map(|i| match i.op {
        Op::Store(store) if store.base == G => Some((store.register, store.offset)),
        _ => None,
    })
}

/// asmcgocall computes the depth: it loads `g.stack.hi` and subtracts the stack pointer.
fn stack_hi(code: &[Instruction]) -> Option<i64> {
    code.windows(2)
        .find_map(|pair| match (pair[0].op, pair[1].op) {
            (Op::Load(load), Op::Subtract { to, a, .. })
                if load.base != SP && load.register == to && a == to =>
            {
                Some(load.offset)
            }
            _ => None,
        })
}
