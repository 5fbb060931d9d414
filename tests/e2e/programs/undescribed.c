// Built without unwind information, PLT included: its stacks hang on rows that are derived from
// instructions. Frames of several shapes stand above one another; the innermost is a function of
// libc that is called through the PLT all the time.
#include <alloca.h>
#include <string.h>

#include "e2e.h"

FN uint64_t seam_undescribed_calls(uint64_t x) {
	for (int i = 0; i < 4000; i++) {
		x += (uint64_t)labs((long)(x | 1));
		KEEP(x);
	}
	return x;
}

// Callee-saved registers and an early return.
FN uint64_t seam_undescribed_pushes(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
	if (a == 0) {
		return b;
	}
	uint64_t x = seam_undescribed_calls(a);
	uint64_t y = seam_undescribed_calls(b + c);
	KEEP(x);
	return rounds(x ^ y, 2000) + a + b + c + d;
}

// The frame's size is not known before it runs.
FN uint64_t seam_undescribed_alloca(uint64_t x) {
	char *room = alloca(16 + x % 512);
	memset(room, (int)x, 16);
	uint64_t r = seam_undescribed_pushes(x | 1, x + 1, x + 2, x + 3);
	KEEP(room);
	return r + (uint64_t)room[3];
}

FN uint64_t seam_undescribed_big(uint64_t x) {
	volatile uint64_t table[600];
	table[x % 600] = x;
	uint64_t r = seam_undescribed_alloca(x);
	return r + table[x % 600];
}

int main(void) {
	say_ready();
	for (uint64_t x = 1;;) {
		x = seam_undescribed_big(x) | 1;
	}
}
