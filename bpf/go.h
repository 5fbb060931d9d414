/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * What the walk knows of Go's runtime: reading g, m and p of the current thread, and the steps
 * across the runtime's stack switches. Included by unwind.h. Facts hold for Go 1.21 to 1.27,
 * runtime/asm_amd64.s and asm_arm64.s, where not said otherwise. Where the code of a switch lies, and its offsets,
 * was found by crates/go from the instructions of the very binary.
 */
#ifndef SEAM_GO_H
#define SEAM_GO_H

/*
 * Reads a structure of the runtime to w->scratch, as far as it can be read: a page of it that the
 * runtime has not written to yet is not there (m has 320 of its first bytes on two pages now and
 * then, and in the first milliseconds of a thread only the first of them).
 */
static __always_inline int seam_read_structure(struct seam_walk *w, __u32 bytes, __u64 address)
{
	__u32 first = 4096 - (address & 4095);

	w->scratch_bytes = bytes;
	if (!seam_read(w, w->scratch, bytes, address))
		return 0;
	if (first >= bytes)
		return 1;
	__builtin_memset(w->scratch, 0, sizeof(w->scratch));
	w->scratch_bytes = first;
	/* The verifier does not keep what it knows of the sum. */
	seam_opaque(first);
	first &= 0x1ff;
	return !first || seam_read(w, w->scratch, first, address);
}

/* Whether a word of it could be read. */
static __always_inline int seam_scratch_has(struct seam_walk *w, __u32 offset)
{
	return offset + 8 <= w->scratch_bytes;
}

/* A word of the block in w->scratch; offsets were bounded when the runtime was installed. */
static __always_inline __u64 seam_scratch_word(struct seam_walk *w, __u32 offset)
{
	offset &= 0x1f8;
	return *(__u64 *)&w->scratch[offset];
}

/* The same for a field that only says whose sample it is, and may be unknown. */
static __always_inline __u64 seam_scratch_known(struct seam_walk *w, __u32 offset, __u64 otherwise)
{
	return offset && seam_scratch_has(w, offset) ? seam_scratch_word(w, offset) : otherwise;
}

static __always_inline int seam_read_m(struct seam_walk *w)
{
	struct seam_go_state *go = &w->go;
	struct seam_go_runtime *rt = &w->runtime;
	__u64 g0, gsignal, p, oldp;
	__u32 p_id;

	if (seam_read_structure(w, SEAM_M_BYTES, go->m))
		return 1;
	if (!seam_scratch_has(w, rt->m_gsignal) || !seam_scratch_has(w, rt->m_curg))
		return 1;
	g0 = seam_scratch_word(w, 0);
	gsignal = seam_scratch_word(w, rt->m_gsignal);
	go->curg = seam_scratch_word(w, rt->m_curg);
	/* A g that is none of its m's three is a torn read or a wrong offset. */
	if (go->g != g0 && go->g != gsignal && go->g != go->curg)
		return 1;
	w->sample.m = (__s64)seam_scratch_known(w, rt->m_id, -1);
	if (rt->m_incgo && w->scratch[rt->m_incgo & 0x1ff])
		w->sample.flags |= SEAM_SAMPLE_IN_C;
	go->extra_in_c = rt->m_is_extra_in_c && w->scratch[rt->m_is_extra_in_c & 0x1ff];
	p = seam_scratch_known(w, rt->m_p, 0);
	oldp = seam_scratch_known(w, rt->m_oldp, 0);
	/* p.id is the first field of p. */
	if (p || oldp) {
		if (!seam_read(w, &p_id, 4, p ? p : oldp)) {
			w->sample.p = (__s32)p_id;
			w->sample.flags |= p ? SEAM_SAMPLE_P_HELD : SEAM_SAMPLE_P_LOST;
		}
	}
	return seam_read_word(w, &go->g0_sp, g0 + rt->g_sched_sp);
}

