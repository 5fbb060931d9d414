//! What is known of a function's frame between two instructions, and how an instruction changes it.
//! x86-64; nothing here follows jumps.

use iced_x86::{Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register};
use seam_wire::{
    Rule, SEAM_END_ROOT_THREAD, SEAM_RBP, SEAM_RULE_CFA, SEAM_RULE_DEREF, SEAM_RULE_DERIVED,
    SEAM_RULE_IN_REGISTER, SEAM_RULE_RETURN_APART, SEAM_RULE_ROOT, SEAM_RULE_SAVED_BY_RBP,
    SEAM_SAVED_WIDE_LOST,
};

use super::realigned::{Realigned, dwarf_number};
use crate::rules::{plain, save, stack};

/// The registers that a callee keeps, with their DWARF numbers (System V x86-64 psABI, 3.2.1).
const KEPT: [(Register, u16); 6] = [
    (Register::RBX, 3),
    (Register::RBP, 6),
    (Register::R12, 12),
    (Register::R13, 13),
    (Register::R14, 14),
    (Register::R15, 15),
];
pub(super) const RBP: usize = 1;

/// The caller's value of a register that callees keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    /// Still in the register.
    Same,
    /// At CFA - n.
    At(i32),
    /// So far below the place to which the function has aligned the stack.
    BelowAligned(i32),
    /// Nobody can tell.
    Lost,
}

/// A frame. Offsets in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// CFA = rsp + depth.
    pub(crate) depth: Option<i32>,
    /// CFA = rbp + this.
    pub(crate) rbp: Option<i32>,
    pub(crate) saved: [Saved; 6],
    /// The function keeps the CFA in a register, to align the stack.
    pub(crate) realigned: Option<Realigned>,
    /// The code says that it has no caller.
    pub(crate) outermost: bool,
    /// On another stack, which the same function is taken to have left as it left this one.
    pub(super) switched: bool,
    /// The register that has the return address.
    pub(super) returns_to: Option<Register>,
    /// A register that was given rsp, and how far below the CFA that was.
    pub(super) copied: Option<(Register, i32)>,
}

impl Frame {
    /// At a function's first instruction: the return address lies at rsp.
    pub(crate) const ENTRY: Self = Self {
        depth: Some(8),
        rbp: None,
        saved: [Saved::Same; 6],
        realigned: None,
        outermost: false,
        switched: false,
        returns_to: None,
        copied: None,
    };

    /// At a program's first instruction.
    pub(crate) const PROGRAM: Self = Self {
        outermost: true,
        ..Self::ENTRY
    };

    /// As the caller left it: a return or a jump to another function may follow.
    pub(crate) fn is_left(&self) -> bool {
        self.outermost || self.depth == Some(8)
    }

    /// What holds on both of two paths; `None` where they disagree about the stack.
    pub(crate) fn joined(&self, other: &Self) -> Option<Self> {
        if self.outermost || other.outermost {
            return Some(Self {
                outermost: true,
                ..*self
            });
        }
        if self.depth != other.depth {
            return None;
        }
        let rbp = self.rbp.filter(|_| self.rbp == other.rbp);
        let mut saved = self.saved;
        for (mine, theirs) in saved.iter_mut().zip(other.saved) {
            if *mine != theirs {
                *mine = Saved::Lost;
            }
        }
        let realigned = self.realigned.zip(other.realigned);
        Some(Self {
            rbp,
            saved,
            switched: self.switched || other.switched,
            returns_to: self
                .returns_to
                .filter(|_| self.returns_to == other.returns_to),
            realigned: realigned.and_then(|(mine, theirs)| mine.joined(&theirs)),
            ..*self
        })
    }

    /// Whether a jump through a register goes back to the caller.
    pub(super) fn returns_by(&self, i: &Instruction) -> bool {
        self.is_gone() && register(i, 0) == self.returns_to
    }

    /// The return address is off the stack, and known.
    pub(super) fn is_gone(&self) -> bool {
        self.depth == Some(0) && self.returns_to.is_some()
    }

