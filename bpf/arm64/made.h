/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Code without a table on AArch64: made at run time (JIT), or a file's that nothing describes. A frame
 * pointer (x29) is believed only if it leads up the stack to a pair whose second word lies behind a
 * call, in code that is mapped; at the leaf x30 is believed if it lies behind a call that can lead
 * here. No word of the stack is guessed. Included by unwind.h; runs only where there is no row.
 */
#ifndef SEAM_ARM64_MADE_H
#define SEAM_ARM64_MADE_H

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
