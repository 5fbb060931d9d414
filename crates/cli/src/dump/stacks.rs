//! Raw stacks of a dump, each kept once.

use foldhash::HashMap;
use seam_unwind::Walked;
use seam_wire::{SEAM_FRAME_EXACT, SEAM_FRAME_FLAG_SHIFT};

/// A walked stack.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct RawStack {
    /// Addresses with flags, innermost first.
    pub(super) frames: Box<[u64]>,
    pub(super) elided: u32,
    /// The code of the reason for which it ends.
    pub(super) end: u8,
}

impl RawStack {
    /// From a walk. `behind_call`: the innermost address is a return address, as it is where a
    /// goroutine has parked itself.
    pub(super) fn of(walked: Walked, behind_call: bool) -> Self {
        let mut frames = walked.user;
        if let Some(first) = frames.first_mut().filter(|_| behind_call) {
            *first &= !(u64::from(SEAM_FRAME_EXACT) << SEAM_FRAME_FLAG_SHIFT);
        }
        Self {
            frames: frames.into(),
            elided: walked.header.elided,
            end: walked.header.end,
        }
    }

    pub(super) fn whole(&self) -> bool {
        seam_wire::end(self.end).root
    }
}

/// All stacks by number.
#[derive(Debug, Default)]
pub(super) struct RawStacks {
    numbers: HashMap<RawStack, u32>,
    all: Vec<RawStack>,
}

impl RawStacks {
    /// The number of a stack.
    pub(super) fn intern(&mut self, stack: RawStack) -> u32 {
        if let Some(number) = self.numbers.get(&stack) {
            return *number;
        }
        let number = self.all.len() as u32;
        self.all.push(stack.clone());
        self.numbers.insert(stack, number);
        number
    }

    pub(super) fn get(&self, number: u32) -> Option<&RawStack> {
        self.all.get(number as usize)
    }

    pub(super) fn all(&self) -> &[RawStack] {
        &self.all
    }
}
