// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
/*
 * What the benchmark compares seam's sampling program with: the kernel's own walk by frame
 * pointers, alone and with a record of it sent, and what reading user memory costs here. Each
 * program runs on a clock of its own; the kernel counts its runs and their time.
 */
#include "vmlinux/x86_64.h"

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum {
	FRAMES = 127,
	READS = 16,
	LARGE = 512,
};

/* The process whose samples count. */
const volatile __u32 target;

/* As much as any profiler says of a sample, and its frames. */
struct record {
	__u64 time_ns;
	__u32 pid;
	__u32 tid;
	__u32 cpu;
	__u32 kernel_frames;
	__u64 user_frames;
	char comm[16];
	__u64 frame[2 * FRAMES];
};

struct counts {
	__u64 samples;
	__u64 other;
	__u64 user_frames;
	__u64 kernel_frames;
	__u64 in_kernel;
	/* The microbenchmark: time in READS reads of 8 and of LARGE bytes, and in two clock reads. */
	__u64 small_ns;
	__u64 large_ns;
	__u64 clock_ns;
};

enum { WALK, RECORD, READ, PROGRAMS };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PROGRAMS);
	__type(key, __u32);
	__type(value, struct counts);
} counts SEC(".maps");

struct scratch {
	struct record record;
	char bytes[LARGE];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PROGRAMS);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} records SEC(".maps");

static __always_inline struct counts *counted(__u32 program)
{
	struct counts *c = bpf_map_lookup_elem(&counts, &program);

	if (!c)
		return 0;
	if (bpf_get_current_pid_tgid() >> 32 != target) {
		c->other++;
		return 0;
	}
	c->samples++;
	return c;
}

/* The kernel's frames, when the sample was taken there, and then the user's. */
static __always_inline void walk_by_frame_pointers(struct bpf_perf_event_data *ctx,
						   struct record *r, struct counts *c)
{
	long kernel = 0, user;

	if ((__s64)ctx->regs.ip < 0) {
		c->in_kernel++;
		kernel = bpf_get_stack(ctx, r->frame, FRAMES * 8, 0);
		if (kernel < 0 || kernel > FRAMES * 8)
			kernel = 0;
	}
	user = bpf_get_stack(ctx, (void *)r->frame + (kernel & 1023), FRAMES * 8,
			     BPF_F_USER_STACK);
	if (user < 0 || user > FRAMES * 8)
		user = 0;
	r->kernel_frames = (__u64)kernel / 8;
	r->user_frames = (__u64)user / 8;
	c->kernel_frames += r->kernel_frames;
	c->user_frames += r->user_frames;
}

SEC("perf_event")
int walk(struct bpf_perf_event_data *ctx)
{
	__u32 key = WALK;
	struct counts *c = counted(key);
	struct scratch *s = bpf_map_lookup_elem(&scratches, &key);

	if (c && s)
		walk_by_frame_pointers(ctx, &s->record, c);
	return 0;
}

SEC("perf_event")
int record(struct bpf_perf_event_data *ctx)
{
	__u32 key = RECORD;
	struct counts *c = counted(key);
	struct scratch *s = bpf_map_lookup_elem(&scratches, &key);
	__u64 ids = bpf_get_current_pid_tgid(), size;
	struct record *r;

	if (!c || !s)
		return 0;
	r = &s->record;
	r->time_ns = bpf_ktime_get_ns();
	r->pid = ids >> 32;
	r->tid = (__u32)ids;
	r->cpu = bpf_get_smp_processor_id();
	bpf_get_current_comm(r->comm, sizeof(r->comm));
	walk_by_frame_pointers(ctx, r, c);
	size = sizeof(*r) - sizeof(r->frame) + 8 * (r->kernel_frames + r->user_frames);
	if (size <= sizeof(*r))
		bpf_ringbuf_output(&records, r, size, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("perf_event")
int read_user(struct bpf_perf_event_data *ctx)
{
	__u32 key = READ, i;
	struct counts *c = counted(key);
	struct scratch *s = bpf_map_lookup_elem(&scratches, &key);
	__u64 begun, small, large, end;
	char *sp = (char *)ctx->regs.sp;

	if (!c || !s || (__s64)ctx->regs.ip < 0)
		return 0;
	/* Once before, so that the memory is as near as it is after a frame or two. */
	bpf_probe_read_user(s->bytes, LARGE, sp);
	begun = bpf_ktime_get_ns();
	for (i = 0; i < READS; i++)
		bpf_probe_read_user(s->bytes, 8, sp + 8 * i);
	small = bpf_ktime_get_ns();
	for (i = 0; i < READS; i++)
		bpf_probe_read_user(s->bytes, LARGE, sp + 8 * i);
	large = bpf_ktime_get_ns();
	end = bpf_ktime_get_ns();
	c->small_ns += small - begun;
	c->large_ns += large - small;
	c->clock_ns += end - large;
	/* Read by how many samples were measured, which are fewer than all. */
	c->in_kernel++;
	return 0;
}

/* The cost of being sampled at all: an interrupt that does nothing. */
SEC("perf_event")
int nothing(void *ctx)
{
	return 0;
}
