//! A finished profile and ways through its stacks.
//!
//! Owns the tables together and the expansion of locations into frames. Immutable; made by
//! [`ProfileBuilder`](crate::ProfileBuilder).

use crate::cost::Cost;
use crate::frames::{Frame, FrameTable};
use crate::functions::{Function, FunctionTable};
use crate::ids::{FrameId, LocationId, StackId, StateId, StringId};
use crate::labels::LabelTable;
use crate::locations::{LocationFlags, LocationTable};
use crate::modules::ModuleTable;
use crate::peers::PeerTable;
use crate::quality::Quality;
use crate::recording::Recording;
use crate::samples::SampleTable;
use crate::stacks::StackTable;
use crate::strings::StringTable;
use crate::threads::ThreadTable;

/// Samples and all they refer to.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    pub(crate) strings: StringTable,
    pub(crate) modules: ModuleTable,
    pub(crate) functions: FunctionTable,
    pub(crate) frames: FrameTable,
    pub(crate) locations: LocationTable,
    pub(crate) stacks: StackTable,
    pub(crate) threads: ThreadTable,
    pub(crate) states: Vec<StringId>,
    pub(crate) labels: LabelTable,
    pub(crate) samples: SampleTable,
    pub(crate) peers: Option<PeerTable>,
    pub(crate) recording: Recording,
    pub(crate) quality: Quality,
    pub(crate) cost: Option<Cost>,
}

/// One step of a stack as people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StackFrame {
    /// A function at a line.
    Frame {
        /// Which.
        frame: FrameId,
        /// Part of which location.
        location: LocationId,
        /// Whether it was inlined into the frame before it, seen from the root.
        inlined: bool,
    },
    /// Frames that were walked but not kept.
    Elided {
        /// How many.
        frames: u64,
    },
}

impl Profile {
    /// All strings.
    pub fn strings(&self) -> &StringTable {
        &self.strings
    }

    /// All modules.
    pub fn modules(&self) -> &ModuleTable {
        &self.modules
    }

    /// All functions.
    pub fn functions(&self) -> &FunctionTable {
        &self.functions
    }

    /// All frames.
    pub fn frames(&self) -> &FrameTable {
        &self.frames
    }

    /// All locations.
    pub fn locations(&self) -> &LocationTable {
        &self.locations
    }

    /// All stacks.
    pub fn stacks(&self) -> &StackTable {
        &self.stacks
    }

    /// All sets of labels.
    pub fn labels(&self) -> &LabelTable {
        &self.labels
    }

    /// All threads.
    pub fn threads(&self) -> &ThreadTable {
        &self.threads
    }

    /// All samples.
    pub fn samples(&self) -> &SampleTable {
        &self.samples
    }

    /// What other profilers would have had of the samples, if it was recorded.
    pub fn peers(&self) -> Option<&PeerTable> {
        self.peers.as_ref()
    }

    /// What was recorded.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// How far it can be trusted.
    pub fn quality(&self) -> &Quality {
        &self.quality
    }

    /// What it cost, if that was measured.
    pub fn cost(&self) -> Option<&Cost> {
        self.cost.as_ref()
    }

    /// Names of all goroutine states by their ids; the first is empty, for none.
    pub fn state_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.states.iter().map(|name| self.text(*name))
    }

    /// Name of a goroutine state, empty for none.
    pub fn state_name(&self, state: StateId) -> &str {
        self.text(self.states[state.index()])
    }

    /// The string with this id: short for `strings().get(id)`.
    pub fn text(&self, id: StringId) -> &str {
        self.strings.get(id)
    }

    /// A frame with its function.
    pub fn frame_function(&self, id: FrameId) -> (Frame, &Function) {
        let frame = self.frames.get(id);
        (frame, self.functions.get(frame.function))
    }

    /// Fills `into` with the stack's frames, outermost first, inlined ones after what they were
    /// inlined into. The buffer is the caller's so that it can serve many stacks.
    pub fn frames_root_to_leaf(&self, stack: StackId, into: &mut Vec<StackFrame>) {
        into.clear();
        for location in self.stacks.leaf_to_root(stack) {
            self.push_frames(location, into);
        }
        into.reverse();
    }

    /// The stack's frames, innermost first.
    pub fn frames_leaf_to_root(&self, stack: StackId) -> Vec<StackFrame> {
        let mut frames = Vec::new();
        self.frames_root_to_leaf(stack, &mut frames);
        frames.reverse();
        frames
    }

    /// The distinct stacks of the samples and the weight on each, in order of their ids.
    pub fn stack_weights(&self) -> Vec<(StackId, u64)> {
        let mut weights = vec![0u64; self.stacks.len()];
        for (stack, weight) in self.samples.stacks() {
            if let Some(stack) = stack {
                weights[stack.index()] += u64::from(weight);
            }
        }
        let stacks = weights
            .into_iter()
            .enumerate()
            .filter(|(_, weight)| *weight > 0);
        stacks
            .map(|(row, weight)| (StackId::new(row), weight))
            .collect()
    }

    /// Samples without a single frame: their weight is on no stack.
    pub fn stackless_weight(&self) -> u64 {
        let stackless = self.samples.stacks().filter(|(stack, _)| stack.is_none());
        stackless.map(|(_, weight)| u64::from(weight)).sum()
    }

    fn push_frames(&self, id: LocationId, into: &mut Vec<StackFrame>) {
        let location = self.locations.get(id);
        if location.flags.has(LocationFlags::ELIDED) {
            into.push(StackFrame::Elided {
                frames: location.elided_frames.unwrap_or(0),
            });
            return;
        }
        let last = location.frames.len().saturating_sub(1);
        into.extend(
            location
                .frames
                .iter()
                .enumerate()
                .map(|(depth, frame)| StackFrame::Frame {
                    frame: *frame,
                    location: id,
                    inlined: depth != last,
                }),
        );
    }
}