    /// The walk's rule here, `None` where the caller's frame cannot be told.
    pub(crate) fn rule(&self) -> Option<Rule> {
        if self.outermost {
            return Some(Rule {
                base: SEAM_END_ROOT_THREAD as u8,
                flags: SEAM_RULE_DERIVED as u8,
                ..plain(SEAM_RULE_ROOT)
            });
        }
        let mut rule = match (self.depth, self.rbp) {
            (Some(0), _) => returned(self.returns_to?)?,
            (Some(depth), _) => stack(depth),
            (None, Some(rbp)) => Rule {
                base: SEAM_RBP as u8,
                cfa_offset: rbp,
                ..plain(SEAM_RULE_CFA)
            },
            (None, None) => self.realigned_rule()?,
        };
        rule.flags |= SEAM_RULE_DERIVED as u8;
        for ((_, number), saved) in KEPT.iter().zip(self.saved) {
            match saved {
                Saved::Same => {}
                Saved::At(n) if !self.by_rbp() => save(&mut rule, *number, -i64::from(n)),
                Saved::BelowAligned(n) if self.by_rbp() => {
                    let below = self.realigned.and_then(|r| r.below_rbp(n));
                    save(&mut rule, *number, below.map_or(8, |n| -i64::from(n)));
                }
                // Pushed, and still in the register: rbp was not made an anchor yet.
                Saved::BelowAligned(_) if self.realigned.is_some_and(|r| r.anchor.is_none()) => {}
                Saved::At(_) | Saved::BelowAligned(_) if *number == 6 => {
                    rule.saved_rbp = SEAM_SAVED_WIDE_LOST as u16;
                }
                Saved::At(_) | Saved::BelowAligned(_) => save(&mut rule, *number, 8),
                Saved::Lost if *number == 6 => rule.saved_rbp = SEAM_SAVED_WIDE_LOST as u16,
                // Offset 8 is nothing that can be expressed: the register counts as lost.
                Saved::Lost => save(&mut rule, *number, 8),
            }
        }
        Some(rule)
    }

    /// Whether rules tell saved registers from rbp.
    fn by_rbp(&self) -> bool {
        let anchored = self.realigned.is_some_and(|r| r.anchor.is_some());
        self.depth.is_none() && self.rbp.is_none() && anchored
    }

    /// The CFA from where it was saved, or from the register that still has it.
    fn realigned_rule(&self) -> Option<Rule> {
        let realigned = self.realigned.filter(|r| r.aligned)?;
        let mut rule = match realigned.slot_from_rbp() {
            Some(slot) => Rule {
                base: SEAM_RBP as u8,
                deref_offset: slot,
                ..plain(SEAM_RULE_DEREF)
            },
            None if realigned.live => Rule {
                base: dwarf_number(realigned.register)?,
                ..plain(SEAM_RULE_CFA)
            },
            None => return None,
        };
        if self.by_rbp() {
            rule.flags = SEAM_RULE_SAVED_BY_RBP as u8;
        }
        Some(rule)
    }

    /// After an instruction. What it does to the flow of control is the caller's business.
    pub(crate) fn after(&self, i: &Instruction, info: &mut InstructionInfoFactory) -> Self {
        let mut next = *self;
        match i.mnemonic() {
            Mnemonic::Push => next.push(i),
            Mnemonic::Pop => next.pop(i),
            Mnemonic::Sub | Mnemonic::Add if is_rsp(i) && is_constant(i.op1_kind()) => {
                next.add_constant(i);
            }
            Mnemonic::And if is_rsp(i) && is_constant(i.op1_kind()) => next.align(),
            Mnemonic::Lea if is_rsp(i) => next.lea_rsp(i),
            Mnemonic::Lea if i.op0_register() == Register::RBP => {
                let distance = self
                    .distance(i)
                    .filter(|_| i.memory_base() == Register::RSP);
                next.write(Register::RBP);
                next.rbp = distance;
            }
            Mnemonic::Lea if self.is_cfa(i) => {
                next.write(i.op0_register());
                next.realigned = Some(Realigned::new(i.op0_register()));
            }
            Mnemonic::Mov if is_rsp(i) && register(i, 1) == Some(Register::RBP) => {
                next.depth = self.rbp;
                next.note(|r| r.pushed = r.anchor);
            }
            Mnemonic::Mov
                if register(i, 0) == Some(Register::RBP)
                    && register(i, 1) == Some(Register::RSP) =>
            {
                next.anchor();
                next.rbp = self.depth;
            }
            Mnemonic::Mov if is_rsp(i) && register(i, 1).is_some() => next.switch(i.op1_register()),
            Mnemonic::Mov if register(i, 1) == Some(Register::RSP) => {
                next.write(i.op0_register());
                next.copied = self.depth.map(|depth| (i.op0_register(), depth));
            }
            Mnemonic::Mov if self.below_aligned(i, 0).is_some() => next.store_below(i),
            Mnemonic::Mov if self.below_aligned(i, 1).is_some() => next.load_below(i),
            Mnemonic::Mov if self.slot(i, 0).is_some() => next.store(i, self.slot(i, 0)),
            Mnemonic::Mov if self.slot(i, 1).is_some() => next.load(i, self.slot(i, 1)),
            Mnemonic::Leave => {
                next.depth = self.rbp.and_then(|rbp| rbp.checked_sub(8));
                next.restore(RBP, self.rbp);
                next.rbp = None;
                next.note(|r| r.pushed = r.anchor);
                if self.depth.is_none() && self.rbp.is_none() {
                    next.pop_below(Register::RBP);
                }
            }
            Mnemonic::Enter => next.forget_stack(),
            // The ABI marks the outermost frame by zeroing rbp: _start and clone's child do.
            Mnemonic::Xor
                if register(i, 0).map(Register::full_register) == Some(Register::RBP)
                    && register(i, 0) == register(i, 1)
                    && self.saved[RBP] == Saved::Same =>
            {
                next.outermost = true;
            }
            Mnemonic::Pushfq => next.depth = self.depth.and_then(|d| d.checked_add(8)),
            Mnemonic::Popfq => next.depth = self.depth.and_then(|d| d.checked_sub(8)),
            // The callee's return takes the return address off again. Registers that callees do
            // not keep are theirs.
            Mnemonic::Call => {
                next.note(|r| r.live &= kept_index(r.register).is_some());
                next.copied = self.copied.filter(|(r, _)| kept_index(*r).is_some());
            }
            Mnemonic::Syscall => {}
            _ => next.other(i, info),
        }
        next
    }

