/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The one definition of everything that crosses the border between the kernel side, the host build
 * of the walk and Rust: limits, record layouts, map values, rule kinds. It holds no logic.
 * `cargo xtask codegen` writes crates/wire/src/generated.rs from it.
 */
#ifndef SEAM_WIRE_H
#define SEAM_WIRE_H

#if !defined(__bpf__)
#include <stdint.h>
typedef uint8_t __u8;
typedef int8_t __s8;
typedef uint16_t __u16;
typedef int16_t __s16;
typedef uint32_t __u32;
typedef int32_t __s32;
typedef uint64_t __u64;
typedef int64_t __s64;
#endif

enum seam_limits {
	/* Kept user frames: the leaf-most SEAM_LEAF_FRAMES and the last SEAM_ROOT_FRAMES. */
	SEAM_LEAF_FRAMES = 384,
	SEAM_ROOT_FRAMES = 128,
	SEAM_USER_FRAMES = 512,
	/* What bpf_get_stack may return; the kernel's own default for perf_event_max_stack. */
	SEAM_KERNEL_FRAMES = 127,
	/* Of a thread that is looked at; the record lies on the BPF stack of 512 bytes. */
	SEAM_THREAD_KERNEL_FRAMES = 20,
	/* Physical frames walked before the walk gives up; 4,000-deep recursion fits twice. */
	SEAM_STEPS = 8192,
	/* A table is an array of blocks: a lookup touches at most three of them. */
	SEAM_BLOCK_WORDS = 1024,
	/* One index word for this many bytes of code. */
	SEAM_PAGE_BYTES = 256,
	SEAM_MAPPINGS_PER_BLOCK = 32,
	SEAM_MAPPING_BLOCKS = 128,
	/* Mappings kept of those made since the mapping set in force was put together. */
	SEAM_LATE_MAPPINGS = 32,
	/* Empty mapping sets for processes that execute something before user space knows them. */
	SEAM_SPARE_SETS = 512,
	/* Go runtimes (c-shared modules have one each) followed in one process. */
	SEAM_GO_RUNTIMES = 4,
	/* Bytes of m and of g that are read in one go; a field in use lies below. */
	SEAM_M_BYTES = 320,
	SEAM_G_BYTES = 376,
	SEAM_COMM_BYTES = 16,
	/* A goroutine's labels: how many, bytes of a key and of a value (bit masks), bytes of all. */
	SEAM_LABELS_MAX = 16,
	SEAM_LABEL_KEY_BYTES = 63,
	SEAM_LABEL_VALUE_BYTES = 127,
	SEAM_LABELS_BYTES = 1024,
	/* What is kept for other profilers' ways to walk: frames, and bytes of stack, as perf's own. */
	SEAM_PEER_FRAMES = 127,
	SEAM_PEER_STACK = 8192,
};

/* x86-64 registers by DWARF number (System V psABI, 3.6.2). */
enum seam_register {
	SEAM_RAX = 0,
	SEAM_RDX = 1,
	SEAM_RCX = 2,
	SEAM_RBX = 3,
	SEAM_RSI = 4,
	SEAM_RDI = 5,
	SEAM_RBP = 6,
	SEAM_RSP = 7,
	SEAM_R8 = 8,
	SEAM_R9 = 9,
	SEAM_R10 = 10,
	SEAM_R11 = 11,
	SEAM_R12 = 12,
	SEAM_R13 = 13,
	SEAM_R14 = 14,
	SEAM_R15 = 15,
	SEAM_REGISTERS = 16,
};

/* Those of AArch64 that are named (AADWARF64, 4.1); x0 to x30, then the stack pointer. */
enum seam_register_arm64 {
	SEAM_X0 = 0,
	SEAM_X3 = 3,
	SEAM_X8 = 8,
	SEAM_X19 = 19,
	SEAM_X20 = 20,
	SEAM_X21 = 21,
	SEAM_X28 = 28,
	SEAM_X29 = 29,
	SEAM_X30 = 30,
	SEAM_ARM64_SP = 31,
	SEAM_ARM64_REGISTERS = 32,
};

