/* Calls inlined into each other, for comparing with addr2line: several levels, the same function
 * at several places, a loop, a body from another file and lines that are said to be elsewhere. */
#include <stdio.h>
#include <stdlib.h>

#define ALWAYS static inline __attribute__((always_inline))

ALWAYS unsigned mix(unsigned x)
{
	x ^= x >> 15;
	x *= 0x2c1b3c6du;
	return x ^ x >> 12;
}

ALWAYS unsigned twice(unsigned x)
{
	unsigned once = mix(x);

	return mix(once + 1);
}

static unsigned small(unsigned x)
{
	return twice(x) + 3;
}

__attribute__((noinline)) static unsigned loop(unsigned n)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < n; i++) {
		if (i & 1)
			sum += small(i);
		else
			sum -= twice(sum);
	}
	return sum;
}

__attribute__((noinline)) unsigned included(unsigned x)
{
#include "body.h"
}

#line 1000 "grammar.y"
__attribute__((noinline)) unsigned generated(unsigned x)
{
	return mix(x) + x / 7;
}

__attribute__((noinline, cold)) void fail(unsigned x)
{
	printf("%u\n", twice(x));
	exit(1);
}

int main(int argc, char **argv)
{
	unsigned n = loop((unsigned)argc) + included((unsigned)argc) + generated(3);

	if (n == 12345)
		fail(n);
	return (int)small((unsigned)atoi(argv[0]));
}
