/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Registers as the kernel keeps them, AArch64. Included by kernel.h.
 */
#ifndef SEAM_ARM64_KERNEL_H
#define SEAM_ARM64_KERNEL_H

/* struct pt_regs begins with x0 to x30 and sp, which is their order in DWARF (struct user_pt_regs,
 * arch/arm64/include/uapi/asm/ptrace.h). 0 = done. */
static __always_inline int seam_take_registers(struct pt_regs *regs, __u64 *reg, __u64 *pc,
					       __s64 *syscall)
{
	__s32 number;

	if (bpf_probe_read_kernel(reg, 8 * SEAM_ARM64_REGISTERS, regs))
		return 1;
	*pc = BPF_CORE_READ(regs, pc);
	number = BPF_CORE_READ(regs, syscallno);
	*syscall = number;
	return 0;
}

static __always_inline __u64 seam_thread_pointer(struct task_struct *task)
{
	/*
	 * Of the current thread as of the last switch to it: user mode writes tpidr_el0 itself, once, at
	 * its start (tls_preserve_current_state, arch/arm64/kernel/process.c, Linux 5.10 to 6.18).
	 */
	return seam_get(task, thread.uw.tp_value);
}

/* The pc at which the clock has interrupted the kernel or the program. */
static __always_inline __u64 seam_interrupted(struct bpf_perf_event_data *ctx)
{
	return ctx->regs.pc;
}

/* User addresses may have 39 to 52 bits, by how the kernel was built. */
#define seam_take_address_bits(w, task)                                                            \
	do {                                                                                       \
		struct mm_struct *mm_ = seam_get(task, mm);                                        \
		__u64 size_ = mm_ ? seam_get(mm_, task_size) : 0;                                  \
		(w)->address_bits = size_ ? size_ - 1 : SEAM_ADDRESS_BITS;                         \
	} while (0)

/* The registers that a blocked thread's walk may ask for: the walk starts in a system call. */
static __always_inline int seam_take_thread_registers(struct pt_regs *regs, struct seam_thread *t)
{
	_Static_assert(sizeof(t->reg) == 16 * 8, "room");
	/* x0 to x5 and x8 (arguments and number of a system call), x19, x20, x21 and x28 to x30, sp. */
	if (bpf_probe_read_kernel(t->reg, 6 * 8, regs) ||
	    bpf_probe_read_kernel(&t->reg[6], 8, (void *)regs + 8 * SEAM_X8) ||
	    bpf_probe_read_kernel(&t->reg[7], 3 * 8, (void *)regs + 8 * SEAM_X19) ||
	    bpf_probe_read_kernel(&t->reg[10], 4 * 8, (void *)regs + 8 * SEAM_X28))
		return 1;
	t->pc = BPF_CORE_READ(regs, pc);
	t->syscall = (__s64)BPF_CORE_READ(regs, syscallno);
	return 0;
}

#endif
