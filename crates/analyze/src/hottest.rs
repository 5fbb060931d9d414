//! Functions by how much time they took.
//!
//! Owns self and total counts by function. Plumbing of cgo does not count as a function here.

use std::collections::HashMap;

use seam_profile::{FrameId, FunctionId, Profile, StackFrame};

use crate::facts::Ranked;
use crate::fold::FoldedFrame;

/// A function and the samples it was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotFunction {
    /// Which.
    pub function: FunctionId,
    /// Line of most samples: of those that ended in it if any did; 0 when unknown.
    pub line: u32,
    /// Samples that ended in it.
    pub self_weight: u64,
    /// Samples with it anywhere on the stack, each counted once.
    pub total_weight: u64,
}

/// Counts by function, fed one folded stack at a time.
pub(crate) struct HotCounter<'a> {
    profile: &'a Profile,
    weights: Vec<(u64, u64)>,
    /// Number of the last stack that counted for a function's total.
    last_stack: Vec<usize>,
    lines: HashMap<FrameId, (u64, u64)>,
    stacks: usize,
}

impl<'a> HotCounter<'a> {
    pub(crate) fn new(profile: &'a Profile) -> Self {
        let functions = profile.functions().len();
        Self {
            profile,
            weights: vec![(0, 0); functions],
            last_stack: vec![0; functions],
            lines: HashMap::new(),
            stacks: 0,
        }
    }

    pub(crate) fn add(&mut self, root_to_leaf: &[(FoldedFrame, u16)], weight: u64) {
        self.stacks += 1;
        for (at, (frame, _)) in root_to_leaf.iter().enumerate() {
            let FoldedFrame::Plain(StackFrame::Frame { frame, .. }) = frame else {
                continue;
            };
            let row = self.profile.frames().get(*frame).function.index();
            let line = self.lines.entry(*frame).or_default();
            if at + 1 == root_to_leaf.len() {
                self.weights[row].0 += weight;
                line.0 += weight;
            }
            line.1 += weight;
            if self.last_stack[row] != self.stacks {
                self.last_stack[row] = self.stacks;
                self.weights[row].1 += weight;
            }
        }
    }

    /// The first `limit` functions by self, then total, then name.
    pub(crate) fn finish(self, limit: usize) -> Ranked<HotFunction> {
        let lines = self.heaviest_lines();
        let weights = self
            .weights
            .iter()
            .enumerate()
            .filter(|(_, (_, total))| *total > 0);
        let mut rows: Vec<_> = weights
            .map(|(row, (self_weight, total_weight))| HotFunction {
                function: FunctionId::new(row),
                line: lines[row],
                self_weight: *self_weight,
                total_weight: *total_weight,
            })
            .collect();
        let name = |row: &HotFunction| {
            self.profile
                .text(self.profile.functions().get(row.function).name)
        };
        rows.sort_by(|a, b| {
            let weights = (b.self_weight, b.total_weight).cmp(&(a.self_weight, a.total_weight));
            weights
                .then_with(|| name(a).cmp(name(b)))
                .then(a.function.cmp(&b.function))
        });
        Ranked::first(rows, limit)
    }

    fn heaviest_lines(&self) -> Vec<u32> {
        let mut best = vec![((0, 0), 0u32); self.weights.len()];
        for (frame, weights) in &self.lines {
            let frame = self.profile.frames().get(*frame);
            let best = &mut best[frame.function.index()];
            if *weights > best.0 || *weights == best.0 && frame.line < best.1 {
                *best = (*weights, frame.line);
            }
        }
        best.into_iter().map(|(_, line)| line).collect()
    }
}
