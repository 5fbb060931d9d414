//! Rows derived from the instructions, for code that nothing describes: musl, the C library's start
//! code (`_init`, crtstuff), assembly, programs built with `-fno-asynchronous-unwind-tables`.
//!
//! Functions begin where symbols say, where direct calls lead and behind padding; each is followed
//! from its entry (`flow`), and what is derived stands only where every path agrees and every
//! return finds the stack as it was. This module does not read unwind information, and gives no row
//! where it is not sure.

mod code;
mod flow;
mod frame;
mod go_assembly;
mod realigned;
mod starts;

use std::collections::BTreeMap;
use std::ops::Range;

use iced_x86::InstructionInfoFactory;
use seam_object::{Elf, ReadRef};

use self::code::Code;
use self::flow::{Flow, NoReturns, Region, follow};
use self::frame::Frame;
pub(crate) use self::go_assembly::go_assembly_rows;
use self::starts::Starts;
pub(crate) use self::starts::gaps;
use crate::RuleSet;
use crate::range_list::{RuleRange, offset};

/// Code that is decoded in one file, in bytes.
const BYTES_MAX: u64 = 8 << 20;
/// How often functions that never return are looked for; their callers may be such.
const NO_RETURN_ROUNDS: u32 = 3;
/// How often parts moved out of line are looked for; they may lead to others.
const MOVED_ROUNDS: u32 = 4;

/// What deriving gave.
#[derive(Debug, Default)]
pub(crate) struct DerivedRows {
    pub(crate) rows: Vec<RuleRange>,
    /// Functions with rows.
    pub(crate) functions: u64,
    /// Functions given up.
    pub(crate) given_up: u64,
}

/// Derives rows for the code in `gaps` (see [`gaps`]); offsets count from `base`.
pub(crate) fn derived_rows<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    base: u64,
    gaps: Vec<Range<u64>>,
    program_start: Option<u64>,
    rules: &mut RuleSet,
) -> DerivedRows {
    let mut result = DerivedRows::default();
    let mut budget = BYTES_MAX;
    if gaps.is_empty() {
        return result;
    }
    let symbols = starts::symbols(elf, &gaps);
    let mut info = InstructionInfoFactory::new();
    for gap in gaps {
        let len = gap.end - gap.start;
        let bytes = elf.bytes_at(gap.start, len).filter(|_| len <= budget);
        let Some(bytes) = bytes else { continue };
        budget -= len;
        let code = Code {
            bytes,
            address: gap.start,
        };
        let mut deriver = Gap {
            code,
            program_start,
            no_returns: NoReturns::new(),
            info: &mut info,
        };
        let named = symbols.range(gap).map(|(at, size)| (*at, *size));
        deriver.run(named.collect(), base, rules, &mut result);
    }
    result
}

/// One stretch of code without unwind information.
struct Gap<'a, 'd> {
    code: Code<'d>,
    program_start: Option<u64>,
    no_returns: NoReturns,
    info: &'a mut InstructionInfoFactory,
}

impl Gap<'_, '_> {
    fn run(
        &mut self,
        mut starts: Starts,
        base: u64,
        rules: &mut RuleSet,
        result: &mut DerivedRows,
    ) {
        starts::add_called(&self.code, &mut starts);
        let regions = starts::regions(&self.code, &starts, self.program_start);
        let mut flows = BTreeMap::new();
        // A function that calls one of those which never return may itself be one.
        for _ in 0..NO_RETURN_ROUNDS {
            // Those of the round before are the most of what building takes.
            flows.clear();
            flows = self.follow_all(&regions);
            let known = self.no_returns.len();
            for region in regions.iter().filter(|r| r.entry.is_some() && !r.open) {
                let start = region.range.start;
                if flows.get(&start).is_some_and(|flow| !flow.comes_back()) {
                    self.no_returns.insert(start);
                }
            }
            if self.no_returns.len() == known {
                break;
            }
        }
        self.follow_moved(&regions, &mut flows);
        for region in regions.iter().filter(|r| r.entry.is_some()) {
            let derived = flows
                .get(&region.range.start)
                .is_some_and(|f| !f.places.is_empty());
            result.functions += u64::from(derived);
            result.given_up += u64::from(!derived);
        }
        for (at, place) in flows.into_values().flat_map(|flow| flow.places) {
            push_row(&place.frame, at, place.len, base, rules, &mut result.rows);
        }
    }

    fn follow_all(&mut self, regions: &[Region]) -> BTreeMap<u64, Flow> {
        let mut flows = BTreeMap::new();
        let nexts = regions.iter().skip(1).map(|r| r.range.start);
        let nexts = nexts.chain([self.code.end()]);
        for (region, next) in regions.iter().zip(nexts) {
            let mut flow = follow(&self.code, region, &self.no_returns, self.info);
            if flow.is_err() && region.entry.is_some() && !region.open {
                // Sizes in assembly may be wrong (musl's _init has one byte).
                let open = Region {
                    range: region.range.start..next,
                    open: true,
                    ..region.clone()
                };
                flow = follow(&self.code, &open, &self.no_returns, self.info);
            }
            if let Ok(flow) = flow {
                flows.insert(region.range.start, flow);
            }
        }
        flows
    }

    /// Parts that a compiler has moved out of line look like functions of their own. Jumps that
    /// lead there with something on the stack tell, and with which frame they begin.
    fn follow_moved(&mut self, regions: &[Region], flows: &mut BTreeMap<u64, Flow>) {
        let mut known: BTreeMap<u64, Option<Frame>> = BTreeMap::new();
        for _ in 0..MOVED_ROUNDS {
            let mut found = known.clone();
            for flow in flows.values() {
                note_moved(flow, &mut found);
            }
            if found == known {
                return;
            }
            for (start, frame) in &found {
                let holder = regions.partition_point(|r| r.range.start <= *start);
                let Some(holder) = holder.checked_sub(1).map(|n| &regions[n].range) else {
                    continue;
                };
                let taken = |flow: &Flow| flow.places.contains_key(start);
                if *start != holder.start && flows.get(&holder.start).is_some_and(taken) {
                    continue;
                }
                flows.remove(start);
                let region = Region {
                    range: *start..holder.end,
                    entry: *frame,
                    open: false,
                };
                let flow = frame.map(|_| follow(&self.code, &region, &self.no_returns, self.info));
                if let Some(Ok(flow)) = flow
                    && holder.contains(start)
                {
                    flows.insert(*start, flow);
                }
            }
            known = found;
        }
    }
}

/// The row of one instruction, where its frame can be told.
fn push_row(
    frame: &Frame,
    at: u64,
    len: u8,
    base: u64,
    rules: &mut RuleSet,
    rows: &mut Vec<RuleRange>,
) {
    let Some((rule, start)) = frame.rule().zip(offset(at, base)) else {
        return;
    };
    let range = RuleRange {
        start,
        end: start.saturating_add(u32::from(len)),
        rule: rules.number(rule),
    };
    match rows.last_mut() {
        Some(last) if last.end == start && last.rule == range.rule => last.end = range.end,
        _ => rows.push(range),
    }
}

/// Jumps out of a function with something still on the stack lead to a part of the same function.
fn note_moved(flow: &Flow, moved: &mut BTreeMap<u64, Option<Frame>>) {
    for (target, frame) in &flow.exits {
        if frame.is_left() {
            continue;
        }
        moved
            .entry(*target)
            .and_modify(|known| *known = known.and_then(|known| known.joined(frame)))
            .or_insert(Some(*frame));
    }
}

#[cfg(test)]
mod tests;
