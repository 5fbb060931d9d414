//! A function's instructions as the patterns see them: accesses to memory by base and
//! displacement, calls by name, and registers that hold an m.

use iced_x86::{FlowControl, Instruction, Mnemonic, OpKind, Register};

use crate::GoModule;
use crate::code::{load, store};

/// How far apart the instructions of one access are.
const NEAR: usize = 8;

/// An instruction that moves a word between memory and a register or constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) base: Register,
    pub(super) offset: i64,
    /// What is loaded or stored, if it is a register.
    pub(super) register: Option<Register>,
}

/// The instructions of one function.
#[derive(Default)]
pub(super) struct Code<'d> {
    pub(super) instructions: Vec<Instruction>,
    /// Index behind each call, and the name of what is called.
    pub(super) calls: Vec<(usize, &'d str)>,
    /// `g.m`, by which registers that hold an m are known.
    pub(super) g_m: Option<i64>,
}

impl<'d> Code<'d> {
    pub(super) fn new(instructions: Vec<Instruction>, module: &GoModule<'d>) -> Self {
        let numbered = instructions.iter().enumerate();
        let calls = numbered.filter(|(_, i)| i.flow_control() == FlowControl::Call);
        let named = calls.filter_map(|(at, i)| {
            let callee = module.pclntab.find(i.near_branch_target())?;
            Some((at + 1, callee.name))
        });
        Self {
            calls: named.collect(),
            instructions,
            g_m: None,
        }
    }

    /// The index behind the first call to a function whose name ends like this.
    pub(super) fn behind_call(&self, ending: &str) -> Option<usize> {
        let mut calls = self.calls.iter();
        let call = calls.find(|(_, name)| name.ends_with(ending));
        call.map(|(at, _)| *at)
    }

    /// The nearest instructions before an index, backwards.
    pub(super) fn before(&self, at: usize) -> impl Iterator<Item = &Instruction> {
        self.instructions.iter().take(at).rev().take(NEAR)
    }

    /// The nearest instructions from an index on.
    pub(super) fn from(&self, at: usize) -> impl Iterator<Item = &Instruction> {
        self.instructions.iter().skip(at).take(NEAR)
    }

    /// All instructions with the one that follows each.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&Instruction, &Instruction)> {
        self.instructions
            .iter()
            .zip(self.instructions.iter().skip(1))
    }

    /// All loads from memory, in order.
    pub(super) fn loads(&self) -> impl Iterator<Item = Access> {
        self.instructions.iter().filter_map(loaded)
    }

    /// All stores to memory, in order.
    pub(super) fn stores(&self) -> impl Iterator<Item = Access> {
        self.instructions.iter().filter_map(stored)
    }

    /// The first offset from an m among what `access` recognises.
    pub(super) fn of_m(&self, access: impl Fn(&Instruction) -> Option<Access>) -> Option<i64> {
        let mut all = self.instructions.iter().enumerate();
        all.find_map(|(at, i)| {
            let access = access(i)?;
            let mut loads = self.before(at).filter_map(loaded);
            let base = loads.find(|l| l.register == Some(access.base))?;
            (Some(base.offset) == self.g_m).then_some(access.offset)
        })
    }
}

pub(super) fn loaded(i: &Instruction) -> Option<Access> {
    let (to, base, offset) = load(i)?;
    Some(Access {
        base,
        offset,
        register: Some(to),
    })
}

pub(super) fn stored(i: &Instruction) -> Option<Access> {
    let (base, offset, register) = store(i)?;
    Some(Access {
        base,
        offset,
        register,
    })
}

/// An operation with this constant on a field of this size.
pub(super) fn with_constant(
    i: &Instruction,
    what: Mnemonic,
    bytes: usize,
    constant: u64,
) -> Option<Access> {
    let fits = i.mnemonic() == what
        && i.op0_kind() == OpKind::Memory
        && i.memory_size().size() == bytes
        && i.try_immediate(1).ok()? == constant;
    field(i).filter(|_| fits)
}

/// The memory operand, if it is neither on the stack nor global.
pub(super) fn field(i: &Instruction) -> Option<Access> {
    let base = i.memory_base();
    let in_structure = i.segment_prefix() == Register::None
        && i.memory_index() == Register::None
        && !matches!(base, Register::None | Register::RSP | Register::RIP);
    in_structure.then(|| Access {
        base,
        offset: i.memory_displacement64() as i64,
        register: None,
    })
}

/// The offset of a field whose address is computed: `lea register, [base + offset]`, or an
/// addition; the assembler makes one of 128 a subtraction of -128.
pub(super) fn field_address(i: &Instruction) -> Option<i64> {
    let constant = || {
        let pointer = i.op0_kind() == OpKind::Register && i.op0_register() != Register::RSP;
        let constant = i.try_immediate(1).ok().filter(|_| pointer);
        constant.map(|c| c as i64)
    };
    match i.mnemonic() {
        Mnemonic::Lea => field(i).map(|f| f.offset),
        Mnemonic::Add => constant(),
        Mnemonic::Sub => constant().map(i64::wrapping_neg),
        _ => None,
    }
}