/* What a row tells the walk to do. */
enum seam_rule_kind {
	/* No unwind information covers this pc. */
	SEAM_RULE_NONE = 0,
	/* CFA = base register + cfa_offset; return address at CFA-8. */
	SEAM_RULE_CFA = 1,
	/* CFA = *(base register + deref_offset) + cfa_offset; return address at CFA-8. */
	SEAM_RULE_DEREF = 2,
	/* The outermost frame of its thread or goroutine. */
	SEAM_RULE_ROOT = 3,
	/* rt_sigreturn trampoline: a ucontext lies at the stack pointer. */
	SEAM_RULE_SIGNAL = 4,
	/* A lazy PLT slot: one more word is pushed from byte deref_offset of its 16 on. */
	SEAM_RULE_PLT = 5,
	/* The word that describes the location could not be expressed as a rule. */
	SEAM_RULE_UNSUPPORTED = 6,
	/* The rest are places where the Go runtime changes stacks (see unwind.h). */
	SEAM_RULE_ASMCGOCALL = 7,
	SEAM_RULE_SYSTEMSTACK = 8,
	SEAM_RULE_CGOCALLBACK = 9,
	SEAM_RULE_CGOCALLBACK_ON_G0 = 10,
	SEAM_RULE_MCALL = 11,
	SEAM_RULE_MORESTACK = 12,
	SEAM_RULE_GOGO = 13,
	/* After the clone system call: the child has no caller, the parent has. */
	SEAM_RULE_CLONE = 14,
	/* A chain of frame pointers: CFA = RBP + 16. Only where it was checked to hold. */
	SEAM_RULE_FRAME_POINTER = 15,
	/*
	 * CFA = base register + cfa_offset, but the return address is at base register + deref_offset,
	 * or with SEAM_RULE_IN_REGISTER in the register of that number.
	 */
	SEAM_RULE_RETURN_APART = 16,
	/* CFA = *(RSP + 8 * base register + deref_offset) + cfa_offset: libcrypto's bn_mul_mont. */
	SEAM_RULE_DEREF_INDEXED = 17,
	/* AArch64: CFA = sp, return address in x30, and x30 of the caller in the base register. */
	SEAM_RULE_LINK_KEPT = 18,
};

enum seam_rule_flags {
	/* The address above this frame is an interrupted pc, not a return address. */
	SEAM_RULE_EXACT_CALLER = 1,
	/* SEAM_RULE_MCALL, SEAM_RULE_GOGO: the value is in `base`, not in memory yet or any more. */
	SEAM_RULE_IN_REGISTER = 2,
	/* Rows derived from instructions, not from unwind information. */
	SEAM_RULE_DERIVED = 4,
	/* A frame of the Go scheduler: the goroutine that got here no longer owns the thread. */
	SEAM_RULE_SCHEDULER = 8,
	/* Registers were saved relative to RBP + 8 instead of the CFA (realigned stacks). */
	SEAM_RULE_SAVED_BY_RBP = 16,
	/* The CFA lies on another stack: it need not be above the stack pointer. */
	SEAM_RULE_OTHER_STACK = 32,
	/* Go's code, as its own table says; C linked into the same file is not. */
	SEAM_RULE_GO_CODE = 64,
	/* AArch64: a signal handler's function that pushes a call onto the interrupted stack. */
	SEAM_RULE_PUSHES = 128,
};

/*
 * One unwind rule, 16 bytes. What cfa_offset and deref_offset mean for the runtime's switches is
 * said in unwind.h beside each rule's code. For SEAM_RULE_ROOT, base is the end code. A saved register lies at CFA - 8*n; n = 0 means the register still
 * holds the caller's value, SEAM_SAVED_LOST that its value cannot be known.
 */
