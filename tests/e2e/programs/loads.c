// Loads the library argv[1] when a line comes, and works in it.
#include <dlfcn.h>

#include "e2e.h"

typedef uint64_t (*spin)(uint64_t);

FN static uint64_t host_work(spin function, uint64_t x) {
	uint64_t r = function(x);
	KEEP(r);
	return r;
}

int main(int argc, char **argv) {
	if (argc != 2) {
		return 2;
	}
	say_ready();
	await_line();
	void *library = dlopen(argv[1], RTLD_NOW);
	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	spin function = (spin)dlsym(library, "plugin_spin");
	if (function == NULL) {
		return 1;
	}
	say("loaded");
	for (uint64_t x = 1;;) {
		x = host_work(function, x);
	}
}
