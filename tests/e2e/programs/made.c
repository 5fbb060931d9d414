// Works in code made at run time, in a page of the kind argv[1] (see made.h).
#define _GNU_SOURCE
#include "made.h"

int main(int argc, char **argv) {
	char *page = made_page(argc > 1 ? atoi(argv[1]) : 0);
	if (page == NULL) {
		perror("mmap");
		return 1;
	}
	made_names(page);
	say_ready();
	for (uint64_t x = 1;;) {
		x = made_round(page, x);
	}
}
