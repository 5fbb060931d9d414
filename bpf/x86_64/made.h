/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Code made at run time (JIT): no table describes it. Most compilers keep frame pointers there; one
 * is believed only if it leads up the stack to an address behind a call, in code that is mapped.
 * Else the next such word on the stack is taken for the return address: a guess, and the sample
 * says so. Included by unwind.h; all of it runs only where there is no table.
 */
#ifndef SEAM_MADE_H
#define SEAM_MADE_H

/* Words of stack that are looked at for a return address. */
#define SEAM_GUESS_WORDS 64

/* The caller's frame: its stack pointer, its pc, and where rbp was saved (0 = it still holds it). */
static __always_inline int seam_to_made_caller(struct seam_walk *w, __u64 cfa, __u64 pc,
					       __u64 saved_rbp)
{
	if (saved_rbp) {
		w->saved_at[SEAM_RBP] = saved_rbp;
		w->known |= 1u << SEAM_RBP;
	}
	w->known &= SEAM_CALLEE_SAVED | (1u << SEAM_RSP);
	w->reg[SEAM_RSP] = cfa;
	w->pc = pc;
	w->exact = 0;
	return 0;
}

/*
 * The first and last instructions of a function with a frame pointer, where rbp is the caller's.
 * Gives how many words above the stack pointer the return address lies, -1 = elsewhere.
 */
static __always_inline int seam_made_edge(struct seam_walk *w)
{
	__u64 word[2] = {}, code;

	if (seam_read(w, word, sizeof(word), w->pc - 1))
		return -1;
	code = word[0] >> 8 | word[1] << 56;
	/* ret */
	if ((code & 0xff) == 0xc3 || (code & 0xff) == 0xc2)
		return 0;
	/* pop %rbp; ret */
	if ((code & 0xffff) == 0xc35d || (code & 0xffff) == 0xc25d)
		return 1;
	/* push %rbp behind us: mov %rsp,%rbp in both encodings */
	if ((word[0] & 0xff) == 0x55 &&
	    ((code & 0xffffff) == 0xe58948 || (code & 0xffffff) == 0xec8b48))
		return 1;
	/* endbr64 */
	if ((code & 0xffffffff) == 0xfa1e0ff3)
		code >>= 32;
	/* push %rbp; mov %rsp,%rbp */
	if ((code & 0xffffffff) == 0xe5894855 || (code & 0xffffffff) == 0xec8b4855)
		return 0;
	return -1;
}

/* A word of the stack that may be the return address; its place goes to w->guess. 0 = go on. */
static __always_inline long seam_guess_word(struct seam_walk *w, __u32 index)
{
	__u64 at = w->reg[SEAM_RSP] + 8 * (__u64)index, word;

	if (at >= w->guess_end || seam_read_stack(w, &word, at))
		return 1;
	if (seam_return_kind(w, word) < SEAM_RETURN_INDIRECT)
		return 0;
	w->guess = at;
	w->guess_pc = word;
	return 1;
}

SEAM_CALLBACK(seam_each_guess)
{
	struct seam_walk *w = seam_walk_of(context);

	return w ? seam_guess_word(w, index) : 1;
}

/* Looks for a return address from the stack pointer up to `end`. 0 = found. */
static __always_inline int seam_guess(struct seam_walk *w, __u64 end)
{
	w->guess = 0;
	w->guess_end = end;
	seam_each(w, seam_each_guess, SEAM_GUESS_WORDS);
	return !w->guess;
}

/*
 * Whether `rbp` is the frame pointer of this frame, and what its return address is then. Where the
 * caller is made at run time too, the chain must go on up the stack; C keeps anything in rbp.
 */
static __always_inline int seam_made_frame(struct seam_walk *w, __u64 rbp, __u64 *pc)
{
	__u64 sp = w->reg[SEAM_RSP], outer;
	int kind;

	if ((rbp & 7) || rbp < sp || rbp - sp > SEAM_MADE_FRAME_BYTES)
		return SEAM_RETURN_NONE;
	if (seam_read_stack(w, &outer, rbp) || seam_read_stack(w, pc, rbp + 8))
		return SEAM_RETURN_NONE;
	kind = seam_return_kind(w, *pc);
	if (kind && !w->mapping.table && outer && outer <= rbp)
		return SEAM_RETURN_NONE;
	return kind;
}

/*
 * A frame of code made at run time, or of a file's code that has no rows. There no address is guessed
 * but at the leaf: assembly is not written in one way, and stacks have ends. 0 = its caller is the
 * current frame.
 */
SEAM_APART int seam_step_made(struct seam_walk *w)
{
	int leaf, words, kind = SEAM_RETURN_NONE, known;
	__u64 sp, rbp = 0, pc = 0, end;
	__u32 in_file;

	if (!w)
		return 1;
	sp = w->reg[SEAM_RSP];
	leaf = w->frames == 1 || w->exact;
	in_file = w->mapping.table;
	known = !seam_register(w, SEAM_RBP, &rbp);
	if (leaf) {
		words = seam_made_edge(w);
		if (words >= 0 && !seam_read_stack(w, &pc, sp + 8 * (__u64)words) &&
		    seam_return_kind(w, pc) != SEAM_RETURN_NONE) {
			w->sample.flags |= SEAM_SAMPLE_FRAME_POINTERS;
			return seam_to_made_caller(w, sp + 8 * (__u64)words + 8, pc,
						   words ? sp : 0);
		}
		/* A function without a frame: it has saved nothing. */
		if (!seam_read_stack(w, &pc, sp) && seam_return_kind(w, pc) >= SEAM_RETURN_INDIRECT) {
			w->sample.flags |= SEAM_SAMPLE_GUESSED;
			return seam_to_made_caller(w, sp + 8, pc, 0);
		}
	}
	if (known)
		kind = seam_made_frame(w, rbp, &pc);
	if (kind >= SEAM_RETURN_INDIRECT) {
		w->sample.flags |= SEAM_SAMPLE_FRAME_POINTERS;
		w->known &= ~SEAM_CALLEE_SAVED;
		return seam_to_made_caller(w, rbp + 16, pc, rbp);
	}
	if (in_file && kind == SEAM_RETURN_NONE)
		return seam_stop(w, SEAM_END_NO_ROW);
	/* Perhaps the frame pointer of a caller: then the return address lies below it. */
	end = kind == SEAM_RETURN_OTHER ? rbp : ~0ULL;
	if (!seam_guess(w, end)) {
		if (in_file)
			return seam_stop(w, SEAM_END_NO_ROW);
		w->sample.flags |= SEAM_SAMPLE_GUESSED;
		known = known && !(rbp & 7) && rbp > w->guess &&
			rbp - w->guess < SEAM_MADE_FRAME_BYTES;
		w->known &= ~(SEAM_CALLEE_SAVED & ~(known ? 1u << SEAM_RBP : 0u));
		return seam_to_made_caller(w, w->guess + 8, w->guess_pc, 0);
	}
	if (kind == SEAM_RETURN_OTHER) {
		/* There is none, so the called function has jumped to this one. */
		w->sample.flags |= rbp - sp <= 8 * SEAM_GUESS_WORDS ? SEAM_SAMPLE_FRAME_POINTERS :
								      SEAM_SAMPLE_GUESSED;
		w->known &= ~SEAM_CALLEE_SAVED;
		return seam_to_made_caller(w, rbp + 16, pc, rbp);
	}
	return seam_stop(w, SEAM_END_MADE_CODE);
}

#endif
