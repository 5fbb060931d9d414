//! Folding cgo plumbing: what lies between a Go function and the C function it calls, and between
//! a C function and the Go function it calls back, becomes one edge each.
//!
//! Owns the finding of plumbing runs in a stack and the naming of edges. Works on whole stacks,
//! root to leaf. Nothing is lost: the full view keeps every frame and says which are plumbing.

mod labels;
mod parts;

use crate::cgo_names::without_abi;
use seam_profile::{FrameId, FunctionId, FunctionKind, Profile, StackFrame};

pub use labels::LabelId;
use labels::Labels;
use parts::{Part, parts};

/// Runtime frames allowed between two plumbing frames of one run: stack switches and deferred
/// calls. More of them mean that the runtime does something of its own, which stays visible.
const GAP_FRAMES_MAX: usize = 3;

/// Which way an edge crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Go calls C.
    Call,
    /// C calls back into Go.
    Callback,
}

/// A run of plumbing as one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// Which way.
    pub direction: Direction,
    /// The function on the other side; [`Folder::label`] has the text, empty if unknown.
    pub callee: LabelId,
    /// The frame that makes the call, if the stack has it.
    pub site: Option<FrameId>,
    /// The frame on the other side, if the sample got that far.
    pub target: Option<FrameId>,
}

/// One step of a folded stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FoldedFrame {
    /// A step that is not plumbing.
    Plain(StackFrame),
    /// A run of plumbing.
    Edge(Edge),
}

/// One step of a full stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FullFrame {
    /// The step.
    pub frame: StackFrame,
    /// Set for plumbing.
    pub plumbing: Option<Direction>,
    /// Crossings between Go and C up to and including this step.
    pub call_depth: u16,
}

/// A stack in both views, root to leaf. A buffer to be used again for many stacks.
#[derive(Clone, Debug, Default)]
pub struct FoldedStack {
    /// With plumbing folded; each step with its number of crossings so far, itself included.
    pub folded: Vec<(FoldedFrame, u16)>,
    /// With every frame.
    pub full: Vec<FullFrame>,
}

/// Folds the stacks of one profile.
#[derive(Clone, Debug)]
pub struct Folder<'a> {
    profile: &'a Profile,
    parts: Vec<Option<Part>>,
    labels: Labels,
}

/// A run found at some place of a stack.
struct Run {
    direction: Direction,
    /// Number of frames, at least 1.
    len: usize,
}

impl<'a> Folder<'a> {
    /// Learns the plumbing functions of a profile and the names of edges.
    pub fn new(profile: &'a Profile) -> Self {
        let parts = parts(profile);
        let labels = Labels::new(profile, &parts);
        Self {
            profile,
            parts,
            labels,
        }
    }

