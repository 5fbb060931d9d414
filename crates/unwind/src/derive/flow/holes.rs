//! What no edge leads to: the cases of switches, and functions of which nothing tells.

use iced_x86::FlowControl;

use super::super::code::{ends, is_padding};
use super::super::frame::Frame;
use super::beginning::may_begin;
use super::{ALIGNMENT, Walker};

impl Walker<'_, '_> {
    /// Gives rows to every hole that one frame only fits.
    pub(super) fn fill_holes(&mut self) {
        let mut at = self.region.range.start;
        while let Some(hole) = self.next_hole(at) {
            let fitting = self.fitting(hole);
            if fitting == Some(Frame::ENTRY) && self.region.open {
                // A function begins: the switches before belong to others.
                self.switches.clear();
            }
            let found = fitting.is_some_and(|frame| self.all(hole, frame).is_ok());
            if found && self.flow.places.contains_key(&hole) {
                self.commit();
                at = hole;
            } else {
                at = self.next_function(hole);
            }
            self.visits = 0;
        }
    }

    /// The next address at which a function may begin, by the looks of it: aligned, behind padding
    /// behind which nothing falls through.
    fn next_function(&self, mut at: u64) -> u64 {
        let mut open = false;
        while at < self.region.range.end {
            let Some(i) = self.code.decode(at) else {
                at += 1;
                open = false;
                continue;
            };
            if open && at.is_multiple_of(ALIGNMENT) && !is_padding(&i) {
                return at;
            }
            if !is_padding(&i) {
                open = ends(&i)
                    || matches!(
                        i.flow_control(),
                        FlowControl::UnconditionalBranch
                            | FlowControl::IndirectBranch
                            | FlowControl::Return
                    );
            }
            at = i.next_ip();
        }
        at
    }

    /// The only frame that fits a hole.
    fn fitting(&mut self, hole: u64) -> Option<Frame> {
        let mut frames = self.switches.clone();
        if self.region.open && !frames.contains(&Frame::ENTRY) {
            frames.push(Frame::ENTRY);
        }
        let count = self.switches.len();
        let mut fitting = None;
        for (number, frame) in frames.into_iter().enumerate() {
            // A function that nothing leads to is confirmed by a return, or at least by its place.
            let looks = hole.is_multiple_of(ALIGNMENT) && may_begin(self.code, hole, self.info);
            let fits =
                self.all(hole, frame).is_ok() && (number < count || self.flow.returns || looks);
            self.switches.truncate(count);
            if fits && fitting.replace(frame).is_some() {
                return None;
            }
        }
        fitting
    }

    /// The first address from `at` on that nothing leads to and that is no padding, if anything
    /// may lead there unseen.
    fn next_hole(&self, mut at: u64) -> Option<u64> {
        if self.switches.is_empty() && !self.region.open {
            return None;
        }
        let before = self.base.places.range(..at).next_back();
        if let Some((start, place)) = before {
            at = at.max(start + u64::from(place.len));
        }
        let mut places = self.base.places.range(at..).peekable();
        while at < self.region.range.end {
            if let Some((next, place)) = places.peek()
                && **next <= at
            {
                at = at.max(**next + u64::from(place.len));
                places.next();
                continue;
            }
            match self.code.decode(at) {
                Some(i) if is_padding(&i) => at = i.next_ip(),
                _ => return Some(at),
            }
        }
        None
    }
}
