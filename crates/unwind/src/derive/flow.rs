//! One function's frames at every instruction that can be reached, following its jumps. A function
//! whose paths contradict each other, or that does not leave the stack as it found it, is given up:
//! a row is either right or not there.

mod beginning;
mod holes;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use iced_x86::{FlowControl, Instruction, InstructionInfoFactory};

use super::code::{Code, ends, is_near, is_padding, returns};
use super::frame::Frame;
use beginning::may_begin;

/// Instructions looked at in one function, visits counted.
const VISITS_MAX: usize = 1 << 18;
/// Calls in one function found out not to return.
const NO_RETURNS_MAX: usize = 64;
/// Functions are aligned to this where they are aligned at all.
const ALIGNMENT: u64 = 16;
/// Weak edges followed back.
const CHAIN_MAX: usize = 256;
/// Different frames at indirect jumps of one function.
const SWITCHES_MAX: usize = 8;

/// The frame before an instruction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) frame: Frame,
    pub(crate) len: u8,
    /// Reached only by a weak edge.
    weak: bool,
    /// The padding behind a call by which it was reached, 0 = none.
    padding: u64,
}

/// What following a region gave.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// By address.
    pub(crate) places: BTreeMap<u64, Place>,
    /// Jumps to addresses outside of the region.
    pub(crate) exits: Vec<(u64, Frame)>,
    /// A return was reached, and found the stack as it was.
    returns: bool,
    /// An indirect jump was reached.
    jumps_anywhere: bool,
}

impl Flow {
    fn add(&mut self, other: Self) {
        self.places.extend(other.places);
        self.exits.extend(other.exits);
        self.returns |= other.returns;
        self.jumps_anywhere |= other.jumps_anywhere;
    }

    /// Whether a call of the function that begins here can come back.
    pub(crate) fn comes_back(&self) -> bool {
        self.returns || self.jumps_anywhere || !self.exits.is_empty()
    }
}

/// Functions that never return, by address.
pub(crate) type NoReturns = BTreeSet<u64>;

/// A stretch of code to be followed.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    pub(crate) range: Range<u64>,
    /// The frame at its first address, if a function is known to begin there.
    pub(crate) entry: Option<Frame>,
    /// It may hold further functions, of which nothing tells.
    pub(crate) open: bool,
}

/// Why a function was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Underivable {
    /// Two paths to one instruction have different stacks.
    PathsDisagree,
    /// The stack is not as it was found where the function is left.
    NotLeft,
    /// Bytes that are no instruction, or two that overlap.
    NotCode,
    /// It is too large to be followed.
    TooLarge,
}

/// Follows what lies in a region.
///
/// An edge is weak where it may not exist: behind a call, which may not return. A weak edge yields
/// to any other. What no edge leads to is the case of a switch, which is reached by a table, or a
/// function of which nothing tells: each such hole is tried with every frame that it may have, and
/// gets rows when one frame only fits everything it leads to.
///
/// # Errors
/// When what the region's entry leads to is given up.
pub(crate) fn follow(
    code: &Code<'_>,
    region: &Region,
    no_returns: &NoReturns,
    info: &mut InstructionInfoFactory,
) -> Result<Flow, Underivable> {
    let mut walker = Walker {
        code,
        region,
        no_returns,
        base: Flow::default(),
        flow: Flow::default(),
        tried: Flow::default(),
        work: Vec::new(),
        weak_work: Vec::new(),
        padded: Vec::new(),
        weak_from: BTreeMap::new(),
        paddings: BTreeMap::new(),
        confirmed: BTreeSet::new(),
        padding: 0,
        joined: false,
        segment: 0,
        loose: false,
        switches: Vec::new(),
        refuted: BTreeSet::new(),
        visits: 0,
        info,
    };
    if let Some(entry) = region.entry {
        walker.all(region.range.start, entry)?;
        walker.commit();
    }
    walker.fill_holes();
    if overlaps(&walker.base) {
        return Err(Underivable::NotCode);
    }
    // Filled in the order of addresses, a map is half empty; made of them, it is full. A file can
    // have two million places.
    let mut flow = walker.base;
    flow.places = std::mem::take(&mut flow.places).into_iter().collect();
    Ok(flow)
}

