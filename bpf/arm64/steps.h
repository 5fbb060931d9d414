/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Steps that need nothing of Go, AArch64: rules of unwind information, signal frames, children of the
 * clone system calls. Included by unwind.h.
 */
#ifndef SEAM_ARM64_STEPS_H
#define SEAM_ARM64_STEPS_H

/*
 * Go's signal handler makes the interrupted code call asyncPreempt or sigpanic: it lowers the saved sp
 * by 16, keeps x30 there, puts the pc into x30 and then changes the pc (runtime sigctxt.pushCall,
 * preparePanic, Go 1.19 to 1.27). In between the frame pointer tells: in Go code it is sp - 8.
 */
static __noinline int seam_half_pushed(struct seam_walk *w)
{
	struct seam_rule rule = {};

	if (w->reg[SEAM_X29] != w->reg[SEAM_SP] + 8)
		return 0;
	if ((seam_find_mapping(w, w->pc) && seam_late_mapping(w, w->pc)) || !w->mapping.table ||
	    seam_find_rule(w, w->pc, &rule) || rule.flags & SEAM_RULE_EXACT_CALLER)
		return 0;
	if (w->reg[SEAM_X30] == w->pc)
		w->saved_at[SEAM_X30] = w->reg[SEAM_SP];
	w->reg[SEAM_SP] += 16;
	return 0;
}

/* struct rt_sigframe lies at sp: siginfo (128 bytes), then the ucontext, whose uc_mcontext begins 176
 * bytes in, with the fault's address before the registers (arch/arm64/kernel/signal.c and
 * arch/arm64/include/uapi/asm/{ucontext,sigcontext}.h, Linux 5.10 to 6.18). */
#define SEAM_SIGNAL_REGISTERS (128 + 176 + 8)

static __always_inline int seam_step_signal(struct seam_walk *w)
{
	__u64 *saved = (__u64 *)w->scratch;
	__u32 i;

	if (seam_read(w, saved, 33 * 8, w->reg[SEAM_SP] + SEAM_SIGNAL_REGISTERS))
		return seam_stop(w, SEAM_END_READ_STACK);
	/* x0 to x30, sp: in the order of their numbers. */
	for (i = 0; i < SEAM_WALK_REGISTERS; i++) {
		w->reg[i] = saved[i];
		w->saved_at[i] = 0;
	}
	w->pc = saved[32];
	w->known = SEAM_ALL_REGISTERS;
	w->exact = 1;
	if (w->pushing)
		seam_half_pushed(w);
	w->pushing = 0;
	return 0;
}

/* Whether no call has pushed pc, the return address of a frame left by its row: then the program has
 * planted it as the end of a stack (makecontext's __start_context). Not behind a derived row. */
static __noinline int seam_planted(struct seam_walk *w)
{
	seam_call_code code = {};

	if (w->exact || w->derived ||
	    (w->sample.flags & (SEAM_SAMPLE_GUESSED | SEAM_SAMPLE_FRAME_POINTERS)) ||
	    !seam_covers(&w->mapping, w->pc))
		return 0;
	return !seam_read(w, code, sizeof(code), w->pc - sizeof(code)) &&
	       seam_call_before(code, w->pc, w->pc) == SEAM_RETURN_NONE;
}

static __always_inline int seam_step_without_row(struct seam_walk *w, const struct seam_rule *rule)
{
	if (w->frames == 1 && w->cloning && w->reg[SEAM_RESULT] == 0)
		return seam_stop(w, SEAM_END_ROOT_CHILD);
	if (w->frames != 1 && seam_planted(w))
		return seam_stop(w, SEAM_END_ROOT_CONTEXT);
	return seam_step_made(w);
}

/* What is not the same for every processor. */
static __always_inline int seam_step_own(struct seam_walk *w, const struct seam_rule *rule)
{
	__u64 base, pc;

	switch (rule->kind) {
	case SEAM_RULE_RETURN_APART:
		/* In asyncPreempt's last instruction, where x30 is the interrupted code's again. */
		if (!w->exact || seam_register(w, (__u32)rule->deref_offset, &pc))
			return seam_stop(w, SEAM_END_REGISTER_LOST);
		w->pc = pc & w->address_bits;
		return 0;
	case SEAM_RULE_LINK_KEPT:
		/* morestack is called where a function has not kept x30 yet: it is in another register. */
		if (!w->exact || seam_register(w, rule->base, &base))
			return seam_stop(w, SEAM_END_REGISTER_LOST);
		if (seam_return(w, rule, w->reg[SEAM_SP]))
			return 1;
		seam_resume(w, base);
		return 0;
	case SEAM_RULE_NONE:
		return seam_step_without_row(w, rule);
	default:
		return seam_stop(w, SEAM_END_UNSUPPORTED);
	}
}

/*
 * Whether pc is behind a system call instruction, as a return address is behind a call. Not so when
 * the kernel has just set up a signal handler's frame or sigreturn has restored the interrupted pc.
 */
static __always_inline int seam_behind_syscall(struct seam_walk *w, __s64 syscall)
{
	__u32 code = 0;

	if (syscall < 0)
		return 0;
	/* svc #0 */
	return seam_read(w, &code, sizeof(code), w->pc - 4) || code == 0xd4000001;
}

#endif
