/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Steps that need nothing of Go, x86-64: rules of unwind information, signal frames, children of the
 * clone system calls. Included by unwind.h.
 */
#ifndef SEAM_X86_64_STEPS_H
#define SEAM_X86_64_STEPS_H

/* A ucontext lies at sp: Linux arch/x86/include/uapi/asm/ucontext.h, struct sigcontext_64. */
static __always_inline int seam_step_signal(struct seam_walk *w)
{
	__u64 *gregs = (__u64 *)w->scratch, pushed;
	__u32 i;

	if (seam_read(w, gregs, 17 * 8, w->reg[SEAM_RSP] + 40))
		return seam_stop(w, SEAM_END_READ_STACK);
	w->reg[SEAM_R8] = gregs[0];
	w->reg[SEAM_R9] = gregs[1];
	w->reg[SEAM_R10] = gregs[2];
	w->reg[SEAM_R11] = gregs[3];
	w->reg[SEAM_R12] = gregs[4];
	w->reg[SEAM_R13] = gregs[5];
	w->reg[SEAM_R14] = gregs[6];
	w->reg[SEAM_R15] = gregs[7];
	w->reg[SEAM_RDI] = gregs[8];
	w->reg[SEAM_RSI] = gregs[9];
	w->reg[SEAM_RBP] = gregs[10];
	w->reg[SEAM_RBX] = gregs[11];
	w->reg[SEAM_RDX] = gregs[12];
	w->reg[SEAM_RAX] = gregs[13];
	w->reg[SEAM_RCX] = gregs[14];
	w->reg[SEAM_RSP] = gregs[15];
	w->pc = gregs[16];
	for (i = 0; i < SEAM_REGISTERS; i++)
		w->saved_at[i] = 0;
	w->known = (1u << SEAM_REGISTERS) - 1;
	w->exact = 1;
	/*
	 * Go's signal handler makes the interrupted code call asyncPreempt or sigpanic: it pushes
	 * the pc, then sets rsp, then rip (runtime sigctxt.pushCall). In between, the pc lies at
	 * rsp, which no ordinary code does with its own pc.
	 */
	if (!seam_read_word(w, &pushed, w->reg[SEAM_RSP]) && pushed == w->pc)
		w->reg[SEAM_RSP] += 8;
	return 0;
}

/*
 * Whether no call has pushed pc, the return address of a frame left by a row that somebody wrote: then the program has
 * planted it as the end of a stack. It is the first byte of a function (makecontext's
 * __start_context), or lies where nothing is described (behind the jump in Boost's make_fcontext).
 */
static __noinline int seam_planted(struct seam_walk *w)
{
	seam_call_code code = {};
	struct seam_rule rule = {};

	if (w->exact || w->derived || (w->sample.flags & (SEAM_SAMPLE_GUESSED | SEAM_SAMPLE_FRAME_POINTERS)) ||
	    !seam_covers(&w->mapping, w->pc))
		return 0;
	if (!seam_read(w, code, sizeof(code), w->pc - sizeof(code)))
		return seam_call_before(code, w->pc, w->pc) == SEAM_RETURN_NONE;
	/* Code that has never run may not be in memory. */
	return !seam_find_rule(w, w->pc, &rule) && rule.kind == SEAM_RULE_CFA &&
	       rule.base == SEAM_RSP && rule.cfa_offset == 8;
}

/*
 * glibc's clone3 ends its unwind information before its system call, since in the child there is no
 * caller: rax is 0 there until a C function is called. In the parent nothing was pushed.
 */
static __always_inline int seam_step_without_row(struct seam_walk *w, const struct seam_rule *rule)
{
	__u8 code[16] = {};
	__u32 i, behind = w->cloning;

	if (w->frames != 1)
		return seam_planted(w) ? seam_stop(w, SEAM_END_ROOT_CONTEXT) : seam_step_made(w);
	if (!behind && !seam_read(w, code, sizeof(code), w->pc - sizeof(code))) {
		for (i = 0; i + 1 < sizeof(code); i++)
			behind |= code[i] == 0x0f && code[i + 1] == 0x05;
	}
	if (!behind)
		return seam_step_made(w);
	if (w->reg[SEAM_RAX] == 0)
		return seam_stop(w, SEAM_END_ROOT_CHILD);
	return seam_return(w, rule, w->reg[SEAM_RSP] + 8);
}

/* The return address is not below the CFA. Its base is always the stack pointer. */
static __always_inline int seam_step_return_apart(struct seam_walk *w, const struct seam_rule *rule)
{
	__u64 sp = w->reg[SEAM_RSP], pc;

	/* Only once: the register is none that a callee keeps, so the caller's is not known. */
	if (rule->cfa_offset < 0 || (!rule->cfa_offset && !(rule->flags & SEAM_RULE_IN_REGISTER)))
		return seam_stop(w, SEAM_END_NOT_ADVANCING);
	if (rule->flags & SEAM_RULE_IN_REGISTER) {
		if (seam_register(w, (__u32)rule->deref_offset, &pc))
			return seam_stop(w, SEAM_END_REGISTER_LOST);
	} else if (seam_read_stack(w, &pc, sp + (__s64)rule->deref_offset)) {
		return seam_stop(w, SEAM_END_READ_STACK);
	}
	seam_to_caller(w, rule, sp + (__s64)rule->cfa_offset, pc);
	return 0;
}

/* What is not the same for every processor. */
static __always_inline int seam_step_own(struct seam_walk *w, const struct seam_rule *rule)
{
	__u64 base;

	switch (rule->kind) {
	case SEAM_RULE_DEREF_INDEXED:
		if (seam_register(w, rule->base, &base))
			return seam_stop(w, SEAM_END_REGISTER_LOST);
		base = w->reg[SEAM_RSP] + 8 * base + (__s64)rule->deref_offset;
		if (seam_read_word(w, &base, base))
			return seam_stop(w, SEAM_END_READ_STACK);
		return seam_return(w, rule, base + (__s64)rule->cfa_offset);
	case SEAM_RULE_PLT:
		return seam_return(w, rule, w->reg[SEAM_RSP] + ((w->pc & 15) >= (__u64)rule->deref_offset ? 16 : 8));
	case SEAM_RULE_FRAME_POINTER:
		if (seam_register(w, SEAM_RBP, &base))
			return seam_stop(w, SEAM_END_REGISTER_LOST);
		return seam_return(w, rule, base + 16);
	case SEAM_RULE_RETURN_APART:
		return seam_step_return_apart(w, rule);
	case SEAM_RULE_UNSUPPORTED:
		return seam_stop(w, SEAM_END_UNSUPPORTED);
	default:
		return seam_step_without_row(w, rule);
	}
}

/*
 * Whether pc is behind a system call instruction, as a return address is behind a call. Not so when
 * the kernel has just set up a signal handler's frame or sigreturn has restored the interrupted pc:
 * then the registers still name the system call, and the pc is exact.
 */
static __always_inline int seam_behind_syscall(struct seam_walk *w, __s64 syscall)
{
	__u8 code[2] = {};

	if (syscall < 0)
		return 0;
	return seam_read(w, code, 2, w->pc - 2) || (code[0] == 0x0f && code[1] == 0x05);
}

#endif
