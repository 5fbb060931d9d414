// What the C programs of these tests share. Each says "ready", waits for a line
// on stdin where it has something to wait for, and ends by itself after a while.
#ifndef E2E_H
#define E2E_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FN __attribute__((noipa, noinline))
#define KEEP(value) __asm__ volatile("" : "+r"(value) : : "memory")

static inline __attribute__((always_inline)) uint64_t rounds(uint64_t x, unsigned count) {
	for (unsigned i = 0; i < count; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		KEEP(x);
	}
	return x;
}

static inline void say(const char *text) {
	puts(text);
	fflush(stdout);
}

static inline void say_ready(void) {
	alarm(120);
	say("ready");
}

static inline void await_line(void) {
	char line[64];
	if (fgets(line, sizeof line, stdin) == NULL) {
		exit(1);
	}
}

#endif
