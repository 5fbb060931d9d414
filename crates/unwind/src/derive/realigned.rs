//! Stacks that a function aligns itself while it has its arguments or variable room there: gcc
//! keeps the CFA in a register, and from the place where that is saved it is read again.
//!
//! ```text
//! lea  r10, [rsp+8]      the CFA
//! and  rsp, -64          how far the CFA is from here, nobody knows: distances count from here
//! push [r10-8]
//! push rbp
//! mov  rbp, rsp
//! push r10
//! …
//! lea  rsp, [r10-8]
//! ret
//! ```

use iced_x86::{Instruction, OpKind, Register};

use super::frame::{Frame, RBP, Saved, kept_index, register};

/// What is known once the CFA was put into a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Realigned {
    /// The register that had the CFA.
    pub(super) register: Register,
    /// It still has it.
    pub(super) live: bool,
    /// The stack was aligned.
    pub(super) aligned: bool,
    /// rsp is so far below the aligned place.
    pub(super) pushed: Option<i32>,
    /// And rbp so far.
    pub(super) anchor: Option<i32>,
    /// The CFA was stored so far below it.
    pub(super) slot: Option<i32>,
}

impl Realigned {
    pub(super) fn new(register: Register) -> Self {
        Self {
            register,
            live: true,
            aligned: false,
            pushed: None,
            anchor: None,
            slot: None,
        }
    }

    /// What holds on both of two paths.
    pub(super) fn joined(&self, other: &Self) -> Option<Self> {
        let same = self.register == other.register && self.aligned == other.aligned;
        let both = |mine: Option<i32>, theirs| mine.filter(|_| mine == theirs);
        same.then(|| Self {
            live: self.live && other.live,
            pushed: both(self.pushed, other.pushed),
            anchor: both(self.anchor, other.anchor),
            slot: both(self.slot, other.slot),
            ..*self
        })
    }

    /// How far below the aligned place the address lies that a memory operand means.
    pub(super) fn distance(&self, i: &Instruction) -> Option<i32> {
        if i.memory_index() != Register::None || i.segment_prefix() != Register::None {
            return None;
        }
        let base = match i.memory_base() {
            Register::RSP => self.pushed?,
            Register::RBP => self.anchor?,
            _ => return None,
        };
        base.checked_sub(i.memory_displacement64() as i64 as i32)
    }

    /// The CFA's slot, from rbp.
    pub(super) fn slot_from_rbp(&self) -> Option<i16> {
        i16::try_from(self.anchor?.checked_sub(self.slot?)?).ok()
    }

    /// A place below the aligned one, from rbp + 8, as rules count.
    pub(super) fn below_rbp(&self, place: i32) -> Option<i32> {
        place.checked_sub(self.anchor?)?.checked_add(8)
    }
}

impl Frame {
    /// Whether a `lea` puts the CFA into a register.
    pub(super) fn is_cfa(&self, i: &Instruction) -> bool {
        let stack = i.memory_base() == Register::RSP && i.op0_register().size() == 8;
        stack && self.realigned.is_none() && self.distance(i) == Some(0)
    }

    pub(super) fn note(&mut self, change: impl FnOnce(&mut Realigned)) {
        if let Some(realigned) = &mut self.realigned {
            change(realigned);
        }
    }

    /// The register no longer holds what it did.
    pub(super) fn overwritten(&mut self, register: Register) {
        self.note(|r| r.live &= r.register != register.full_register());
        self.returns_to = self.returns_to.filter(|r| *r != register.full_register());
        self.copied = self.copied.filter(|(r, _)| *r != register.full_register());
    }

    /// rsp was aligned: only with the CFA in a register does this lead anywhere.
    pub(super) fn align(&mut self) {
        self.depth = None;
        self.note(|r| {
            r.pushed = Some(0).filter(|_| !r.aligned);
            r.aligned = true;
        });
    }

