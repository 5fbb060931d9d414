/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The stack walk, the only one in seam: compiled for BPF (sample.bpf.c) and for the host
 * (crates/unwind). It turns registers and unwind tables into return addresses and crosses every
 * place where Go's runtime changes stacks. It does not know where tables, mappings or memory come
 * from: the includer defines these first.
 *
 * int seam_read(struct seam_walk *w, void *dst, __u32 size, __u64 address): 0 = read
 * const struct seam_mapping_block *seam_mapping_block_at(struct seam_walk *w, __u32 block)
 * void *seam_table_at(struct seam_walk *w, __u32 table)
 * const struct seam_table_block *seam_block_of(struct seam_walk *w, void *table, __u32 block)
 * int seam_late_mapping(struct seam_walk *w, __u64 pc): a mapping outside the set; 0 = in w->mapping
 * int seam_runtime_at(struct seam_walk *w, __u32 index): the process's Go runtime of that index; 0 =
 *	in w->runtime
 * int seam_leave_probe(struct seam_walk *w): 0 = pc was another tool's probe's, and is what it
 *	stands for now; -1 = it is one, and what it stands for is not known
 * seam_each(w, callback, n): calls callback(0 .. n-1, context) until it returns 1
 * struct seam_walk *seam_walk_of(seam_context context): the w that such a callback is for
 * SEAM_CALLBACK(name): begins the definition of one, with `index` and `context`
 * SEAM_APART: before a function that BPF's verifier shall look at by itself
 */
#ifndef SEAM_UNWIND_H
#define SEAM_UNWIND_H

#include "walk.h"

static __always_inline int seam_stop(struct seam_walk *w, __u32 end)
{
	w->end = end;
	w->end_pc = w->pc;
	return 1;
}

static __always_inline int seam_read_word(struct seam_walk *w, __u64 *word, __u64 address)
{
	return seam_read(w, word, 8, address);
}

/* Hides where a value comes from, or clang tests one copy of an index and uses another, and the
 * kernel's verifier does not see that the used one is bounded. */
#define seam_opaque(value) asm volatile("" : "+r"(value))

/* A word of the stack being walked, towards its root. */
static __always_inline int seam_read_stack(struct seam_walk *w, __u64 *word, __u64 address)
{
	__u64 at = address - w->window_start;

	if (at < 8 * SEAM_WINDOW_WORDS && !(at & 7)) {
		at >>= 3;
		seam_opaque(at);
		*word = w->window[at & (SEAM_WINDOW_WORDS - 1)];
		return 0;
	}
	if (w->window_off || seam_read(w, w->window, 8 * SEAM_WINDOW_WORDS, address)) {
		/* Near the end of a mapping: word by word from here on. */
		w->window_off = 1;
		w->window_start = ~0ULL - 8 * SEAM_WINDOW_WORDS;
		return seam_read_word(w, word, address);
	}
	w->window_start = address;
	*word = w->window[0];
	return 0;
}

/* Keeps the leaf-most frames and, in a ring, the last ones. */
static __always_inline void seam_push(struct seam_walk *w)
{
	__u32 n = w->frames;
	__u64 slot = n;

	if (n >= SEAM_LEAF_FRAMES)
		slot = SEAM_LEAF_FRAMES + (n - SEAM_LEAF_FRAMES) % SEAM_ROOT_FRAMES;
	slot += w->sample.kernel_frames;
	seam_opaque(slot);
	if (slot < SEAM_KERNEL_FRAMES + SEAM_USER_FRAMES)
		w->frame[slot] = w->pc | ((__u64)(w->exact ? SEAM_FRAME_EXACT : 0)
					  << SEAM_FRAME_FLAG_SHIFT);
	w->frames = n + 1;
}

static __always_inline int seam_covers(const struct seam_mapping *m, __u64 pc)
{
	return pc >= m->start && pc < m->end;
}

/* Finds the mapping of pc, most often the one used last or the one before. 0 = found. */
static __always_inline int seam_find_mapping(struct seam_walk *w, __u64 pc)
{
	const struct seam_mapping_block *block;
	__u32 low = 0, n, i, half;

	if (seam_covers(&w->mapping, pc))
		return 0;
	if (seam_covers(&w->previous, pc)) {
		w->swap = w->previous;
		w->previous = w->mapping;
		w->mapping = w->swap;
		return 0;
	}
	/* The last block whose first mapping starts at or below pc ... */
	n = (w->mapping_count + SEAM_MAPPINGS_PER_BLOCK - 1) / SEAM_MAPPINGS_PER_BLOCK;
	for (i = 0; i < 8 && n > 1; i++) {
		half = n >> 1;
		block = seam_mapping_block_at(w, low + half);
		if (!block)
			return 1;
		if (block->mapping[0].start <= pc) {
			low += half;
			n -= half;
		} else {
			n = half;
		}
	}
	block = seam_mapping_block_at(w, low);
	if (!block)
		return 1;
	/* ... and in it the last such mapping. Unused entries at its end start at ~0. */
	n = 0;
	for (i = SEAM_MAPPINGS_PER_BLOCK / 2; i > 0; i >>= 1) {
		if (block->mapping[(n + i) & (SEAM_MAPPINGS_PER_BLOCK - 1)].start <= pc)
			n += i;
	}
	n &= SEAM_MAPPINGS_PER_BLOCK - 1;
	if (!seam_covers(&block->mapping[n], pc))
		return 1;
	w->previous = w->mapping;
	w->mapping = block->mapping[n];
	return 0;
}

