/* Spins for some milliseconds, three calls deep; and the same by way of Go. */
#include <stdint.h>
#include <time.h>
#include "_cgo_export.h"

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static volatile uint64_t sink;

__attribute__((noinline)) static uint64_t long_leaf(uint64_t x)
{
	for (int i = 0; i < 200000; i++)
		x = x * 6364136223846793005u + 1442695040888963407u;
	return x | 1;
}

__attribute__((noinline)) static uint64_t long_middle(uint64_t until)
{
	uint64_t x = 1;

	while (now() < until)
		x = long_leaf(x) + 2;
	return x + 1;
}

void long_call(uint64_t milliseconds)
{
	sink = long_middle(now() + milliseconds) + 1;
}

void long_back(uint64_t milliseconds)
{
	goBack(milliseconds);
	sink++;
}