static __always_inline int seam_read_curg(struct seam_walk *w)
{
	struct seam_go_state *go = &w->go;
	struct seam_go_runtime *rt = &w->runtime;

	if (seam_read_structure(w, SEAM_G_BYTES, go->curg))
		return 1;
	if (!seam_scratch_has(w, rt->g_sched_sp) || !seam_scratch_has(w, rt->g_sched_pc) ||
	    !seam_scratch_has(w, rt->g_sched_bp))
		return 1;
	go->stack_lo = seam_scratch_word(w, 0);
	go->stack_hi = seam_scratch_word(w, 8);
	go->sched_sp = seam_scratch_word(w, rt->g_sched_sp);
	go->sched_pc = seam_scratch_word(w, rt->g_sched_pc);
	go->sched_bp = seam_scratch_word(w, rt->g_sched_bp);
#ifdef SEAM_ARM64
	/* gobuf.lr stands before gobuf.bp, Go 1.19 to 1.27. */
	go->sched_lr = seam_scratch_word(w, rt->g_sched_bp - 8);
#endif
	w->labels.at = seam_scratch_known(w, rt->g_labels, 0);
	w->sample.goid = seam_scratch_known(w, rt->g_goid, 0);
	w->sample.start_pc = seam_scratch_known(w, rt->g_startpc, 0);
	w->labels.kind = rt->labels_kind;
	/* _Gscan (0x1000) is a lock bit, not a state. No state has the number 0xfff. */
	go->status = (__u32)seam_scratch_known(w, rt->g_status, 0xfff) & 0xfff;
	w->sample.go_status = go->status;
	return 0;
}

/* Reads g, m, p and the goroutine of this thread for w->runtime, whose number is `number`. */
SEAM_APART int seam_load_go(struct seam_walk *w, __u32 number)
{
	struct seam_go_state *go;
	struct seam_go_runtime *rt;

	if (!w)
		return 1;
	go = &w->go;
	rt = &w->runtime;
	go->runtime = number;
	go->status = 0;
	go->usable = 0;
	go->extra_in_c = 0;
	go->curg = 0;
	go->g0_sp = 0;
	go->stack_lo = go->stack_hi = 0;
	w->sample.m = -1;
	w->sample.p = -1;
	w->sample.goid = 0;
	w->sample.start_pc = 0;
	w->sample.go_status = 0;
	w->labels.at = 0;
	w->labels.bytes = 0;
	if (!rt->known)
		return 0;
	if (seam_read_g(w) || !go->g)
		return 0;
	w->sample.flags |= SEAM_SAMPLE_GO_THREAD;
	/* Wrong offsets would give wrong goroutines: none is better. */
	if (!rt->verified) {
		w->sample.flags |= SEAM_SAMPLE_GO_UNVERIFIED;
		return 0;
	}
	if (seam_read_word(w, &go->m, go->g + rt->g_m) || seam_read_m(w)) {
		w->sample.flags |= SEAM_SAMPLE_GO_TORN;
		return 0;
	}
	if (go->curg && seam_read_curg(w)) {
		w->sample.flags |= SEAM_SAMPLE_GO_TORN;
		return 0;
	}
	go->usable = 1;
	return 0;
}

/*
 * Before a walk: reads what the sample says of Go. Which of several runtimes (c-shared libraries have
 * one each) a thread works for, its stack tells: then nothing is read until a Go frame is met.
 */
static __always_inline void seam_begin_go(struct seam_walk *w)
{
	__u32 i;

	w->owner = 0;
	if (w->runtimes <= 1) {
		seam_load_go(w, w->runtimes);
		return;
	}
	for (i = 0; i < SEAM_GO_RUNTIMES; i++)
		w->parked[i].runtime = 0;
	w->runtime.known = 0;
	seam_load_go(w, 0);
}

/* What a sample says of Go: that of the innermost runtime on its stack. */
struct seam_go_sample {
	__u64 goid;
	__u64 start_pc;
	__u64 labels_at;
	__u64 labels_kind;
	__s64 m;
	__s32 p;
	__u32 status;
	__u32 flags;
};

