/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Stacks through probes that another tool has set in a target (uprobes; kernel/events/uprobes.c and
 * arch/x86/kernel/uprobes.c, Linux 5.17 to 6.18). A probe at a function's return replaces the return
 * address by that of a trampoline, the first slot of the page [uprobes]; the true one is in the
 * task's list. An instruction under a probe is run from another slot of that page, unless the kernel
 * emulates it. Since 6.18 a five-byte nop under a probe becomes a call into [uprobes-trampoline].
 * Included by sample.bpf.c.
 */
#ifndef SEAM_PROBES_H
#define SEAM_PROBES_H

/* UPROBE_XOL_SLOT_BYTES, and the page that has the slots. */
#define SEAM_XOL_SLOT_BYTES 128
#define SEAM_XOL_PAGE_BYTES 4096
/* MAX_URETPROBE_DEPTH */
#define SEAM_RETURNS_MAX 64
/* Words that the return trampoline pushes before its system call (6.11 and newer): rax, rcx, r11. */
#define SEAM_TRAMPOLINE_WORDS 3
/* Bytes of a trampoline: seven pushes and pops, a system call, a return. */
#define SEAM_TRAMPOLINE_BYTES 32
#define SEAM_TRAMPOLINE_INSTRUCTIONS 10
/* MMF_HAS_UPROBES, include/linux/mm_types.h */
#define SEAM_MM_HAS_UPROBES 19

/* mm->flags is a number up to 6.17 and a structure from 6.18 on. */
struct mm_struct___number {
	unsigned long flags;
} __attribute__((preserve_access_index));
struct seam_mm_flags___bits {
	unsigned long word[1];
} __attribute__((preserve_access_index));
struct mm_struct___bits {
	struct seam_mm_flags___bits flags;
} __attribute__((preserve_access_index));

/* Whether the current task's memory has probes in it. */
static __always_inline int has_probes(struct mm_struct *mm)
{
	__u64 flags = 0, at;

	if (bpf_core_field_exists(struct mm_struct___number, flags))
		at = bpf_core_field_offset(struct mm_struct___number, flags);
	else if (bpf_core_field_exists(struct mm_struct___bits, flags))
		at = bpf_core_field_offset(struct mm_struct___bits, flags);
	else
		return 0;
	return !bpf_probe_read_kernel(&flags, sizeof(flags), (void *)mm + at) &&
	       flags >> SEAM_MM_HAS_UPROBES & 1;
}

/*
 * From the trap of a probe until the kernel looks at it (handle_swbp), the saved pc is behind the
 * breakpoint's one byte, in the midst of an instruction that has not run. Go fills up to the start of
 * a function with the same byte, so an aligned pc is left alone.
 */
static __noinline int before_breakpoint(struct seam_walk *w)
{
	struct mm_struct *mm = seam_get(seam_current(), mm);
	__u8 byte = 0;

	if (!w || !mm || !has_probes(mm))
		return 0;
	w->probed = 1;
	if ((w->pc & 15) && !bpf_probe_read_user(&byte, 1, (void *)(w->pc - 1)) && byte == 0xcc)
		w->pc--;
	return 0;
}

/* One instruction of a trampoline: w->guess counts bytes, w->guess_end is the stack pointer. */
SEAM_CALLBACK(trampoline_instruction)
{
	struct seam_walk *w = seam_walk_of(context);
	__u8 byte, next;
	__u64 at;

	if (!w)
		return 1;
	at = w->guess;
	seam_opaque(at);
	if (at >= SEAM_TRAMPOLINE_BYTES)
		return 1;
	byte = w->scratch[at];
	next = w->scratch[at + 1];
	if (byte == 0x41) {
		/* r8 to r15 */
		byte = next;
		at++;
	}
	if ((byte & 0xf8) == 0x50) {
		w->guess_end -= 8;
		at += 1;
	} else if ((byte & 0xf8) == 0x58) {
		w->guess_end += 8;
		at += 1;
	} else if (byte == 0x48 && next == 0xc7) {
		/* mov $number,%rax */
		at += 7;
	} else if (byte == 0x0f && next == 0x05) {
		at += 2;
	} else {
		w->guess_pc = byte == 0xc3;
		return 1;
	}
	w->guess = at;
	return 0;
}

