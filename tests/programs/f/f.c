// The C side of program f: it spins inside the callback's grown stack, and again
// after the callback, when the Go stack under it is no longer where it was.
#include "seam.h"
#include "_cgo_export.h"

SEAM_FN static uint64_t seam_f_leaf(uint64_t x) {
	return spin_rounds(x, SEAM_ROUNDS);
}

SEAM_FN uint64_t seam_f_inner(uint64_t seed) {
	uint64_t sum = seed;
	for (int i = 0; i < 100; i++) {
		sum += seam_f_leaf(sum);
		SEAM_KEEP(sum);
	}
	return sum;
}

SEAM_FN static uint64_t seam_f_after(uint64_t x) {
	return spin_rounds(x, SEAM_ROUNDS);
}

SEAM_FN uint64_t seam_f_outer(uint64_t seed) {
	uint64_t sum = goCallbackF(seed);
	SEAM_KEEP(sum);
	for (int i = 0; i < 50; i++) {
		sum += seam_f_after(sum);
		SEAM_KEEP(sum);
	}
	return sum;
}
