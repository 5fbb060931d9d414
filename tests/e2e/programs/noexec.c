/* Tries to become a program that is not there, as a search through PATH does. */
#include "e2e.h"

FN static int tries(void) {
	char *const words[] = {"x", 0};

	return execv("/no/such/folder/program", words);
}

FN static uint64_t before(uint64_t x) {
	return rounds(x, 200);
}

int main(void) {
	say_ready();
	for (uint64_t x = 1;;) {
		x = before(x) + (uint64_t)tries();
		KEEP(x);
	}
}
