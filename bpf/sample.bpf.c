// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
/*
 * On-CPU sampling: a perf clock event per CPU runs `sample`, which keeps the target processes,
 * walks their stacks and sends one record each; two scheduler tracepoints keep the set of targets
 * true across exec and fork. Nothing here writes to a target.
 */
#include "vmlinux.h"
#include "wire.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "ids.h"
#include "kernel.h"
#include "maps.h"

struct seam_walk;

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline int seam_read(struct seam_walk *w, void *dst, __u32 size, __u64 address)
{
	return bpf_probe_read_user(dst, size, (void *)address) != 0;
}

static __always_inline void *seam_table_at(struct seam_walk *w, __u32 table)
{
	return bpf_map_lookup_elem(&tables, &table);
}

static __always_inline const struct seam_table_block *seam_block_of(struct seam_walk *w, void *table,
								    __u32 block)
{
	return bpf_map_lookup_elem(table, &block);
}

static const struct seam_mapping_block *seam_mapping_block_at(struct seam_walk *w, __u32 block);
SEAM_APART int seam_late_mapping(struct seam_walk *w, __u64 pc);
static int seam_leave_probe(struct seam_walk *w);
static int seam_runtime_at(struct seam_walk *w, __u32 index);
static struct seam_walk *seam_walk_of(seam_context context);

#include "unwind.h"

static __always_inline const struct seam_mapping_block *
seam_mapping_block_at(struct seam_walk *w, __u32 block)
{
	struct seam_set_key key = { .set = w->mapping_set, .block = block };

	return bpf_map_lookup_elem(&mappings, &key);
}

/* The clock may interrupt the tracepoint that follows new threads, so each has its own. */
enum seam_walks {
	SEAM_WALK_SAMPLE = 0,
	SEAM_WALK_SPAWN = 1,
	SEAM_WALKS = 2,
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SEAM_WALKS);
	__type(key, __u32);
	__type(value, struct seam_walk);
} walks SEC(".maps");

static __always_inline void count(__u32 counter)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &counter);

	if (value)
		(*value)++;
}

#include "exec.h"
#include "late.h"

static __noinline int seam_runtime_at(struct seam_walk *w, __u32 index)
{
	struct seam_process *process;
	__u64 at = index;
	__u32 tgid;

	seam_opaque(at);
	if (!w || at >= SEAM_GO_RUNTIMES)
		return 1;
	tgid = w->sample.pid;
	process = bpf_map_lookup_elem(&processes, &tgid);
	if (!process)
		return 1;
	w->runtime = process->go[at];
	return 0;
}

#ifdef SEAM_ARM64
#include "arm64/probes.h"
#else
#include "probes.h"
#endif

static __always_inline struct seam_walk *walk_number(__u32 which)
{
	return bpf_map_lookup_elem(&walks, &which);
}

static struct seam_walk *seam_walk_of(seam_context context)
{
#ifdef SEAM_TAIL_CALLS
	return walk_number(context);
#else
	return bpf_map_lookup_elem(&walks, context);
#endif
}

/*
 * Walks one frame; 0 = there is a caller. A global function, which the verifier looks at by itself and
 * once: in a loop it would look at it again in every state that it can't tell from an earlier one (a
 * million instructions and more on Linux 7.3).
 */
__noinline int walk_frame(__u32 which)
{
	struct seam_walk *w = walk_number(which);

	return w ? seam_step(w) : 1;
}

#ifdef SEAM_TAIL_CALLS
/* How many programs run one after the other: MAX_TAIL_CALL_CNT, 33 calls on Linux 5.10 to 6.18. */
#define SEAM_PROGRAMS 34
#define SEAM_FRAMES_EACH ((SEAM_STEPS + SEAM_PROGRAMS - 1) / SEAM_PROGRAMS)

/* All programs of such a map are of one kind. */
int go_on_sample(void *ctx);
int go_on_birth(void *ctx);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} sample_goes_on SEC(".maps") = { .values = { (void *)&go_on_sample } };
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} birth_goes_on SEC(".maps") = { .values = { (void *)&go_on_birth } };