/*
 * In a trampoline that ends by a return: what it will have taken off the stack by then. 0 = the
 * caller is the current frame, 1 = these bytes are of no trampoline, -1 = it is not to be had.
 */
static __noinline int leave_trampoline(struct seam_walk *w)
{
	__u64 pc;

	if (bpf_probe_read_user(w->scratch, SEAM_TRAMPOLINE_BYTES, (void *)w->pc))
		return 1;
	w->guess = 0;
	w->guess_end = w->reg[SEAM_RSP];
	w->guess_pc = 0;
	seam_each(w, trampoline_instruction, SEAM_TRAMPOLINE_INSTRUCTIONS);
	if (!w->guess_pc || bpf_probe_read_user(&pc, 8, (void *)w->guess_end))
		return 1;
	/* While the kernel puts the stack in order its words are not what the pc says. */
	if (!seam_return_kind(w, pc))
		return -1;
	w->reg[SEAM_RSP] = w->guess_end + 8;
	w->pc = pc;
	w->exact = 0;
	return 0;
}

/* One entry of the task's list of replaced return addresses, w->guess. */
SEAM_CALLBACK(return_instance)
{
	struct seam_walk *w = seam_walk_of(context);
	struct return_instance *instance;
	__u64 above;

	if (!w || !w->guess)
		return 1;
	instance = (struct return_instance *)w->guess;
	above = BPF_CORE_READ(instance, stack) + 8 - w->reg[SEAM_RSP];
	if (above == 0 || (w->frames == 1 && !(above & 7) && above <= 8 * SEAM_TRAMPOLINE_WORDS)) {
		w->guess_pc = BPF_CORE_READ(instance, orig_ret_vaddr);
		w->guess_end = above;
		return 1;
	}
	w->guess = (__u64)BPF_CORE_READ(instance, next);
	return 0;
}

/*
 * In the trampoline of a return probe, or returning to it: the return address that it stands for. At
 * a return address the stack pointer is the one behind the return; in the trampoline words may have
 * been pushed since.
 */
static __always_inline int leave_return_probe(struct seam_walk *w, struct uprobe_task *utask)
{
	w->guess = (__u64)BPF_CORE_READ(utask, return_instances);
	w->guess_pc = 0;
	seam_each(w, return_instance, SEAM_RETURNS_MAX);
	if (w->guess_pc) {
		w->reg[SEAM_RSP] += w->guess_end;
		w->pc = w->guess_pc;
		w->exact = 0;
		return 0;
	}
	/*
	 * Behind its system call the kernel has taken it off the list and put it on the stack. Further
	 * out: the return address is replaced before it is noted (prepare_uretprobe).
	 */
	return w->frames == 1 && !leave_trampoline(w) ? 0 : -1;
}

/* 0 = pc stands for another one, 1 = it is no probe's, -1 = it is and what it stands for is lost. */
static __noinline int seam_leave_probe(struct seam_walk *w)
{
	struct task_struct *task = seam_current();
	struct uprobe_task *utask;
	struct xol_area *area;
	__u64 page, slot;

	if (!w || !seam_get(task, mm) || !bpf_core_field_exists(struct task_struct, utask))
		return 1;
	area = BPF_CORE_READ(task, mm, uprobes_state.xol_area);
	page = area ? BPF_CORE_READ(area, vaddr) : 0;
	if (!page || w->pc < page || w->pc >= page + SEAM_XOL_PAGE_BYTES) {
		if (w->mapping.table || w->mapping.index_word != SEAM_CODE_PROBE ||
		    !seam_covers(&w->mapping, w->pc))
			return 1;
		return leave_trampoline(w);
	}
	utask = BPF_CORE_READ(task, utask);
	if (!utask)
		return 1;
	slot = w->pc - BPF_CORE_READ(utask, xol_vaddr);
	if (BPF_CORE_READ(utask, active_uprobe) && slot < SEAM_XOL_SLOT_BYTES) {
		/* The instruction's copy: the same distance from the instruction itself. */
		w->pc = BPF_CORE_READ(utask, vaddr) + slot;
		return 0;
	}
	if (w->pc >= page + SEAM_XOL_SLOT_BYTES)
		return 1;
	return leave_return_probe(w, utask);
}

#endif
