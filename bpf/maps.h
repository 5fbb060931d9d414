/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The maps that user space fills or reads: what is recorded, unwind tables, mappings, counters, and the
 * ring of samples. Included by sample.bpf.c.
 */
#ifndef SEAM_MAPS_H
#define SEAM_MAPS_H

struct table_template {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct seam_table_block));
};

/* Unwind tables by slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__array(values, struct table_template);
} tables SEC(".maps");

/*
 * Mapping sets, block by block; a set is never changed once a process points to it. A plain hash
 * map: an update of a map of maps waits for an RCU grace period (maybe_wait_bpf_programs, 15 ms and
 * more on Linux 6.18), and a new mapping must be in force at once.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, SEAM_ROOM_FLAGS);
	__uint(max_entries, SEAM_ROOM_BLOCKS);
	__type(key, struct seam_set_key);
	__type(value, struct seam_mapping_block);
} mappings SEC(".maps");

/* Files with tables, by device and inode. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct seam_file_key);
	__type(value, struct seam_file);
} files SEC(".maps");

/* The targets by tgid. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, SEAM_ROOM_FLAGS);
	__uint(max_entries, SEAM_ROOM_PROCESSES);
	__type(key, __u32);
	__type(value, struct seam_process);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct seam_scope);
} scope SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} cgroups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SEAM_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} samples SEC(".maps");

#endif
