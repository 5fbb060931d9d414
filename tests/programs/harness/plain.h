// The harness of the programs without Go: the same argument, lines and marks.
#ifndef SEAM_PLAIN_H
#define SEAM_PLAIN_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline double plain_now(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// Prints a mark with the time on CLOCK_MONOTONIC, the clock of samples.
static inline void plain_mark(const char *name) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%s ns=%lld\n", name, (long long)now.tv_sec * 1000000000 + now.tv_nsec);
}

static inline void plain_thread(const char *name) {
	printf("thread %s tid=%ld\n", name, (long)syscall(SYS_gettid));
}

// Reads SECONDS and says that the program is up. Returns the seconds.
static inline double plain_ready(int argc, char **argv) {
	double seconds = argc > 1 ? atof(argv[1]) : 10;
	if (!(seconds > 0)) {
		fprintf(stderr, "usage: %s [SECONDS]\n", argv[0]);
		exit(1);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready pid=%d\n", (int)getpid());
	return seconds;
}

#ifdef __cplusplus
}
#endif

#endif
