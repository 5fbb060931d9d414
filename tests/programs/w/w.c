/* Waiting in C: asleep under frames that are known, and in a callback into Go. */
#include <stdint.h>
#include <unistd.h>

extern void goWaitW(void);

volatile int seam_w_asleep;

__attribute__((noinline)) static int seam_w_leaf(int depth)
{
	for (;;) {
		seam_w_asleep = depth;
		pause();
	}
	return 0;
}

__attribute__((noinline)) void seam_w_wait(int depth)
{
	if (depth > 0)
		seam_w_wait(depth - 1);
	else
		seam_w_leaf(depth);
	seam_w_asleep = depth;
}

__attribute__((noinline)) void seam_w_back(void)
{
	goWaitW();
	seam_w_asleep = 2;
}
