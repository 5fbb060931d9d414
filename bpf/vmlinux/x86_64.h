/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The kernel types that the programs here touch, x86-64, trimmed to the fields used. Field offsets
 * are relocated by libbpf against the running kernel's BTF (CO-RE), so the order does not matter.
 */
#ifndef SEAM_VMLINUX_X86_64_H
#define SEAM_VMLINUX_X86_64_H

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_CGROUP_ARRAY = 8,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_QUEUE = 22,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
	BPF_ANY = 0,
	BPF_F_NO_PREALLOC = 1,
	BPF_F_INNER_MAP = 4096,
	BPF_F_USER_STACK = 256,
	BPF_RB_NO_WAKEUP = 1,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};

struct thread_struct {
	unsigned long fsbase;
};

struct super_block {
	unsigned int s_dev;
};

struct inode {
	struct super_block *i_sb;
	unsigned long i_ino;
};

struct file {
	struct inode *f_inode;
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_pgoff;
	unsigned long vm_flags;
	struct file *vm_file;
	struct vm_area_struct *vm_next;
};

struct maple_tree {
	unsigned int ma_flags;
};

struct ma_state {
	struct maple_tree *tree;
	unsigned long index;
	unsigned long last;
};

struct xol_area {
	unsigned long vaddr;
};

struct uprobes_state {
	struct xol_area *xol_area;
};

struct return_instance {
	unsigned long stack;
	unsigned long orig_ret_vaddr;
	struct return_instance *next;
};

struct uprobe;

struct uprobe_task {
	struct return_instance *return_instances;
	union {
		struct {
			unsigned long vaddr;
		};
	};
	struct uprobe *active_uprobe;
	unsigned long xol_vaddr;
};

struct mm_struct {
	struct maple_tree mm_mt;
	struct vm_area_struct *mmap;
	struct uprobes_state uprobes_state;
	unsigned long start_code;
	unsigned long saved_auxv[48];
};

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[];
};

struct signal_struct {
	struct pid *pids[4];
};

struct sched_info {
	unsigned long long last_arrival;
};

struct task_struct {
	void *stack;
	int on_cpu;
	unsigned long nvcsw;
	unsigned long nivcsw;
	struct sched_info sched_info;
	int pid;
	int tgid;
	struct pid *thread_pid;
	struct signal_struct *signal;
	unsigned int flags;
	struct mm_struct *mm;
	struct uprobe_task *utask;
	struct thread_struct thread;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

/* uapi, fixed layout: struct user_regs_struct in arch/x86/include/uapi/asm/ptrace.h */
struct seam_perf_regs {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	__u64 orig_ax, ip, cs, flags, sp, ss;
};

/* uapi, fixed layout: include/uapi/linux/bpf_perf_event.h */
struct bpf_perf_event_data {
	struct seam_perf_regs regs;
	__u64 sample_period;
	__u64 addr;
};

#endif