/*
 * The frame in w->mapping is another runtime's than the one before: from here on the walk goes by
 * that one's g, m and p. Where a runtime is met again further out, its list of callbacks goes on
 * where it was left.
 */
static __noinline int seam_enter_runtime(struct seam_walk *w)
{
	__u64 to = w->mapping.go, from = w->go.runtime;
	struct seam_go_sample own = {};

	if (from && from <= SEAM_GO_RUNTIMES) {
		seam_opaque(from);
		w->parked[(from - 1) & (SEAM_GO_RUNTIMES - 1)] = w->go;
	}
	w->scheduler = 0;
	if (to > w->runtimes || to > SEAM_GO_RUNTIMES || seam_runtime_at(w, (__u32)to - 1))
		w->runtime.known = 0;
	seam_opaque(to);
	if (to <= SEAM_GO_RUNTIMES && w->parked[(to - 1) & (SEAM_GO_RUNTIMES - 1)].runtime == to) {
		w->go = w->parked[(to - 1) & (SEAM_GO_RUNTIMES - 1)];
		return 0;
	}
	if (!w->owner) {
		w->owner = (__u32)to;
		return seam_load_go(w, (__u32)to);
	}
	own.goid = w->sample.goid;
	own.start_pc = w->sample.start_pc;
	own.m = w->sample.m;
	own.p = w->sample.p;
	own.status = w->sample.go_status;
	own.flags = w->sample.flags;
	own.labels_at = w->labels.at;
	own.labels_kind = w->labels.kind;
	seam_load_go(w, (__u32)to);
	w->sample.goid = own.goid;
	w->sample.start_pc = own.start_pc;
	w->sample.m = own.m;
	w->sample.p = own.p;
	w->sample.go_status = own.status;
	w->sample.flags = own.flags;
	w->labels.at = own.labels_at;
	w->labels.kind = own.labels_kind;
	return 0;
}

/*
 * After a walk without any Go frame: a thread that one of several runtimes knows is said to be a Go
 * thread, as with a single one.
 */
static __always_inline void seam_end_go(struct seam_walk *w)
{
	__u32 i;

	if (w->runtimes > 1 && !w->owner) {
		for (i = 0; i < SEAM_GO_RUNTIMES; i++) {
			if (i >= w->runtimes || w->sample.flags & SEAM_SAMPLE_GO_THREAD)
				break;
			if (seam_runtime_at(w, i))
				break;
			seam_load_go(w, i + 1);
		}
	}
	w->sample.go_runtime = (__u8)w->go.runtime;
	if (w->owner)
		w->sample.go_runtime = (__u8)w->owner;
}

/*
 * A C thread between two callbacks works for no goroutine, although its M still has one
 * (m.isExtraInC). The flag alone does not tell: cgocallbackg clears it only after exitsyscall and
 * sets it before reentersyscall, Go 1.21 to 1.27. So the stack decides.
 */
static __always_inline void seam_disown_goroutine(struct seam_walk *w)
{
	if (!w->go.extra_in_c || w->callbacks)
		return;
	w->sample.goid = 0;
	w->sample.start_pc = 0;
	w->sample.go_status = 0;
}

/* From the C stack to the goroutine's frame of asmcgocall or systemstack at sp, of `frame` bytes. */
static __always_inline int seam_to_goroutine(struct seam_walk *w, __u64 sp, __u32 frame)
{
	__u64 pc;

	if (seam_read_stack(w, &pc, seam_go_return(sp, frame)))
		return seam_stop(w, SEAM_END_READ_STACK);
	return seam_switch(w, seam_go_caller(sp, frame), pc, 0);
}

/*
 * asmcgocall keeps (depth, g) on the C stack at sp + cfa_offset: depth below g.stack.hi, since the
 * goroutine's stack may be copied while C runs. g = 0: no switch was needed and depth is the old
 * sp. deref_offset: size of asmcgocall's frame on the old stack. On AArch64 g comes first.
 */
