//! The registers of a traced thread, by processor.

use anyhow::{Context, Result};
use seam_unwind::Start;

pub(crate) use imp::read;
pub use imp::{Registers, pc, start};

#[cfg(not(target_arch = "aarch64"))]
mod imp {
    use seam_wire::*;

    use super::*;
    use crate::stepper::ptrace;

    /// All of them.
    pub type Registers = libc::user_regs_struct;

    pub(crate) fn read(tid: i32) -> Result<Registers> {
        let mut regs = std::mem::MaybeUninit::<Registers>::zeroed();
        ptrace(libc::PTRACE_GETREGS, tid, regs.as_mut_ptr() as usize).context("registers")?;
        // SAFETY: PTRACE_GETREGS has filled the whole structure.
        Ok(unsafe { regs.assume_init() })
    }

    /// The program counter.
    #[must_use]
    pub fn pc(regs: &Registers) -> u64 {
        regs.rip
    }

    /// As a walk starts from them.
    #[must_use]
    pub fn start(regs: &Registers) -> Start {
        let mut start = Start {
            pc: regs.rip,
            fsbase: regs.fs_base,
            syscall: -1,
            ..Start::default()
        };
        let mut set = |register: u32, value: u64| start.reg[register as usize] = value;
        set(SEAM_RAX, regs.rax);
        set(SEAM_RDX, regs.rdx);
        set(SEAM_RCX, regs.rcx);
        set(SEAM_RBX, regs.rbx);
        set(SEAM_RSI, regs.rsi);
        set(SEAM_RDI, regs.rdi);
        set(SEAM_RBP, regs.rbp);
        set(SEAM_RSP, regs.rsp);
        set(SEAM_R8, regs.r8);
        set(SEAM_R9, regs.r9);
        set(SEAM_R10, regs.r10);
        set(SEAM_R11, regs.r11);
        set(SEAM_R12, regs.r12);
        set(SEAM_R13, regs.r13);
        set(SEAM_R14, regs.r14);
        set(SEAM_R15, regs.r15);
        start
    }
}

#[cfg(target_arch = "aarch64")]
mod imp {
    use seam_wire::Arch;

    use super::*;

    /// `NT_PRSTATUS` and `NT_ARM_TLS`, include/uapi/linux/elf.h.
    const PRSTATUS: usize = 1;
    const TLS: usize = 0x401;

    /// x0 to x30, sp, pc, pstate (struct user_pt_regs), and the thread pointer.
    #[derive(Debug, Clone, Copy)]
    pub struct Registers {
        general: [u64; 34],
        thread_pointer: u64,
    }

    pub(crate) fn read(tid: i32) -> Result<Registers> {
        let mut general = [0; 34];
        let mut pointer = [0];
        set(tid, PRSTATUS, &mut general).context("registers")?;
        set(tid, TLS, &mut pointer).context("the thread pointer")?;
        Ok(Registers {
            general,
            thread_pointer: pointer[0],
        })
    }

    fn set(tid: i32, which: usize, words: &mut [u64]) -> Result<()> {
        let mut room = libc::iovec {
            iov_base: words.as_mut_ptr().cast(),
            iov_len: size_of_val(words),
        };
        // SAFETY: the kernel writes at most the room's bytes, which are `words`.
        let done = unsafe { libc::ptrace(libc::PTRACE_GETREGSET, tid, which, &raw mut room) };
        if done < 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        Ok(())
    }

    /// The program counter.
    #[must_use]
    pub fn pc(regs: &Registers) -> u64 {
        regs.general[32]
    }

    /// As a walk starts from them.
    #[must_use]
    pub fn start(regs: &Registers) -> Start {
        Start {
            reg: Arch::widened(&regs.general[..32]),
            pc: pc(regs),
            fsbase: regs.thread_pointer,
            syscall: -1,
            ..Start::default()
        }
    }
}
