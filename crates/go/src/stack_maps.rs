//! What of a Go frame is alive at a call: the words that the compiler's stack maps say hold
//! pointers that are still needed, and the variables whose address was taken. It is what Go's own
//! collector goes by (runtime/stkframe.go `getStackMap`, runtime/mgcmark.go `scanframeworker`), the
//! same in Go 1.19 to 1.27.
//!
//! Only for processors whose calls push their return address. What frames lie on a stack is for
//! others to find out.

use std::ops::Range;

use seam_object::{Elf, ReadRef};

use crate::GoModule;
use crate::pclntab::Function;

/// `abi.FUNCDATA_ArgsPointerMaps`, `abi.FUNCDATA_LocalsPointerMaps`, `abi.FUNCDATA_StackObjects`
const ARGUMENTS: usize = 0;
const LOCALS: usize = 1;
const OBJECTS: usize = 2;
/// Words of a frame that a map describes: a frame has some MiB at most, and then few pointers.
const WORDS_MAX: u32 = 1 << 20;
/// Maps of a function; there is one for each set of live variables.
const MAPS_MAX: u32 = 1 << 20;
/// Variables of a function whose address was taken.
const OBJECTS_MAX: u64 = 1 << 14;
/// The newest Go whose tables were read.
const NEWEST_MINOR: u32 = 27;

/// One frame of Go code, all places relative to its CFA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Bytes from the stack pointer to the CFA, which lies above the return address.
    pub bytes: u64,
    /// What is alive in it; `None` where no map tells: assembly, stubs of reflect.
    pub alive: Option<Alive>,
    /// The function begins a stack or panics: `goexit` and the like, `gopanic`.
    pub kind: FrameKind,
}

/// Frames that are treated in ways of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// Nothing is special.
    Plain,
    /// The outermost one.
    Outermost,
    /// `runtime.gopanic`: what is alive further out depends on what was deferred there.
    Panic,
}

/// What is alive in a frame.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alive {
    /// Places of words that hold pointers.
    pub words: Vec<i32>,
    /// Variables whose address was taken: alive where something alive points to them.
    pub objects: Vec<Range<i32>>,
}

impl<'d> GoModule<'d> {
    /// The frame of the code to which a call returns (`pc`, as linked). `None` where that is no Go
    /// code, or its stack depth is not told.
    #[must_use]
    pub fn frame<R: ReadRef<'d>>(&self, elf: &Elf<'d, R>, pc: u64) -> Option<Frame> {
        if !self.pclntab.calls_push() {
            return None;
        }
        let at = pc.checked_sub(1)?;
        let function = self.pclntab.find(at)?;
        let depth = self.pclntab.stack_depths(&function).at(at)?;
        let depth = u64::try_from(depth).ok()?;
        let kind = match function.name {
            "runtime.gopanic" => FrameKind::Panic,
            _ if function.flags.top_frame() => FrameKind::Outermost,
            _ => FrameKind::Plain,
        };
        Some(Frame {
            bytes: depth.checked_add(8)?,
            alive: self.alive(elf, &function, at, depth),
            kind,
        })
    }

    fn alive<R: ReadRef<'d>>(
        &self,
        elf: &Elf<'d, R>,
        function: &Function<'d>,
        call: u64,
        depth: u64,
    ) -> Option<Alive> {
        let minor = self.build.as_ref()?.version.minor?;
        let gofunc = self.data.map(|data| data.gofunc).filter(|at| *at != 0)?;
        if minor > NEWEST_MINOR || function.flags.assembly() {
            return None;
        }
        let place = |number| {
            let offset = self.pclntab.funcdata(function, number)?;
            gofunc.checked_add(offset)
        };
        // Before its first map a function has that of its entry.
        let index = self.pclntab.stack_map_index(function, call).unwrap_or(0);
        let mut alive = Alive::default();
        // Locals lie below the frame pointer that a function with a frame keeps.
        let top = if depth > 0 { -16 } else { -8 };
        if depth > 8 {
            let map = Map::read(elf, place(LOCALS)?)?;
            let start = top - 8 * i32::try_from(map.words).ok()?;
            alive.add(elf, &map, index, start)?;
        }
        if let Some(at) = place(ARGUMENTS) {
            let map = Map::read(elf, at)?;
            alive.add(elf, &map, index, 0)?;
        }
        if let Some(at) = place(OBJECTS) {
            alive.objects = objects(elf, at, top)?;
        }
        Some(alive)
    }
}

/// `runtime.stackmap`: some bitmaps of the same words.
struct Map {
    at: u64,
    count: u32,
    words: u32,
}

impl Map {
    fn read<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, at: u64) -> Option<Self> {
        let head = elf.bytes_at(at, 8)?;
        let map = Self {
            at: at + 8,
            count: u32_at(head, 0)?,
            words: u32_at(head, 4)?,
        };
        (map.count <= MAPS_MAX && map.words <= WORDS_MAX).then_some(map)
    }
}

impl Alive {
    /// Adds the words of one of the bitmaps, the first of which lies at `start`.
    fn add<'d, R: ReadRef<'d>>(
        &mut self,
        elf: &Elf<'d, R>,
        map: &Map,
        index: u32,
        start: i32,
    ) -> Option<()> {
        if map.words == 0 {
            return Some(());
        }
        if index >= map.count {
            return None;
        }
        let bytes = u64::from(map.words.div_ceil(8));
        let bits = elf.bytes_at(map.at + u64::from(index) * bytes, bytes)?;
        let set = |word: &u32| bits[*word as usize / 8] >> (word % 8) & 1 == 1;
        let words = (0..map.words).filter(set);
        self.words.extend(words.map(|word| start + 8 * word as i32));
        Some(())
    }
}

/// The list of `runtime.stackObjectRecord`. Those of locals count from `top`.
fn objects<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, at: u64, top: i32) -> Option<Vec<Range<i32>>> {
    const RECORD: u64 = 16;
    let count = elf.word_at(at).filter(|count| *count <= OBJECTS_MAX)?;
    let records = elf.bytes_at(at + 8, count * RECORD)?;
    let record = |bytes: &[u8]| {
        let (offset, size) = (u32_at(bytes, 0)? as i32, u32_at(bytes, 4)? as i32);
        let base = if offset < 0 { top } else { 0 };
        let start = base.checked_add(offset)?;
        let end = start.checked_add(size)?;
        (size >= 0).then_some(start..end)
    };
    records.chunks_exact(RECORD as usize).map(record).collect()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}
