// Its main thread ends and another one works on. When a line comes, that one loads the library
// argv[2] ("load"), or becomes the program argv[2] with what follows ("exec").
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "e2e.h"

typedef uint64_t (*spin)(uint64_t);

static char **arguments;

FN static uint64_t headless_leaf(uint64_t x) {
	return rounds(x, 40000);
}

FN static uint64_t headless_work(spin function, uint64_t x) {
	uint64_t r = function(x);
	KEEP(r);
	return r;
}

static spin loaded(const char *path) {
	void *library = dlopen(path, RTLD_NOW);
	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	say("loaded");
	return (spin)dlsym(library, "plugin_spin");
}

FN static void *headless_thread(void *main_thread) {
	spin function = headless_leaf;
	char byte;
	pthread_join(*(pthread_t *)main_thread, NULL);
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	say_ready();
	for (uint64_t x = 1;;) {
		x = headless_work(function, x);
		KEEP(x);
		if (read(STDIN_FILENO, &byte, 1) != 1) {
			continue;
		}
		if (strcmp(arguments[1], "load") == 0) {
			function = loaded(arguments[2]);
		} else {
			execv(arguments[2], arguments + 2);
			perror(arguments[2]);
			exit(1);
		}
	}
	return NULL;
}

int main(int argc, char **argv) {
	static pthread_t own, thread;
	if (argc < 3) {
		return 2;
	}
	arguments = argv;
	own = pthread_self();
	if (pthread_create(&thread, NULL, headless_thread, &own) != 0) {
		perror("pthread_create");
		return 1;
	}
	pthread_exit(NULL);
}