struct seam_rule {
	__u8 kind;
	__u8 base;
	__u8 flags;
	__u8 saved_rbx;
	__s32 cfa_offset;
	__s16 deref_offset;
	__u16 saved_rbp;
	__u8 saved_r12;
	__u8 saved_r13;
	__u8 saved_r14;
	__u8 saved_r15;
};

/*
 * The same for code of AArch64, where the return address has no place of its own: saved_x30 = 0 means
 * that it is in x30 still. The first ten bytes mean the same.
 */
struct seam_rule_arm64 {
	__u8 kind;
	__u8 base;
	__u8 flags;
	__u8 saved_x19;
	__s32 cfa_offset;
	__s16 deref_offset;
	__u16 saved_x29;
	__u16 saved_x30;
	__u8 saved_x20;
	__u8 saved_x21;
};

enum seam_saved {
	SEAM_SAVED_SAME = 0,
	SEAM_SAVED_LOST = 255,
	/* In a field of 16 bits: RBP, x29, x30. */
	SEAM_SAVED_WIDE_LOST = 65535,
};

/* An executable mapping of a process. A set of them is sorted by start. */
struct seam_mapping {
	__u64 start;
	__u64 end;
	/* pc - bias = offset of the pc from the first address that the table covers. */
	__u64 bias;
	/* Slot in the map of tables; 0 = its tables are not there (yet). */
	__u32 table;
	/* Words of the table before its page index; the rules lie there. Without any table: enum
	 * seam_code. */
	__u32 index_word;
	/* Number of index words; 0 = there will be no table. */
	__u32 pages;
	/* 1 + index of the Go runtime that the module holds, 0 = none. */
	__u32 go;
};

/* What code without a table is. */
enum seam_code {
	/* A file's of which no table could be built. */
	SEAM_CODE_FILE = 0,
	/* Made at run time. */
	SEAM_CODE_MADE = 1,
	/* Put in by the kernel for probes of other tools. */
	SEAM_CODE_PROBE = 2,
};

struct seam_mapping_block {
	struct seam_mapping mapping[SEAM_MAPPINGS_PER_BLOCK];
};

/*
 * Code that a process has mapped lately, of files with tables: noted at once in the kernel, until
 * seam puts a mapping set in force that has it. A ring; `next` counts all that were ever noted.
 */
struct seam_late {
	__u64 next;
	struct seam_mapping mapping[SEAM_LATE_MAPPINGS];
};

/* A mapping set is kept block by block. */
struct seam_set_key {
	__u32 set;
	__u32 block;
};

/* One unit of table storage. Word layout: rules, page index, rows (see crates/unwind). */
struct seam_table_block {
	__u32 word[SEAM_BLOCK_WORDS];
};

/* What g.labels points to. */
enum seam_labels_kind {
	/* A pointer to a map[string]string. */
	SEAM_LABELS_MAP = 0,
	/* A slice of pairs of strings. */
	SEAM_LABELS_SLICE = 1,
};

/* A tls_offset: AArch64 without cgo, where g is in x28 alone. */
#define SEAM_TLS_NONE 0x4000000000000000LL

/*
 * Where one Go runtime keeps what the walk reads. Offsets in bytes. 0 = this build has no such
 * field or nothing shows where; of what stitching rests on (g_m, g_sched_*, m_gsignal, m_curg) none
 * is 0 where `verified` is 1.
 */
struct seam_go_runtime {
	/* g = *(fsbase + tls_offset), or SEAM_TLS_NONE. */
	__s64 tls_offset;
	/* crosscall2, to check that a callback's C side is where it should be. */
	__u64 crosscall2_start;
	__u64 crosscall2_end;
	__u16 g_m;
	__u16 g_sched_sp;
	__u16 g_sched_pc;
	__u16 g_sched_bp;
	__u16 g_status;
	__u16 g_goid;
	__u16 g_startpc;
	__u16 m_gsignal;
	__u16 m_curg;
	__u16 m_p;
	__u16 m_oldp;
	__u16 m_id;
	__u16 m_incgo;
	__u16 m_is_extra_in_c;
	/* g.labels; 0 = not known. */
	__u16 g_labels;
	/* enum seam_labels_kind */
	__u16 labels_kind;
	/* 1 = offsets were checked against the instructions. */
	__u32 verified;
	/* 1 = the offsets are known at all; else only what needs none is walked. */
	__u32 known;
};

