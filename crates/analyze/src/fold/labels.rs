//! The names of what lies on the other side of an edge.
//!
//! Owns the choice of name, which must be the same for all samples of one edge, also for those
//! that were taken inside the plumbing and hold no function of the other side.

use std::collections::HashMap;

use seam_profile::{FunctionId, FunctionKind, Profile, StackFrame};

use super::parts::Part;
use crate::cgo_names::{c_stub_callee, exported_name, go_stub_callee};

/// The name of an edge's other side, see [`Folder::label`](crate::Folder::label).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelId(u32);

impl LabelId {
    /// No name is known.
    pub const UNKNOWN: Self = Self(0);

    /// The row number, counted from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Clone, Debug)]
pub(super) struct Labels {
    texts: Vec<String>,
    /// By function: the label of its own name.
    own: Vec<LabelId>,
    /// By function: the label of the name that plumbing carries, unknown if it carries none.
    carried: Vec<LabelId>,
    /// By function: for callback plumbing, the Go function seen right below it.
    called_back: HashMap<LabelId, LabelId>,
}

impl Labels {
    pub(super) fn new(profile: &Profile, parts: &[Option<Part>]) -> Self {
        let mut ids = HashMap::from([("", LabelId::UNKNOWN)]);
        let mut texts = vec![String::new()];
        let mut intern = |text| {
            *ids.entry(text).or_insert_with(|| {
                texts.push(str::to_owned(text));
                LabelId(texts.len() as u32 - 1)
            })
        };
        let functions = profile.functions();
        let own: Vec<_> = functions
            .iter()
            .map(|(_, row)| intern(profile.text(row.name)))
            .collect();
        let carried = functions
            .iter()
            .map(|(id, row)| match parts[id.index()] {
                Some(_) => intern(carried_name(profile.text(row.system_name))),
                None => LabelId::UNKNOWN,
            })
            .collect();
        let mut labels = Self {
            texts,
            own,
            carried,
            called_back: HashMap::new(),
        };
        labels.called_back = labels.learn_callbacks(profile);
        labels
    }

    pub(super) fn text(&self, label: LabelId) -> &str {
        &self.texts[label.index()]
    }

    /// Name of a call into C: what the Go source says (`C.NAME`), else the C function reached.
    /// The two differ where NAME was inlined or is an alias; only the first is there for samples
    /// taken inside the plumbing.
    pub(super) fn call(
        &self,
        inside: impl Iterator<Item = FunctionId>,
        reached: Option<FunctionId>,
    ) -> LabelId {
        let carried = self.first_carried(inside);
        if carried != LabelId::UNKNOWN {
            carried
        } else {
            self.own_of(reached)
        }
    }

    /// Name of a callback: the Go function with its package if any sample shows it, else the
    /// exported name, which the wrapper carries and `stub`, the C side, has as its own. Without
    /// symbols it is unknown unless the sample reached Go.
    pub(super) fn callback(
        &self,
        inside: impl Iterator<Item = FunctionId>,
        stub: Option<FunctionId>,
        reached: Option<FunctionId>,
    ) -> LabelId {
        let carried = self.first_carried(inside);
        let exported = if carried != LabelId::UNKNOWN {
            carried
        } else {
            self.own_of(stub)
        };
        match self.called_back.get(&exported) {
            Some(label) => *label,
            None if reached.is_some() => self.own_of(reached),
            None => exported,
        }
    }

    fn first_carried(&self, mut inside: impl Iterator<Item = FunctionId>) -> LabelId {
        let carried = |function: FunctionId| self.carried[function.index()];
        inside
            .find_map(|row| Some(carried(row)).filter(|label| *label != LabelId::UNKNOWN))
            .unwrap_or(LabelId::UNKNOWN)
    }

    fn own_of(&self, function: Option<FunctionId>) -> LabelId {
        function.map_or(LabelId::UNKNOWN, |function| self.own[function.index()])
    }

    /// For each exported name the Go function that its wrapper calls, from all stacks.
    fn learn_callbacks(&self, profile: &Profile) -> HashMap<LabelId, LabelId> {
        let mut learned = HashMap::new();
        let mut frames = Vec::new();
        let functions = profile.functions();
        let is_wrapper = |function: FunctionId| {
            exported_name(profile.text(functions.get(function).system_name)).is_some()
        };
        for (stack, _) in profile.stack_weights() {
            profile.frames_root_to_leaf(stack, &mut frames);
            for pair in frames.windows(2) {
                let [
                    StackFrame::Frame { frame: caller, .. },
                    StackFrame::Frame { frame, .. },
                ] = pair
                else {
                    continue;
                };
                let [caller, callee] =
                    [caller, frame].map(|frame| profile.frames().get(*frame).function);
                if is_wrapper(caller) && functions.get(callee).kind == FunctionKind::Go {
                    let exported = self.carried[caller.index()];
                    learned.entry(exported).or_insert(self.own[callee.index()]);
                }
            }
        }
        learned.remove(&LabelId::UNKNOWN);
        learned
    }
}

/// The name that a plumbing function carries of the other side, empty if none.
fn carried_name(name: &str) -> &str {
    go_stub_callee(name)
        .or_else(|| c_stub_callee(name))
        .or_else(|| exported_name(name))
        .unwrap_or("")
}
