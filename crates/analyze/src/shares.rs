//! Where time went, by the kind of code that ran.
//!
//! Owns the counts by kind of each sample's leaf, and what the Go runtime was busy with.

use std::collections::BTreeMap;

use seam_profile::{FunctionKind, Profile, StackFrame};

use crate::activity::{Activity, activity, stack_activity};

/// Samples by the kind of their innermost frame. The kinds add up to all samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// Go code outside the runtime.
    pub go: u64,
    /// The Go runtime.
    pub go_runtime: u64,
    /// Native code, whether named or not.
    pub c: u64,
    /// The kernel.
    pub kernel: u64,
    /// Code of no file, and samples without a single frame.
    pub unknown: u64,
    /// Of the Go runtime: garbage collection.
    pub gc: u64,
    /// Of the Go runtime: looking for work, in the network poller too.
    pub idle: u64,
    /// Of the Go runtime: scheduling and timers.
    pub scheduler: u64,
    /// What the Go runtime did, the time that the kernel spent on it included.
    pub activities: BTreeMap<Activity, u64>,
}

impl Shares {
    /// Counts the samples of a profile.
    pub(crate) fn count(profile: &Profile) -> Self {
        let names = profile
            .functions()
            .iter()
            .map(|(_, row)| profile.text(row.system_name));
        let activities: Vec<_> = names.map(activity).collect();
        let mut shares = Self {
            unknown: profile.stackless_weight(),
            ..Self::default()
        };
        for (stack, weight) in profile.stack_weights() {
            let frames = profile.frames_leaf_to_root(stack);
            let leaf = leaf_kind(profile, &frames);
            *shares.of_kind(leaf) += weight;
            let Some(activity) = runtime_activity(profile, &frames, &activities) else {
                continue;
            };
            *shares.activities.entry(activity).or_insert(0) += weight;
            if leaf != FunctionKind::GoRuntime {
                continue;
            }
            match activity {
                gc if gc.is_gc() => shares.gc += weight,
                Activity::Idle | Activity::Netpoll => shares.idle += weight,
                _ => shares.scheduler += weight,
            }
        }
        shares
    }

    /// Samples of one kind.
    pub fn kind(&self, kind: FunctionKind) -> u64 {
        match kind {
            FunctionKind::Go => self.go,
            FunctionKind::GoRuntime => self.go_runtime,
            FunctionKind::C => self.c,
            FunctionKind::Kernel => self.kernel,
            FunctionKind::Unknown => self.unknown,
        }
    }

    fn of_kind(&mut self, kind: FunctionKind) -> &mut u64 {
        match kind {
            FunctionKind::Go => &mut self.go,
            FunctionKind::GoRuntime => &mut self.go_runtime,
            FunctionKind::C => &mut self.c,
            FunctionKind::Kernel => &mut self.kernel,
            FunctionKind::Unknown => &mut self.unknown,
        }
    }
}

fn leaf_kind(profile: &Profile, leaf_to_root: &[StackFrame]) -> FunctionKind {
    match leaf_to_root.first() {
        Some(StackFrame::Frame { frame, .. }) => profile.frame_function(*frame).1.kind,
        _ => FunctionKind::Unknown,
    }
}

fn runtime_activity(
    profile: &Profile,
    leaf_to_root: &[StackFrame],
    activities: &[Option<Activity>],
) -> Option<Activity> {
    let functions = leaf_to_root.iter().map_while(|frame| match frame {
        StackFrame::Frame { frame, .. } => Some(profile.frames().get(*frame).function),
        StackFrame::Elided { .. } => None,
    });
    stack_activity(functions.map(|f| (profile.functions().get(f).kind, activities[f.index()])))
}
