// A leaf that works, so that there is something to sample.
#include "seam.h"

uint64_t big_work(uint64_t x);

SEAM_FN uint64_t big_work(uint64_t x) {
	return spin_rounds(x, SEAM_ROUNDS);
}
