// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
/*
 * The registers of every thread of one process, for a look at it (seam dump): a task iterator, which
 * runs when seam reads it and neither stops nor wakes anyone. Blocked threads' registers lie on their
 * kernel stacks and hold still.
 */
#include "vmlinux.h"
#include "wire.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "ids.h"
#include "kernel.h"

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
#ifndef SEAM_ARM64
	_Static_assert(sizeof(t) - __builtin_offsetof(struct seam_thread, switches) >=
			       sizeof(struct pt_regs), "room");
#endif
	regs = seam_user_regs(task, &t.switches);
	if (!regs)
		return 0;
	if (seam_take_thread_registers(regs, &t))
		return 0;
	t.fsbase = seam_thread_pointer(task);
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