/* Finds the rule in force at pc, which lies in w->mapping. 0 = found. */
static __always_inline int seam_find_rule(struct seam_walk *w, __u64 pc, struct seam_rule *rule)
{
	__u64 offset = pc - w->mapping.bias;
	__u64 page = offset / SEAM_PAGE_BYTES;
	__u32 low8 = offset & (SEAM_PAGE_BYTES - 1);
	__u32 word, row, n, half, i;
	const struct seam_table_block *block;
	void *table = seam_table_at(w, w->mapping.table);

	if (!table || page >= w->mapping.pages)
		return 1;
	word = w->mapping.index_word + (__u32)page;
	block = seam_block_of(w, table, word / SEAM_BLOCK_WORDS);
	if (!block)
		return 1;
	word = block->word[word & (SEAM_BLOCK_WORDS - 1)];
	/* An index word: first row in the upper 24 bits, rows of the page - 1 in the lower 8. */
	n = (word & 255) + 1;
	row = word >> 8;
	block = seam_block_of(w, table, row / SEAM_BLOCK_WORDS);
	if (!block)
		return 1;
	/* The rows of a page never cross a block; the first starts at the page's start. */
	for (i = 0; i < 8 && n > 1; i++) {
		half = n >> 1;
		if ((block->word[(row + half) & (SEAM_BLOCK_WORDS - 1)] & 255) <= low8) {
			row += half;
			n -= half;
		} else {
			n = half;
		}
	}
	/* A row: low byte of the pc, and the rule's number, which counts from the table's start. */
	word = (block->word[row & (SEAM_BLOCK_WORDS - 1)] >> 8) * 4;
	block = seam_block_of(w, table, word / SEAM_BLOCK_WORDS);
	if (!block)
		return 1;
	word &= SEAM_BLOCK_WORDS - 4;
	*rule = *(const struct seam_rule *)&block->word[word];
	return 0;
}

/* The value of a register in the frame being walked. 0 = known. */
static __always_inline int seam_register(struct seam_walk *w, __u32 number, __u64 *value)
{
	number &= SEAM_WALK_REGISTERS - 1;
	if (!(w->known & (1u << number)))
		return 1;
	if (w->saved_at[number])
		return seam_read_word(w, value, w->saved_at[number]);
	*value = w->reg[number];
	return 0;
}

/* What a rule's CFA counts from: sp is always known. 0 = known. */
static __always_inline int seam_base(struct seam_walk *w, const struct seam_rule *rule, __u64 *base)
{
	if (rule->base != SEAM_SP)
		return seam_register(w, rule->base, base);
	*base = w->reg[SEAM_SP];
	return 0;
}

/* Notes where the frame being left keeps a register: `n` words below `base`, 0 = it holds the
 * caller's value still. */
static __always_inline void seam_saved(struct seam_walk *w, __u32 number, __u32 n, __u32 lost,
				       __u64 base)
{
	if (!n)
		return;
	if (n == lost) {
		w->known &= ~(1u << number);
		return;
	}
	w->saved_at[number] = base - 8 * (__u64)n;
	w->known |= 1u << number;
}

/* Goes on at a place on another stack, where no register but sp is known. */
static __always_inline int seam_switch(struct seam_walk *w, __u64 sp, __u64 pc, __u32 exact)
{
	w->known = 1u << SEAM_SP;
	w->reg[SEAM_SP] = sp;
	w->pc = pc;
	w->exact = exact;
	return 0;
}

#ifdef SEAM_ARM64
#include "arm64/return.h"
#else
#include "x86_64/return.h"
#endif
#include "go.h"
#include "labels.h"
#include "calls.h"
#ifdef SEAM_ARM64
#include "arm64/made.h"
#include "arm64/steps.h"
#else
#include "x86_64/made.h"
#include "x86_64/steps.h"
#endif

/* Rules that need nothing of Go. */
static __always_inline int seam_step_plain(struct seam_walk *w, const struct seam_rule *rule)
{
	__u64 base;

	switch (rule->kind) {
	case SEAM_RULE_CFA:
		if (seam_base(w, rule, &base))
			return seam_stop(w, SEAM_END_REGISTER_LOST);
		return seam_return(w, rule, base + (__s64)rule->cfa_offset);
	case SEAM_RULE_DEREF:
		if (seam_base(w, rule, &base))
			return seam_stop(w, SEAM_END_REGISTER_LOST);
		if (seam_read_word(w, &base, base + (__s64)rule->deref_offset))
			return seam_stop(w, SEAM_END_READ_STACK);
		return seam_return(w, rule, base + (__s64)rule->cfa_offset);
	case SEAM_RULE_CLONE:
		/* The kernel starts the child with 0 as the result: copy_thread, Linux 5.10 to 6.18. */
		if (w->frames == 1 && w->reg[SEAM_RESULT] == 0)
			return seam_stop(w, SEAM_END_ROOT_CHILD);
		return seam_return(w, rule, w->reg[SEAM_SP] + (__s64)rule->cfa_offset);
	case SEAM_RULE_ROOT:
		return seam_stop(w, rule->base);
	case SEAM_RULE_SIGNAL:
		return seam_step_signal(w);
	default:
		return seam_step_own(w, rule);
	}
}

