//! Locations: physical addresses and the frames each stands for.
//!
//! Owns the table and the marker for frames that were walked but not kept. An address together
//! with its flags is a location: the same address once as a return address and once as the
//! interrupted instruction names different lines.

use std::ops::Range;

use crate::ids::{FrameId, LocationId, ModuleId};

/// What is known about a location, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LocationFlags(u8);

impl LocationFlags {
    /// No bit set: a user-space return address.
    pub const NONE: Self = Self(0);
    /// The address is in the kernel.
    pub const KERNEL: Self = Self(1);
    /// The address is the instruction itself, not the one after a call.
    pub const EXACT_PC: Self = Self(2);
    /// Not an address: stands for frames that were walked but not kept.
    pub const ELIDED: Self = Self(4);

    /// Both sets of bits.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What makes a location distinct.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LocationKey {
    pub(crate) address: u64,
    pub(crate) module: u32,
    pub(crate) flags: LocationFlags,
}

/// One location, seen through [`LocationTable::get`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// The address as captured: a return address unless the flags say exact; 0 for the marker.
    pub address: u64,
    /// Where the address lies, if known.
    pub module: Option<ModuleId>,
    /// Frames, innermost first: all but the last are inlined into the last.
    pub frames: &'a [FrameId],
    /// What is known about it.
    pub flags: LocationFlags,
    /// For the marker: how many frames were not kept.
    pub elided_frames: Option<u64>,
}

impl Location<'_> {
    /// The address of an instruction inside the function: the call, for a return address.
    pub fn lookup_address(&self) -> u64 {
        if self.flags.has(LocationFlags::EXACT_PC) {
            self.address
        } else {
            self.address.saturating_sub(1)
        }
    }
}

/// All locations of a profile.
#[derive(Clone, Debug, Default)]
pub struct LocationTable {
    pub(crate) keys: Vec<LocationKey>,
    /// End of each location's frames in `frames`.
    pub(crate) frame_ends: Vec<u32>,
    pub(crate) frames: Vec<FrameId>,
}

impl LocationTable {
    /// The location with this id.
    ///
    /// # Panics
    /// When the id is not of this profile.
    pub fn get(&self, id: LocationId) -> Location<'_> {
        let key = self.keys[id.index()];
        let elided = key.flags.has(LocationFlags::ELIDED);
        Location {
            address: if elided { 0 } else { key.address },
            module: ModuleId::unpack(key.module),
            frames: &self.frames[self.frame_range(id)],
            flags: key.flags,
            elided_frames: elided.then_some(key.address),
        }
    }

    /// The number of locations.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// All locations with their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (LocationId, Location<'_>)> {
        (0..self.len())
            .map(LocationId::new)
            .map(|id| (id, self.get(id)))
    }

    fn frame_range(&self, id: LocationId) -> Range<usize> {
        let row = id.index();
        let start = if row == 0 {
            0
        } else {
            self.frame_ends[row - 1] as usize
        };
        start..self.frame_ends[row] as usize
    }
}
