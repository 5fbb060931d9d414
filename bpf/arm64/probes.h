/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Probes of other tools on AArch64 (uprobes; kernel/events/uprobes.c, Linux 5.17 to 6.18): a stack that
 * comes to the page [uprobes] ends there and says so. Included by sample.bpf.c.
 */
#ifndef SEAM_ARM64_PROBES_H
#define SEAM_ARM64_PROBES_H

#define SEAM_XOL_PAGE_BYTES 4096

static __always_inline int before_breakpoint(struct seam_walk *w)
{
	return 0;
}

/* 1 = pc is no probe's, -1 = it is and what it stands for is not known. */
static __noinline int seam_leave_probe(struct seam_walk *w)
{
	struct task_struct *task = seam_current();
	struct xol_area *area;
	__u64 page;

	if (!w || !seam_get(task, mm) || !bpf_core_field_exists(struct task_struct, utask))
		return 1;
	area = BPF_CORE_READ(task, mm, uprobes_state.xol_area);
	page = area ? BPF_CORE_READ(area, vaddr) : 0;
	return page && w->pc >= page && w->pc < page + SEAM_XOL_PAGE_BYTES ? -1 : 1;
}

#endif
