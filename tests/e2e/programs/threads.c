// argv[1] threads that take turns on the processors.
#include <pthread.h>
#include <sched.h>

#include "e2e.h"

FN static uint64_t crowd_work(uint64_t x) {
	return rounds(x, 10000);
}

static void *crowd_thread(void *argument) {
	uint64_t x = (uint64_t)(uintptr_t)argument;
	for (;;) {
		x = crowd_work(x);
		KEEP(x);
		sched_yield();
	}
	return NULL;
}

int main(int argc, char **argv) {
	int count = argc > 1 ? atoi(argv[1]) : 1;
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	for (int i = 0; i < count; i++) {
		pthread_t thread;
		if (pthread_create(&thread, &small, crowd_thread, (void *)(uintptr_t)(i + 1)) != 0) {
			perror("pthread_create");
			return 1;
		}
	}
	say_ready();
	pause();
	return 0;
}
