// C frames with frame pointers, as many as asked for, and a leaf that works.
#include "depth.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <x86intrin.h>

#include "seam.h"

// Shorter gaps are the loop itself, longer ones another process or machine that ran.
#define SHORTEST 400
#define LONGEST 200000

struct depth_gaps depth_gaps_seen[64];

// gcc gives leaves no frame pointer in spite of -fno-omit-frame-pointer, unless they ask.
#define FRAMED                                                                                     \
	do {                                                                                       \
		void *frame = __builtin_frame_address(0);                                          \
		SEAM_KEEP(frame);                                                                  \
	} while (0)

static long zero = -1;

__attribute__((constructor)) static void depth_open(void) {
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
}

uint64_t depth_cycles(void) {
	return __rdtsc();
}

SEAM_FN static uint64_t depth_spin(uint64_t x, uint64_t rounds) {
	FRAMED;
	return spin_rounds(x, (unsigned)rounds);
}

// Nearly all of it is kernel time. The system call stands here, not in libc,
// which has no frame pointers.
SEAM_FN static uint64_t depth_kernel(uint64_t x, uint64_t rounds) {
	FRAMED;
	static __thread char buffer[1 << 16];
	for (uint64_t i = 0; i < rounds; i += 1000) {
		long done;
		__asm__ volatile("syscall"
				 : "=a"(done)
				 : "0"((long)SYS_read), "D"(zero), "S"(buffer), "d"(sizeof buffer)
				 : "rcx", "r11", "memory");
		x += (uint64_t)done;
	}
	return x;
}

// Reads the clock again and again: what is missing between two readings, something
// else took.
SEAM_FN static uint64_t depth_gaps(uint64_t thread, uint64_t rounds) {
	FRAMED;
	struct depth_gaps seen = depth_gaps_seen[thread & 63];
	uint64_t first = __rdtsc(), last = first;
	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t now = __rdtsc();
		uint64_t gap = now - last;
		if (gap > SHORTEST && gap < LONGEST) {
			seen.count++;
			seen.cycles += gap;
		}
		if (gap < LONGEST)
			seen.all_cycles += gap;
		last = now;
	}
	depth_gaps_seen[thread & 63] = seen;
	return last - first;
}

SEAM_FN uint64_t depth_down(uint64_t depth, uint64_t leaf, uint64_t thread, uint64_t rounds) {
	uint64_t sum;
	if (depth > 1)
		sum = depth_down(depth - 1, leaf, thread, rounds) + depth;
	else if (leaf == DEPTH_GAPS)
		sum = depth_gaps(thread, rounds);
	else if (leaf == DEPTH_KERNEL)
		sum = depth_kernel(depth, rounds);
	else
		sum = depth_spin(depth, rounds);
	SEAM_KEEP(sum);
	return sum;
}
