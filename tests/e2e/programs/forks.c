// Makes a child when a line comes; both work.
#include "e2e.h"

FN static uint64_t child_work(uint64_t x) {
	return rounds(x, 40000);
}

FN static uint64_t parent_work(uint64_t x) {
	return rounds(x, 40000);
}

int main(void) {
	say_ready();
	await_line();
	pid_t child = fork();
	if (child == 0) {
		alarm(120);
		for (uint64_t x = 1; getppid() != 1;) {
			x = child_work(x);
			KEEP(x);
		}
		return 0;
	}
	printf("child pid=%d\n", (int)child);
	fflush(stdout);
	for (uint64_t x = 1;;) {
		x = parent_work(x);
		KEEP(x);
	}
}
