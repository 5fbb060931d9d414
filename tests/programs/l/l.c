// The C side of program l: a leaf, and a thread for each call of seam_l_make.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>

#include "seam.h"

SEAM_FN static uint64_t seam_l_leaf(uint64_t x) {
	return spin_rounds(x, SEAM_ROUNDS);
}

SEAM_FN uint64_t seam_l_call(uint64_t x) {
	uint64_t r = seam_l_leaf(x);
	SEAM_KEEP(r);
	return r;
}

SEAM_FN static uint64_t seam_l_born_leaf(uint64_t x) {
	return spin_rounds(x, SEAM_ROUNDS * 20);
}

SEAM_FN static void *seam_l_thread(void *arg) {
	uint64_t r = seam_l_born_leaf((uint64_t)(uintptr_t)arg);
	SEAM_KEEP(r);
	return (void *)(uintptr_t)r;
}

SEAM_FN uint64_t seam_l_make(uint64_t x) {
	pthread_t thread;
	void *result = 0;
	if (pthread_create(&thread, 0, seam_l_thread, (void *)(uintptr_t)x) == 0)
		pthread_join(thread, &result);
	return (uint64_t)(uintptr_t)result;
}
