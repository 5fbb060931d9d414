// A function that calls itself argv[1] times and works in the innermost call.
#include "e2e.h"

static volatile int working = 1;

FN static uint64_t seam_deep(uint64_t calls) {
	uint64_t x = calls;
	if (calls > 0) {
		x = seam_deep(calls - 1);
	} else {
		while (working) {
			x = rounds(x, 40000);
		}
	}
	// Neither a jump nor a sum that a loop could make.
	KEEP(x);
	return x;
}

int main(int argc, char **argv) {
	if (argc != 2) {
		return 2;
	}
	say_ready();
	return (int)seam_deep(strtoul(argv[1], NULL, 10));
}
