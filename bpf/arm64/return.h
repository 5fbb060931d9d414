/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * How a frame is left on AArch64: a call puts the return address into x30, and the function saves it
 * anywhere in its frame, or nowhere if it calls nothing. Also where frames of Go keep theirs. Included
 * by unwind.h before everything that leaves frames.
 */
#ifndef SEAM_ARM64_RETURN_H
#define SEAM_ARM64_RETURN_H

/* Makes the caller the current frame; the registers that `rule` saved are noted, not read. */
static __always_inline void seam_to_caller(struct seam_walk *w, const struct seam_rule *rule,
					   __u64 cfa, __u64 pc)
{
	const struct seam_rule_arm64 *saved = (const struct seam_rule_arm64 *)rule;

	w->known &= SEAM_CALLEE_SAVED | (1u << SEAM_SP);
	seam_saved(w, SEAM_X29, saved->saved_x29, SEAM_SAVED_WIDE_LOST, cfa);
	seam_saved(w, SEAM_X19, saved->saved_x19, SEAM_SAVED_LOST, cfa);
	seam_saved(w, SEAM_X20, saved->saved_x20, SEAM_SAVED_LOST, cfa);
	seam_saved(w, SEAM_X21, saved->saved_x21, SEAM_SAVED_LOST, cfa);
	w->pc = pc & w->address_bits;
	if (rule->flags & SEAM_RULE_PUSHES)
		w->pushing = 1;
	w->exact = rule->flags & SEAM_RULE_EXACT_CALLER;
	w->derived = rule->flags & SEAM_RULE_DERIVED;
	if (w->exact) {
		/*
		 * The signal handler has made the interrupted code call this: it kept x30 at a word
		 * below its stack pointer and put the interrupted pc into x30 (runtime sigctxt.pushCall
		 * and preparePanic, signal_arm64.go, Go 1.19 to 1.27).
		 */
		w->saved_at[SEAM_X30] = cfa;
		w->known |= 1u << SEAM_X30;
		cfa += 16;
	}
	w->reg[SEAM_SP] = cfa;
}

static __always_inline int seam_return(struct seam_walk *w, const struct seam_rule *rule, __u64 cfa)
{
	const struct seam_rule_arm64 *saved = (const struct seam_rule_arm64 *)rule;
	__u64 pc;

	/* A frame may have no bytes, if its function has called nothing yet. */
	if (cfa + !saved->saved_x30 <= w->reg[SEAM_SP] && !(rule->flags & SEAM_RULE_OTHER_STACK))
		return seam_stop(w, SEAM_END_NOT_ADVANCING);
	if (!saved->saved_x30) {
		/* No callee keeps it: it is the caller's only where nothing has been called. */
		if (seam_register(w, SEAM_X30, &pc))
			return seam_stop(w, SEAM_END_REGISTER_LOST);
	} else if (saved->saved_x30 == SEAM_SAVED_WIDE_LOST) {
		return seam_stop(w, SEAM_END_UNSUPPORTED);
	} else if (seam_read_stack(w, &pc, cfa - 8 * (__u64)saved->saved_x30)) {
		return seam_stop(w, SEAM_END_READ_STACK);
	}
	seam_to_caller(w, rule, cfa, pc);
	return 0;
}

/* Where a frame of Go of `frame` bytes at sp has its return address, and its caller's sp. */
static __always_inline __u64 seam_go_return(__u64 sp, __s64 frame)
{
	return sp;
}

static __always_inline __u64 seam_go_caller(__u64 sp, __s64 frame)
{
	return sp + frame;
}

/* asmcgocall's pair on the C stack, by words. */
#define SEAM_SLOT_DEPTH 1
#define SEAM_SLOT_G 0
/* Where the return address of a frame between sp and cfa lies. */
#define SEAM_CALLBACK_RETURN(sp, cfa) (sp)
/* Where in cgocallback's frame the g0.sched.sp of the callback further out is kept. */
#define SEAM_CALLBACK_OUTER(rule) ((__s64)(rule)->deref_offset)
#define SEAM_SCHED_LINK(go) ((go)->sched_lr)
/* What gogo puts into the link register. In its first instructions on the goroutine's stack it is in
 * the gobuf still, before gobuf.bp (Go 1.19 to 1.27). */
static __always_inline int seam_gogo_link(struct seam_walk *w, const struct seam_rule *rule,
					  __u64 *link)
{
	__u64 pc = w->reg[rule->base & (SEAM_WALK_REGISTERS - 1)] + (__s64)rule->deref_offset;

	*link = w->reg[SEAM_X30];
	return rule->flags & SEAM_RULE_OTHER_STACK &&
	       seam_read_word(w, link, pc + w->runtime.g_sched_bp - 8 - w->runtime.g_sched_pc);
}

/* A place on another stack may be before its function has kept x30: then `link` is that. */
static __always_inline void seam_resume(struct seam_walk *w, __u64 link)
{
	if (!link)
		return;
	w->reg[SEAM_X30] = link;
	w->saved_at[SEAM_X30] = 0;
	w->known |= 1u << SEAM_X30;
}

/*
 * g is in x28 in Go code. With cgo it is in thread-local storage too (runtime.save_g); C keeps anything
 * in x28. Without cgo all code is Go's but the vdso's, which keeps x28. 0 = read.
 */
static __always_inline int seam_read_g(struct seam_walk *w)
{
	if (w->runtime.tls_offset != SEAM_TLS_NONE)
		return seam_read_word(w, &w->go.g, w->fsbase + w->runtime.tls_offset);
	w->go.g = w->reg[SEAM_X28];
	return 0;
}

#endif
