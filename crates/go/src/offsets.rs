//! Where the runtime's g, m and p keep what seam reads, and how far that is known: a table of
//! released versions, the binary's DWARF, and what its instructions show.
//!
//! 1. A release that the table knows has the table's row, unless the code shows something else.
//! 2. Any other build (newer, a vendor's, experiments, development) has what its DWARF says,
//!    unless the code shows something else.
//! 3. What is left has the row of the nearest release, and for each field that seam knows how to
//!    find in the code what the code shows, or nothing. If that differs from the row in one field,
//!    the others of the row are worth nothing either.
//!
//! In all three the fields that stitching rests on must be shown by the code, at the offsets that
//! are used; otherwise nothing is stitched (`verified` is false).

mod dwarf;
mod evidence;
mod field;
mod generated;
mod table;

use seam_object::{Elf, ReadRef};
use serde::{Deserialize, Serialize};

use crate::{GoModule, GoVersion, Result};
use evidence::Evidence;
pub(crate) use evidence::{GOSAVE, SYSTEMSTACK};

pub use field::{Field, Offsets};
pub use table::{Release, Row};

/// What is known of where a binary's runtime keeps things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeOffsets {
    /// The offsets.
    pub offsets: Offsets,
    /// Where they come from.
    pub source: OffsetsSource,
    /// Fields for which the code shows other offsets than the source has. Those of the code count,
    /// except against DWARF: a pattern can mislead in code that it was not made for.
    pub moved: Vec<Field>,
    /// Fields that the source has, and of which the code shows nothing although seam has looked.
    pub unconfirmed: Vec<Field>,
    /// The code shows all that stitching rests on, at these offsets.
    pub verified: bool,
}

/// Where offsets come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OffsetsSource {
    /// The table has this release.
    Table,
    /// The binary's own DWARF.
    Dwarf,
    /// This is the nearest release, for a build that is not in the table and has no DWARF.
    Nearest(Release),
}

impl Offsets {
    /// Offsets from the DWARF of a binary, `None` where there is none of Go's runtime.
    ///
    /// # Errors
    /// When the DWARF is malformed or larger than what is read.
    pub fn from_dwarf<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>) -> Result<Option<Self>> {
        dwarf::offsets(elf)
    }
}

impl RuntimeOffsets {
    /// Finds them for a module; there is always something to try.
    #[must_use]
    pub fn find<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, module: &GoModule<'d>) -> Self {
        let evidence = Evidence::read(elf, module);
        let version = module.build.as_ref().map(|b| &b.version);
        let row = version.and_then(GoVersion::release).and_then(Row::of);
        if let Some(row) = row
            && evidence.contradicted(&row.offsets()).is_empty()
        {
            return Self::new(row.offsets(), OffsetsSource::Table, Vec::new(), &evidence);
        }
        // Reading DWARF can take longer than all else; the table has the same for a release.
        if let Ok(Some(offsets)) = dwarf::offsets(elf)
            && evidence.confirms_stitching(&offsets)
        {
            let moved = evidence.contradicted(&offsets);
            return Self::new(offsets, OffsetsSource::Dwarf, moved, &evidence);
        }
        Self::nearest(version.and_then(GoVersion::number), &evidence)
    }

    fn nearest(version: Option<Release>, evidence: &Evidence) -> Self {
        let row = Row::nearest(version);
        let mut offsets = row.offsets();
        let moved = evidence.contradicted(&offsets);
        if !moved.is_empty() {
            offsets = Offsets::default();
            // Every version's g begins with its stack; the code that uses it has no short pattern.
            offsets.set(Field::GStackLo, Some(0));
        }
        evidence
            .fields()
            .for_each(|(field, shown)| offsets.set(field, shown));
        Self::new(offsets, OffsetsSource::Nearest(row.newest), moved, evidence)
    }

    fn new(
        offsets: Offsets,
        source: OffsetsSource,
        moved: Vec<Field>,
        evidence: &Evidence,
    ) -> Self {
        Self {
            verified: evidence.confirms_stitching(&offsets) && fixed_places_hold(&offsets),
            unconfirmed: evidence.unconfirmed(&offsets),
            offsets,
            source,
            moved,
        }
    }
}

/// Places that the walk takes for granted, since no version from 1.19 to 1.27 has others.
fn fixed_places_hold(offsets: &Offsets) -> bool {
    let fixed = [(Field::GStackLo, 0), (Field::GStackHi, 8), (Field::MG0, 0)];
    fixed
        .iter()
        .all(|(field, at)| offsets.get(*field) == Some(*at))
}
