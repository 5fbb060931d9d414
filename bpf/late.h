/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Following what targets map in the kernel: user space hears of a mapping by perf's side-band
 * records and needs a moment to put a new mapping set in force. In between the walk looks here. Of
 * a file whose table is installed the mapping is noted while the mapping call still runs, so before
 * anything can execute there; other files are not known to the kernel side and their samples end as
 * table-not-ready. Included by sample.bpf.c.
 */
#ifndef SEAM_LATE_H
#define SEAM_LATE_H

#define SEAM_VM_EXEC 4 /* include/linux/mm.h */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, SEAM_ROOM_FLAGS);
	__uint(max_entries, SEAM_ROOM_LATE);
	__type(key, __u32);
	__type(value, struct seam_late);
} late SEC(".maps");

/* No set has this number. */
#define SEAM_NO_SET (~0U)

/* Finds the mapping of pc among the late ones of this process. 0 = found, and is w->mapping. */
SEAM_APART int seam_late_mapping(struct seam_walk *w, __u64 pc)
{
	struct seam_late *noted;
	__u32 tgid, i;

	if (!w)
		return 1;
	tgid = w->sample.pid;
	noted = bpf_map_lookup_elem(&late, &tgid);
	if (!noted)
		return 1;
	for (i = 0; i < SEAM_LATE_MAPPINGS; i++) {
		if (seam_covers(&noted->mapping[i], pc)) {
			w->previous = w->mapping;
			w->mapping = noted->mapping[i];
			/* Not of the set in force, so not to be found again in the next walk. A process
			 * right after an exec has no set (0), which must not take this for its own. */
			w->cached_set = SEAM_NO_SET;
			return !seam_covers(&w->mapping, pc);
		}
	}
	return 1;
}

/* Whatever was mapped from `start` to `end` is mapped no more. */
static __always_inline void forget_mapping(struct seam_mapping *m, __u64 start, __u64 end)
{
	if (m->end <= start || m->start >= end)
		return;
	if (m->start < start)
		m->end = start;
	else if (m->end > end)
		m->start = end;
	else
		m->end = m->start = 0;
}

static __always_inline void forget_late_mappings(__u32 tgid)
{
	struct seam_late *noted = bpf_map_lookup_elem(&late, &tgid);
	__u32 i;

	if (!noted)
		return;
	for (i = 0; i < SEAM_LATE_MAPPINGS; i++)
		noted->mapping[i].start = noted->mapping[i].end = 0;
}

static __always_inline void inherit_late_mappings(__u32 parent, __u32 child)
{
	struct seam_late *noted = bpf_map_lookup_elem(&late, &parent);

	if (noted)
		bpf_map_update_elem(&late, &child, noted, BPF_ANY);
}

/*
 * An entry of an address space's tree is written: something was mapped, unmapped, split or joined.
 * The process holds its mmap_lock for writing, so two of these never run at once for one process.
 * mas_store_prealloc, Linux 6.1 to 6.18: trace_ma_write(__func__, mas, 0, entry).
 */
SEC("raw_tracepoint/ma_write")
int on_mapping(__u64 *ctx)
{
	__u32 tgid = seam_tgid(), i;
	struct ma_state *mas = (struct ma_state *)ctx[1];
	struct vm_area_struct *vma = (struct vm_area_struct *)ctx[3];
	struct seam_late *noted = bpf_map_lookup_elem(&late, &tgid);
	struct seam_found_vma found = {};
	struct seam_mapping *m;
	struct seam_file *file;
	struct file *backing;
	struct mm_struct *mm;
	__u64 start, end, bias;

	if (!noted || !bpf_core_type_exists(struct ma_state))
		return 0;
	/* A child's address space is filled by its parent (dup_mmap), and there are other trees. */
	mm = seam_get(seam_current(), mm);
	if (!mm || BPF_CORE_READ(mas, tree) !=
			   (void *)mm + bpf_core_field_offset(struct mm_struct, mm_mt))
		return 0;
	start = BPF_CORE_READ(mas, index);
	end = BPF_CORE_READ(mas, last) + 1;
	for (i = 0; i < SEAM_LATE_MAPPINGS; i++)
		forget_mapping(&noted->mapping[i], start, end);
	if (!vma || !(BPF_CORE_READ(vma, vm_flags) & SEAM_VM_EXEC))
		return 0;
	backing = BPF_CORE_READ(vma, vm_file);
	if (!backing)
		return 0;
	found.start = BPF_CORE_READ(vma, vm_start);
	found.offset = BPF_CORE_READ(vma, vm_pgoff) * 4096;
	found.key.device = BPF_CORE_READ(backing, f_inode, i_sb, s_dev);
	found.key.inode = BPF_CORE_READ(backing, f_inode, i_ino);
	file = bpf_map_lookup_elem(&files, &found.key);
	/* A Go runtime also has a place in thread-local storage: user space finds that out. */
	if (!file || !file->table || file->go)
		return 0;
	bias = load_bias(&found, file);
	m = &noted->mapping[noted->next++ % SEAM_LATE_MAPPINGS];
	m->end = 0;
	m->start = start;
	m->bias = bias + file->table_base;
	m->table = file->table;
	m->index_word = file->index_word;
	m->pages = file->pages;
	m->go = 0;
	/* From here on it covers addresses. */
	barrier();
	m->end = end;
	return 0;
}

#endif
