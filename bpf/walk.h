/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The state of one walk, and the reasons for which it ends. Only data: what happens to it is in
 * unwind.h, which includes this.
 */
#ifndef SEAM_WALK_H
#define SEAM_WALK_H

#include "arch.h"

enum seam_end {
#define SEAM_END(code, name, id, root, sentence) SEAM_END_##name = code,
#include "failures.def"
#undef SEAM_END
};

/* What the walk reads of the Go runtime's structures, once per sample (see go.h). */
struct seam_go_state {
	/* 1 + index of the runtime it was read for, 0 = none. */
	__u32 runtime;
	/* The structures could be read and fit together. */
	__u32 usable;
	/* m.isExtraInC: see seam_disown_goroutine. */
	__u32 extra_in_c;
	/* g.atomicstatus of the current goroutine. */
	__u32 status;
	__u64 g;
	__u64 m;
	__u64 curg;
	__u64 stack_lo;
	__u64 stack_hi;
	__u64 sched_sp;
	__u64 sched_pc;
	__u64 sched_bp;
#ifdef SEAM_ARM64
	/* g.sched.lr: of a goroutine that stopped before its function had kept it. */
	__u64 sched_lr;
#endif
	/* Head of the list of saved g0.sched.sp: the C stack at the innermost callback. */
	__u64 g0_sp;
};

/* Labels of the goroutine, and how far they have been read (see labels.h). */
struct seam_labels {
	/* g.labels */
	__u64 at;
	__u64 next;
	__u64 array;
	__u64 left;
	__u64 bytes;
	/* enum seam_labels_kind */
	__u64 kind;
	__u8 text[SEAM_LABELS_BYTES];
};

/*
 * Words of stack read at once: return addresses lie close together, and reading 512 bytes costs
 * 1.4 times what reading 8 costs (docs/benchmarks.md).
 */
#define SEAM_WINDOW_WORDS 64

struct seam_walk {
	__u64 pc;
	__u64 reg[SEAM_WALK_REGISTERS];
	/* Where a callee-saved register was saved, 0 = still in reg. Read only when needed. */
	__u64 saved_at[SEAM_WALK_REGISTERS];
	/* Bit n: reg[n] or saved_at[n] gives register n. */
	__u32 known;
	/* pc is an interrupted one, not a return address. */
	__u32 exact;
	__u32 mapping_set;
	__u32 mapping_count;
	__u32 frames;
	__u32 end;
	__u32 scheduler;
	/* In execve: the memory is still the one that the registers belong to. */
	__u32 before_exec;
	/* The sample is inside a system call that makes a thread or process. */
	__u32 cloning;
	__u32 callbacks;
	__u32 callbacks_lost;
	__u64 end_pc;
	__u64 fsbase;
#ifdef SEAM_ARM64
	/* Bits of an address: what lies above them in a signed return address is its signature. */
	__u64 address_bits;
	/* A frame with SEAM_RULE_PUSHES was met since the last signal frame. */
	__u64 pushing;
#endif
	struct seam_mapping mapping;
	struct seam_mapping previous;
	/* Room for exchanging them: BPF stacks are small. */
	struct seam_mapping swap;
	/* The Go runtime that was met last, and its structures. */
	struct seam_go_runtime runtime;
	struct seam_go_state go;
	/* Those of runtimes that were met before, while the walk is in another one's frames. */
	struct seam_go_state parked[SEAM_GO_RUNTIMES];
	/* The sample interrupted the kernel in a process with another tool's probes. */
	__u32 probed;
	/* The frame before was left by a row that was derived: nothing proves its size. */
	__u32 derived;
	/* How many runtimes the process has, and the innermost one on this stack: 1 + its index. */
	__u32 runtimes;
	__u32 owner;
	/* A piece of stack that was read in one go, and where it starts. */
	__u64 window_start;
	__u32 window_off;
	/* The mapping set that `mapping` and `previous` are of. */
	__u32 cached_set;
	__u64 window[SEAM_WINDOW_WORDS];
	/* A word of the stack taken for a return address, where it lies, and how far to look. */
	__u64 guess;
	__u64 guess_pc;
	__u64 guess_end;
	/* Blocks of m and g as they were read. */
	__u8 scratch[512];
	/* So many of them are of the structure of the runtime read last. */
	__u32 scratch_bytes;
	struct seam_labels labels;
	/* Number of this structure, for callbacks. */
	__u32 which;
	__u32 unused;
	/* The record as it is sent: kernel frames, then user frames, then labels. */
	struct seam_sample sample;
	__u64 frame[SEAM_KERNEL_FRAMES + SEAM_USER_FRAMES + 1 + SEAM_LABELS_BYTES / 8];
};

#endif