    pub(super) fn lea_rsp(&mut self, i: &Instruction) {
        let realigned = self.realigned.filter(|r| r.aligned);
        self.depth = match realigned {
            Some(r) if r.live && i.memory_base() == r.register => {
                let plain = i.memory_index() == Register::None;
                let displacement = i.memory_displacement64() as i64 as i32;
                plain.then(|| displacement.checked_neg()).flatten()
            }
            _ => self.distance(i),
        };
        let pushed = realigned.and_then(|r| r.distance(i));
        self.note(|r| r.pushed = pushed);
    }

    /// `mov rbp, rsp`
    pub(super) fn anchor(&mut self) {
        let before = self.saved[RBP];
        self.write(Register::RBP);
        self.note(|r| r.anchor = r.pushed);
        let anchored = self.realigned.is_some_and(|r| r.anchor.is_some());
        if let (Saved::BelowAligned(_), true) = (before, anchored) {
            self.saved[RBP] = before;
        }
    }

    pub(super) fn push_below(&mut self, i: &Instruction) {
        self.note(|r| r.pushed = r.pushed.and_then(|pushed| pushed.checked_add(8)));
        let place = self.realigned.and_then(|r| r.pushed);
        if let Some((place, from)) = place.zip(register(i, 0)) {
            self.stored_below(place, from);
        }
    }

    pub(super) fn pop_below(&mut self, to: Register) {
        let place = self.realigned.and_then(|r| r.pushed);
        self.loaded_below(place, to);
        self.note(|r| r.pushed = r.pushed.and_then(|pushed| pushed.checked_sub(8)));
    }

    /// How far below the aligned place operand `n` of a 64-bit `mov` lies.
    pub(super) fn below_aligned(&self, i: &Instruction, n: u32) -> Option<i32> {
        let other = register(i, 1 - n)?;
        let realigned = self.realigned.filter(|r| r.aligned)?;
        let word = i.op_kind(n) == OpKind::Memory && other.size() == 8;
        realigned.distance(i).filter(|_| word)
    }

    pub(super) fn store_below(&mut self, i: &Instruction) {
        if let Some((place, from)) = self.below_aligned(i, 0).zip(register(i, 1)) {
            self.stored_below(place, from);
        }
    }

    pub(super) fn load_below(&mut self, i: &Instruction) {
        match register(i, 0) {
            Some(Register::RSP) => self.forget_stack(),
            Some(to) => self.loaded_below(self.below_aligned(i, 1), to),
            None => {}
        }
    }

    fn stored_below(&mut self, place: i32, from: Register) {
        self.note(|r| {
            if r.live && r.register == from {
                r.slot = r.slot.or(Some(place));
            } else if r.slot == Some(place) {
                r.slot = None;
            }
        });
        if let Some(kept) = kept_index(from)
            && self.saved[kept] == Saved::Same
            && place > 0
        {
            self.saved[kept] = Saved::BelowAligned(place);
        }
    }

    fn loaded_below(&mut self, place: Option<i32>, to: Register) {
        let to = to.full_register();
        self.overwritten(to);
        self.note(|r| r.live |= r.register == to && place.is_some() && r.slot == place);
        let Some(kept) = kept_index(to) else { return };
        if to == Register::RBP {
            self.rbp = None;
            self.note(|r| r.anchor = None);
        }
        self.saved[kept] = match self.saved[kept] {
            Saved::BelowAligned(n) if Some(n) == place => Saved::Same,
            Saved::At(n) => Saved::At(n),
            _ => Saved::Lost,
        };
    }
}

/// The number that rules have for a register: DWARF's (System V x86-64 psABI, figure 3.36).
pub(super) fn dwarf_number(register: Register) -> Option<u8> {
    const NUMBERED: [Register; 16] = [
        Register::RAX,
        Register::RDX,
        Register::RCX,
        Register::RBX,
        Register::RSI,
        Register::RDI,
        Register::RBP,
        Register::RSP,
        Register::R8,
        Register::R9,
        Register::R10,
        Register::R11,
        Register::R12,
        Register::R13,
        Register::R14,
        Register::R15,
    ];
    let number = NUMBERED.iter().position(|known| *known == register)?;
    Some(number as u8)
}
