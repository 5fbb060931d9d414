/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Ids of tasks as seam itself sees them: in a container the kernel's own ids are not those of /proc.
 * Included by sample.bpf.c and threads.bpf.c.
 */
#ifndef SEAM_IDS_H
#define SEAM_IDS_H

#include "forms.h"

/* MAX_PID_NS_LEVEL, include/linux/pid_namespace.h, Linux 5.17 to 6.18 */
#define SEAM_PID_LEVELS 32

/* The number of seam's PID namespace, 0 for the first. Set before the programs are loaded. */
const volatile __u32 seam_pid_namespace = 0;

/* 0 for what seam's namespace does not have. */
static __noinline __u32 seam_number_of(struct pid *pid)
{
	__u32 level = BPF_CORE_READ(pid, level), i;

	/* A task has a number in its own namespace and in those around it, which are few. */
	for (i = 0; i <= SEAM_PID_LEVELS; i++) {
		struct upid *number;

		if (i > level)
			break;
		number = (void *)pid + bpf_core_field_offset(pid->numbers) +
			 (level - i) * bpf_core_type_size(struct upid);
		if (BPF_CORE_READ(number, ns, ns.inum) == seam_pid_namespace)
			return BPF_CORE_READ(number, nr);
	}
	return 0;
}

/* include/linux/pid_types.h: PIDTYPE_TGID, Linux 4.19 to 6.18 */
#define SEAM_PIDTYPE_TGID 1

static __always_inline __u32 seam_tgid_of(struct task_struct *task)
{
	if (!seam_pid_namespace)
		return BPF_CORE_READ(task, tgid);
	return seam_number_of(BPF_CORE_READ(task, signal, pids[SEAM_PIDTYPE_TGID]));
}

static __always_inline __u32 seam_tid_of(struct task_struct *task)
{
	if (!seam_pid_namespace)
		return BPF_CORE_READ(task, pid);
	return seam_number_of(BPF_CORE_READ(task, thread_pid));
}

/* The current process. */
static __always_inline __u32 seam_tgid(void)
{
	if (!seam_pid_namespace)
		return bpf_get_current_pid_tgid() >> 32;
	return seam_tgid_of(seam_current());
}

/* The current thread. */
static __always_inline __u32 seam_tid(void)
{
	if (!seam_pid_namespace)
		return (__u32)bpf_get_current_pid_tgid();
	return seam_tid_of(seam_current());
}

#endif
