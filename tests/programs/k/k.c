// The C side of program k: the same three kinds of system calls through libc.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "seam.h"

enum { TIMES = 50, PIPED = 16 << 10 };

static char buffer[64 << 10];
static int zero, null, ends[2];
static _Atomic uint32_t turn;

int seam_k_open(void);
uint64_t seam_k_outer(uint64_t seed);
uint64_t seam_k_side(uint32_t side);

int seam_k_open(void) {
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return zero < 0 || null < 0 || pipe2(ends, O_CLOEXEC) != 0;
}

// A transfer may be short, as one from /dev/zero is when a signal arrives (Go
// sends its threads many), but it must not fail.
static inline uint64_t moved(ssize_t bytes) {
	if (bytes <= 0) {
		abort();
	}
	return (uint64_t)bytes;
}

SEAM_FN static uint64_t seam_k_zero(uint64_t sum) {
	for (int i = 0; i < TIMES; i++) {
		sum += moved(read(zero, buffer, sizeof buffer));
		sum += moved(write(null, buffer, sizeof buffer));
	}
	return sum;
}

SEAM_FN static uint64_t seam_k_pipe(uint64_t sum) {
	for (int i = 0; i < TIMES; i++) {
		sum += moved(write(ends[1], buffer, PIPED));
		sum += moved(read(ends[0], buffer, sizeof buffer));
	}
	return sum;
}

SEAM_FN uint64_t seam_k_outer(uint64_t seed) {
	uint64_t sum = seam_k_zero(seed);
	SEAM_KEEP(sum);
	sum += seam_k_pipe(sum);
	SEAM_KEEP(sum);
	return sum;
}

SEAM_FN static uint64_t seam_k_futex(uint32_t side) {
	const struct timespec limit = {.tv_nsec = 10000000};
	uint64_t waits = 0;
	for (int i = 0; i < TIMES; i++) {
		uint32_t now = atomic_load(&turn);
		if (now != side) {
			syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, now, &limit, NULL, 0);
			waits++;
			continue;
		}
		atomic_store(&turn, 1 - side);
		syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return waits;
}

SEAM_FN uint64_t seam_k_side(uint32_t side) {
	uint64_t waits = seam_k_futex(side);
	SEAM_KEEP(waits);
	return waits;
}
