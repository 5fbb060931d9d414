//! One frame by a file's `.eh_frame`, every rule of it evaluated, expressions too.

use gimli::{
    CfaRule, EhFrame, EhFrameHdr, EndianSlice, EvaluationResult, FrameDescriptionEntry,
    LittleEndian, Location, Register, RegisterRule, UnwindContext, UnwindExpression, UnwindSection,
    UnwindTableRow, Value, X86_64,
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
            .set_eh_frame_hdr(self.index_address)
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

    fn entry<'d>(
        &'d self,
        frames: &EhFrame<Slice<'d>>,
        bases: &gimli::BaseAddresses,
        address: u64,
    ) -> Option<FrameDescriptionEntry<Slice<'d>>> {
        let index = EhFrameHdr::new(&self.index, LittleEndian);
        let index = index.parse(bases, 8).ok()?;
        let entry = index
            .table()?
            .fde_for_address(frames, bases, address, |s, b, o| s.cie_from_offset(b, o));
        entry.ok().filter(|entry| entry.contains(address))
    }
}

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
