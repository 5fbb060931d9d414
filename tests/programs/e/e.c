// The C side of program e: threads that Go knows nothing of until they call it.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "seam.h"

enum { MAX_THREADS = 8 };

static pthread_t threads[MAX_THREADS];
static int created;
static atomic_int running;
static pthread_barrier_t greeted, begun;

SEAM_FN static uint64_t seam_e_leaf(uint64_t x) {
	return spin_rounds(x, SEAM_ROUNDS);
}

SEAM_FN uint64_t seam_e_inner(uint64_t seed) {
	uint64_t r = seam_e_leaf(seed);
	SEAM_KEEP(r);
	return r;
}

SEAM_FN static uint64_t seam_e_call(uint64_t x) {
	x = spin_rounds(x, SEAM_ROUNDS / 4);
	uint64_t r = goCallbackE(x);
	SEAM_KEEP(r);
	return r;
}

SEAM_FN static void *seam_e_thread(void *arg) {
	uint64_t sum = (uint64_t)(uintptr_t)arg;
	dprintf(STDOUT_FILENO, "thread seam_e_thread tid=%ld\n", (long)syscall(SYS_gettid));
	goHelloE();
	pthread_barrier_wait(&greeted);
	pthread_barrier_wait(&begun);
	while (atomic_load(&running)) {
		sum += seam_e_call(sum);
		SEAM_KEEP(sum);
	}
	return (void *)(uintptr_t)sum;
}

// Returns when every thread has said its tid and its goid.
int seam_e_start(int count) {
	if (count > MAX_THREADS) {
		return -1;
	}
	pthread_barrier_init(&greeted, NULL, (unsigned)count + 1);
	pthread_barrier_init(&begun, NULL, (unsigned)count + 1);
	for (created = 0; created < count; created++) {
		void *seed = (void *)(uintptr_t)(created + 1);
		int error = pthread_create(&threads[created], NULL, seam_e_thread, seed);
		if (error != 0) {
			return error;
		}
	}
	pthread_barrier_wait(&greeted);
	return 0;
}

void seam_e_begin(void) {
	atomic_store(&running, 1);
	int last = pthread_barrier_wait(&begun);
	SEAM_KEEP(last);
}

void seam_e_end(void) {
	atomic_store(&running, 0);
}

int seam_e_join(void) {
	for (int i = 0; i < created; i++) {
		int error = pthread_join(threads[i], NULL);
		if (error != 0) {
			return error;
		}
	}
	return 0;
}
