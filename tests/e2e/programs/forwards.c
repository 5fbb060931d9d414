// A C handler that Go calls: it was there before Go's runtime (the library argv[1]) took the signal.
// And, with an argv[2], stacks of the program's own making (makecontext).
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

#include "e2e.h"

static uint64_t handled = 1;
static ucontext_t outside, inside;
static char stack[1 << 16];

FN static uint64_t host_leaf(uint64_t x) {
	return rounds(x, 40000);
}

static void host_handler(int number) {
	(void)number;
	handled = host_leaf(handled);
	KEEP(handled);
}

FN static void host_raise(void) {
	pthread_kill(pthread_self(), SIGPIPE);
	KEEP(handled);
}

static void host_coroutine(void) {
	for (uint64_t x = 1;;) {
		x = host_leaf(x);
		KEEP(x);
		swapcontext(&inside, &outside);
	}
}

FN static void host_switch(void) {
	swapcontext(&outside, &inside);
	KEEP(handled);
}

int main(int argc, char **argv) {
	struct sigaction action = {.sa_handler = host_handler};
	if (argc < 2 || sigaction(SIGPIPE, &action, NULL) != 0) {
		return 1;
	}
	void *library = dlopen(argv[1], RTLD_NOW);
	uint64_t (*enter)(uintptr_t, uint64_t);
	enter = library == NULL ? NULL : (uint64_t (*)(uintptr_t, uint64_t))(uintptr_t)dlsym(library, "GoFirst");
	if (enter == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	enter((uintptr_t)host_leaf, 1);
	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = sizeof stack;
	makecontext(&inside, host_coroutine, 0);
	say_ready();
	for (;;) {
		host_raise();
		if (argc > 2) {
			host_switch();
		}
	}
}
