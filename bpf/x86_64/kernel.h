/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Registers as the kernel keeps them, x86-64. Included by kernel.h.
 */
#ifndef SEAM_X86_64_KERNEL_H
#define SEAM_X86_64_KERNEL_H

/* Puts them in the order of DWARF. 0 = done. */
static __always_inline int seam_take_registers(struct pt_regs *regs, __u64 *reg, __u64 *pc,
					       __s64 *syscall)
{
	reg[SEAM_RAX] = regs->ax;
	reg[SEAM_RDX] = regs->dx;
	reg[SEAM_RCX] = regs->cx;
	reg[SEAM_RBX] = regs->bx;
	reg[SEAM_RSI] = regs->si;
	reg[SEAM_RDI] = regs->di;
	reg[SEAM_RBP] = regs->bp;
	reg[SEAM_RSP] = regs->sp;
	reg[SEAM_R8] = regs->r8;
	reg[SEAM_R9] = regs->r9;
	reg[SEAM_R10] = regs->r10;
	reg[SEAM_R11] = regs->r11;
	reg[SEAM_R12] = regs->r12;
	reg[SEAM_R13] = regs->r13;
	reg[SEAM_R14] = regs->r14;
	reg[SEAM_R15] = regs->r15;
	*pc = regs->ip;
	*syscall = (__s64)regs->orig_ax;
	return 0;
}

static __always_inline int seam_take_thread_registers(struct pt_regs *regs, struct seam_thread *t)
{
	return seam_take_registers(regs, t->reg, &t->pc, &t->syscall);
}

static __always_inline __u64 seam_thread_pointer(struct task_struct *task)
{
	return seam_get(task, thread.fsbase);
}

/* The pc at which the clock has interrupted the kernel or the program. */
static __always_inline __u64 seam_interrupted(struct bpf_perf_event_data *ctx)
{
	return ctx->regs.ip;
}

/* Return addresses have no other bits here. */
#define seam_take_address_bits(w, task)

#endif
