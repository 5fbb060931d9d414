// The C side of program v: libc's clock_gettime, which calls into the vdso.
#include <time.h>

#include "seam.h"

uint64_t seam_v_outer(uint64_t seed);

SEAM_FN static uint64_t seam_v_clock(uint64_t calls) {
	uint64_t sum = 0;
	for (uint64_t i = 0; i < calls; i++) {
		struct timespec now;
		clock_gettime(CLOCK_MONOTONIC, &now);
		sum += (uint64_t)now.tv_nsec;
	}
	return sum;
}

SEAM_FN uint64_t seam_v_outer(uint64_t seed) {
	uint64_t sum = seed;
	for (int i = 0; i < 5; i++) {
		sum ^= seam_v_clock(2000);
		SEAM_KEEP(sum);
	}
	return sum;
}