/* A frame in no mapping that is known, or in one without a table. 0 = there is a caller. */
static __noinline int seam_step_without_table(struct seam_walk *w, int mapped)
{
	int probe = seam_leave_probe(w);

	if (!probe) {
		/* It was no frame. */
		w->frames--;
		return 0;
	}
	/* The kernel may be in the midst of moving sp and pc (sys_uprobe in
	 * arch/x86/kernel/uprobes.c, Linux 6.18). */
	if (probe < 0 || (!mapped && w->probed && w->frames == 2))
		return seam_stop(w, SEAM_END_URETPROBE);
	if (!mapped)
		return seam_stop(w, w->mapping_count ? SEAM_END_NO_MAPPING :
						       SEAM_END_TABLE_NOT_READY);
	if (w->mapping.pages)
		return seam_stop(w, SEAM_END_TABLE_NOT_READY);
	if (w->mapping.index_word == SEAM_CODE_MADE)
		return seam_step_made(w);
	return seam_stop(w, w->mapping.index_word == SEAM_CODE_PROBE ? SEAM_END_URETPROBE :
								       SEAM_END_NO_TABLE);
}

/* Records the current frame and goes to its caller. 0 = there is one. */
static __always_inline int seam_step(struct seam_walk *w)
{
	struct seam_rule rule;
	/* A call may be its function's last instruction: a return address belongs to the call. */
	__u64 pc = w->exact ? w->pc : w->pc - 1;

	if (!w->pc)
		return seam_stop(w, SEAM_END_NULL_PC);
	seam_push(w);
	if (seam_find_mapping(w, pc) && seam_late_mapping(w, pc))
		return seam_step_without_table(w, 0);
	if (!w->mapping.table)
		return seam_step_without_table(w, 1);
	if (seam_find_rule(w, pc, &rule))
		return seam_stop(w, SEAM_END_NO_ROW);
	if ((rule.flags & SEAM_RULE_GO_CODE) && w->mapping.go != w->go.runtime && w->mapping.go)
		seam_enter_runtime(w);
	if (rule.flags & SEAM_RULE_SCHEDULER)
		w->scheduler = 1;
	if (rule.kind >= SEAM_RULE_ASMCGOCALL && rule.kind <= SEAM_RULE_GOGO)
		return seam_step_go(w, &rule);
	return seam_step_plain(w, &rule);
}

/*
 * Whether the thread has never been in user mode: the kernel made it in the process for its own work
 * (io_uring, vhost), with empty registers but its maker's thread pointer (create_io_thread and
 * copy_thread, kernel/fork.c and arch/.../process.c, Linux 5.12 to 6.18). It has no user stack, and
 * no goroutine.
 */
static __always_inline int seam_in_kernel_only(struct seam_walk *w)
{
	return !w->pc && !w->reg[SEAM_SP];
}

static __always_inline int seam_executes(__s64 syscall)
{
	return syscall == SEAM_SYSCALL_EXECVE || syscall == SEAM_SYSCALL_EXECVEAT;
}

/* Sets the walk up; the caller has filled reg, pc, fsbase, mapping_set and mapping_count. */
static __always_inline void seam_start_walk(struct seam_walk *w, __s64 syscall)
{
	__u32 i;

	for (i = 0; i < SEAM_WALK_REGISTERS; i++)
		w->saved_at[i] = 0;
	w->known = SEAM_ALL_REGISTERS;
	w->exact = !seam_behind_syscall(w, syscall);
	w->frames = 0;
	w->end = SEAM_END_NOT_WALKED;
	w->end_pc = 0;
	w->scheduler = 0;
	w->cloning = seam_makes_child(syscall);
#ifdef SEAM_ARM64
	w->pushing = 0;
#endif
	w->callbacks = 0;
	w->window_off = 0;
	w->window_start = ~0ULL - 8 * SEAM_WINDOW_WORDS;
	w->callbacks_lost = 0;
	/* Sets never change and numbers are never used again: what was found last still holds. */
	if (w->cached_set != w->mapping_set) {
		w->cached_set = w->mapping_set;
		w->mapping.start = w->mapping.end = 0;
		w->previous.start = w->previous.end = 0;
	}
	/* The registers are the old program's, the memory may be the new's. */
	if (seam_executes(syscall) && !w->before_exec)
		seam_stop(w, SEAM_END_ROOT_EXEC);
	/* A thread or process that was just made. */
	if (w->cloning && w->reg[SEAM_RESULT] == 0) {
		seam_push(w);
		seam_stop(w, SEAM_END_ROOT_CHILD);
	}
}

#endif
