// The C side of program s: everything that is hard on a stack walk.
#define _GNU_SOURCE
#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "seam.h"

uint64_t seam_s_throw(uint64_t x);

static atomic_ulong signals;

SEAM_FN static uint64_t seam_s_leaf(uint64_t x) {
	return spin_rounds(x, SEAM_ROUNDS / 8);
}

static int seam_s_compare(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return goCompareS(x, y);
}

// libc's qsort between C and Go.
SEAM_FN uint64_t seam_s_sort(uint64_t seed) {
	uint64_t v[64];
	for (int i = 0; i < 64; i++)
		v[i] = seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	qsort(v, 64, sizeof(v[0]), seam_s_compare);
	uint64_t r = v[0];
	SEAM_KEEP(r);
	return r;
}

SEAM_FN uint64_t seam_s_heap(uint64_t x) {
	for (int i = 0; i < 200; i++) {
		size_t size = 16 + (x >> (i % 40)) % 5000;
		char *p = malloc(size);
		memset(p, (int)x, size);
		x += (uint64_t)p[size / 2];
		p = realloc(p, size * 2);
		x ^= (uintptr_t)p >> 4;
		free(p);
	}
	SEAM_KEEP(x);
	return x;
}

SEAM_FN uint64_t seam_s_deep(uint64_t x, uint64_t depth) {
	volatile char room[32];
	room[depth % 32] = (char)x;
	uint64_t r = depth ? seam_s_deep(x + 1, depth - 1) : seam_s_leaf(x);
	r += (uint64_t)room[depth % 32];
	SEAM_KEEP(r);
	return r;
}

// A stack frame of unknown size, aligned, below a callback.
SEAM_FN uint64_t seam_s_alloca(uint64_t x) {
	size_t size = 64 + x % 4000;
	char *p = alloca(size);
	_Alignas(64) volatile char aligned[128];
	memset(p, 1, size);
	aligned[x % 128] = p[size / 2];
	uint64_t r = goAgainS(x) + (uint64_t)aligned[x % 128];
	SEAM_KEEP(r);
	return r;
}

// Go panics through these frames and recovers on the other side.
SEAM_FN uint64_t seam_s_panic(uint64_t x) {
	uint64_t r = goPanicS(x);
	SEAM_KEEP(r);
	return r;
}

static __thread jmp_buf here;

SEAM_FN static void seam_s_jump(uint64_t depth) {
	if (depth == 0)
		longjmp(here, 1);
	seam_s_jump(depth - 1);
	SEAM_KEEP(depth);
}

SEAM_FN uint64_t seam_s_setjmp(uint64_t x) {
	for (volatile int i = 0; i < 50; i++) {
		if (setjmp(here) == 0)
			seam_s_jump(20);
		x = seam_s_leaf(x) + 1;
	}
	SEAM_KEEP(x);
	return x;
}

SEAM_FN static void *seam_s_thread(void *arg) {
	uint64_t x = goFromThreadS((uintptr_t)arg);
	return (void *)(uintptr_t)x;
}

// Threads that live for one callback.
SEAM_FN uint64_t seam_s_churn(uint64_t x) {
	pthread_t threads[4];
	void *result = 0;
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], 0, seam_s_thread, (void *)(uintptr_t)(x + i));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], &result);
	return (uint64_t)(uintptr_t)result;
}

SEAM_FN static void seam_s_handler(int signal) {
	(void)signal;
	uint64_t r = spin_rounds(signals++, SEAM_ROUNDS / 20);
	SEAM_KEEP(r);
}

// A thread with a signal stack of its own, hit by its own timer while it computes and sleeps.
SEAM_FN static void *seam_s_signalled(void *arg) {
	stack_t own = { .ss_sp = malloc(1 << 16), .ss_size = 1 << 16 };
	sigaltstack(&own, 0);
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2 };
	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	timer_t timer;
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	struct itimerspec every = { { 0, 1000000 }, { 0, 1000000 } };
	timer_settime(timer, 0, &every, 0);
	for (uint64_t x = (uintptr_t)arg;;) {
		x = seam_s_leaf(x);
		struct timespec nap = { 0, 200000 };
		nanosleep(&nap, 0);
		x = seam_s_deep(x, 60);
	}
	return 0;
}

void seam_s_start_signals(void) {
	struct sigaction action = { .sa_handler = seam_s_handler,
				    .sa_flags = SA_ONSTACK | SA_RESTART };
	sigaction(SIGUSR2, &action, 0);
	pthread_t thread;
	pthread_create(&thread, 0, seam_s_signalled, (void *)1);
	pthread_detach(thread);
}