fn overlaps(flow: &Flow) -> bool {
    let mut end = 0;
    flow.places.iter().any(|(at, place)| {
        let overlaps = *at < end;
        end = at + u64::from(place.len);
        overlaps
    })
}

/// A caller aligns the stack to this at a call (System V x86-64 psABI, 3.2.2).
const STACK_ALIGNMENT: i32 = 16;

/// Whether a call may be made with a frame.
fn is_aligned(frame: &Frame) -> bool {
    frame.depth.is_none_or(|depth| depth % STACK_ALIGNMENT == 0)
}

/// `call next; pop reg`
fn reads_pc(i: &Instruction) -> bool {
    is_near(i) && i.near_branch_target() == i.next_ip()
}

struct Walker<'a, 'd> {
    code: &'a Code<'d>,
    region: &'a Region,
    no_returns: &'a NoReturns,
    /// What stands.
    base: Flow,
    /// What one pass has found, over it.
    flow: Flow,
    /// What the weak edge that is being tried leads to, over that.
    tried: Flow,
    work: Vec<(u64, Frame)>,
    /// Target, frame, and the weak edge by which it was found, 0 = none.
    weak_work: Vec<(u64, Frame, u64)>,
    /// Those of them that lead to padding before what may be a function.
    padded: Vec<(u64, Frame, u64)>,
    weak_from: BTreeMap<u64, u64>,
    /// By weak edge: the padding that it or one before it leads to, 0 = none.
    paddings: BTreeMap<u64, u64>,
    /// Paddings behind which something leads to what was found otherwise, or returns.
    confirmed: BTreeSet<u64>,
    padding: u64,
    /// What is being tried leads to something found otherwise.
    joined: bool,
    /// The weak edge that is being tried.
    segment: u64,
    /// Calls with a stack that is not aligned were met where edges are sure: the function does not
    /// keep to the ABI, or nothing that it calls asks for it.
    loose: bool,
    /// The different frames at indirect jumps.
    switches: Vec<Frame>,
    /// Where weak edges led and turned out not to exist.
    refuted: BTreeSet<u64>,
    visits: usize,
    info: &'a mut InstructionInfoFactory,
}

impl Walker<'_, '_> {
    /// Follows everything from a place.
    fn all(&mut self, start: u64, frame: Frame) -> Result<(), Underivable> {
        self.refuted.clear();
        while !self.pass(start, frame)? {
            if self.refuted.len() > NO_RETURNS_MAX {
                return Err(Underivable::PathsDisagree);
            }
        }
        Ok(())
    }

