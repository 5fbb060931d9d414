// The C side of program n. seam_n_first has a frame of run-time size, so its
// CFA hangs on rbp in spite of -fomit-frame-pointer; seam_n_second also aligns
// its frame, for which gcc keeps the CFA in memory (a DWARF expression).
#include <alloca.h>
#include <string.h>

#include "seam.h"
#include "_cgo_export.h"

SEAM_FN uint64_t seam_n_first(uint64_t seed) {
	size_t size = 256 + seed % 4096;
	unsigned char *room = alloca(size);
	memset(room, (int)seed, size);
	SEAM_KEEP(room);
	uint64_t sum = goFirstN(seed + room[size / 2]);
	SEAM_KEEP(room);
	sum += room[sum % size];
	SEAM_KEEP(sum);
	return sum;
}

SEAM_FN uint64_t seam_n_second(uint64_t seed) {
	uint64_t lane[16] __attribute__((aligned(64)));
	size_t size = 64 + seed % 512;
	unsigned char *room = alloca(size);
	unsigned char *first = (unsigned char *)lane;
	memset(room, (int)seed, size);
	memset(lane, (int)seed, sizeof lane);
	SEAM_KEEP(room);
	SEAM_KEEP(first);
	uint64_t sum = seed;
	for (int i = 0; i < 10; i++) {
		sum += goSecondN(sum + room[sum % size]);
		SEAM_KEEP(first);
	}
	sum += first[sum % sizeof lane];
	SEAM_KEEP(sum);
	return sum;
}

SEAM_FN static uint64_t seam_n_leaf(uint64_t x) {
	return spin_rounds(x, SEAM_ROUNDS);
}

SEAM_FN uint64_t seam_n_third(uint64_t seed) {
	uint64_t sum = spin_rounds(seed, SEAM_ROUNDS / 4);
	for (int i = 0; i < 5; i++) {
		sum += seam_n_leaf(sum);
		SEAM_KEEP(sum);
	}
	return sum;
}
