/* Reads a file by io_uring in a way that makes the kernel start threads of its own in this process:
 * iou-wrk-…, which never were in user mode. */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "e2e.h"

#define ENTRIES 16
#define BYTES (1 << 16)

static char room[ENTRIES][BYTES];
static struct io_uring_sqe *sqes;
static char *ring;
static struct io_uring_params params;

static unsigned *at(unsigned offset) { return (unsigned *)(ring + offset); }

FN static void ask(int file) {
	unsigned tail = *at(params.sq_off.tail), mask = *at(params.sq_off.ring_mask);

	for (unsigned i = 0; i < ENTRIES; i++, tail++) {
		struct io_uring_sqe *sqe = &sqes[tail & mask];

		memset(sqe, 0, sizeof *sqe);
		sqe->opcode = IORING_OP_READ;
		sqe->flags = IOSQE_ASYNC;
		sqe->fd = file;
		sqe->addr = (unsigned long)room[i];
		sqe->len = BYTES;
		at(params.sq_off.array)[tail & mask] = tail & mask;
	}
	__atomic_store_n(at(params.sq_off.tail), tail, __ATOMIC_RELEASE);
}

FN static void submit_and_wait(int uring) {
	syscall(SYS_io_uring_enter, uring, ENTRIES, ENTRIES, IORING_ENTER_GETEVENTS, 0, 0);
	__atomic_store_n(at(params.cq_off.head),
			 __atomic_load_n(at(params.cq_off.tail), __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
}

int main(int argc, char **argv) {
	int file = open(argv[argc - 1], O_RDONLY);
	int uring = (int)syscall(SYS_io_uring_setup, ENTRIES, &params);

	if (file < 0 || uring < 0 || !(params.features & IORING_FEAT_SINGLE_MMAP)) {
		perror("io_uring");
		return 1;
	}
	ring = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, uring,
		    IORING_OFF_SQ_RING);
	sqes = mmap(0, ENTRIES * sizeof *sqes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, uring,
		    IORING_OFF_SQES);
	if (ring == MAP_FAILED || sqes == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	say_ready();
	for (;;) {
		ask(file);
		submit_and_wait(uring);
	}
}
