// The C side of program callers: two pairs of functions for about 2 ms each time, a function that
// calls Go back, and a thread that Go does not know.
#include <pthread.h>
#include <stdatomic.h>

#include "_cgo_export.h"
#include "seam.h"

#define ROUNDS (20 * SEAM_ROUNDS)

static atomic_int running;
static pthread_t thread;
static pthread_barrier_t begun;

SEAM_FN static uint64_t callers_one_leaf(uint64_t x) {
	return spin_rounds(x, ROUNDS);
}

SEAM_FN uint64_t callers_one(uint64_t seed) {
	uint64_t sum = callers_one_leaf(seed);
	SEAM_KEEP(sum);
	return sum;
}

SEAM_FN static uint64_t callers_two_leaf(uint64_t x) {
	return spin_rounds(x, ROUNDS);
}

SEAM_FN uint64_t callers_two(uint64_t seed) {
	uint64_t sum = callers_two_leaf(seed);
	SEAM_KEEP(sum);
	return sum;
}

SEAM_FN uint64_t callers_back(uint64_t seed) {
	uint64_t sum = goBack(seed);
	SEAM_KEEP(sum);
	return sum;
}

SEAM_FN static void *callers_thread(void *arg) {
	uint64_t sum = (uint64_t)(uintptr_t)arg;
	pthread_barrier_wait(&begun);
	while (atomic_load(&running)) {
		sum += callers_back(sum);
		SEAM_KEEP(sum);
	}
	return (void *)(uintptr_t)sum;
}

int callers_thread_start(void) {
	pthread_barrier_init(&begun, NULL, 2);
	return pthread_create(&thread, NULL, callers_thread, &thread);
}

void callers_thread_begin(void) {
	atomic_store(&running, 1);
	pthread_barrier_wait(&begun);
}

void callers_thread_end(void) {
	atomic_store(&running, 0);
}

int callers_thread_join(void) {
	return pthread_join(thread, NULL);
}
