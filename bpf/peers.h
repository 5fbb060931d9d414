/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * What other profilers would have had of the same moment, for `record --compare`: the stack as the
 * kernel walks it by frame pointers, and a copy of registers and stack as `perf record
 * --call-graph dwarf` takes it. Included by sample.bpf.c; costs nothing where it is not asked for.
 */
#ifndef SEAM_PEERS_H
#define SEAM_PEERS_H

/* Whether they are asked for. Set before the programs are loaded. */
const volatile __u32 seam_peers = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 12);
} peers SEC(".maps");

#define SEAM_PAGE 4096

/*
 * Copies up to the first byte that can't be read, as the kernel does (perf_output_sample_ustack,
 * kernel/events/core.c, Linux 3.7 to 6.18): page by page, since what can't be read begins with one.
 */
static __always_inline __u32 copy_stack(struct seam_peer *peer, __u64 sp)
{
	__u64 first = SEAM_PAGE - (sp & (SEAM_PAGE - 1)), last = sp & (SEAM_PAGE - 1);

	seam_opaque(first);
	seam_opaque(last);
	if (first > SEAM_PAGE || last >= SEAM_PAGE)
		return 0;
	if (bpf_probe_read_user(peer->stack, first, (void *)sp))
		return 0;
	if (bpf_probe_read_user(peer->stack + first, SEAM_PAGE, (void *)(sp + first)))
		return first;
	if (!last || bpf_probe_read_user(peer->stack + first + SEAM_PAGE, last,
					 (void *)(sp + first + SEAM_PAGE)))
		return first + SEAM_PAGE;
	return SEAM_PEER_STACK;
}

/* Sends them before the sample that they belong to. */
static __always_inline void send_peers(struct bpf_perf_event_data *ctx, struct seam_walk *w)
{
	struct seam_peer *peer;
	__s64 syscall;
	long bytes;

	if (user_registers(w, &syscall))
		return;
	peer = bpf_ringbuf_reserve(&peers, sizeof(*peer), 0);
	/* Without one the sample is among those that are not compared, and counted there. */
	if (!peer)
		return;
	peer->time_ns = w->sample.time_ns;
	peer->pid = w->sample.pid;
	peer->tid = w->sample.tid;
	peer->pc = w->pc;
	__builtin_memcpy(peer->reg, w->reg, sizeof(peer->reg));
	bytes = bpf_get_stack(ctx, peer->frame, sizeof(peer->frame), BPF_F_USER_STACK);
	peer->frames = bytes > 0 ? bytes / 8 : 0;
	peer->stack_bytes = copy_stack(peer, w->reg[SEAM_RSP]);
	bpf_ringbuf_submit(peer, BPF_RB_NO_WAKEUP);
}

#endif