    /// One try of `all`. False when a weak edge was refuted on the way: what it led to has to be
    /// followed anew without it.
    fn pass(&mut self, start: u64, frame: Frame) -> Result<bool, Underivable> {
        self.flow = Flow::default();
        self.weak_work.clear();
        self.padded.clear();
        self.paddings.clear();
        self.confirmed.clear();
        self.padding = 0;
        self.weak_from.clear();
        self.segment = 0;
        self.loose = false;
        self.work = vec![(start, frame)];
        if !self.strong()? {
            return Ok(false);
        }
        while let Some((at, frame, from)) = self.weak_work.pop().or_else(|| self.padded.pop()) {
            let padded = self.region.open && self.padding_before_function(at);
            if padded && !self.weak_work.is_empty() {
                // Others may lead behind the padding, and so tell what is there.
                self.padded.push((at, frame, from));
                continue;
            }
            if self.refuted.contains(&at) || self.place(at).is_some() {
                continue;
            }
            self.weak_from.insert(at, from);
            self.segment = at;
            let before = self.weak_work.len();
            self.padding = match padded {
                true => at,
                false => self.paddings.get(&from).copied().unwrap_or(0),
            };
            self.paddings.insert(at, self.padding);
            self.joined = false;
            let led = self.visit(at, frame, true).and_then(|()| self.strong());
            let blamed = match led {
                Ok(true) => {
                    if self.joined || self.tried.returns || (padded && !self.may_begin_behind(at)) {
                        self.confirmed.insert(self.padding);
                    }
                    self.settle();
                    continue;
                }
                Ok(false) => None,
                Err(_) => Some(self.blamed(at)),
            };
            self.tried = Flow::default();
            self.work.clear();
            self.weak_work.truncate(before);
            match blamed {
                // What does not fit behind a call shows that it does not return.
                Some(blamed) if blamed == at => {
                    self.refuted.insert(at);
                }
                Some(blamed) => {
                    self.refuted.insert(blamed);
                    return Ok(false);
                }
                None => return Ok(false),
            }
        }
        // What has nothing to do with the code before the padding is another function.
        let stray = |at: &&u64| **at != 0 && !self.confirmed.contains(at);
        let stray: Vec<u64> = self.paddings.values().filter(stray).copied().collect();
        let found_all = stray.is_empty();
        self.refuted.extend(stray);
        Ok(found_all)
    }

    /// Takes all edges that are not weak. False as for `pass`.
    fn strong(&mut self) -> Result<bool, Underivable> {
        while let Some((at, frame)) = self.work.pop() {
            if !self.arrive(at, frame)? {
                return Ok(false);
            }
        }
        if self.segment == 0 {
            self.settle();
        }
        Ok(true)
    }

    /// Whether there is nothing but padding from here to where a function would begin.
    fn padding_before_function(&self, mut at: u64) -> bool {
        let start = at;
        while let Some(i) = self.code.decode(at).filter(is_padding) {
            at = i.next_ip();
        }
        at > start && at.is_multiple_of(ALIGNMENT)
    }

    /// Whether a function may begin behind the padding at a place.
    fn may_begin_behind(&mut self, mut at: u64) -> bool {
        while let Some(i) = self.code.decode(at).filter(is_padding) {
            at = i.next_ip();
        }
        may_begin(self.code, at, self.info)
    }

    /// What was tried stands in this pass.
    fn settle(&mut self) {
        let tried = std::mem::take(&mut self.tried);
        self.flow.add(tried);
    }

    /// The weak edge to blame for what does not fit behind the one to `at`: padding between a call
    /// and what follows shows best that the call does not return.
    fn blamed(&self, at: u64) -> u64 {
        let mut blamed = at;
        let mut edge = at;
        for _ in 0..CHAIN_MAX {
            if self.code.decode(edge).is_some_and(|i| is_padding(&i)) {
                blamed = edge;
            }
            match self.weak_from.get(&edge) {
                Some(from) if *from != 0 => edge = *from,
                _ => break,
            }
        }
        blamed
    }

    fn commit(&mut self) {
        let flow = std::mem::take(&mut self.flow);
        self.base.add(flow);
    }

    fn place(&self, at: u64) -> Option<Place> {
        let tried = self.tried.places.get(&at);
        let found = tried.or_else(|| self.flow.places.get(&at));
        found.or_else(|| self.base.places.get(&at)).copied()
    }

    /// Takes an edge. False when it refutes the weak one by which the place had been reached.
    fn arrive(&mut self, at: u64, frame: Frame) -> Result<bool, Underivable> {
        let Some(before) = self.place(at) else {
            self.visit(at, frame, false)?;
            return Ok(true);
        };
        self.joined |= before.padding != self.padding;
        match before.frame.joined(&frame) {
            Some(joined) if joined == before.frame => {
                let place = Place {
                    weak: false,
                    ..before
                };
                self.tried.places.insert(at, place);
                Ok(true)
            }
            Some(joined) => self.visit(at, joined, false).map(|()| true),
            None if before.weak && !self.base.places.contains_key(&at) => {
                self.refuted.insert(at);
                Ok(false)
            }
            None => Err(Underivable::PathsDisagree),
        }
    }

