// What every C file of the test programs shares. Go programs find it through
// the CFLAGS of their cgo preamble, plain ones through the builder's -I.
#ifndef SEAM_H
#define SEAM_H

#include <stdint.h>

// A function that keeps its own frame and its own name: never inlined, cloned,
// split or renamed. gcc's noipa covers all of these; clang has only noinline.
#if defined(__has_attribute) && __has_attribute(noipa)
#define SEAM_FN __attribute__((noipa, noinline, noclone))
#else
#define SEAM_FN __attribute__((noinline))
#endif

// Stands between a call and the return: the call is then not the last thing the
// function does, so it cannot become a jump (which would drop the caller's frame).
#define SEAM_KEEP(value) __asm__ volatile("" : "+r"(value) : : "memory")

// Rounds that take about 100 µs on a 2020s core: long enough that samples land
// in the leaf, short enough that every caller is visited between two of them.
#define SEAM_ROUNDS 40000u

// Arithmetic the compiler cannot shorten. Inlined into its caller, and not
// called seam_*, so that it never counts as an application frame.
static inline __attribute__((always_inline)) uint64_t spin_rounds(uint64_t x, unsigned rounds) {
	for (unsigned i = 0; i < rounds; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		x ^= x >> 29;
		SEAM_KEEP(x);
	}
	return x;
}

#endif