    fn push(&mut self, i: &Instruction) {
        if i.op0_kind() == OpKind::Register && i.op0_register().size() == 2 {
            return self.forget_stack();
        }
        let Some(depth) = self.depth else {
            return self.push_below(i);
        };
        if depth == 0 && register(i, 0) != self.returns_to {
            return self.lose_return();
        }
        self.depth = depth.checked_add(8);
        if let Some(kept) = register(i, 0).and_then(kept_index)
            && self.saved[kept] == Saved::Same
        {
            self.saved[kept] = Saved::At(depth.saturating_add(8));
        }
    }

    fn pop(&mut self, i: &Instruction) {
        let at = self.depth;
        self.depth = at.and_then(|depth| depth.checked_sub(8));
        match register(i, 0) {
            Some(Register::RSP) => self.forget_stack(),
            Some(register) if at.is_none() => self.pop_below(register),
            Some(register) => {
                if let Some(kept) = kept_index(register.full_register()) {
                    self.restore(kept, at);
                }
                self.overwritten(register);
                self.took(register, at);
            }
            None => self.note(|r| r.pushed = r.pushed.and_then(|p| p.checked_sub(8))),
        }
    }

    /// A kept register was filled from CFA - `from`.
    fn restore(&mut self, kept: usize, from: Option<i32>) {
        if kept == RBP {
            self.rbp = None;
            self.note(|r| r.anchor = None);
        }
        match self.saved[kept] {
            Saved::At(n) if Some(n) == from => self.saved[kept] = Saved::Same,
            Saved::At(_) | Saved::BelowAligned(_) => {}
            Saved::Same | Saved::Lost => self.saved[kept] = Saved::Lost,
        }
    }

    /// A kept register was written.
    pub(super) fn write(&mut self, register: Register) {
        self.overwritten(register);
        let Some(kept) = kept_index(register.full_register()) else {
            return;
        };
        if kept == RBP {
            self.rbp = None;
            self.note(|r| r.anchor = None);
        }
        let anchored = self.realigned.is_some_and(|r| r.anchor.is_some());
        match self.saved[kept] {
            Saved::Same => self.saved[kept] = Saved::Lost,
            // Nothing tells any more where it was saved.
            Saved::BelowAligned(_) if !anchored => self.saved[kept] = Saved::Lost,
            _ => {}
        }
    }

    fn add_constant(&mut self, i: &Instruction) {
        let constant = i.immediate(1) as i64 as i32;
        let change = if i.mnemonic() == Mnemonic::Sub {
            constant
        } else {
            constant.wrapping_neg()
        };
        self.depth = self.depth.and_then(|depth| depth.checked_add(change));
        self.note(|r| r.pushed = r.pushed.and_then(|pushed| pushed.checked_add(change)));
    }

