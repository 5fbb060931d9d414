//! Go's function table: names, stack depths, files and lines, inlining. Layout of Go 1.18 to 1.27
//! (runtime/symtab.go `pcHeader`, runtime/runtime2.go `_func`, cmd/link/internal/ld/pcln.go).

use crate::{Error, PcValues, Result};

/// Magic numbers by the Go that introduced them.
const MAGIC_1_18: u32 = 0xffff_fff0;
const MAGIC_1_20: u32 = 0xffff_fff1;
/// More functions than any real module has.
const FUNCTIONS_MAX: u64 = 1 << 24;
/// Longest name or file name that is read.
const TEXT_BYTES_MAX: usize = 1 << 16;
/// `abi.FuncIDWrapper` is above 20 in Go 1.20 to 1.27.
const WRAPPER_ID_MIN: u8 = 16;
/// `abi.PCDATA_StackMapIndex`
const PCDATA_STACK_MAP: u32 = 1;
/// `abi.PCDATA_InlTreeIndex`
const PCDATA_INLINE_INDEX: u32 = 2;
/// `abi.FUNCDATA_InlTree`
const FUNCDATA_INLINE_TREE: usize = 3;

/// Flags of a function (`abi.FuncFlag`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FuncFlags(pub u8);

impl FuncFlags {
    /// The outermost function of a stack.
    #[must_use]
    pub fn top_frame(self) -> bool {
        self.0 & 1 != 0
    }
    /// Writes the stack pointer in a way that its table does not tell.
    #[must_use]
    pub fn writes_sp(self) -> bool {
        self.0 & 2 != 0
    }
    /// Written in assembly.
    #[must_use]
    pub fn assembly(self) -> bool {
        self.0 & 4 != 0
    }
}

/// A parsed header over the table's bytes.
#[derive(Debug, Clone)]
pub struct Pclntab<'d> {
    bytes: &'d [u8],
    quantum: u64,
    functions: u64,
    /// As the header gives it: 0 from Go 1.26 on.
    text_start_in_header: u64,
    names: usize,
    units: usize,
    files: usize,
    tables: usize,
    index: usize,
    go_1_18: bool,
    text_start: u64,
}

/// One function.
#[derive(Debug, Clone, Copy)]
pub struct Function<'d> {
    /// First address.
    pub entry: u64,
    /// First address behind it.
    pub end: u64,
    /// The name as the linker wrote it.
    pub name: &'d str,
    /// Flags.
    pub flags: FuncFlags,
    /// `abi.FuncID`: which of the runtime's special functions it is, 0 = none. The numbers shift
    /// with versions; see [`Pclntab::wrapper_id`].
    pub id: u8,
    /// The line of its `func` keyword; 0 where the table has none (Go 1.19).
    pub start_line: u32,
    record: usize,
}

/// A call that was inlined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InlinedCall<'d> {
    /// The inlined function.
    pub name: &'d str,
    /// The line of its `func` keyword; 0 where the table has none.
    pub start_line: u32,
    /// An address in the caller whose line is the call's.
    pub parent_pc: u64,
}

impl<'d> Pclntab<'d> {
    /// Whether a table may start with these bytes.
    #[must_use]
    pub fn is_header(bytes: &[u8]) -> bool {
        let Some(head) = bytes.get(..8) else {
            return false;
        };
        let magic = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        (magic == MAGIC_1_18 || magic == MAGIC_1_20)
            && head[4..6] == [0, 0]
            && matches!(head[6], 1 | 4)
            && head[7] == 8
    }

    /// Reads the header. `bytes` start with it and may reach beyond the table.
    ///
    /// # Errors
    /// When it is no table, one older than Go 1.18, or its parts lie outside of `bytes`.
    pub fn parse(bytes: &'d [u8]) -> Result<Self> {
        if !Self::is_header(bytes) {
            let old =
                bytes.len() >= 4 && matches!(bytes[0], 0xfb | 0xfa) && bytes[1..4] == [255; 3];
            let error = Error::malformed("pclntab", "no header");
            return Err(if old { Error::TooOld } else { error });
        }
        let word = |at: usize| -> Result<u64> {
            let bytes = bytes
                .get(at..at + 8)
                .ok_or(Error::malformed("pclntab", "cut header"))?;
            Ok(u64::from_le_bytes(bytes.try_into().expect("8 bytes")))
        };
        let part = |at: usize| -> Result<usize> {
            let offset = usize::try_from(word(at)?).unwrap_or(usize::MAX);
            if offset >= bytes.len() {
                return Err(Error::malformed("pclntab", "a part starts behind its end"));
            }
            Ok(offset)
        };
        let functions = word(8)?;
        let index = part(64)?;
        if functions > FUNCTIONS_MAX || functions * 8 + 4 > (bytes.len() - index) as u64 {
            return Err(Error::malformed(
                "pclntab",
                format!("{functions} functions"),
            ));
        }
        Ok(Self {
            bytes,
            quantum: u64::from(bytes[6]),
            functions,
            text_start_in_header: word(24)?,
            names: part(32)?,
            units: part(40)?,
            files: part(48)?,
            tables: part(56)?,
            index,
            go_1_18: bytes[0] == MAGIC_1_18.to_le_bytes()[0],
            text_start: word(24)?,
        })
    }

