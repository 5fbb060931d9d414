// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
/*
 * The host build of the one walk (bpf/unwind.h): memory, mappings and tables come from callbacks.
 * Used for replay, tests and wherever a stack is read from outside of the kernel. Compiled once for
 * each processor that stacks are walked of.
 */
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))
#include <stddef.h>
#include <string.h>
#include "wire.h"

struct seam_walk;

struct seam_host {
	void *context;
	int (*read)(void *context, void *dst, __u32 size, __u64 address);
	const struct seam_mapping_block *(*mappings)(void *context, __u32 block);
	const struct seam_table_block *(*table)(void *context, __u32 table, __u32 block);
	const struct seam_go_runtime *runtimes;
	__u64 runtime_count;
	/* A goroutine that no thread runs, by the number of its runtime (0 = a thread is walked), its
	 * g, and the list of callbacks of the thread that it is locked to. */
	__u64 goroutine_runtime;
	__u64 g;
	__u64 g0_sp;
	/* The registers that are known, as bits by DWARF number; 0 = all. */
	__u64 known;
};

static int seam_read(struct seam_walk *w, void *dst, __u32 size, __u64 address);
static const struct seam_mapping_block *seam_mapping_block_at(struct seam_walk *w, __u32 block);
static void *seam_table_at(struct seam_walk *w, __u32 table);
static const struct seam_table_block *seam_block_of(struct seam_walk *w, void *table, __u32 block);

#define SEAM_APART static
typedef void *seam_context;
#define SEAM_CALLBACK(name) static long name(__u32 index, seam_context context)

#define seam_each(w, callback, n)                                                                  \
	do {                                                                                       \
		for (__u32 i_ = 0; i_ < (__u32)(n) && !callback(i_, w); i_++)                             \
			;                                                                          \
	} while (0)

static inline struct seam_walk *seam_walk_of(seam_context context)
{
	return context;
}

/* Mappings do not change while a stack is read here. */
static inline int seam_late_mapping(struct seam_walk *w, __u64 pc)
{
	return 1;
}

/* What a probe stands for only the kernel knows. */
static inline int seam_leave_probe(struct seam_walk *w)
{
	return 1;
}

static int seam_runtime_at(struct seam_walk *w, __u32 index);

#include "unwind.h"

struct host_walk {
	struct seam_walk walk;
	const struct seam_host *host;
};

static const struct seam_host *host_of(struct seam_walk *w)
{
	return ((struct host_walk *)w)->host;
}

static int seam_runtime_at(struct seam_walk *w, __u32 index)
{
	if (index >= host_of(w)->runtime_count)
		return 1;
	w->runtime = host_of(w)->runtimes[index];
	return 0;
}

static int seam_read(struct seam_walk *w, void *dst, __u32 size, __u64 address)
{
	return host_of(w)->read(host_of(w)->context, dst, size, address);
}

static const struct seam_mapping_block *seam_mapping_block_at(struct seam_walk *w, __u32 block)
{
	return host_of(w)->mappings(host_of(w)->context, block);
}

/* A table is named by its slot. */
static void *seam_table_at(struct seam_walk *w, __u32 table)
{
	return (void *)(uintptr_t)table;
}

static const struct seam_table_block *seam_block_of(struct seam_walk *w, void *table, __u32 block)
{
	return host_of(w)->table(host_of(w)->context, (__u32)(uintptr_t)table, block);
}

/* What a parked goroutine's stack needs of the runtime: itself, since no thread has it. */
static void begin_goroutine(struct seam_walk *w, const struct seam_host *host)
{
	w->owner = (__u32)host->goroutine_runtime;
	w->go.runtime = w->owner;
	w->go.curg = host->g;
	w->go.g0_sp = host->g0_sp;
	if (seam_runtime_at(w, w->owner - 1)) {
		w->runtime.known = 0;
		return;
	}
	w->go.usable = w->runtime.known && w->runtime.verified && !seam_read_curg(w);
}

#ifdef SEAM_ARM64
#define seam_walk_host seam_walk_host_arm64
#endif

/* Walks from `start` and fills `sample` and `frames` (SEAM_USER_FRAMES words), as sent by BPF. */
void seam_walk_host(const struct seam_host *host, const struct seam_start *start,
		    struct seam_sample *sample, __u64 *frames)
{
	struct host_walk hw;
	struct seam_walk *w = &hw.walk;
	int kernel_only;
	__u32 i;

	/* The frames come last and are written before they are read: all else begins as zero. */
	memset(w, 0, offsetof(struct seam_walk, frame));
	hw.host = host;
	for (i = 0; i < SEAM_WALK_REGISTERS; i++)
		w->reg[i] = start->reg[i];
	w->pc = start->pc;
	w->fsbase = start->fsbase;
	w->mapping_set = start->mapping_set;
	w->mapping_count = start->mapping_count;
#ifdef SEAM_ARM64
	w->address_bits = SEAM_ADDRESS_BITS;
#endif
	w->probed = 0;
	w->runtimes = (__u32)host->runtime_count;
	seam_runtime_at(w, 0);
	/* A goroutine that no thread runs has no registers either. */
	kernel_only = !host->goroutine_runtime && seam_in_kernel_only(w);
	if (kernel_only)
		w->runtime.known = w->runtimes = 0;
	seam_begin_go(w);
	if (host->goroutine_runtime)
		begin_goroutine(w, host);
	seam_start_walk(w, start->syscall);
	if (kernel_only)
		seam_stop(w, SEAM_END_ROOT_KERNEL);
	if (host->known)
		w->known = (__u32)host->known;
	if (host->goroutine_runtime && w->go.usable)
		seam_resume(w, SEAM_SCHED_LINK(&w->go));
	for (i = 0; i < SEAM_STEPS && w->end == SEAM_END_NOT_WALKED; i++)
		seam_step(w);
	if (w->end == SEAM_END_NOT_WALKED)
		seam_stop(w, SEAM_END_TOO_DEEP);
	seam_end_go(w);
	seam_disown_goroutine(w);
	seam_load_labels(w);
	*sample = w->sample;
	sample->end = (__u8)w->end;
	sample->end_pc = w->end_pc;
	sample->callbacks_lost = w->callbacks_lost;
	sample->user_frames = (__u16)(w->frames < SEAM_USER_FRAMES ? w->frames : SEAM_USER_FRAMES);
	sample->elided = w->frames - sample->user_frames;
	for (i = 0; i < sample->user_frames; i++)
		frames[i] = w->frame[i];
}
