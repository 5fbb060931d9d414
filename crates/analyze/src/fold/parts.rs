//! The part each function plays in cgo plumbing.
//!
//! Owns the order of plumbing functions within a run, root to leaf.

use seam_profile::{Function, Profile, Role};

use super::Direction;
use crate::cgo_names::{exported_name, without_abi};

/// A place in the plumbing of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) direction: Direction,
    /// Rises from root to leaf.
    pub(super) stage: u8,
}

const CROSSCALL_STAGE: u8 = 1;

impl Part {
    /// The C side of an exported function, above all other callback plumbing.
    pub(super) const EXPORTED_STUB: Self = Self {
        direction: Direction::Callback,
        stage: 0,
    };

    pub(super) fn is_crosscall(self) -> bool {
        self == Self {
            direction: Direction::Callback,
            stage: CROSSCALL_STAGE,
        }
    }
}

/// The part of every function, by function id.
pub(super) fn parts(profile: &Profile) -> Vec<Option<Part>> {
    profile
        .functions()
        .iter()
        .map(|(_, function)| part(profile, function))
        .collect()
}

fn part(profile: &Profile, function: &Function) -> Option<Part> {
    let name = without_abi(profile.text(function.system_name));
    let direction = match function.role {
        Role::CgoCall => Direction::Call,
        Role::CgoCallback => Direction::Callback,
        Role::None | Role::Root => return None,
    };
    let stage = match direction {
        Direction::Call if name == "runtime.cgocall" => 1,
        Direction::Call if name.starts_with("runtime.asmcgocall") => 2,
        Direction::Call if name.starts_with("_cgo_") => 3,
        Direction::Call => 0,
        Direction::Callback if name == "crosscall2" => CROSSCALL_STAGE,
        Direction::Callback if name == "runtime.cgocallback" => 2,
        Direction::Callback if name == "runtime.cgocallbackg" => 3,
        Direction::Callback if exported_name(name).is_some() => 5,
        Direction::Callback => 4,
    };
    Some(Part { direction, stage })
}