static __always_inline int seam_step_asmcgocall(struct seam_walk *w, const struct seam_rule *rule)
{
	__u64 slot[2], hi;

	if (seam_read(w, slot, 16, w->reg[SEAM_SP] + (__s64)rule->cfa_offset))
		return seam_stop(w, SEAM_END_READ_STACK);
	if (!slot[SEAM_SLOT_G])
		return seam_to_goroutine(w, slot[SEAM_SLOT_DEPTH], rule->deref_offset);
	hi = w->go.stack_hi;
	if (slot[SEAM_SLOT_G] != w->go.curg || !hi) {
		/* g.stack.hi */
		if (seam_read_word(w, &hi, slot[SEAM_SLOT_G] + 8))
			return seam_stop(w, SEAM_END_GO_STATE);
	}
	return seam_to_goroutine(w, hi - slot[SEAM_SLOT_DEPTH], rule->deref_offset);
}

#define SEAM_GO_COPYSTACK 8 /* _Gcopystack, runtime/runtime2.go */

/*
 * Whether g.sched.sp can be a place on the goroutine's stack. While the stack is copied, g.stack is
 * the new one a few instructions before g.sched.sp is; the old one is still there and whole
 * (runtime.copystack, Go 1.19 to 1.27).
 */
static __always_inline int seam_sched_fits(struct seam_walk *w)
{
	struct seam_go_state *go = &w->go;

	return (go->sched_sp >= go->stack_lo && go->sched_sp < go->stack_hi) ||
	       (go->status == SEAM_GO_COPYSTACK && go->sched_sp);
}

/* A goroutine's saved registers, if it still owns this thread. */
static __always_inline int seam_step_sched(struct seam_walk *w)
{
	struct seam_go_state *go = &w->go;

	if (!go->curg || w->scheduler)
		return seam_stop(w, SEAM_END_ROOT_SCHEDULER);
	if (!seam_sched_fits(w))
		return seam_stop(w, SEAM_END_GO_STATE);
	seam_switch(w, go->sched_sp, go->sched_pc, 1);
	seam_resume(w, SEAM_SCHED_LINK(go));
	return 0;
}

/*
 * On g0 below systemstack: the goroutine's sp is in g.sched (gosave_systemstack_switch), pointing
 * at systemstack's frame of deref_offset bytes. It is zero again once systemstack has returned.
 */
static __always_inline int seam_step_systemstack(struct seam_walk *w, const struct seam_rule *rule)
{
	struct seam_go_state *go = &w->go;

	if (!go->curg)
		return seam_stop(w, SEAM_END_GO_NO_CURG);
	if (!seam_sched_fits(w))
		return seam_stop(w, SEAM_END_GO_STATE);
	return seam_to_goroutine(w, go->sched_sp, rule->deref_offset);
}

/*
 * On the goroutine's stack in cgocallback: the C side is at the saved g0.sched.sp, where a frame of
 * the same size lies whose lowest word holds the g0.sched.sp of the callback further out. If its
 * caller is not crosscall2, the runtime has already taken that record back (unwindm, while
 * panicking); the copy of the frame here leads on to the outer Go frames.
 */
static __always_inline int seam_step_cgocallback(struct seam_walk *w, const struct seam_rule *rule)
{
	__u64 cfa = w->go.g0_sp + (__s64)rule->cfa_offset, outer, pc = 0;

	if (w->go.g0_sp && seam_read_word(w, &pc, SEAM_CALLBACK_RETURN(w->go.g0_sp, cfa)))
		return seam_stop(w, SEAM_END_READ_STACK);
	if (pc > w->runtime.crosscall2_start && pc <= w->runtime.crosscall2_end &&
	    !seam_read_word(w, &outer, w->go.g0_sp + SEAM_CALLBACK_OUTER(rule))) {
		w->go.g0_sp = outer;
		w->callbacks++;
		return seam_switch(w, cfa, pc, 0);
	}
	w->callbacks_lost++;
	w->callbacks++;
	if (seam_return(w, rule, w->reg[SEAM_SP] + (__s64)rule->cfa_offset))
		return 1;
	/* No call returns there: it is g.sched.pc, up to Go 1.20 the first byte of its function. */
	w->exact = 1;
	return 0;
}

