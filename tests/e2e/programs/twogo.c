// A C program with two Go runtimes: it is linked with the first library and loads the second, whose
// path is argv[1], when a line comes if there is an argv[2]. Go calls C that calls the other Go, and
// the first again further in.
#include <dlfcn.h>
#include <pthread.h>

#include "e2e.h"

typedef uint64_t (*go_fn)(uintptr_t, uint64_t);

extern uint64_t GoFirst(uintptr_t next, uint64_t x);
extern uint64_t GoFirstId(void);

static go_fn go_second;
static uint64_t (*go_second_id)(void);
static void (*go_second_start)(uintptr_t);

FN static uint64_t host_leaf(uint64_t x) {
	return rounds(x, 40000);
}

FN static uint64_t host_third(uint64_t x) {
	uint64_t r = GoFirst((uintptr_t)host_leaf, x);
	KEEP(r);
	return r;
}

FN static uint64_t host_second(uint64_t x) {
	uint64_t r = go_second((uintptr_t)host_third, x);
	KEEP(r);
	return r;
}

FN static uint64_t host_first(uint64_t x) {
	uint64_t r = GoFirst((uintptr_t)host_second, x);
	KEEP(r);
	return r;
}

static void *host_thread(void *argument) {
	uint64_t x = (uint64_t)(uintptr_t)argument;
	printf("first goid=%lu\n", (unsigned long)GoFirstId());
	printf("second goid=%lu\n", (unsigned long)go_second_id());
	say_ready();
	for (;;) {
		x = host_first(x);
		KEEP(x);
	}
	return NULL;
}

// The main thread stays here, inside the second runtime: the other thread gets a goroutine there
// whose number is not that of its goroutine in the first one.
static uint64_t host_hold(uint64_t x) {
	pthread_t thread;
	go_second_start((uintptr_t)host_leaf);
	if (pthread_create(&thread, NULL, host_thread, (void *)7) != 0) {
		exit(1);
	}
	for (;;) {
		pause();
	}
	return x;
}

int main(int argc, char **argv) {
	if (argc > 2) {
		say("waiting");
		await_line();
	}
	void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	go_second = (go_fn)(uintptr_t)dlsym(library, "GoSecond");
	go_second_id = (uint64_t (*)(void))(uintptr_t)dlsym(library, "GoSecondId");
	go_second_start = (void (*)(uintptr_t))(uintptr_t)dlsym(library, "GoSecondStart");
	if (go_second == NULL || go_second_id == NULL || go_second_start == NULL) {
		return 1;
	}
	return go_second((uintptr_t)host_hold, 1) == 0;
}