    fn visit(&mut self, at: u64, frame: Frame, weak: bool) -> Result<(), Underivable> {
        self.visits += 1;
        if self.visits > VISITS_MAX {
            return Err(Underivable::TooLarge);
        }
        let Some(i) = self.code.decode(at) else {
            return if weak {
                Ok(())
            } else {
                Err(Underivable::NotCode)
            };
        };
        let len = i.len() as u8;
        self.tried.places.insert(
            at,
            Place {
                frame,
                len,
                weak,
                padding: self.padding,
            },
        );
        let weak = weak && is_padding(&i);
        self.step(&i, frame, weak)
    }

    fn step(&mut self, i: &Instruction, frame: Frame, weak: bool) -> Result<(), Underivable> {
        let mut after = frame.after(i, self.info);
        let off = after.depth.is_some_and(|depth| depth < 8) && !after.is_gone();
        if off && !returns(i) && !after.outermost {
            // The return address lies at CFA - 8: no function takes it off and goes on.
            return Err(Underivable::NotLeft);
        }
        match i.flow_control() {
            // A stack for others to run on, not one that was left here.
            FlowControl::Call | FlowControl::IndirectCall if frame.switched => {
                return Err(Underivable::NotLeft);
            }
            // What is behind a call that does not return may be another function, without padding:
            // its calls have a stack that is aligned by its own frame.
            FlowControl::Call | FlowControl::IndirectCall
                if !is_aligned(&frame) && !reads_pc(i) && self.segment != 0 && !self.loose =>
            {
                return Err(Underivable::NotLeft);
            }
            FlowControl::Next | FlowControl::Interrupt => {
                if !ends(i) {
                    self.fall_through(i, after, weak)?;
                }
            }
            FlowControl::Call if reads_pc(i) => {
                after.depth = frame.depth.and_then(|depth| depth.checked_add(8));
                self.fall_through(i, after, false)?;
            }
            FlowControl::Call
                if is_near(i) && self.no_returns.contains(&i.near_branch_target()) => {}
            FlowControl::Call | FlowControl::IndirectCall => {
                self.loose |= !is_aligned(&frame);
                self.fall_through(i, after, true)?;
            }
            FlowControl::ConditionalBranch | FlowControl::XbeginXabortXend => {
                if is_near(i) {
                    self.jump(i.near_branch_target(), after);
                }
                self.fall_through(i, after, false)?;
            }
            FlowControl::UnconditionalBranch => self.jump(i.near_branch_target(), after),
            FlowControl::IndirectBranch if frame.returns_by(i) => self.tried.returns = true,
            FlowControl::IndirectBranch => {
                // Another function by its address, or a switch.
                self.tried.jumps_anywhere = true;
                if !self.switches.contains(&after) && self.switches.len() < SWITCHES_MAX {
                    self.switches.push(after);
                }
            }
            FlowControl::Return => {
                if frame.outermost || frame.depth != Some(8) {
                    return Err(Underivable::NotLeft);
                }
                self.tried.returns = true;
            }
            FlowControl::Exception => {}
        }
        Ok(())
    }

    fn fall_through(
        &mut self,
        i: &Instruction,
        after: Frame,
        weak: bool,
    ) -> Result<(), Underivable> {
        let inside = i.next_ip() < self.region.range.end;
        match (inside, weak) {
            (true, false) => self.work.push((i.next_ip(), after)),
            (true, true) => self.weak_work.push((i.next_ip(), after, self.segment)),
            // Assembly may run on into the next function, which must find its caller's frame.
            (false, false) if !after.is_left() => return Err(Underivable::NotLeft),
            (false, _) => {}
        }
        Ok(())
    }

    fn jump(&mut self, target: u64, after: Frame) {
        if self.region.range.contains(&target) {
            self.work.push((target, after));
        } else {
            self.tried.exits.push((target, after));
        }
    }
}
