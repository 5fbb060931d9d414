/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The kernel's structures that the programs here touch, the same for every processor, trimmed to the
 * fields used. Included behind those that differ (struct pt_regs, struct thread_struct).
 */
#ifndef SEAM_VMLINUX_STRUCTURES_H
#define SEAM_VMLINUX_STRUCTURES_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

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
	unsigned long task_size;
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

#endif
