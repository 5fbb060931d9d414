// The C side of program t: one part for the coroutine, which calls Go back, one for who pulls.
#include "seam.h"
#include "_cgo_export.h"

SEAM_FN static uint64_t seam_t_leaf(uint64_t x) {
	return spin_rounds(x, SEAM_ROUNDS / 2);
}

SEAM_FN uint64_t seam_t_outer(uint64_t seed) {
	uint64_t sum = seam_t_leaf(seed);
	SEAM_KEEP(sum);
	sum += goCallbackT(sum);
	SEAM_KEEP(sum);
	return sum;
}

SEAM_FN static uint64_t seam_t_own(uint64_t x) {
	return spin_rounds(x, SEAM_ROUNDS / 2);
}

SEAM_FN uint64_t seam_t_pulled(uint64_t seed) {
	uint64_t sum = seam_t_own(seed);
	SEAM_KEEP(sum);
	return sum;
}
