// The C side of program b: three functions deep, with two leaves.
#include "seam.h"

uint64_t seam_b_outer(uint64_t seed);

SEAM_FN static uint64_t seam_b_leaf(uint64_t x) {
	return spin_rounds(x, SEAM_ROUNDS);
}

SEAM_FN static uint64_t seam_b_middle(uint64_t x) {
	uint64_t r = seam_b_leaf(x);
	SEAM_KEEP(r);
	return r;
}

SEAM_FN uint64_t seam_b_outer(uint64_t seed) {
	uint64_t sum = spin_rounds(seed, SEAM_ROUNDS / 10);
	for (int i = 0; i < 5; i++) {
		sum += seam_b_middle(sum);
		SEAM_KEEP(sum);
	}
	return sum;
}
