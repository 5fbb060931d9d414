//! One frame by a file's `.eh_frame`, every rule of it evaluated, expressions too.

use gimli::{
    CfaRule, EhFrame, EndianSlice, EvaluationResult, FrameDescriptionEntry, LittleEndian, Location,
    Register, RegisterRule, UnwindContext, UnwindExpression, UnwindSection, UnwindTableRow, Value,
    X86_64,
};
use seam_object::{Elf, ReadRef};

use super::{Memory, State};

type Slice<'d> = EndianSlice<'d, LittleEndian>;

/// What a function keeps for its caller, by DWARF number: rbx, rbp, r12 to r15 (System V ABI).
pub(super) const CALLEE_SAVED: [usize; 6] = [3, 6, 12, 13, 14, 15];
/// The most steps of an expression: PLT slots have 8 or so.
const EXPRESSION_STEPS: u32 = 1_000;

/// A file's `.eh_frame` and its index.
#[derive(Debug, Clone)]
pub struct EhFrames {
    index: Vec<u8>,
    index_address: u64,
    frames: Vec<u8>,
    frames_address: u64,
    text: u64,
}

impl EhFrames {
    /// Of a file; `None` without either section. Nothing is checked here: what is malformed
    /// describes nothing.
    #[must_use]
    pub fn of<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>) -> Option<Self> {
        let section = |name: &str| {
            let data = elf.section_data(name).ok().flatten()?;
            Some((data.into_owned(), elf.section(name)?.address))
        };
        let (index, index_address) = section(".eh_frame_hdr")?;
        let (frames, frames_address) = section(".eh_frame")?;
        Some(Self {
            index,
            index_address,
            frames,
            frames_address,
            text: elf.section(".text").map_or(0, |s| s.address),
        })
    }

    /// The caller of a frame whose code lies at `address`, as linked: `None` where nothing is said
    /// of it, `Some(None)` where it has none, or none that the copy shows.
    pub(super) fn caller(
        &self,
        state: &State,
        address: u64,
        memory: &Memory<'_>,
    ) -> Option<Option<State>> {
        let mut frames = EhFrame::new(&self.frames, LittleEndian);
        frames.set_address_size(8);
        let bases = gimli::BaseAddresses::default()
            .set_eh_frame(self.frames_address)
            .set_text(self.text);
        let entry = self.entry(&frames, &bases, address)?;
        let mut context = UnwindContext::new();
        let row = entry.unwind_info_for_address(&frames, &bases, &mut context, address);
        let row = row.ok()?;
        let by = Row {
            frames: &frames,
            entry: &entry,
            state,
            memory,
        };
        Some(by.caller(row))
    }

    /// The function at an address, by the index as libunwind reads it: of all encodings only the
    /// one that linkers write (`dwarf_search_unwind_table` and its callers, libunwind 1.6).
    fn entry<'d>(
        &'d self,
        frames: &EhFrame<Slice<'d>>,
        bases: &gimli::BaseAddresses,
        address: u64,
    ) -> Option<FrameDescriptionEntry<Slice<'d>>> {
        let (head, rows) = self.index.split_first_chunk::<12>()?;
        let [VERSION, _, COUNT_UDATA4, TABLE_DATAREL_SDATA4, ..] = *head else {
            return None;
        };
        let count = u32::from_le_bytes([head[8], head[9], head[10], head[11]]) as usize;
        let rows = rows.as_chunks::<8>().0;
        let rows = rows.get(..count)?;
        let half = |row: &[u8; 8], at: usize| {
            let bytes = [row[at], row[at + 1], row[at + 2], row[at + 3]];
            let distance = i64::from(i32::from_le_bytes(bytes));
            self.index_address.wrapping_add_signed(distance)
        };
        let after = rows.partition_point(|row| half(row, 0) <= address);
        let row = rows.get(after.checked_sub(1)?)?;
        let offset = half(row, 4).checked_sub(self.frames_address)?;
        let offset = usize::try_from(offset).ok()?;
        let entry = frames.fde_from_offset(bases, offset.into(), EhFrame::cie_from_offset);
        entry.ok().filter(|entry| entry.contains(address))
    }
}

