// The C side of program c: calls Go back, and spins itself in between.
#include "seam.h"
#include "_cgo_export.h"

SEAM_FN static uint64_t seam_c_middle(uint64_t x) {
	uint64_t r = goCallbackC(x);
	SEAM_KEEP(r);
	return r;
}

SEAM_FN uint64_t seam_c_outer(uint64_t seed) {
	uint64_t sum = spin_rounds(seed, SEAM_ROUNDS / 4);
	for (int i = 0; i < 5; i++) {
		sum += seam_c_middle(sum);
		SEAM_KEEP(sum);
	}
	return sum;
}
