// The C side of program d: an outer part that calls Go back, and an inner part
// that the callback calls.
#include "seam.h"
#include "_cgo_export.h"

SEAM_FN static uint64_t seam_d_middle(uint64_t x) {
	uint64_t r = goCallbackD(x);
	SEAM_KEEP(r);
	return r;
}

SEAM_FN uint64_t seam_d_outer(uint64_t seed) {
	uint64_t sum = spin_rounds(seed, SEAM_ROUNDS / 10);
	for (int i = 0; i < 5; i++) {
		sum += seam_d_middle(sum);
		SEAM_KEEP(sum);
	}
	return sum;
}

SEAM_FN static uint64_t seam_d_leaf(uint64_t x) {
	return spin_rounds(x, SEAM_ROUNDS);
}

SEAM_FN uint64_t seam_d_inner(uint64_t seed) {
	uint64_t sum = seam_d_leaf(seed);
	SEAM_KEEP(sum);
	sum ^= seam_d_leaf(sum);
	SEAM_KEEP(sum);
	return sum;
}
