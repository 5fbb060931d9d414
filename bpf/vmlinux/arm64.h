/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The kernel types that the programs here touch, AArch64, trimmed to the fields used. Field offsets
 * are relocated by libbpf against the running kernel's BTF (CO-RE), so the order does not matter.
 */
#ifndef SEAM_VMLINUX_ARM64_H
#define SEAM_VMLINUX_ARM64_H

#include "types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
	__s32 syscallno;
};

struct thread_struct {
	struct {
		unsigned long tp_value;
	} uw;
};

#pragma clang attribute pop

#include "structures.h"

/* uapi, fixed layout: struct user_pt_regs in arch/arm64/include/uapi/asm/ptrace.h */
struct seam_perf_regs {
	__u64 regs[31];
	__u64 sp, pc, pstate;
};

/* uapi, fixed layout: include/uapi/linux/bpf_perf_event.h */
struct bpf_perf_event_data {
	struct seam_perf_regs regs;
	__u64 sample_period;
	__u64 addr;
};

#endif
