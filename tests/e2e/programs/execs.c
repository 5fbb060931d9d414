// Works until a line comes, then becomes another program: argv[1] and what follows.
#include <fcntl.h>

#include "e2e.h"

FN static uint64_t before_exec(uint64_t x) {
	return rounds(x, 40000);
}

int main(int argc, char **argv) {
	if (argc < 2) {
		return 2;
	}
	say_ready();
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	char byte;
	for (uint64_t x = 1; read(STDIN_FILENO, &byte, 1) != 1;) {
		x = before_exec(x);
		KEEP(x);
	}
	execv(argv[1], argv + 1);
	perror(argv[1]);
	return 1;
}