    /// The text start that the header gives; 0 from Go 1.26 on, where moduledata has it.
    #[must_use]
    pub fn text_start_in_header(&self) -> u64 {
        self.text_start_in_header
    }

    /// Sets where function offsets count from (an address as linked).
    #[must_use]
    pub fn with_text_start(self, text_start: u64) -> Self {
        Self { text_start, ..self }
    }

    /// Offset of the names from the table's start, which moduledata repeats as a pointer.
    #[must_use]
    pub fn names_offset(&self) -> u64 {
        self.names as u64
    }

    /// Number of functions.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.functions
    }

    /// Whether it holds no function.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.functions == 0
    }

    /// The address behind the last function.
    #[must_use]
    pub fn text_end(&self) -> u64 {
        let offset = self
            .u32_at(self.index + 8 * self.functions as usize)
            .unwrap_or(0);
        self.text_start.wrapping_add(u64::from(offset))
    }

    /// All functions by rising address; malformed entries are left out.
    pub fn functions(&self) -> impl Iterator<Item = Function<'d>> + '_ {
        (0..self.functions).filter_map(|i| self.function(i))
    }

    /// The function that covers `address`.
    #[must_use]
    pub fn find(&self, address: u64) -> Option<Function<'d>> {
        let offset = u32::try_from(address.checked_sub(self.text_start)?).ok()?;
        let (mut low, mut high) = (0, self.functions);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.u32_at(self.index + 8 * middle as usize)? <= offset {
                low = middle;
            } else {
                high = middle;
            }
        }
        let function = self.function(low)?;
        (function.entry <= address && address < function.end).then_some(function)
    }

    /// The bytes of stack in use (below the return address) by pc.
    #[must_use]
    pub fn stack_depths(&self, f: &Function<'d>) -> PcValues<'d> {
        self.values(f, self.u32_at(f.record + 16))
    }

    /// File and line of `pc` in the physical function.
    #[must_use]
    pub fn file_line(&self, f: &Function<'d>, pc: u64) -> Option<(&'d str, u32)> {
        let file = self.values(f, self.u32_at(f.record + 20)).at(pc)?;
        let line = self.values(f, self.u32_at(f.record + 24)).at(pc)?;
        let unit = self.u32_at(f.record + 32)?;
        let slot = u64::from(unit).checked_add(u64::try_from(file).ok()?)?;
        let slot = self.units.checked_add(usize::try_from(slot * 4).ok()?)?;
        let offset = self.u32_at(slot).filter(|o| *o != u32::MAX)?;
        let name = self.text(self.files.checked_add(offset as usize)?)?;
        Some((name, u32::try_from(line).ok()?))
    }

    /// Which entry of the function's inline tree `pc` belongs to; `None` for the function itself.
    #[must_use]
    pub fn inline_index(&self, f: &Function<'d>, pc: u64) -> Option<u32> {
        u32::try_from(self.pcdata(f, PCDATA_INLINE_INDEX, pc)?).ok()
    }

    /// Which of the function's stack maps holds at `pc`, which lies in a call; `None` before the
    /// first.
    #[must_use]
    pub fn stack_map_index(&self, f: &Function<'d>, pc: u64) -> Option<u32> {
        u32::try_from(self.pcdata(f, PCDATA_STACK_MAP, pc)?).ok()
    }

    /// Offset of the function's inline tree from moduledata's `gofunc`.
    #[must_use]
    pub fn inline_tree(&self, f: &Function<'d>) -> Option<u64> {
        self.funcdata(f, FUNCDATA_INLINE_TREE)
    }

    /// A value of one of the function's tables by pc (`pcdatavalue`).
    fn pcdata(&self, f: &Function<'d>, table: u32, pc: u64) -> Option<i32> {
        if self.u32_at(f.record + 28)? <= table {
            return None;
        }
        let at = f.record + self.record_bytes() + 4 * table as usize;
        self.values(f, self.u32_at(at)).at(pc)
    }

    /// Offset from moduledata's `gofunc` of one of the things that a function has (`funcdata`).
    pub(crate) fn funcdata(&self, f: &Function<'d>, number: usize) -> Option<u64> {
        let tables = self.u32_at(f.record + 28)? as usize;
        let count = *self.bytes.get(f.record + self.record_bytes() - 1)?;
        if usize::from(count) <= number || tables > 64 {
            return None;
        }
        let at = f.record + self.record_bytes() + 4 * (tables + number);
        self.u32_at(at).filter(|o| *o != u32::MAX).map(u64::from)
    }

    /// Whether instructions are of one byte or more, as on x86-64, where a call pushes its return
    /// address.
    pub(crate) fn calls_push(&self) -> bool {
        self.quantum == 1
    }

    /// Bytes of one entry of an inline tree.
    #[must_use]
    pub fn inline_entry_bytes(&self) -> u64 {
        if self.go_1_18 { 20 } else { 16 }
    }

    /// Reads one entry of an inline tree (runtime/symtabinl.go `inlinedCall`).
    #[must_use]
    pub fn inlined_call(&self, f: &Function<'d>, entry: &[u8]) -> Option<InlinedCall<'d>> {
        let field = |at: usize| {
            Some(u32::from_le_bytes(
                entry.get(at..at + 4)?.try_into().expect("4 bytes"),
            ))
        };
        let (name, parent, line) = if self.go_1_18 {
            (field(12)?, field(16)?, 0)
        } else {
            (field(4)?, field(8)?, field(12)?)
        };
        Some(InlinedCall {
            name: self.text(self.names.checked_add(name as usize)?)?,
            start_line: line,
            parent_pc: f.entry + u64::from(parent),
        })
    }

    /// The `id` of functions that the compiler made to wrap others (`abi.FuncIDWrapper`): the last
    /// number in use, Go 1.20 to 1.27. Every program has such functions.
    #[must_use]
    pub fn wrapper_id(&self) -> Option<u8> {
        let ids = (0..self.functions).filter_map(|number| {
            let at = self.index + 8 * usize::try_from(number).ok()?;
            let record = self.index.checked_add(self.u32_at(at + 4)? as usize)?;
            self.bytes
                .get(record.checked_add(self.record_bytes() - 4)?)
                .copied()
        });
        ids.max().filter(|id| *id >= WRAPPER_ID_MIN)
    }

    fn function(&self, number: u64) -> Option<Function<'d>> {
        let at = self.index + 8 * usize::try_from(number).ok()?;
        let entry = self.u32_at(at)?;
        let end = self.u32_at(at + 8)?;
        let record = self.index.checked_add(self.u32_at(at + 4)? as usize)?;
        let name = self.u32_at(record.checked_add(4)?)?;
        let id = record + self.record_bytes() - 4;
        Some(Function {
            entry: self.text_start.wrapping_add(u64::from(entry)),
            end: self.text_start.wrapping_add(u64::from(end)),
            name: self.text(self.names.checked_add(name as usize)?)?,
            flags: FuncFlags(*self.bytes.get(id + 1)?),
            id: *self.bytes.get(id)?,
            start_line: if self.go_1_18 {
                0
            } else {
                self.u32_at(record + 36)?
            },
            record,
        })
    }

    /// Bytes of a `_func` before its pcdata: Go 1.20 added the start line.
    fn record_bytes(&self) -> usize {
        if self.go_1_18 { 40 } else { 44 }
    }

    fn values(&self, f: &Function<'d>, offset: Option<u32>) -> PcValues<'d> {
        // Offset 0 means that there is no table.
        let bytes = offset
            .filter(|o| *o != 0)
            .and_then(|o| self.bytes.get(self.tables.checked_add(o as usize)?..))
            .unwrap_or_default();
        PcValues::new(bytes, f.entry, self.quantum)
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().expect("4 bytes")))
    }

    fn text(&self, at: usize) -> Option<&'d str> {
        let bytes = self.bytes.get(at..)?;
        let bytes = &bytes[..bytes.len().min(TEXT_BYTES_MAX)];
        let end = bytes.iter().position(|b| *b == 0)?;
        std::str::from_utf8(&bytes[..end]).ok()
    }
}