enum seam_file_go {
	SEAM_FILE_NO_GO = 0,
	/* A Go runtime whose g lies at a fixed place in thread-local storage. */
	SEAM_FILE_GO = 1,
	/* One whose place the loader decides. */
	SEAM_FILE_GO_LOADED = 2,
};

/* A file whose table is installed, so that exec can be followed at once. Addresses as linked. */
struct seam_file {
	__u32 table;
	__u32 index_word;
	__u32 pages;
	/* enum seam_file_go */
	__u32 go;
	/* First address that the table covers. */
	__u64 table_base;
	/* The executable segment, page by page: offset in the file, address, bytes. */
	__u64 code_offset;
	__u64 code_address;
	__u64 code_bytes;
	struct seam_go_runtime runtime;
};

/* The vdso has the key 0, 0. */
struct seam_file_key {
	__u64 device;
	__u64 inode;
};

/* What the kernel side knows of one target process. */
struct seam_process {
	/* Key of the mapping set in force; 0 = none (right after exec). */
	__u32 mapping_set;
	__u32 mapping_count;
	__u32 go_runtimes;
	/* 1 = also follow children. */
	__u32 follow;
	/* Key of an empty set, to be filled and put in force at the next exec; 0 = none. */
	__u32 exec_set;
	/* 1 = made by seam and still seam's own code: not sampled before its exec. */
	__u32 held;
	/* Where the kernel's record of its memory lay at the last sample outside of execve; 0 = not
	 * known. */
	__u64 mm;
	struct seam_go_runtime go[SEAM_GO_RUNTIMES];
};

enum seam_sample_flags {
	SEAM_SAMPLE_KERNEL_MODE = 1,
	/* The thread runs Go code or is known to the Go runtime. */
	SEAM_SAMPLE_GO_THREAD = 2,
	/* The M is inside a cgo call (m.incgo). */
	SEAM_SAMPLE_IN_C = 4,
	SEAM_SAMPLE_P_HELD = 8,
	/* p is the last P; another M may hold it by now. */
	SEAM_SAMPLE_P_LOST = 16,
	/* The kernel part was cut at SEAM_KERNEL_FRAMES. */
	SEAM_SAMPLE_KERNEL_CUT = 32,
	/* A structure of the Go runtime could not be read. */
	SEAM_SAMPLE_GO_TORN = 64,
	/* The Go runtime's offsets could not be checked against its instructions. */
	SEAM_SAMPLE_GO_UNVERIFIED = 128,
	/* Labels are missing or shorter than they are. */
	SEAM_SAMPLE_LABELS_CUT = 256,
	/* Not a sample of the clock: the stack that makes the thread `born`. */
	SEAM_SAMPLE_SPAWN = 512,
	/* A return address in code made at run time was guessed (see made.h). */
	SEAM_SAMPLE_GUESSED = 1024,
	/* Frames of code made at run time were left by their frame pointers. */
	SEAM_SAMPLE_FRAME_POINTERS = 2048,
};

/* The upper bits of a stored user frame. Addresses use the lower 56. */
enum seam_frame_flags {
	/* The pc itself was interrupted: no -1 for rows and lines. */
	SEAM_FRAME_EXACT = 1,
	/* The next frame towards the root lies on another stack. */
	SEAM_FRAME_SWITCH = 2,
	SEAM_FRAME_FLAG_SHIFT = 56,
};

/* What is recorded besides the processes that were named. */
struct seam_scope {
	/* 1 = every process; user space reads what a new one has mapped when it is first seen. */
	__u32 all;
	/* 1 = of those, only tasks under the control group in the map `cgroups`. */
	__u32 cgroup;
	/* seam itself, which is left out. */
	__u32 own;
	__u32 unused;
};