/* Walks as many frames as one program does; does not come back if another one goes on. */
static __always_inline void walk_frames(void *ctx, __u32 which)
{
	__u32 i;

#pragma clang loop unroll(disable)
	for (i = 0; i < SEAM_FRAMES_EACH; i++) {
		if (walk_frame(which))
			return;
	}
	if (which == SEAM_WALK_SAMPLE)
		bpf_tail_call(ctx, &sample_goes_on, 0);
	else
		bpf_tail_call(ctx, &birth_goes_on, 0);
}
#else
static long walk_one_frame(__u32 index, void *context)
{
	long ended = walk_frame(*(__u32 *)context);

	/* What clang knows of its result, the verifier does not. */
	seam_opaque(ended);
	return ended != 0;
}

static __always_inline void walk_frames(void *ctx, __u32 which)
{
	bpf_loop(SEAM_STEPS, walk_one_frame, &which, 0);
}
#endif

/* The registers with which the current thread left user mode. */
static __always_inline int user_registers(struct seam_walk *w, __s64 *syscall)
{
	struct task_struct *task = seam_current();
	struct pt_regs *regs = seam_user_regs(task, w->scratch);

	if (!regs)
		return 1;
	if (seam_take_registers(regs, w->reg, &w->pc, syscall))
		return 1;
	w->fsbase = seam_thread_pointer(task);
	seam_take_address_bits(w, task);
	return 0;
}

#include "peers.h"

static __always_inline void kernel_stack(struct bpf_perf_event_data *ctx, struct seam_walk *w)
{
	long bytes;

	w->sample.kernel_frames = 0;
	/* Kernel addresses have the top bit set. */
	if ((__s64)seam_interrupted(ctx) >= 0)
		return;
	w->sample.flags |= SEAM_SAMPLE_KERNEL_MODE;
	bytes = bpf_get_stack(ctx, w->frame, SEAM_KERNEL_FRAMES * 8, 0);
	if (bytes > 0 && bytes <= SEAM_KERNEL_FRAMES * 8)
		w->sample.kernel_frames = (__u16)(bytes / 8);
	if (bytes == SEAM_KERNEL_FRAMES * 8)
		w->sample.flags |= SEAM_SAMPLE_KERNEL_CUT;
}

/* Puts the labels behind the frames; gives the number of their bytes. */
static __always_inline __u64 append_labels(struct seam_walk *w, __u64 frames)
{
	__u64 bytes = w->labels.bytes;

	seam_opaque(frames);
	seam_opaque(bytes);
	if (!bytes || bytes > SEAM_LABELS_BYTES ||
	    frames > SEAM_KERNEL_FRAMES + SEAM_USER_FRAMES ||
	    bpf_probe_read_kernel(&w->frame[frames], bytes, w->labels.text))
		return 0;
	return bytes;
}

static __always_inline void send(struct seam_walk *w)
{
	__u64 user = w->frames, size;

	if (user > SEAM_USER_FRAMES) {
		w->sample.elided = (__u32)(user - SEAM_USER_FRAMES);
		user = SEAM_USER_FRAMES;
	}
	w->sample.user_frames = (__u16)user;
	w->sample.end = (__u8)w->end;
	w->sample.end_pc = w->end_pc;
	w->sample.callbacks_lost = w->callbacks_lost;
	size = append_labels(w, user + w->sample.kernel_frames);
	w->sample.label_bytes = (__u16)size;
	size += sizeof(w->sample) + 8 * (user + w->sample.kernel_frames);
	seam_opaque(size);
	if (size > sizeof(w->sample) + sizeof(w->frame))
		return;
	if (bpf_ringbuf_output(&samples, &w->sample, size, BPF_RB_NO_WAKEUP))
		count(SEAM_COUNT_RING_FULL);
}

