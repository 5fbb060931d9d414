#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "_cgo_export.h"

#define FN __attribute__((noipa, noinline))
#define KEEP(value) __asm__ volatile("" : "+r"(value) : : "memory")

// Long enough to be proven to be the same call without BPF.
FN uint64_t headless_c(uint64_t x) {
	for (unsigned i = 0; i < 20000000; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		KEEP(x);
	}
	return x;
}

FN static void *headless_thread(void *argument) {
	(void)argument;
	for (uint64_t x = 1;;) {
		x = goBack(x);
		KEEP(x);
	}
	return NULL;
}

int headless_start(void) {
	pthread_t thread;
	return pthread_create(&thread, NULL, headless_thread, NULL);
}

// Ends the thread that calls it, and nothing else.
void headless_end(void) {
	syscall(SYS_exit, 0);
}