/* cgocallback before it leaves or after it is back on g0: the list may already hold this frame. */
static __always_inline int seam_step_cgocallback_on_g0(struct seam_walk *w,
						       const struct seam_rule *rule)
{
	__u64 outer;

	w->callbacks++;
	if (w->go.g0_sp == w->reg[SEAM_SP] &&
	    !seam_read_word(w, &outer, w->go.g0_sp + SEAM_CALLBACK_OUTER(rule)))
		w->go.g0_sp = outer;
	return seam_return(w, rule, w->reg[SEAM_SP] + (__s64)rule->cfa_offset);
}

/* mcall on g0: the g that it left is in a register, then at sp + deref_offset. On AArch64 it is kept
 * nowhere: what tells a goroutine that was let go of is that there is none, or the scheduler's frame. */
static __always_inline int seam_step_mcall(struct seam_walk *w, const struct seam_rule *rule)
{
#ifndef SEAM_ARM64
	__u64 g;

	if (rule->flags & SEAM_RULE_IN_REGISTER)
		g = w->reg[rule->base & (SEAM_REGISTERS - 1)];
	else if (seam_read_word(w, &g, w->reg[SEAM_RSP] + (__s64)rule->deref_offset))
		return seam_stop(w, SEAM_END_READ_STACK);
	if (g != w->go.curg)
		return seam_stop(w, SEAM_END_ROOT_SCHEDULER);
#endif
	return seam_step_sched(w);
}

/* gogo when sp is already the goroutine's: where it goes on is in a gobuf, then in a register. */
static __always_inline int seam_step_gogo(struct seam_walk *w, const struct seam_rule *rule)
{
	__u64 pc = w->reg[rule->base & (SEAM_WALK_REGISTERS - 1)], link;

	if (!(rule->flags & SEAM_RULE_IN_REGISTER) &&
	    seam_read_word(w, &pc, pc + (__s64)rule->deref_offset))
		return seam_stop(w, SEAM_END_GO_STATE);
	if (seam_gogo_link(w, rule, &link))
		return seam_stop(w, SEAM_END_GO_STATE);
	seam_switch(w, w->reg[SEAM_SP], pc, 1);
	seam_resume(w, link);
	return 0;
}

static __always_inline int seam_step_go(struct seam_walk *w, const struct seam_rule *rule)
{
	if (rule->kind == SEAM_RULE_ASMCGOCALL)
		return seam_step_asmcgocall(w, rule);
	if (rule->kind == SEAM_RULE_GOGO)
		return seam_step_gogo(w, rule);
	/* This needs no structure of the runtime: none may be there yet (needm) or any more (dropm). */
	if (rule->kind == SEAM_RULE_CGOCALLBACK_ON_G0)
		return seam_step_cgocallback_on_g0(w, rule);
	/* A runtime beyond SEAM_GO_RUNTIMES has no number. */
	if (!w->runtime.known || !w->mapping.go)
		return seam_stop(w, SEAM_END_GO_UNKNOWN);
	if (!w->runtime.verified)
		return seam_stop(w, SEAM_END_GO_UNVERIFIED);
	if (!w->go.usable)
		return seam_stop(w, SEAM_END_GO_STATE);
	switch (rule->kind) {
	case SEAM_RULE_SYSTEMSTACK:
		return seam_step_systemstack(w, rule);
	case SEAM_RULE_CGOCALLBACK:
		return seam_step_cgocallback(w, rule);
	case SEAM_RULE_MCALL:
		return seam_step_mcall(w, rule);
	default:
		return seam_step_sched(w);
	}
}

#endif
