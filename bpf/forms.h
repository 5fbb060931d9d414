/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * What sample.bpf.c asks of the kernel, in two forms that share all else. The usual one uses bpf_loop,
 * bpf_find_vma (both Linux 5.17) and bpf_task_pt_regs (5.15). With SEAM_TAIL_CALLS defined loops are
 * loops, long walks go on in a program called by tail call, and structures are read field by field:
 * that runs on Linux 5.10. User space tries what there is and loads one of them.
 */
#ifndef SEAM_FORMS_H
#define SEAM_FORMS_H

#ifdef SEAM_TAIL_CALLS

/* Programs at perf events may only use hash maps whose memory is taken beforehand (up to Linux 6.0,
 * check_map_prog_compatibility): there is room for less. */
enum seam_room {
	SEAM_ROOM_FLAGS = 0,
	SEAM_ROOM_BLOCKS = 4096,
	SEAM_ROOM_PROCESSES = 8192,
	SEAM_ROOM_LATE = 1024,
};

/* Linux 5.10 passes no pointer but the context to functions that it looks at by themselves. */
#define SEAM_APART static __noinline
typedef __u32 seam_context;
#define SEAM_CALLBACK(name) __noinline long name(__u32 index, seam_context context)

#define seam_each(w, callback, n)                                                                  \
	do {                                                                                       \
		__u32 which_ = (w)->which, i_;                                                     \
		_Pragma("clang loop unroll(disable)") for (i_ = 0; i_ < (n); i_++)                 \
		{                                                                                  \
			if (callback(i_, which_))                                                  \
				break;                                                             \
		}                                                                                  \
	} while (0)

#define seam_get(pointer, field) BPF_CORE_READ(pointer, field)

static __always_inline struct task_struct *seam_current(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

#ifdef SEAM_ARM64
/* THREAD_SIZE with pages of 4 KiB and without KASAN: arch/arm64/include/asm/memory.h, Linux 5.10 to
 * 6.18; pt_regs ends there. */
#define SEAM_THREAD_BYTES (4 * 4096)
/* PSR_MODE_MASK and PSR_MODE32_BIT: 0 is user mode of 64 bits. */
#define SEAM_PSTATE_MODE 0x1f

/* The registers with which a thread left user mode; `room` has place for a copy. 0 = not to be had. */
static __always_inline struct pt_regs *seam_user_regs(struct task_struct *task, void *room)
{
	void *regs = BPF_CORE_READ(task, stack);

	if (!regs)
		return 0;
	regs += SEAM_THREAD_BYTES - bpf_core_type_size(struct pt_regs);
	return BPF_CORE_READ((struct pt_regs *)regs, pstate) & SEAM_PSTATE_MODE ? 0 : regs;
}
#else
/* THREAD_SIZE and what TOP_OF_KERNEL_STACK_PADDING can be (FRED, from 6.9 on), x86-64 without KASAN:
 * arch/x86/include/asm/{page_64_types,thread_info}.h, Linux 5.10 to 6.18 */
#define SEAM_THREAD_BYTES (4 * 4096)
#define SEAM_STACK_PADDING 16
/* Bits of cs: the privilege is that of user mode. At a wrong distance flags lie there, which have the
 * interrupt flag (0x200) set. */
#define SEAM_CS_BITS 0x203
#define SEAM_CS_USER 3

/* The registers with which a thread left user mode; `room` has place for a copy. 0 = not to be had. */
static __always_inline struct pt_regs *seam_user_regs(struct task_struct *task, void *room)
{
	struct pt_regs *regs = room;
	void *top = BPF_CORE_READ(task, stack);

	if (!top)
		return 0;
	top += SEAM_THREAD_BYTES - bpf_core_type_size(struct pt_regs);
	if (!bpf_probe_read_kernel(room, sizeof(*regs), top) &&
	    (regs->cs & SEAM_CS_BITS) == SEAM_CS_USER)
		return regs;
	if (!bpf_probe_read_kernel(room, sizeof(*regs), top - SEAM_STACK_PADDING) &&
	    (regs->cs & SEAM_CS_BITS) == SEAM_CS_USER)
		return regs;
	return 0;
}
#endif

#else

enum seam_room {
	SEAM_ROOM_FLAGS = BPF_F_NO_PREALLOC,
	SEAM_ROOM_BLOCKS = 16384,
	SEAM_ROOM_PROCESSES = 32768,
	SEAM_ROOM_LATE = 32768,
};

/*
 * A function that the verifier looks at by itself and once, because it is not static; its w may be
 * null there. Where it is called from many states it would be looked at in each (on Linux 7.3 the walk
 * came to more than a million instructions).
 */
#define SEAM_APART __noinline
typedef void *seam_context;
#define SEAM_CALLBACK(name) static long name(__u32 index, seam_context context)

#define seam_each(w, callback, n)                                                                  \
	do {                                                                                       \
		__u32 which_ = (w)->which;                                                         \
		bpf_loop(n, callback, &which_, 0);                                                 \
	} while (0)

#define seam_get(pointer, field) ((pointer)->field)

static __always_inline struct task_struct *seam_current(void)
{
	return (struct task_struct *)bpf_get_current_task_btf();
}

/* The registers with which a thread left user mode; 0 = not to be had. */
static __always_inline struct pt_regs *seam_user_regs(struct task_struct *task, void *room)
{
	return (struct pt_regs *)bpf_task_pt_regs(task);
}

#endif
#endif
