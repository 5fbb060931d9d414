/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Labels that a program has put on its goroutines (runtime/pprof.Do, SetGoroutineLabels), copied at
 * the sample: the strings may be gone a moment later. g.labels points to a map[string]string up to
 * Go 1.23 and to a slice of key and value from Go 1.24 on (runtime/pprof/label.go). Both are never
 * changed once a goroutine has them. Included by unwind.h.
 */
#ifndef SEAM_LABELS_H
#define SEAM_LABELS_H

/* runtime/map.go, Go 1.19 to 1.23: struct hmap */
#define SEAM_HMAP_B 9
#define SEAM_HMAP_BUCKETS 16
#define SEAM_HMAP_OLDBUCKETS 24
#define SEAM_HMAP_BYTES 48
/* struct bmap of strings to strings: tophash, keys, values, overflow */
#define SEAM_BMAP_KEYS 8
#define SEAM_BMAP_VALUES 136
#define SEAM_BMAP_OVERFLOW 264
#define SEAM_BMAP_BYTES 272
#define SEAM_BMAP_SLOTS 8
/* Smaller values mark slots that are empty or were moved. */
#define SEAM_BMAP_MIN_TOP_HASH 5

/* Adds one label: length of key, length of value, key, value. */
static __noinline int seam_add_label(struct seam_walk *w, __u64 key, __u64 key_bytes, __u64 value,
				     __u64 value_bytes)
{
	__u64 at = w->labels.bytes;
	__u8 *to;

	if (key_bytes > SEAM_LABEL_KEY_BYTES) {
		key_bytes = SEAM_LABEL_KEY_BYTES;
		w->sample.flags |= SEAM_SAMPLE_LABELS_CUT;
	}
	if (value_bytes > SEAM_LABEL_VALUE_BYTES) {
		value_bytes = SEAM_LABEL_VALUE_BYTES;
		w->sample.flags |= SEAM_SAMPLE_LABELS_CUT;
	}
	seam_opaque(key_bytes);
	seam_opaque(value_bytes);
	key_bytes &= SEAM_LABEL_KEY_BYTES;
	value_bytes &= SEAM_LABEL_VALUE_BYTES;
	seam_opaque(at);
	if (at > SEAM_LABELS_BYTES - 2 - SEAM_LABEL_KEY_BYTES - SEAM_LABEL_VALUE_BYTES) {
		w->sample.flags |= SEAM_SAMPLE_LABELS_CUT;
		return 1;
	}
	to = &w->labels.text[at];
	to[0] = (__u8)key_bytes;
	to[1] = (__u8)value_bytes;
	if ((key_bytes && seam_read(w, to + 2, (__u32)key_bytes, key)) ||
	    (value_bytes && seam_read(w, to + 2 + key_bytes, (__u32)value_bytes, value))) {
		w->sample.flags |= SEAM_SAMPLE_LABELS_CUT;
		return 1;
	}
	w->labels.bytes = (__u32)(at + 2 + key_bytes + value_bytes);
	return 0;
}

/* One element of a slice. 0 = go on. */
static __always_inline long seam_slice_label(struct seam_walk *w, __u32 index)
{
	__u64 *pair = (__u64 *)w->scratch;

	if (index >= w->labels.left)
		return 1;
	if (seam_read(w, pair, 32, w->labels.next + 32 * (__u64)index)) {
		w->sample.flags |= SEAM_SAMPLE_LABELS_CUT;
		return 1;
	}
	return seam_add_label(w, pair[0], pair[1], pair[2], pair[3]);
}

/* One slot of a map's buckets, each bucket followed by those it overflows into. 0 = go on. */
static __always_inline long seam_map_label(struct seam_walk *w, __u32 index)
{
	struct seam_labels *labels = &w->labels;
	__u32 slot = index % SEAM_BMAP_SLOTS;
	__u64 *key, *value, overflow;

	if (slot == 0) {
		if (!labels->next)
			return 1;
		if (seam_read(w, w->scratch, SEAM_BMAP_BYTES, labels->next)) {
			w->sample.flags |= SEAM_SAMPLE_LABELS_CUT;
			return 1;
		}
		overflow = *(__u64 *)&w->scratch[SEAM_BMAP_OVERFLOW];
		if (overflow) {
			labels->next = overflow;
		} else if (--labels->left > 0) {
			labels->array += SEAM_BMAP_BYTES;
			labels->next = labels->array;
		} else {
			labels->next = 0;
		}
	}
	if (w->scratch[slot] < SEAM_BMAP_MIN_TOP_HASH)
		return 0;
	key = (__u64 *)&w->scratch[SEAM_BMAP_KEYS + 16 * slot];
	value = (__u64 *)&w->scratch[SEAM_BMAP_VALUES + 16 * slot];
	return seam_add_label(w, key[0], key[1], value[0], value[1]);
}

SEAM_CALLBACK(seam_each_slice_label)
{
	struct seam_walk *w = seam_walk_of(context);

	return w ? seam_slice_label(w, index) : 1;
}

SEAM_CALLBACK(seam_each_map_label)
{
	struct seam_walk *w = seam_walk_of(context);

	return w ? seam_map_label(w, index) : 1;
}

/* Makes the buckets at `array` those that are read next. */
static __always_inline void seam_begin_buckets(struct seam_walk *w, __u64 array, __u32 log)
{
	w->labels.array = w->labels.next = array;
	w->labels.left = 1ULL << (log & 31);
}

/* Copies the goroutine's labels. */
static __always_inline void seam_load_labels(struct seam_walk *w)
{
	__u64 header[SEAM_HMAP_BYTES / 8], map = 0, old;
	__u32 log;

	if (!w->labels.at || !w->sample.goid)
		return;
	if (w->labels.kind == SEAM_LABELS_SLICE) {
		if (seam_read(w, header, 16, w->labels.at)) {
			w->sample.flags |= SEAM_SAMPLE_LABELS_CUT;
			return;
		}
		w->labels.next = header[0];
		w->labels.left = header[1];
		if (header[1] > SEAM_LABELS_MAX)
			w->sample.flags |= SEAM_SAMPLE_LABELS_CUT;
		seam_each(w, seam_each_slice_label, SEAM_LABELS_MAX);
		return;
	}
	if (seam_read_word(w, &map, w->labels.at) ||
	    (map && seam_read(w, header, SEAM_HMAP_BYTES, map))) {
		w->sample.flags |= SEAM_SAMPLE_LABELS_CUT;
		return;
	}
	if (!map)
		return;
	log = ((__u8 *)header)[SEAM_HMAP_B];
	old = header[SEAM_HMAP_OLDBUCKETS / 8];
	seam_begin_buckets(w, header[SEAM_HMAP_BUCKETS / 8], log);
	seam_each(w, seam_each_map_label, SEAM_LABELS_MAX * SEAM_BMAP_SLOTS);
	/* A map that grew is moved bit by bit; a growth to the same size is not told apart. */
	if (old) {
		seam_begin_buckets(w, old, log ? log - 1 : 0);
		seam_each(w, seam_each_map_label, SEAM_LABELS_MAX * SEAM_BMAP_SLOTS);
	}
	if (w->labels.next)
		w->sample.flags |= SEAM_SAMPLE_LABELS_CUT;
}

#endif