/* Begins a record of the current thread. */
static __always_inline struct seam_walk *begin(__u32 which)
{
	struct seam_walk *w = walk_number(which);

	if (!w)
		return 0;
	__builtin_memset(&w->sample, 0, sizeof(w->sample));
	w->which = which;
	w->sample.time_ns = bpf_ktime_get_ns();
	w->sample.pid = seam_tgid();
	w->sample.tid = seam_tid();
	w->sample.cpu = bpf_get_smp_processor_id();
	bpf_get_current_comm(w->sample.comm, sizeof(w->sample.comm));
	return w;
}

/* What is left to do when the frames are walked. */
static __always_inline void end_walk(struct seam_walk *w)
{
	if (w->end == SEAM_END_NOT_WALKED)
		seam_stop(w, SEAM_END_TOO_DEEP);
	seam_end_go(w);
	seam_disown_goroutine(w);
	seam_load_labels(w);
	send(w);
}

/*
 * Whether the memory is the one that the registers belong to: begin_new_exec puts another in its place
 * (exec_mmap, fs/exec.c, Linux 5.10 to 6.18), and start_thread new registers only later. An execve that
 * finds no file has never left the old one.
 */
static __always_inline __u32 before_exec(struct seam_process *process, __s64 syscall)
{
	__u64 mm = (__u64)seam_get(seam_current(), mm);

	if (seam_executes(syscall))
		return mm && process->mm == mm;
	if (process->mm != mm)
		process->mm = mm;
	return 0;
}

/* Walks the current thread's user stack and sends the record. `which` is the number of w. */
static __always_inline void walk_and_send(void *ctx, __u32 which, struct seam_walk *w,
					  struct seam_process *process)
{
	__s64 syscall;

	if (user_registers(w, &syscall)) {
		count(SEAM_COUNT_NO_REGISTERS);
		return;
	}
	w->probed = 0;
	if ((w->sample.flags & SEAM_SAMPLE_KERNEL_MODE) && syscall < 0)
		before_breakpoint(w);
	w->mapping_set = w->sample.mapping_set = process->mapping_set;
	w->mapping_count = process->mapping_count;
	w->runtime = process->go[0];
	w->runtimes = process->go_runtimes;
	if (seam_in_kernel_only(w))
		w->runtime.known = w->runtimes = 0;
	seam_begin_go(w);
	w->before_exec = before_exec(process, syscall);
	seam_start_walk(w, syscall);
	if (seam_in_kernel_only(w))
		seam_stop(w, SEAM_END_ROOT_KERNEL);
	/* exit_mm has run: there is nothing left to walk (kernel/exit.c, Linux 5.17 to 6.18). */
	if (!seam_get(seam_current(), mm))
		seam_stop(w, SEAM_END_ROOT_EXIT);
	if (w->end == SEAM_END_NOT_WALKED)
		walk_frames(ctx, which);
	end_walk(w);
}

static __always_inline struct seam_process *target(void)
{
	__u32 tgid = seam_tgid();
	struct seam_process *process = bpf_map_lookup_elem(&processes, &tgid);

	return process && !process->held ? process : 0;
}

/* Whether the current task belongs to what is recorded although nobody has named its process. */
static __always_inline int in_scope(void)
{
	__u32 zero = 0, tgid = seam_tgid();
	struct seam_scope *s = bpf_map_lookup_elem(&scope, &zero);

	/* 0 is the idle task. */
	if (!s || !s->all || !tgid || tgid == s->own)
		return 0;
	/* What a target was and is no more (held) is not a stranger. */
	if (bpf_map_lookup_elem(&processes, &tgid))
		return 0;
	return !s->cgroup || bpf_current_task_under_cgroup(&cgroups, 0) == 1;
}

#define SEAM_PF_KTHREAD 0x200000 /* include/linux/sched.h */

