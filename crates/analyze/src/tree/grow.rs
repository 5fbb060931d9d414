//! A tree while stacks are merged into it.
//!
//! Owns the search for an equal child and the tally of lines per node. Nodes are numbered in the
//! order they appear, so a child's number is above its parent's.

use std::collections::HashMap;

use seam_profile::StackId;

use super::order::pre_order;
use super::{CallTree, FrameIds, TreeFlags, TreeFrame, TreeNode, TreeSubject};

/// One step of a stack on its way into a tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) subject: TreeSubject,
    pub(super) flags: TreeFlags,
    pub(super) line: u32,
    pub(super) call_depth: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ChildKey {
    parent: u32,
    subject: TreeSubject,
    flags: TreeFlags,
}

#[derive(Clone, Debug)]
pub(super) struct Growing {
    nodes: Vec<TreeNode>,
    keys: Vec<ChildKey>,
    children: HashMap<ChildKey, u32>,
    lines: HashMap<(u32, u32), u64>,
    node_of_stack: Vec<u32>,
}

impl Growing {
    pub(super) fn new(stacks: usize, stackless_weight: u64) -> Self {
        let root = TreeNode {
            parent: 0,
            frame: 0,
            depth: 0,
            call_depth: 0,
            self_weight: stackless_weight,
            total_weight: stackless_weight,
        };
        let subject = TreeSubject::Process;
        let key = ChildKey {
            parent: 0,
            subject,
            flags: TreeFlags::default(),
        };
        Self {
            nodes: vec![root],
            keys: vec![key],
            children: HashMap::new(),
            lines: HashMap::new(),
            node_of_stack: vec![0; stacks],
        }
    }

    /// Adds a stack, root to leaf.
    pub(super) fn add(&mut self, id: StackId, weight: u64, steps: impl Iterator<Item = Step>) {
        let mut node = 0;
        self.nodes[0].total_weight += weight;
        for step in steps {
            node = self.child(node, &step);
            self.nodes[node as usize].total_weight += weight;
            *self.lines.entry((node, step.line)).or_default() += weight;
        }
        self.nodes[node as usize].self_weight += weight;
        self.node_of_stack[id.index()] = node;
    }

    pub(super) fn finish(mut self, frames: &mut FrameIds) -> CallTree {
        let lines = self.heaviest_lines();
        for (node, (key, line)) in self.nodes.iter_mut().zip(self.keys.iter().zip(lines)) {
            let frame = TreeFrame {
                subject: key.subject,
                line,
                flags: key.flags,
            };
            node.frame = frames.intern(frame);
        }
        pre_order(&self.nodes, self.node_of_stack)
    }

    fn child(&mut self, parent: u32, step: &Step) -> u32 {
        let key = ChildKey {
            parent,
            subject: step.subject,
            flags: step.flags,
        };
        if let Some(node) = self.children.get(&key) {
            return *node;
        }
        let node = u32::try_from(self.nodes.len()).expect("fewer than 2^32 nodes fit in memory");
        self.nodes.push(TreeNode {
            parent,
            frame: 0,
            depth: self.nodes[parent as usize].depth.saturating_add(1),
            call_depth: step.call_depth,
            self_weight: 0,
            total_weight: 0,
        });
        self.keys.push(key);
        self.children.insert(key, node);
        node
    }

    /// For each node the line with most samples, the lowest of equals.
    fn heaviest_lines(&self) -> Vec<u32> {
        let mut best = vec![(0u64, 0u32); self.nodes.len()];
        for ((node, line), weight) in &self.lines {
            let best = &mut best[*node as usize];
            if *weight > best.0 || *weight == best.0 && *line < best.1 {
                *best = (*weight, *line);
            }
        }
        best.into_iter().map(|(_, line)| line).collect()
    }
}
