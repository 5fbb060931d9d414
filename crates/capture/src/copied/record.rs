//! One sample with copied registers and stack, as the kernel writes it (`perf_output_sample`,
//! kernel/events/core.c, Linux 5.10 to 6.18), from bytes that need not be well formed.

use seam_wire::{SEAM_KERNEL_FRAMES, SEAM_REGISTERS};

/// The registers asked for, by their bits in arch/x86/include/uapi/asm/perf_regs.h: ax to ip, r8 to
/// r15.
pub(super) const REGISTERS: u64 = 0x1ff | (0xff << 16);
const REGISTER_COUNT: usize = 17;
/// Where in that order ip is.
const IP: usize = 8;
/// Numbers of DWARF, in the kernel's order: ax, bx, cx, dx, si, di, bp, sp, (ip), r8 to r15.
const DWARF: [usize; REGISTER_COUNT] = [0, 3, 2, 1, 4, 5, 6, 7, 0, 8, 9, 10, 11, 12, 13, 14, 15];
/// Bytes of stack that are copied. A record's length has 16 bits, and the kernel's part shares it.
pub(super) const STACK_BYTES: u32 = 32 << 10;
/// What follows every other record: pid and tid, time, cpu.
pub(super) const TRAILER: crate::sideband::Trailer = crate::sideband::Trailer {
    bytes: 24,
    time: 16,
};

const RECORD_SAMPLE: u32 = 9;
const RECORD_LOST: u32 = 2;
const MISC_MODE: u16 = 7;
const MISC_KERNEL: u16 = 1;
/// `PERF_SAMPLE_REGS_ABI_64`
const ABI_64: u64 = 2;
/// Markers between the parts of a call chain: `PERF_CONTEXT_MAX` and above.
const CONTEXT_MAX: u64 = -4095i64 as u64;

/// A sample.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Copied {
    pub(super) pid: i32,
    pub(super) tid: i32,
    pub(super) time_ns: u64,
    pub(super) cpu: u32,
    pub(super) in_kernel: bool,
    /// Kernel addresses, leaf first.
    pub(super) kernel: Vec<u64>,
    /// There were more of them.
    pub(super) kernel_cut: bool,
    /// By DWARF number; `None` for a thread without user registers.
    pub(super) registers: Option<[u64; SEAM_REGISTERS as usize]>,
    pub(super) pc: u64,
    /// From the stack pointer on.
    pub(super) stack: Vec<u8>,
}

/// What a record of these rings is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sample,
    /// This many records were lost.
    Lost(u64),
    Other,
}

pub(super) fn kind(record: &[u8]) -> Kind {
    let mut reader = Reader { rest: record };
    match reader.u32() {
        Some(RECORD_SAMPLE) => Kind::Sample,
        Some(RECORD_LOST) => {
            let lost = record.get(16..24).and_then(|b| b.try_into().ok());
            Kind::Lost(lost.map_or(1, u64::from_le_bytes))
        }
        _ => Kind::Other,
    }
}

impl Copied {
    /// Reads a sample; `None` where its parts do not fit into it.
    pub(super) fn parse(record: &[u8], with_kernel: bool) -> Option<Self> {
        let mut reader = Reader { rest: record };
        if reader.u32()? != RECORD_SAMPLE {
            return None;
        }
        let misc = reader.u32()? as u16;
        let mut sample = Self {
            in_kernel: misc & MISC_MODE == MISC_KERNEL,
            pid: reader.u32()? as i32,
            tid: reader.u32()? as i32,
            time_ns: reader.u64()?,
            cpu: reader.u64()? as u32,
            ..Self::default()
        };
        if with_kernel {
            let count = usize::try_from(reader.u64()?).ok()?;
            let chain = reader.take(count.checked_mul(8)?)?;
            let chain = chain.as_chunks::<8>().0.iter();
            let frames = chain.map(|w| u64::from_le_bytes(*w));
            let mut frames = frames.filter(|address| *address < CONTEXT_MAX);
            sample.kernel = frames
                .by_ref()
                .take(SEAM_KERNEL_FRAMES as usize - 1)
                .collect();
            sample.kernel_cut = frames.next().is_some();
        }
        if reader.u64()? == ABI_64 {
            let mut registers = [0; SEAM_REGISTERS as usize];
            for (at, number) in DWARF.iter().enumerate() {
                let value = reader.u64()?;
                match at {
                    IP => sample.pc = value,
                    _ => registers[*number] = value,
                }
            }
            sample.registers = Some(registers);
        }
        let size = usize::try_from(reader.u64()?).ok()?;
        if size > 0 {
            let stack = reader.take(size)?;
            let copied = usize::try_from(reader.u64()?).ok()?;
            sample.stack = stack.get(..copied)?.to_vec();
        }
        Some(sample)
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut word = |w: u64| bytes.extend(w.to_le_bytes());
        // Type and misc; the size does not matter here.
        word(u64::from(RECORD_SAMPLE) | (u64::from(MISC_KERNEL) << 32));
        word(77 | (78 << 32));
        word(1234);
        word(1);
        for chain in [
            3,
            -128i64 as u64,
            0xffff_ffff_8100_0000,
            0xffff_ffff_8200_0000,
        ] {
            word(chain);
        }
        word(ABI_64);
        (0..REGISTER_COUNT as u64).for_each(|r| word(100 + r));
        for stack in [16, 7, 8, 12] {
            word(stack);
        }
        bytes
    }

    #[test]
    fn a_sample() {
        let sample = Copied::parse(&record(), true).expect("well formed");
        assert_eq!((sample.pid, sample.tid, sample.cpu), (77, 78, 1));
        assert_eq!((sample.time_ns, sample.in_kernel), (1234, true));
        assert_eq!(
            sample.kernel,
            [0xffff_ffff_8100_0000, 0xffff_ffff_8200_0000]
        );
        let registers = sample.registers.expect("64 bit");
        // rax, rdx, rcx, rbx, …, rsp; ip apart; r8 and r15.
        assert_eq!(registers[..4], [100, 103, 102, 101]);
        assert_eq!((registers[7], sample.pc), (107, 108));
        assert_eq!((registers[8], registers[15]), (109, 116));
        assert_eq!(sample.stack.len(), 12);
    }

    #[test]
    fn every_cut_and_every_changed_word_is_taken() {
        let whole = record();
        for len in 0..whole.len() {
            assert_eq!(Copied::parse(&whole[..len], true), None, "{len}");
        }
        for at in (0..whole.len()).step_by(8) {
            for value in [0, 1, 1 << 20, u64::MAX, u64::MAX / 8 + 2] {
                let mut changed = whole.clone();
                changed[at..at + 8].copy_from_slice(&value.to_le_bytes());
                let _ = (kind(&changed), Copied::parse(&changed, true));
            }
        }
    }

    #[test]
    fn registers_are_asked_for_as_they_are_read() {
        assert_eq!(REGISTERS.count_ones() as usize, REGISTER_COUNT);
    }
}