/// The head of an index as linkers write it: version, and the encodings of count and rows
/// (LSB 5.0, "DWARF Extensions": `DW_EH_PE_udata4`; `DW_EH_PE_datarel | DW_EH_PE_sdata4`).
const VERSION: u8 = 1;
const COUNT_UDATA4: u8 = 0x03;
const TABLE_DATAREL_SDATA4: u8 = 0x3b;

/// All that the rules of a row may ask for.
struct Row<'r, 'd> {
    frames: &'r EhFrame<Slice<'d>>,
    entry: &'r FrameDescriptionEntry<Slice<'d>>,
    state: &'r State,
    memory: &'r Memory<'r>,
}

impl<'d> Row<'_, 'd> {
    fn caller(&self, row: &UnwindTableRow<usize>) -> Option<State> {
        let cfa = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => {
                self.register(*register)?.wrapping_add_signed(*offset)
            }
            CfaRule::Expression(expression) => self.evaluate(expression, None)?,
        };
        let pc = self.value(&row.register(X86_64::RA)?, X86_64::RA, cfa)?;
        let mut next = self
            .state
            .caller(pc, cfa, !self.entry.is_signal_trampoline());
        for number in (0..16u16).filter(|n| usize::from(*n) != super::RSP) {
            let rule = row.register(Register(number));
            match rule {
                None | Some(RegisterRule::SameValue) => {}
                Some(rule) => {
                    next.registers[usize::from(number)] = self.value(&rule, Register(number), cfa);
                }
            }
        }
        if let Some(rule) = row.register(X86_64::RSP) {
            next.registers[super::RSP] = self.value(&rule, X86_64::RSP, cfa);
        }
        Some(next)
    }

    fn register(&self, register: Register) -> Option<u64> {
        if register == X86_64::RA {
            return Some(self.state.pc);
        }
        *self.state.registers.get(usize::from(register.0))?
    }

    fn value(&self, rule: &RegisterRule<usize>, own: Register, cfa: u64) -> Option<u64> {
        match rule {
            RegisterRule::SameValue => self.register(own),
            RegisterRule::Offset(n) => self.memory.word(cfa.wrapping_add_signed(*n)),
            RegisterRule::ValOffset(n) => Some(cfa.wrapping_add_signed(*n)),
            RegisterRule::Register(other) => self.register(*other),
            RegisterRule::Expression(expression) => {
                self.memory.word(self.evaluate(expression, Some(cfa))?)
            }
            RegisterRule::ValExpression(expression) => self.evaluate(expression, Some(cfa)),
            RegisterRule::Constant(value) => Some(*value),
            _ => None,
        }
    }

    fn evaluate(&self, expression: &UnwindExpression<usize>, cfa: Option<u64>) -> Option<u64> {
        let expression = expression.get(self.frames).ok()?;
        let mut evaluation = expression.evaluation(self.entry.cie().encoding());
        evaluation.set_max_iterations(EXPRESSION_STEPS);
        if let Some(cfa) = cfa {
            evaluation.set_initial_value(cfa);
        }
        let mut result = evaluation.evaluate().ok()?;
        loop {
            result = match result {
                EvaluationResult::Complete => break,
                EvaluationResult::RequiresMemory { address, .. } => {
                    let word = Value::Generic(self.memory.word(address)?);
                    evaluation.resume_with_memory(word).ok()?
                }
                EvaluationResult::RequiresRegister { register, .. } => {
                    let value = Value::Generic(self.register(register)?);
                    evaluation.resume_with_register(value).ok()?
                }
                _ => return None,
            };
        }
        match evaluation.as_result().first()?.location {
            Location::Address { address } => Some(address),
            _ => None,
        }
    }
}
