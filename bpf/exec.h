/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Following an exec in the kernel: of the new image the executable, its interpreter and the vdso are
 * mapped when sched_process_exec fires (load_elf_binary, Linux 5.17 to 6.18), and where their tables
 * are known they are put in force at once. What the interpreter maps then: see late.h. Included by
 * sample.bpf.c.
 */
#ifndef SEAM_EXEC_H
#define SEAM_EXEC_H

/* include/uapi/linux/auxvec.h */
#define SEAM_AT_BASE 7
#define SEAM_AT_SYSINFO_EHDR 33
/* Both are among the first ten (create_elf_tables, Linux 5.10 to 6.18). */
#define SEAM_AUXV_PAIRS 20

/*
 * Empty mapping sets for processes that have none prepared: children, which execute something before
 * user space has heard of them, and programs that do so again. Filled by user space, taken in order.
 */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, SEAM_SPARE_SETS);
	__type(value, __u32);
} spare_sets SEC(".maps");

struct seam_found_vma {
	struct seam_file_key key;
	__u64 start;
	__u64 offset;
};

static long found_vma(struct task_struct *task, struct vm_area_struct *vma,
		      struct seam_found_vma *found)
{
	struct file *file = seam_get(vma, vm_file);

	found->start = seam_get(vma, vm_start);
	found->offset = seam_get(vma, vm_pgoff) * 4096;
	if (file) {
		found->key.device = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
		found->key.inode = BPF_CORE_READ(file, f_inode, i_ino);
	}
	return 0;
}

#ifdef SEAM_TAIL_CALLS
/* A fresh image has a dozen. */
#define SEAM_VMAS_MAX 32

/* What a process that executes something has mapped at an address; 0 = found. mm->mmap lists all up to
 * Linux 6.0; where there is no list none is found, and user space tells what is mapped. */
static __noinline int find_vma(struct task_struct *task, __u64 address,
			       struct seam_found_vma *found)
{
	struct vm_area_struct *vma;
	__u32 i;

	if (!bpf_core_field_exists(struct vm_area_struct, vm_next))
		return 1;
	vma = BPF_CORE_READ(task, mm, mmap);
#pragma clang loop unroll(disable)
	for (i = 0; i < SEAM_VMAS_MAX && vma; i++) {
		if (BPF_CORE_READ(vma, vm_start) <= address && address < BPF_CORE_READ(vma, vm_end))
			return found_vma(task, vma, found);
		vma = BPF_CORE_READ(vma, vm_next);
	}
	return 1;
}
#else
static __always_inline int find_vma(struct task_struct *task, __u64 address,
				    struct seam_found_vma *found)
{
	return bpf_find_vma(task, address, found_vma, found, 0) != 0;
}
#endif

/* The address at which the file's address 0 was loaded, given one of its mappings. */
static __always_inline __u64 load_bias(const struct seam_found_vma *vma,
				       const struct seam_file *file)
{
	return vma->start - vma->offset + file->code_offset - file->code_address;
}

/* The mapping of a file's code at a load address, as the walk reads it. */
static __always_inline void code_mapping(struct seam_mapping *m, const struct seam_file *file,
					 __u64 bias)
{
	m->start = (file->code_address + bias) & ~4095ULL;
	m->end = (file->code_address + bias + file->code_bytes + 4095) & ~4095ULL;
	m->bias = bias + file->table_base;
	m->table = file->table;
	m->index_word = file->index_word;
	m->pages = file->pages;
	m->go = file->go;
}

/* Adds a mapping to a block of at most 4, kept sorted. */
static __always_inline void add_mapping(struct seam_mapping_block *block, __u32 *count,
					const struct seam_mapping *m)
{
	struct seam_mapping swap, next = *m;
	__u32 i;

#pragma unroll
	for (i = 0; i < 4; i++) {
		if (i >= *count) {
			block->mapping[i] = next;
			break;
		}
		if (next.start < block->mapping[i].start) {
			swap = block->mapping[i];
			block->mapping[i] = next;
			next = swap;
		}
	}
	*count += 1;
}

static __always_inline void install_image(struct seam_process *process)
{
	struct task_struct *task = seam_current();
	struct mm_struct *mm = seam_get(task, mm);
	__u64 auxv[2 * SEAM_AUXV_PAIRS] = {}, base = 0, vdso = 0, bias;
	struct seam_found_vma vma = {};
	struct seam_mapping_block *block;
	struct seam_mapping m = {};
	struct seam_file *file;
	struct seam_set_key key = { .set = process->exec_set };
	__u32 n = 0, i;

	if (!mm)
		return;
	if (!key.set && bpf_map_pop_elem(&spare_sets, &key.set))
		return;
	block = bpf_map_lookup_elem(&mappings, &key);
	if (!block)
		return;
	if (bpf_probe_read_kernel(auxv, sizeof(auxv), mm->saved_auxv))
		return;
	for (i = 0; i < SEAM_AUXV_PAIRS; i++) {
		if (auxv[2 * i] == SEAM_AT_BASE)
			base = auxv[2 * i + 1];
		if (auxv[2 * i] == SEAM_AT_SYSINFO_EHDR)
			vdso = auxv[2 * i + 1];
	}
	if (!find_vma(task, seam_get(mm, start_code), &vma)) {
		file = bpf_map_lookup_elem(&files, &vma.key);
		if (file && file->table) {
			bias = load_bias(&vma, file);
			code_mapping(&m, file, bias);
			add_mapping(block, &n, &m);
			if (file->go == SEAM_FILE_GO) {
				process->go[0] = file->runtime;
				process->go[0].crosscall2_start += bias;
				process->go[0].crosscall2_end += bias;
				process->go_runtimes = 1;
			}
		}
	}
	__builtin_memset(&vma, 0, sizeof(vma));
	if (base && !find_vma(task, base, &vma)) {
		file = bpf_map_lookup_elem(&files, &vma.key);
		if (file && file->table) {
			/* AT_BASE is where the interpreter's address 0 lies. */
			code_mapping(&m, file, base);
			m.go = 0;
			add_mapping(block, &n, &m);
		}
	}
	__builtin_memset(&vma.key, 0, sizeof(vma.key));
	file = bpf_map_lookup_elem(&files, &vma.key);
	if (vdso && file && file->table) {
		code_mapping(&m, file, vdso);
		m.go = 0;
		add_mapping(block, &n, &m);
	}
	process->exec_set = 0;
	process->mapping_set = key.set;
	process->mapping_count = n;
}

#endif
