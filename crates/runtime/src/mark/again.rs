//! Looking again at what moves. In a large heap much time goes by between a look at a stack and
//! one at what it points to: a pointer that is passed on from one short-lived object to the next
//! may be in none of them when that is looked at, and what is new lies in spans that are new. So
//! variables, stacks and what is near to these are read again, all within little time, until
//! nothing more comes of it.

use std::borrow::Cow;

use seam_memory::Memory;

use super::stack::StackWords;
use super::{From, Marker, PIECES};

/// How often more is looked at most, and how often in vain.
const ROUNDS_MAX: u32 = 16;
const IN_VAIN: u32 = 3;
/// How far objects that are known already are read again, from variables and stacks on (a queue,
/// its buffer, what is in it), and how large they are at most.
const DEPTH: u8 = 3;
pub(super) const AGAIN_BYTES: u64 = 64 << 10;

impl<M: Memory> Marker<'_, M> {
    /// Looks again as long as something is left that nothing leads to, and some of it is found
    /// alive after all.
    pub(super) fn catch_up(
        &mut self,
        from: &From<'_>,
        stacks: &mut StackWords<'_, M>,
        live: &mut [bool],
    ) {
        let dead = |live: &[bool]| live.iter().filter(|live| !**live).count();
        let (mut left, mut in_vain) = (dead(live), 0);
        for _ in 0..ROUNDS_MAX {
            if left == 0 || in_vain == IN_VAIN || self.read > self.budget {
                break;
            }
            self.again(from, stacks, live);
            self.all(from, stacks, live);
            let before = std::mem::replace(&mut left, dead(live));
            in_vain = if left < before { 0 } else { in_vain + 1 };
        }
    }

    /// One more look.
    fn again(&mut self, from: &From<'_>, stacks: &mut StackWords<'_, M>, live: &[bool]) {
        // What is new lies in new spans, most of the time.
        if let Some(grown) = (from.grown)(&self.heap) {
            self.heap = Cow::Owned(grown);
        }
        let words = self.heap.objects.div_ceil(64) as usize;
        for bits in [
            &mut self.marked,
            &mut self.watched,
            &mut self.hidden_objects,
        ] {
            bits.resize(words, 0);
        }
        self.again.clear();
        self.again.resize(words, 0);
        self.depth = DEPTH;
        for range in from.roots {
            self.range(range.clone());
        }
        self.drain();
        let live: Vec<usize> = (0..live.len()).filter(|at| live[*at]).collect();
        for some in live.chunks(PIECES) {
            self.depth = DEPTH;
            self.goroutines(some, from, stacks);
            self.drain();
        }
    }
}
