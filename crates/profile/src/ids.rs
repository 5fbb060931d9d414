//! Typed row numbers of the model's tables.
//!
//! Owns the id newtypes. An id is only meaningful for the profile whose builder returned it.

/// Raw value that stands for "none" inside packed columns.
pub(crate) const NONE: u32 = u32::MAX;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u32);

        impl $name {
            /// The id of the row with this number, counted from 0.
            ///
            /// # Panics
            /// At 2³² − 1 rows, far above what memory allows a table to hold.
            pub fn new(index: usize) -> Self {
                let raw = u32::try_from(index).expect("a table holds fewer than 2^32 rows");
                assert_ne!(raw, NONE, "the last id is reserved for 'none'");
                Self(raw)
            }

            /// The row number, counted from 0.
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The row number as stored.
            pub const fn raw(self) -> u32 {
                self.0
            }

            #[allow(dead_code)] // not every table packs optional ids
            pub(crate) fn pack(id: Option<Self>) -> u32 {
                id.map_or(NONE, |id| id.0)
            }

            #[allow(dead_code)] // not every table packs optional ids
            pub(crate) fn unpack(raw: u32) -> Option<Self> {
                (raw != NONE).then_some(Self(raw))
            }
        }
    };
}

id!(
    /// A row of the string table.
    StringId
);
id!(
    /// A row of the module table.
    ModuleId
);
id!(
    /// A row of the function table.
    FunctionId
);
id!(
    /// A row of the frame table: a function at a line.
    FrameId
);
id!(
    /// A row of the location table: a physical address and the frames it stands for.
    LocationId
);
id!(
    /// A row of the stack table: a leaf location and the stack that called it.
    StackId
);
id!(
    /// A row of the thread table.
    ThreadId
);
id!(
    /// A goroutine state's place in the table of state names. Go renumbers states between
    /// versions, so names are what is kept. Id 0 is "no goroutine".
    StateId
);

impl StringId {
    /// The empty string, present in every profile.
    pub const EMPTY: Self = Self(0);
}

id!(
    /// A set of labels.
    LabelsId
);

impl LabelsId {
    /// No labels.
    pub const NONE: Self = Self(0);
}

impl StateId {
    /// No goroutine, or its state was not read.
    pub const NONE: Self = Self(0);
}
