// The C side of the depth program.
#ifndef DEPTH_H
#define DEPTH_H

#include <stdint.h>

enum depth_leaf { DEPTH_SPIN = 0, DEPTH_KERNEL = 1, DEPTH_GAPS = 2 };

// Gaps of one thread in its own user time: how often and how long it was interrupted.
struct depth_gaps {
	uint64_t count;
	uint64_t cycles;
	uint64_t all_cycles;
};

extern struct depth_gaps depth_gaps_seen[64];

uint64_t depth_down(uint64_t depth, uint64_t leaf, uint64_t thread, uint64_t rounds);
uint64_t depth_cycles(void);

#endif
