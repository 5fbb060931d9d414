//! Crossings between Go and C, by call site.
//!
//! Owns the count of time inside each crossing. Calls into C come first; the callbacks made from
//! within a call hang below it, callbacks on threads that C started stand by themselves.

use std::collections::HashMap;

use seam_profile::{Frame, FunctionId, Profile};

use crate::facts::Ranked;
use crate::fold::{Direction, Edge, FoldedFrame, Folder, LabelId};

/// A place in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    /// The function.
    pub function: FunctionId,
    /// Line in its file, 0 when unknown.
    pub line: u32,
}

/// A crossing at one call site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CgoEdge {
    /// Which way.
    pub direction: Direction,
    /// Where the call is made, if the stacks have it.
    pub site: Option<Site>,
    /// Name of what is called; empty when unknown.
    pub callee: String,
    /// Samples with the crossing on their stack, each counted once.
    pub weight: u64,
    /// Callbacks made from within, most samples first. Empty for callbacks.
    pub callbacks: Ranked<CallbackEdge>,
}

/// A callback made from within a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackEdge {
    /// Name of the Go function; empty when unknown.
    pub callee: String,
    /// The Go function, if a sample shows it.
    pub target: Option<FunctionId>,
    /// Samples with the callback on their stack, each counted once.
    pub weight: u64,
}

type EdgeKey = (Direction, Option<Site>, LabelId);

#[derive(Clone, Copy, Default)]
struct Count {
    weight: u64,
    last_stack: usize,
    target: Option<FunctionId>,
}

impl Count {
    fn add(&mut self, stack: usize, weight: u64) {
        if self.last_stack != stack {
            self.last_stack = stack;
            self.weight += weight;
        }
    }
}

/// Counts crossings, fed one folded stack at a time.
pub(crate) struct EdgeCounter<'a> {
    profile: &'a Profile,
    rows: Vec<(EdgeKey, Count)>,
    row_of: HashMap<EdgeKey, usize>,
    callbacks: Vec<(usize, LabelId, Count)>,
    callback_of: HashMap<(usize, LabelId), usize>,
    stacks: usize,
}

impl<'a> EdgeCounter<'a> {
    pub(crate) fn new(profile: &'a Profile) -> Self {
        Self {
            profile,
            rows: Vec::new(),
            row_of: HashMap::new(),
            callbacks: Vec::new(),
            callback_of: HashMap::new(),
            stacks: 0,
        }
    }

    pub(crate) fn add(&mut self, root_to_leaf: &[(FoldedFrame, u16)], weight: u64) {
        self.stacks += 1;
        let mut enclosing = None;
        for (frame, _) in root_to_leaf {
            let FoldedFrame::Edge(edge) = frame else {
                continue;
            };
            match (edge.direction, enclosing) {
                (Direction::Call, _) => enclosing = Some(self.count(edge, weight)),
                (Direction::Callback, None) => _ = self.count(edge, weight),
                (Direction::Callback, Some(call)) => self.count_callback(call, edge, weight),
            }
        }
    }

    /// The first `limit` rows, each with its first `callbacks` callbacks, most samples first.
    pub(crate) fn finish(
        self,
        folder: &Folder<'_>,
        limit: usize,
        callbacks: usize,
    ) -> Ranked<CgoEdge> {
        let mut children: Vec<Vec<CallbackEdge>> = vec![Vec::new(); self.rows.len()];
        for (call, label, count) in &self.callbacks {
            let callee = folder.label(*label).to_owned();
            let (target, weight) = (count.target, count.weight);
            children[*call].push(CallbackEdge {
                callee,
                target,
                weight,
            });
        }
        let rows = self
            .rows
            .iter()
            .zip(children)
            .map(|((key, count), mut children)| {
                children.sort_by(|a, b| (b.weight, &a.callee).cmp(&(a.weight, &b.callee)));
                let (direction, site, label) = *key;
                let callee = folder.label(label).to_owned();
                let callbacks = Ranked::first(children, callbacks);
                CgoEdge {
                    direction,
                    site,
                    callee,
                    weight: count.weight,
                    callbacks,
                }
            });
        let mut rows: Vec<_> = rows.collect();
        let line = |edge: &CgoEdge| edge.site.map(|site| (site.function, site.line));
        rows.sort_by(|a, b| {
            let weights = (b.weight, &a.callee).cmp(&(a.weight, &b.callee));
            weights.then_with(|| line(a).cmp(&line(b)))
        });
        Ranked::first(rows, limit)
    }

    fn count(&mut self, edge: &Edge, weight: u64) -> usize {
        let site = edge.site.map(|site| {
            let Frame { function, line } = self.profile.frames().get(site);
            Site { function, line }
        });
        let key = (edge.direction, site, edge.callee);
        let rows = &mut self.rows;
        let row = *self.row_of.entry(key).or_insert_with(|| {
            rows.push((key, Count::default()));
            rows.len() - 1
        });
        self.rows[row].1.add(self.stacks, weight);
        row
    }

    fn count_callback(&mut self, call: usize, edge: &Edge, weight: u64) {
        let callbacks = &mut self.callbacks;
        let row = *self
            .callback_of
            .entry((call, edge.callee))
            .or_insert_with(|| {
                callbacks.push((call, edge.callee, Count::default()));
                callbacks.len() - 1
            });
        let count = &mut self.callbacks[row].2;
        count.add(self.stacks, weight);
        let target = edge
            .target
            .map(|target| self.profile.frames().get(target).function);
        count.target = count.target.or(target);
    }
}