    /// The profile whose stacks it folds.
    pub fn profile(&self) -> &'a Profile {
        self.profile
    }

    /// Name of the function on an edge's other side; empty if unknown.
    pub fn label(&self, label: LabelId) -> &str {
        self.labels.text(label)
    }

    /// Folds `frames`, root to leaf, into `into`, whose contents are replaced.
    pub fn fold(&self, frames: &[StackFrame], into: &mut FoldedStack) {
        into.folded.clear();
        into.full.clear();
        let mut call_depth = 0u16;
        let mut at = 0;
        while at < frames.len() {
            let run = self.run_at(frames, at);
            let len = run.as_ref().map_or(1, |run| run.len);
            if let Some(run) = &run {
                call_depth = call_depth.saturating_add(1);
                let edge = self.edge(frames, at, run);
                into.folded.push((FoldedFrame::Edge(edge), call_depth));
            } else {
                into.folded
                    .push((FoldedFrame::Plain(frames[at]), call_depth));
            }
            let plumbing = run.map(|run| run.direction);
            into.full
                .extend(frames[at..at + len].iter().map(|frame| FullFrame {
                    frame: *frame,
                    plumbing,
                    call_depth,
                }));
            at += len;
        }
        debug_assert_eq!(
            into.full.len(),
            frames.len(),
            "the full view keeps every frame"
        );
    }

    /// The run of plumbing that begins at frame `at`.
    fn run_at(&self, frames: &[StackFrame], at: usize) -> Option<Run> {
        let first = match self.part(frames.get(at)) {
            Some(part) => part,
            None if self.is_exported_stub(frames, at) => Part::EXPORTED_STUB,
            None => return None,
        };
        let mut stage = first.stage;
        let mut end = at + 1;
        let mut next = end;
        // Stages only rise within a run: a second call right below a first is another edge.
        while next < frames.len() && next - end <= GAP_FRAMES_MAX {
            match self.part(frames.get(next)) {
                Some(part)
                    if part.direction == first.direction
                        && (part.stage > stage || self.wraps(frames, next - 1, next)) =>
                {
                    stage = part.stage;
                    end = next + 1;
                }
                None if self.kind(frames.get(next)) == Some(FunctionKind::GoRuntime) => {}
                _ => break,
            }
            next += 1;
        }
        Some(Run {
            direction: first.direction,
            len: end - at,
        })
    }

    /// An ABI wrapper and the function it wraps are two frames of one name.
    fn wraps(&self, frames: &[StackFrame], outer: usize, inner: usize) -> bool {
        let name = |at: usize| {
            let function = self.function(frames.get(at))?;
            let name = self.profile.functions().get(function).system_name;
            Some(without_abi(self.profile.text(name)))
        };
        name(outer).is_some_and(|outer| name(inner) == Some(outer))
    }

    /// The C stub of an exported function is known by its place, right above `crosscall2`, and
    /// by its name if both its own and the exported one are known. (Were it inlined, the frame
    /// in its place would be a function of the program.)
    fn is_exported_stub(&self, frames: &[StackFrame], at: usize) -> bool {
        let next = self.part(frames.get(at + 1));
        if !next.is_some_and(|part| part.is_crosscall()) {
            return false;
        }
        let Some(function) = self.function(frames.get(at)) else {
            return false;
        };
        let row = self.profile.functions().get(function);
        if !matches!(row.kind, FunctionKind::C | FunctionKind::Unknown) {
            return false;
        }
        let len = self.run_at(frames, at + 1).map_or(0, |run| run.len);
        let exported = frames[at + 1..at + 1 + len]
            .iter()
            .find_map(|frame| self.exported(frame));
        !row.is_named()
            || exported.is_none_or(|exported| exported == self.profile.text(row.system_name))
    }

    fn edge(&self, frames: &[StackFrame], at: usize, run: &Run) -> Edge {
        let inside = frames[at..at + run.len]
            .iter()
            .filter_map(|frame| self.function(Some(frame)));
        // Plumbing or the runtime below a run means that the sample got no further.
        let below = frames.get(at + run.len).filter(|below| {
            let reached = match run.direction {
                Direction::Call => [FunctionKind::C, FunctionKind::Unknown],
                Direction::Callback => [FunctionKind::Go; 2],
            };
            let kind = self.kind(Some(below));
            self.part(Some(below)).is_none() && kind.is_some_and(|kind| reached.contains(&kind))
        });
        let function = self.function(below);
        let callee = match run.direction {
            Direction::Call => self.labels.call(inside, function),
            Direction::Callback => self
                .labels
                .callback(inside, self.stub(&frames[at]), function),
        };
        let site = at
            .checked_sub(1)
            .and_then(|caller| frame_id(frames.get(caller)));
        Edge {
            direction: run.direction,
            callee,
            site,
            target: frame_id(below),
        }
    }

    /// The function at the top of a callback run if it is a named C stub.
    fn stub(&self, top: &StackFrame) -> Option<FunctionId> {
        let function = self.function(Some(top))?;
        let named = self.profile.functions().get(function).is_named();
        (named && self.parts[function.index()].is_none()).then_some(function)
    }

    fn exported(&self, frame: &StackFrame) -> Option<&str> {
        let row = self.profile.functions().get(self.function(Some(frame))?);
        crate::cgo_names::exported_name(self.profile.text(row.system_name))
    }

    fn part(&self, frame: Option<&StackFrame>) -> Option<Part> {
        self.parts[self.function(frame)?.index()]
    }

    fn kind(&self, frame: Option<&StackFrame>) -> Option<FunctionKind> {
        Some(self.profile.functions().get(self.function(frame)?).kind)
    }

    fn function(&self, frame: Option<&StackFrame>) -> Option<FunctionId> {
        Some(self.profile.frames().get(frame_id(frame)?).function)
    }
}

fn frame_id(frame: Option<&StackFrame>) -> Option<FrameId> {
    match frame? {
        StackFrame::Frame { frame, .. } => Some(*frame),
        StackFrame::Elided { .. } => None,
    }
}