/* A process that is not known yet: its user stack is not walked, user space hears of it. */
static __always_inline void sample_stranger(struct bpf_perf_event_data *ctx)
{
	struct task_struct *task = seam_current();
	struct seam_walk *w = begin(SEAM_WALK_SAMPLE);

	if (!w)
		return;
	count(SEAM_COUNT_SAMPLES);
	kernel_stack(ctx, w);
	w->frames = 0;
	w->labels.bytes = 0;
	w->callbacks_lost = 0;
	w->sample.m = -1;
	w->sample.p = -1;
	w->end_pc = 0;
	w->end = seam_get(task, flags) & SEAM_PF_KTHREAD ? SEAM_END_ROOT_KERNEL :
		 seam_get(task, mm)	       ? SEAM_END_TABLE_NOT_READY :
						 SEAM_END_ROOT_EXIT;
	send(w);
}

SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx)
{
	struct seam_process *process = target();
	struct seam_walk *w;

	if (!process) {
		if (in_scope())
			sample_stranger(ctx);
		else
			count(SEAM_COUNT_OTHER);
		return 0;
	}
	w = begin(SEAM_WALK_SAMPLE);
	if (!w)
		return 0;
	count(SEAM_COUNT_SAMPLES);
	kernel_stack(ctx, w);
	if (seam_peers)
		send_peers(ctx, w);
	walk_and_send(ctx, SEAM_WALK_SAMPLE, w, process);
	return 0;
}

/* The current thread makes a thread: its stack says who. */
static __always_inline void note_birth(void *ctx, __u32 born)
{
	struct seam_process *process = target();
	struct seam_walk *w;

	if (!process)
		return;
	w = begin(SEAM_WALK_SPAWN);
	if (!w)
		return;
	w->sample.flags = SEAM_SAMPLE_SPAWN | SEAM_SAMPLE_KERNEL_MODE;
	w->sample.born = born;
	walk_and_send(ctx, SEAM_WALK_SPAWN, w, process);
}

#ifdef SEAM_TAIL_CALLS
static __always_inline void go_on(void *ctx, __u32 which)
{
	struct seam_walk *w;

	walk_frames(ctx, which);
	w = walk_number(which);
	if (w)
		end_walk(w);
}

SEC("perf_event")
int go_on_sample(void *ctx)
{
	go_on(ctx, SEAM_WALK_SAMPLE);
	return 0;
}

/* Attached to nothing: only called by on_fork. */
SEC("raw_tracepoint")
int go_on_birth(void *ctx)
{
	go_on(ctx, SEAM_WALK_SPAWN);
	return 0;
}
#endif

/* The old image's mappings are gone; the new one's are put in force before its first instruction. */
SEC("raw_tracepoint/sched_process_exec")
int on_exec(void *ctx)
{
	__u32 tgid = seam_tgid();
	struct seam_process *process = bpf_map_lookup_elem(&processes, &tgid);

	if (!process)
		return 0;
	process->mapping_count = 0;
	process->mapping_set = 0;
	process->go_runtimes = 0;
	process->held = 0;
	process->mm = 0;
	process->go[0].known = 0;
	forget_late_mappings(tgid);
	count(SEAM_COUNT_EXECS);
	install_image(process);
	return 0;
}

/* A child starts with its parent's memory, so with its mappings too. */
SEC("raw_tracepoint/sched_process_fork")
int on_fork(__u64 *ctx)
{
	struct task_struct *parent = (struct task_struct *)ctx[0];
	struct task_struct *child = (struct task_struct *)ctx[1];
	__u32 parent_tgid = seam_tgid_of(parent), tgid = seam_tgid_of(child);
	struct seam_process *process;

	if (parent_tgid == tgid) {
		note_birth(ctx, seam_tid_of(child));
		return 0;
	}
	process = bpf_map_lookup_elem(&processes, &parent_tgid);
	if (process && process->follow) {
		bpf_map_update_elem(&processes, &tgid, process, BPF_ANY);
		/* The set to be filled at exec belongs to one process. The child does not run yet. */
		process = bpf_map_lookup_elem(&processes, &tgid);
		if (process)
			process->exec_set = 0;
		inherit_late_mappings(parent_tgid, tgid);
		count(SEAM_COUNT_FORKS);
	}
	return 0;
}
