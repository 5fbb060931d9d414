/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The kernel types that the programs here touch, x86-64, trimmed to the fields used. Field offsets
 * are relocated by libbpf against the running kernel's BTF (CO-RE), so the order does not matter.
 */
#ifndef SEAM_VMLINUX_X86_64_H
#define SEAM_VMLINUX_X86_64_H

#include "types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};

struct thread_struct {
	unsigned long fsbase;
};

#pragma clang attribute pop

#include "structures.h"

/* uapi, fixed layout: struct user_regs_struct in arch/x86/include/uapi/asm/ptrace.h */
struct seam_perf_regs {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	__u64 orig_ax, ip, cs, flags, sp, ss;
};

/* uapi, fixed layout: include/uapi/linux/bpf_perf_event.h */
struct bpf_perf_event_data {
	struct seam_perf_regs regs;
	__u64 sample_period;
	__u64 addr;
};

#endif
