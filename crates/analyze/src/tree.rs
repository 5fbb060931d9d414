//! Call trees: all stacks of a profile merged from the root.
//!
//! Owns the building of the folded and the full tree over one table of frames. Callers that agree
//! in function merge whatever their line; a node shows the line most of its samples were at. Built
//! and ordered without recursion, since stacks may be thousands of frames deep.

mod grow;
mod order;

use std::collections::HashMap;

use seam_profile::{FunctionId, Profile, StackFrame, StackId};

use crate::fold::{Direction, FoldedFrame, FoldedStack, Folder, FullFrame, LabelId};
use grow::{Growing, Step};

/// What a frame of a tree stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TreeSubject {
    /// The process as a whole: the root.
    Process,
    /// A function.
    Function(FunctionId),
    /// Folded plumbing.
    Edge {
        /// Which way it crosses.
        direction: Direction,
        /// Name of the other side, see [`Folder::label`].
        callee: LabelId,
        /// The function that makes the call, in whose file the frame's line is.
        caller: Option<FunctionId>,
    },
    /// Frames that were not kept.
    Elided,
}

/// What is special about a frame of a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TreeFlags {
    /// Inlined into its caller.
    pub inlined: bool,
    /// Plumbing, kept because the view is the full one.
    pub plumbing: bool,
    /// Part of a callback from C into Go.
    pub callback: bool,
}

/// A frame of a tree: what it stands for and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TreeFrame {
    /// What.
    pub subject: TreeSubject,
    /// Line in the function's file; for an edge, in the caller's file. 0 when unknown.
    pub line: u32,
    /// What is special.
    pub flags: TreeFlags,
}

/// One node of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeNode {
    /// Number of the caller's node; the root is its own.
    pub parent: u32,
    /// Number of the frame in [`Trees::frames`].
    pub frame: u32,
    /// Steps from the root, which has 0. Stays at 65,535 below that.
    pub depth: u16,
    /// Crossings between Go and C up to and including this node.
    pub call_depth: u16,
    /// Samples that ended here.
    pub self_weight: u64,
    /// Samples that ended here or below.
    pub total_weight: u64,
}

/// A tree in pre-order: a node's subtree follows it, greatest child first. Node 0 is the root.
#[derive(Clone, Debug, Default)]
pub struct CallTree {
    /// All nodes.
    pub nodes: Vec<TreeNode>,
    /// By stack id: the node at which the stack ends; 0 for stacks without samples.
    pub node_of_stack: Vec<u32>,
}

impl CallTree {
    /// The node at which a sample's stack ends: the root if there is no stack.
    pub fn node(&self, stack: Option<StackId>) -> u32 {
        stack.map_or(0, |stack| self.node_of_stack[stack.index()])
    }
}

/// Both trees of a profile.
#[derive(Clone, Debug, Default)]
pub struct Trees {
    /// The frames of both. Frame 0 is the process.
    pub frames: Vec<TreeFrame>,
    /// With cgo plumbing folded.
    pub folded: CallTree,
    /// With every frame.
    pub full: CallTree,
}

impl Trees {
    /// Merges all stacks of the folder's profile.
    pub fn build(folder: &Folder<'_>) -> Self {
        let profile = folder.profile();
        let mut folded = Growing::new(profile.stacks().len(), profile.stackless_weight());
        let mut full = folded.clone();
        let mut frames = Vec::new();
        let mut stack = FoldedStack::default();
        for (id, weight) in profile.stack_weights() {
            profile.frames_root_to_leaf(id, &mut frames);
            folder.fold(&frames, &mut stack);
            let steps = stack
                .folded
                .iter()
                .map(|(frame, depth)| folded_step(profile, frame, *depth));
            folded.add(id, weight, steps);
            full.add(
                id,
                weight,
                stack.full.iter().map(|frame| full_step(profile, frame)),
            );
        }
        let mut table = FrameIds::default();
        Self {
            folded: folded.finish(&mut table),
            full: full.finish(&mut table),
            frames: table.rows,
        }
    }
}

/// Interns the frames of both trees.
#[derive(Default)]
struct FrameIds {
    rows: Vec<TreeFrame>,
    ids: HashMap<TreeFrame, u32>,
}

impl FrameIds {
    fn intern(&mut self, frame: TreeFrame) -> u32 {
        *self.ids.entry(frame).or_insert_with(|| {
            self.rows.push(frame);
            self.rows.len() as u32 - 1
        })
    }
}

fn folded_step(profile: &Profile, frame: &FoldedFrame, call_depth: u16) -> Step {
    match frame {
        FoldedFrame::Plain(frame) => plain_step(profile, frame, call_depth),
        FoldedFrame::Edge(edge) => Step {
            subject: TreeSubject::Edge {
                direction: edge.direction,
                callee: edge.callee,
                caller: edge.site.map(|site| profile.frames().get(site).function),
            },
            flags: TreeFlags {
                callback: edge.direction == Direction::Callback,
                ..TreeFlags::default()
            },
            line: edge.site.map_or(0, |site| profile.frames().get(site).line),
            call_depth,
        },
    }
}

fn full_step(profile: &Profile, full: &FullFrame) -> Step {
    let mut step = plain_step(profile, &full.frame, full.call_depth);
    step.flags.plumbing = full.plumbing.is_some();
    step.flags.callback = full.plumbing == Some(Direction::Callback);
    step
}

fn plain_step(profile: &Profile, frame: &StackFrame, call_depth: u16) -> Step {
    let none = TreeFlags::default();
    match *frame {
        StackFrame::Frame { frame, inlined, .. } => {
            let frame = profile.frames().get(frame);
            let subject = TreeSubject::Function(frame.function);
            Step {
                subject,
                flags: TreeFlags { inlined, ..none },
                line: frame.line,
                call_depth,
            }
        }
        StackFrame::Elided { .. } => Step {
            subject: TreeSubject::Elided,
            flags: none,
            line: 0,
            call_depth,
        },
    }
}