    /// CFA - address, for the address that a memory operand means, relative to rsp or rbp.
    pub(super) fn distance(&self, i: &Instruction) -> Option<i32> {
        if i.memory_index() != Register::None || i.segment_prefix() != Register::None {
            return None;
        }
        let base = match i.memory_base() {
            Register::RSP => self.depth?,
            Register::RBP => self.rbp?,
            _ => return None,
        };
        base.checked_sub(i.memory_displacement64() as i64 as i32)
    }

    /// The same for operand `n` of a 64-bit `mov`, where that is the memory operand.
    fn slot(&self, i: &Instruction, n: u32) -> Option<i32> {
        let other = register(i, 1 - n)?;
        if i.op_kind(n) != OpKind::Memory || other.size() != 8 {
            return None;
        }
        self.distance(i)
    }

    /// Something else lies where the return address was: how VMs and thunks put an argument below
    /// it. Where that is now nobody tells.
    fn lose_return(&mut self) {
        self.forget_stack();
        self.rbp = None;
        self.realigned = None;
    }

    fn store(&mut self, i: &Instruction, slot: Option<i32>) {
        if slot == Some(8) && register(i, 1) != self.returns_to {
            return self.lose_return();
        }
        if let (Some(slot), Some(kept)) = (slot, register(i, 1).and_then(kept_index))
            && self.saved[kept] == Saved::Same
            && slot > 8
        {
            // In the frame, not in an argument of the caller's.
            self.saved[kept] = Saved::At(slot);
        }
    }

    fn load(&mut self, i: &Instruction, slot: Option<i32>) {
        match register(i, 0) {
            Some(Register::RSP) => self.forget_stack(),
            Some(register) => {
                self.overwritten(register);
                if let Some(kept) = kept_index(register) {
                    self.restore(kept, slot);
                }
                self.took(register, slot);
            }
            None => {}
        }
    }

    /// A register was filled from CFA - `from`.
    fn took(&mut self, register: Register, from: Option<i32>) {
        // Go's assembly may use those that C's callees keep.
        if from == Some(8) {
            self.returns_to = Some(register);
        }
    }

    /// The stack pointer comes from a register. If that has no earlier value of it, the function
    /// goes on with a stack that it has left earlier, which lies as this one does, as coroutines do
    /// it. Where it does not, no return finds the return address, and nothing is derived; nor where
    /// there is nothing on this stack to compare.
    fn switch(&mut self, register: Register) {
        if let Some((_, depth)) = self.copied.filter(|(copy, _)| *copy == register) {
            self.depth = Some(depth);
            return;
        }
        if self.depth.is_none_or(|depth| depth <= 8) {
            return self.forget_stack();
        }
        self.rbp = None;
        self.realigned = None;
        self.switched = true;
    }

    pub(super) fn forget_stack(&mut self) {
        self.depth = None;
        self.note(|r| r.pushed = None);
    }

    fn other(&mut self, i: &Instruction, info: &mut InstructionInfoFactory) {
        for used in info.info(i).used_registers() {
            let written = matches!(
                used.access(),
                OpAccess::Write
                    | OpAccess::CondWrite
                    | OpAccess::ReadWrite
                    | OpAccess::ReadCondWrite
            );
            if !written {
                continue;
            }
            if used.register().full_register() == Register::RSP {
                self.forget_stack();
            } else {
                self.write(used.register());
            }
        }
    }
}

pub(crate) fn kept_index(register: Register) -> Option<usize> {
    KEPT.iter().position(|(kept, _)| *kept == register)
}

pub(crate) fn register(i: &Instruction, n: u32) -> Option<Register> {
    (n < i.op_count() && i.op_kind(n) == OpKind::Register).then(|| i.op_register(n))
}

/// The rule where the return address is in a register and off the stack.
fn returned(register: Register) -> Option<Rule> {
    Some(Rule {
        kind: SEAM_RULE_RETURN_APART as u8,
        flags: SEAM_RULE_IN_REGISTER as u8,
        deref_offset: i16::from(dwarf_number(register)?),
        ..stack(0)
    })
}

fn is_rsp(i: &Instruction) -> bool {
    register(i, 0) == Some(Register::RSP)
}

fn is_constant(kind: OpKind) -> bool {
    matches!(
        kind,
        OpKind::Immediate8 | OpKind::Immediate8to64 | OpKind::Immediate32 | OpKind::Immediate32to64
    )
}
