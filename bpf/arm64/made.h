/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Code without a table on AArch64: made at run time (JIT), or a file's that nothing describes. A frame
 * pointer (x29) is believed only if it leads up the stack to a pair whose second word lies behind a
 * call, in code that is mapped; at the leaf x30 is believed if it lies behind a call that can lead
 * here. No word of the stack is guessed. Included by unwind.h; runs only where there is no row.
 */
#ifndef SEAM_ARM64_MADE_H
#define SEAM_ARM64_MADE_H

/* A frame pointer further up the stack than this is none. */
#define SEAM_MADE_FRAME_BYTES (1 << 20)
/* A direct call that leads here leads to the start of this function: no further back than this. */
#define SEAM_MADE_FUNCTION_BYTES (1 << 20)

/* What a word is, taken for a return address into the frame's caller. */
enum seam_return_kind {
	SEAM_RETURN_NONE = 0,
	/* Behind a direct call that leads to another function. */
	SEAM_RETURN_OTHER = 1,
	/* Behind an indirect call. */
	SEAM_RETURN_INDIRECT = 2,
	/* Behind a direct call that may lead to this function. */
	SEAM_RETURN_DIRECT = 3,
};

/* What the instruction before an address says. */
static __always_inline int seam_call_before(__u32 code, __u64 address, __u64 callee)
{
	__u64 target;

	/* bl */
	if (code >> 26 == 0x25) {
		target = address - 4 + (__u64)((__s64)((__u64)code << 38) >> 36);
		return target <= callee && callee - target < SEAM_MADE_FUNCTION_BYTES ?
			       SEAM_RETURN_DIRECT :
			       SEAM_RETURN_OTHER;
	}
	/* blr, and blraa, blrab and theirs with a zero modifier (FEAT_PAuth) */
	if ((code & 0xfffffc1f) == 0xd63f0000 || (code & 0xfefff800) == 0xd63f0800)
		return SEAM_RETURN_INDIRECT;
	return SEAM_RETURN_NONE;
}

/* What `address` is, as the return address of the current frame. Finds its mapping. */
SEAM_APART int seam_return_kind(struct seam_walk *w, __u64 address)
{
	__u32 code = 0;

	if (!w || address < 4096 || (address & 3))
		return SEAM_RETURN_NONE;
	if (seam_find_mapping(w, address - 1) && seam_late_mapping(w, address - 1))
		return SEAM_RETURN_NONE;
	if (seam_read(w, &code, sizeof(code), address - 4))
		return SEAM_RETURN_NONE;
	return seam_call_before(code, address, w->pc);
}

/* A frame that no row describes. 0 = its caller is the current frame. */
SEAM_APART int seam_step_made(struct seam_walk *w)
{
	__u64 fp = 0, outer, pc = 0;
	__u32 in_file, leaf;
	int kind;

	if (!w)
		return 1;
	in_file = w->mapping.table;
	leaf = w->frames == 1 || w->exact;
	if (leaf && !seam_register(w, SEAM_X30, &pc)) {
		pc &= w->address_bits;
		/* A function that has not kept x30, or not yet: the stack is its caller's, if a call led
		 * here. Where it has made room already, the next frame can't be told. */
		if (seam_return_kind(w, pc) == SEAM_RETURN_DIRECT) {
			w->sample.flags |= SEAM_SAMPLE_GUESSED;
			w->known &= SEAM_CALLEE_SAVED | (1u << SEAM_SP);
			w->pc = pc;
			w->exact = 0;
			return 0;
		}
	}
	if (seam_register(w, SEAM_FP, &fp) || (fp & 7) || fp < w->reg[SEAM_SP] ||
	    fp - w->reg[SEAM_SP] > SEAM_MADE_FRAME_BYTES || seam_read_stack(w, &outer, fp) ||
	    seam_read_stack(w, &pc, fp + 8))
		return seam_stop(w, in_file ? SEAM_END_NO_ROW : SEAM_END_MADE_CODE);
	pc &= w->address_bits;
	kind = seam_return_kind(w, pc);
	if (kind == SEAM_RETURN_NONE || (in_file && kind == SEAM_RETURN_OTHER) ||
	    (!w->mapping.table && outer && outer <= fp))
		return seam_stop(w, in_file ? SEAM_END_NO_ROW : SEAM_END_MADE_CODE);
	w->sample.flags |= SEAM_SAMPLE_FRAME_POINTERS;
	w->saved_at[SEAM_FP] = fp;
	w->known = (1u << SEAM_FP) | (1u << SEAM_SP);
	/* The pair may lie anywhere in its frame; this is the least that the caller's stack begins at. */
	w->reg[SEAM_SP] = fp + 16;
	w->pc = pc;
	w->exact = 0;
	return 0;
}

#endif
