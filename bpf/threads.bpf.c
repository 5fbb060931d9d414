// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
/*
 * The registers of every thread of one process, for a look at it (seam dump): a task iterator, which
 * runs when seam reads it and neither stops nor wakes anyone. Blocked threads' registers lie on their
 * kernel stacks and hold still.
 */
#include "vmlinux/x86_64.h"
#include "wire.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "ids.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The process to look at, by seam's own ids. Set before the program is loaded. */
const volatile __u32 seam_target = 0;

SEC("iter/task")
int threads(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct seam_thread t = {};
	struct pt_regs *regs;

	if (!task || seam_tgid_of(task) != seam_target)
		return 0;
	/* Room for a copy, if one is needed: all that is written there comes later. */
	_Static_assert(sizeof(t) - __builtin_offsetof(struct seam_thread, switches) >=
			       sizeof(struct pt_regs), "room");
	regs = seam_user_regs(task, &t.switches);
	if (!regs)
		return 0;
	t.reg[SEAM_RAX] = regs->ax;
	t.reg[SEAM_RDX] = regs->dx;
	t.reg[SEAM_RCX] = regs->cx;
	t.reg[SEAM_RBX] = regs->bx;
	t.reg[SEAM_RSI] = regs->si;
	t.reg[SEAM_RDI] = regs->di;
	t.reg[SEAM_RBP] = regs->bp;
	t.reg[SEAM_RSP] = regs->sp;
	t.reg[SEAM_R8] = regs->r8;
	t.reg[SEAM_R9] = regs->r9;
	t.reg[SEAM_R10] = regs->r10;
	t.reg[SEAM_R11] = regs->r11;
	t.reg[SEAM_R12] = regs->r12;
	t.reg[SEAM_R13] = regs->r13;
	t.reg[SEAM_R14] = regs->r14;
	t.reg[SEAM_R15] = regs->r15;
	t.pc = regs->ip;
	t.syscall = (__s64)regs->orig_ax;
	t.fsbase = task->thread.fsbase;
	t.switches = task->nvcsw + task->nivcsw;
	/* CONFIG_SCHED_INFO, CONFIG_SMP */
	if (bpf_core_field_exists(task->sched_info.last_arrival))
		t.last_ran_ns = BPF_CORE_READ(task, sched_info.last_arrival);
	if (bpf_core_field_exists(task->on_cpu))
		t.running = (__u32)BPF_CORE_READ(task, on_cpu);
	if (!t.running)
		bpf_get_task_stack(task, t.kernel, sizeof(t.kernel), 0);
	t.now_ns = bpf_ktime_get_ns();
	t.tid = seam_tid_of(task);
	bpf_seq_write(ctx->meta->seq, &t, sizeof(t));
	return 0;
}