/* What one walk starts from. */
struct seam_start {
	/* By DWARF number; x86-64 has 16. */
	__u64 reg[SEAM_ARM64_REGISTERS];
	__u64 pc;
	/* The thread pointer, on AArch64 tpidr_el0. */
	__u64 fsbase;
	/* The system call by which the kernel was entered, -1 = none. */
	__s64 syscall;
	__u32 mapping_set;
	__u32 mapping_count;
};

/* One thread, as the task iterator tells it (threads.bpf.c). */
struct seam_thread {
	/* With which it last left user mode, by DWARF number. */
	__u64 reg[SEAM_REGISTERS];
	__u64 pc;
	__u64 fsbase;
	/* The system call that it is in, -1 = none. */
	__s64 syscall;
	/* How often it was switched to and from: has not run where this is unchanged. */
	__u64 switches;
	/* When it last began to run, on the clock of bpf_ktime_get_ns. */
	__u64 last_ran_ns;
	__u64 now_ns;
	__u32 tid;
	/* On a CPU at that moment: the registers are those of long ago, or just changing. */
	__u32 running;
	/* Where it sleeps in the kernel, innermost first, 0 behind the last. */
	__u64 kernel[SEAM_THREAD_KERNEL_FRAMES];
};

/*
 * One sample. Followed in the ring buffer by kernel_frames and then user_frames words, and then by
 * label_bytes bytes: for each label the length of its key and of its value (one byte each), then both.
 * Where elided > 0 the user frames are the leaf-most SEAM_LEAF_FRAMES and then a ring of
 * SEAM_ROOT_FRAMES in which the oldest is at index (elided % SEAM_ROOT_FRAMES).
 */
struct seam_sample {
	__u64 time_ns;
	__u64 goid;
	__u64 start_pc;
	__s64 m;
	__u32 pid;
	__u32 tid;
	__u32 cpu;
	__u32 mapping_set;
	__s32 p;
	__u32 go_status;
	__u32 elided;
	__u16 kernel_frames;
	__u16 user_frames;
	__u8 end;
	__u8 go_runtime;
	__u16 flags;
	/* Callbacks whose C side the runtime had already forgotten (see unwind.h). */
	__u32 callbacks_lost;
	/* The thread that is being made, for SEAM_SAMPLE_SPAWN. */
	__u32 born;
	__u16 label_bytes;
	__u16 unused;
	/* Where the walk ended, for the reasons that name an address. */
	__u64 end_pc;
	__u8 comm[SEAM_COMM_BYTES];
};

/*
 * What other profilers would have had of a sample (record --compare): the kernel's walk by frame
 * pointers, and a copy of registers and stack.
 */
struct seam_peer {
	/* As in the sample. */
	__u64 time_ns;
	__u32 pid;
	__u32 tid;
	__u32 frames;
	/* Bytes copied from the stack pointer on. */
	__u32 stack_bytes;
	__u64 pc;
	__u64 reg[16];
	/* User frames, leaf first: the interrupted instruction, then return addresses. */
	__u64 frame[SEAM_PEER_FRAMES];
	/* The page behind it is room that the verifier asks for. */
	__u8 stack[SEAM_PEER_STACK + 4096];
};

/* Per-CPU counters of the kernel side. */
enum seam_counter {
	/* Samples of targets, including the lost ones. */
	SEAM_COUNT_SAMPLES = 0,
	/* The ring buffer was full. */
	SEAM_COUNT_RING_FULL = 1,
	/* Runs of the sampling program on anything else. */
	SEAM_COUNT_OTHER = 2,
	/* A target's thread without user registers. */
	SEAM_COUNT_NO_REGISTERS = 3,
	SEAM_COUNT_EXECS = 4,
	SEAM_COUNT_FORKS = 5,
	SEAM_COUNTERS = 8,
};

#endif
