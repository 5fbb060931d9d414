// Program p-c: C without Go. The main thread and a second one work; libc's
// qsort stands between two functions of ours, as callbacks do in real programs.
#include <pthread.h>
#include <stdatomic.h>

#include "plain.h"
#include "seam.h"

enum { ITEMS = 512 };

typedef uint64_t (*seam_p_step)(uint64_t);

static atomic_int running = 1;
static pthread_barrier_t begun;
static volatile seam_p_step steps[2];

SEAM_FN static uint64_t seam_p_leaf(uint64_t x) {
	return spin_rounds(x, SEAM_ROUNDS);
}

SEAM_FN static uint64_t seam_p_direct(uint64_t x) {
	uint64_t r = seam_p_leaf(x);
	SEAM_KEEP(r);
	return r;
}

SEAM_FN static int seam_p_compare(const void *a, const void *b) {
	uint64_t x = spin_rounds(*(const uint64_t *)a, 50);
	uint64_t y = spin_rounds(*(const uint64_t *)b, 50);
	return (x > y) - (x < y);
}

SEAM_FN static uint64_t seam_p_sort(uint64_t x) {
	uint64_t items[ITEMS];
	for (int i = 0; i < ITEMS; i++) {
		items[i] = x = x * 6364136223846793005u + 1;
	}
	qsort(items, ITEMS, sizeof items[0], seam_p_compare);
	return items[x % ITEMS];
}

// Calls through pointers: no call instruction names the two steps.
SEAM_FN static uint64_t seam_p_work(uint64_t x) {
	for (int i = 0; i < 2; i++) {
		x ^= steps[i](x);
		SEAM_KEEP(x);
	}
	return x;
}

SEAM_FN static void *seam_p_thread(void *arg) {
	uint64_t x = (uint64_t)(uintptr_t)arg;
	plain_thread("seam_p_thread");
	pthread_barrier_wait(&begun);
	while (atomic_load(&running)) {
		x += seam_p_work(x);
		SEAM_KEEP(x);
	}
	return (void *)(uintptr_t)x;
}

SEAM_FN static uint64_t seam_p_main(double end) {
	uint64_t x = 1;
	while (plain_now() < end) {
		x += seam_p_work(x);
		SEAM_KEEP(x);
	}
	return x;
}

int main(int argc, char **argv) {
	double seconds = plain_ready(argc, argv);
	pthread_t thread;
	steps[0] = seam_p_direct;
	steps[1] = seam_p_sort;
	pthread_barrier_init(&begun, NULL, 2);
	if (pthread_create(&thread, NULL, seam_p_thread, (void *)1) != 0) {
		perror("pthread_create");
		return 1;
	}
	plain_thread("main");
	plain_mark("start");
	pthread_barrier_wait(&begun);
	uint64_t x = seam_p_main(plain_now() + seconds);
	SEAM_KEEP(x);
	plain_mark("stop");
	atomic_store(&running, 0);
	if (pthread_join(thread, NULL) != 0) {
		return 1;
	}
	puts("ok");
	return 0;
}
