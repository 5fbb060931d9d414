// Programs that change all the time: storm MODE SECONDS [MORE]. Each has work whose stack is known
// (storm_root, storm_middle, storm_leaf), prints "done count=N interrupted=N" and ends by itself.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "e2e.h"

extern char **environ;
static volatile int over;
static volatile unsigned long interrupted;

static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

FN static uint64_t storm_leaf(uint64_t x, unsigned count) {
	return rounds(x, count);
}

FN static uint64_t storm_middle(uint64_t x, unsigned count) {
	x = storm_leaf(x, count);
	KEEP(x);
	return x;
}

FN static uint64_t storm_root(uint64_t x, unsigned count) {
	x = storm_middle(x, count);
	KEEP(x);
	return x;
}

static void fail(const char *what) {
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static void nap(long ns) {
	struct timespec time = { .tv_nsec = ns };
	if (nanosleep(&time, NULL) && errno == EINTR)
		__atomic_add_fetch(&interrupted, 1, __ATOMIC_RELAXED);
}

// Waits in the calls that a signal, a stop or a tracer would interrupt.
static void *waiter(void *unused) {
	int ends[2];
	sem_t never;
	if (pipe(ends) || sem_init(&never, 0, 0))
		fail("pipe");
	while (!over) {
		struct pollfd polled = { .fd = ends[0], .events = POLLIN };
		struct timespec until;
		nap(1000000);
		if (poll(&polled, 1, 1) < 0)
			__atomic_add_fetch(&interrupted, 1, __ATOMIC_RELAXED);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec = (until.tv_nsec + 1000000) % 1000000000;
		if (sem_timedwait(&never, &until) && errno == EINTR)
			__atomic_add_fetch(&interrupted, 1, __ATOMIC_RELAXED);
	}
	return unused;
}

static void *worker(void *number) {
	uint64_t x = (uintptr_t)number;
	while (!over) {
		x = storm_root(x, 20000);
		KEEP(x);
		nap(50000000 + (long)(x % 900000000));
	}
	return NULL;
}

static unsigned long threads(double end, unsigned long count) {
	pthread_attr_t attributes;
	pthread_t *all = calloc(count, sizeof(*all));
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 << 10);
	for (unsigned long i = 0; i < count; i++)
		if (pthread_create(&all[i], &attributes, worker, (void *)i))
			fail("pthread_create");
	say("made");
	while (now() < end)
		nap(10000000);
	over = 1;
	for (unsigned long i = 0; i < count; i++)
		pthread_join(all[i], NULL);
	return count;
}

// Short-lived processes, at most `rate` a second, a few at a time.
static unsigned long processes(double end, unsigned long rate, char *self) {
	char *words[] = { self, "brief", "1", NULL };
	unsigned long made = 0, running = 0;
	double begun = now();
	while (now() < end) {
		pid_t pid;
		if (posix_spawn(&pid, self, NULL, NULL, words, environ))
			fail("posix_spawn");
		made++, running++;
		while (running && waitpid(-1, NULL, running < 4 ? WNOHANG : 0) > 0)
			running--;
		while (now() < begun + (double)made / (double)rate)
			nap(100000);
	}
	while (wait(NULL) > 0)
		;
	return made;
}

// Opens and closes libraries, numbered copies of one, `rate` times a second.
static unsigned long loads(double end, unsigned long rate, const char *folder) {
	unsigned long made = 0;
	double begun = now();
	while (now() < end) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%lu.so", folder, made % 16);
		void *library = dlopen(path, RTLD_NOW);
		uint64_t (*spin)(uint64_t) = library ? dlsym(library, "plugin_spin") : NULL;
		if (spin == NULL)
			fail(path);
		uint64_t x = spin(made);
		KEEP(x);
		dlclose(library);
		made++;
		while (now() < begun + (double)made / (double)rate)
			nap(100000);
	}
	return made;
}

// Maps its own code again and again, while another thread works.
static unsigned long maps(double end, const char *self) {
	pthread_t thread;
	unsigned long made = 0;
	int file = open(self, O_RDONLY);
	if (file < 0 || pthread_create(&thread, NULL, worker, NULL))
		fail(self);
	uint64_t x = 1;
	while (now() < end) {
		void *at[8];
		for (int i = 0; i < 8; i++) {
			at[i] = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
			if (at[i] == MAP_FAILED)
				fail("mmap");
		}
		x = storm_root(x, 2000);
		KEEP(x);
		for (int i = 0; i < 8; i++)
			munmap(at[i], 4096);
		made += 8;
	}
	over = 1;
	pthread_join(thread, NULL);
	return made;
}

// Becomes itself again and again until the time comes that is its argument.
static void again(char *self, double end, unsigned long count) {
	char until[64], number[64];
	uint64_t x = storm_root(count, 400000);
	KEEP(x);
	if (now() >= end) {
		printf("done count=%lu interrupted=0\n", count);
		exit(0);
	}
	snprintf(until, sizeof(until), "%.6f", end);
	snprintf(number, sizeof(number), "%lu", count + 1);
	char *words[] = { self, "again", until, number, NULL };
	execv(self, words);
	fail("execv");
}

// Children that sleep, and work now and then.
static unsigned long many(double end, unsigned long count) {
	for (unsigned long i = 0; i < count; i++) {
		pid_t pid = fork();
		if (pid < 0)
			fail("fork");
		if (pid == 0) {
			uint64_t x = i;
			while (now() < end) {
				x = storm_root(x, 400000);
				KEEP(x);
				nap(900000000);
			}
			_exit(0);
		}
	}
	say("made");
	while (wait(NULL) > 0)
		;
	return count;
}

static unsigned long spin(double end) {
	unsigned long count = 0;
	for (uint64_t x = 1; now() < end; count++) {
		x = storm_root(x, 40000);
		KEEP(x);
	}
	return count;
}

int main(int argc, char **argv) {
	if (argc < 3)
		return 2;
	const char *mode = argv[1];
	unsigned long more = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	if (!strcmp(mode, "brief")) {
		uint64_t x = storm_root(1, 300000);
		KEEP(x);
		return 0;
	}
	if (!strcmp(mode, "again"))
		again(argv[0], strtod(argv[2], NULL), more);
	alarm(600);
	double end = now() + strtod(argv[2], NULL);
	pthread_t waiting;
	say("ready");
	if (!strcmp(mode, "exec"))
		again(argv[0], end, 1);
	if (pthread_create(&waiting, NULL, waiter, NULL))
		fail("pthread_create");
	unsigned long count;
	if (!strcmp(mode, "threads"))
		count = threads(end, more);
	else if (!strcmp(mode, "processes"))
		count = processes(end, more, argv[0]);
	else if (!strcmp(mode, "loads"))
		count = loads(end, more, argv[4]);
	else if (!strcmp(mode, "maps"))
		count = maps(end, argv[0]);
	else if (!strcmp(mode, "many"))
		count = many(end, more);
	else
		count = spin(end);
	over = 1;
	pthread_join(waiting, NULL);
	printf("done count=%lu interrupted=%lu\n", count, interrupted);
	return 0;
}
