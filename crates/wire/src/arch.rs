//! The processors whose code seam knows.

use crate::{
    SEAM_ARM64_REGISTERS, SEAM_ARM64_SP, SEAM_RBP, SEAM_REGISTERS, SEAM_RSP, SEAM_X29, ThreadRecord,
};

/// A processor. What a file is for decides how it is read, not what seam runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arch {
    /// x86-64
    X86_64,
    /// AArch64, also called arm64
    Arm64,
}

impl Default for Arch {
    /// Live processes are of the machine's own.
    fn default() -> Self {
        Self::HOST
    }
}

impl Arch {
    /// The one that this seam runs on; on any other it could not have been built.
    pub const HOST: Self = if cfg!(target_arch = "aarch64") {
        Self::Arm64
    } else {
        Self::X86_64
    };

    /// By `e_machine` of an ELF file.
    #[must_use]
    pub const fn of_machine(machine: u16) -> Option<Self> {
        match machine {
            62 => Some(Self::X86_64),
            183 => Some(Self::Arm64),
            _ => None,
        }
    }

    /// As people write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86-64",
            Self::Arm64 => "arm64",
        }
    }

    /// The DWARF number of the stack pointer.
    #[must_use]
    pub const fn sp(self) -> u32 {
        match self {
            Self::X86_64 => SEAM_RSP,
            Self::Arm64 => SEAM_ARM64_SP,
        }
    }

    /// The DWARF number of the frame pointer.
    #[must_use]
    pub const fn fp(self) -> u32 {
        match self {
            Self::X86_64 => SEAM_RBP,
            Self::Arm64 => SEAM_X29,
        }
    }

    /// These registers by DWARF number, in the room that every processor's fit in.
    #[must_use]
    pub fn widened(registers: &[u64]) -> [u64; SEAM_ARM64_REGISTERS as usize] {
        let mut all = [0; SEAM_ARM64_REGISTERS as usize];
        for (to, from) in all.iter_mut().zip(registers) {
            *to = *from;
        }
        all
    }

    /// Of a thread that the iterator tells: its registers by DWARF number, and which of them are
    /// known, as bits (0 = all). On AArch64 the record has room for those alone that a walk from a
    /// system call may ask for (bpf/arm64/kernel.h).
    #[must_use]
    pub fn of_thread(self, record: &ThreadRecord) -> ([u64; SEAM_ARM64_REGISTERS as usize], u64) {
        const TOLD: [usize; 14] = [0, 1, 2, 3, 4, 5, 8, 19, 20, 21, 28, 29, 30, 31];
        match self {
            Self::X86_64 => (Self::widened(&record.reg), 0),
            Self::Arm64 => {
                let mut all = [0; SEAM_ARM64_REGISTERS as usize];
                for (number, value) in TOLD.iter().zip(record.reg) {
                    all[*number] = value;
                }
                (all, TOLD.iter().fold(0, |bits, number| bits | 1 << number))
            }
        }
    }

    /// How many registers a walk starts from.
    #[must_use]
    pub const fn registers(self) -> usize {
        match self {
            Self::X86_64 => SEAM_REGISTERS as usize,
            Self::Arm64 => SEAM_ARM64_REGISTERS as usize,
        }
    }
}
