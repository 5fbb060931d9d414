/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * How a frame is left on x86-64: the return address lies below the CFA. Also where the frames of Go's
 * runtime keep theirs. Included by unwind.h before everything that leaves frames.
 */
#ifndef SEAM_X86_64_RETURN_H
#define SEAM_X86_64_RETURN_H

/* Makes the caller the current frame; the registers that `rule` saved are noted, not read. */
static __always_inline void seam_to_caller(struct seam_walk *w, const struct seam_rule *rule,
					   __u64 cfa, __u64 pc)
{
	__u64 saved_base = cfa;

	if ((rule->flags & SEAM_RULE_SAVED_BY_RBP) && !seam_register(w, SEAM_RBP, &saved_base))
		saved_base += 8;
	w->known &= SEAM_CALLEE_SAVED | (1u << SEAM_RSP);
	if (rule->saved_rbp | rule->saved_rbx | rule->saved_r12 | rule->saved_r13 |
	    rule->saved_r14 | rule->saved_r15) {
		seam_saved(w, SEAM_RBP, rule->saved_rbp, SEAM_SAVED_WIDE_LOST, saved_base);
		seam_saved(w, SEAM_RBX, rule->saved_rbx, SEAM_SAVED_LOST, saved_base);
		seam_saved(w, SEAM_R12, rule->saved_r12, SEAM_SAVED_LOST, saved_base);
		seam_saved(w, SEAM_R13, rule->saved_r13, SEAM_SAVED_LOST, saved_base);
		seam_saved(w, SEAM_R14, rule->saved_r14, SEAM_SAVED_LOST, saved_base);
		seam_saved(w, SEAM_R15, rule->saved_r15, SEAM_SAVED_LOST, saved_base);
	}
	w->reg[SEAM_RSP] = cfa;
	w->pc = pc;
	w->exact = rule->flags & SEAM_RULE_EXACT_CALLER;
	w->derived = rule->flags & SEAM_RULE_DERIVED;
}

static __always_inline int seam_return(struct seam_walk *w, const struct seam_rule *rule, __u64 cfa)
{
	__u64 pc;

	if (cfa <= w->reg[SEAM_RSP] && !(rule->flags & SEAM_RULE_OTHER_STACK))
		return seam_stop(w, SEAM_END_NOT_ADVANCING);
	if (seam_read_stack(w, &pc, cfa - 8))
		return seam_stop(w, SEAM_END_READ_STACK);
	seam_to_caller(w, rule, cfa, pc);
	return 0;
}

/* Where a frame of Go of `frame` bytes at sp has its return address, and its caller's sp. */
static __always_inline __u64 seam_go_return(__u64 sp, __s64 frame)
{
	return sp + frame;
}

static __always_inline __u64 seam_go_caller(__u64 sp, __s64 frame)
{
	return sp + frame + 8;
}

/* asmcgocall's pair on the C stack, by words. */
#define SEAM_SLOT_DEPTH 0
#define SEAM_SLOT_G 1
/* Where the return address of a frame between sp and cfa lies. */
#define SEAM_CALLBACK_RETURN(sp, cfa) ((cfa) - 8)
/* Where in cgocallback's frame the g0.sched.sp of the callback further out is kept. */
#define SEAM_CALLBACK_OUTER(rule) 0
/* There is no link register. */
#define SEAM_SCHED_LINK(go) 0

static __always_inline int seam_gogo_link(struct seam_walk *w, const struct seam_rule *rule,
					  __u64 *link)
{
	return 0;
}

/* A place on another stack is behind a call: no register says where it goes on. */
static __always_inline void seam_resume(struct seam_walk *w, __u64 link)
{
}

/* g lies in thread-local storage, in Go code and in C. 0 = read. */
static __always_inline int seam_read_g(struct seam_walk *w)
{
	return seam_read_word(w, &w->go.g, w->fsbase + w->runtime.tls_offset);
}

#endif
