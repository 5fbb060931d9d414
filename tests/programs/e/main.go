// Program e: threads that C created → exported Go function → C.
package main

/*
#cgo CFLAGS: -O2 -fomit-frame-pointer -I${SRCDIR}/../harness
#cgo LDFLAGS: -pthread
#include <stdint.h>
int seam_e_start(int threads);
int seam_e_join(void);
void seam_e_begin(void);
void seam_e_end(void);
uint64_t seam_e_inner(uint64_t seed);
*/
import "C"

import (
	"sync"

	"seam.test/harness"
)

const threads = 2

// The goids seen in callbacks. They belong to the goroutines the runtime keeps
// for threads it did not create.
var seen sync.Map

//go:noinline
func innerE(x uint64) uint64 {
	x = harness.Spin(x, harness.Rounds/4)
	return uint64(C.seam_e_inner(C.uint64_t(x))) + 1
}

//export goCallbackE
//go:noinline
func goCallbackE(x C.uint64_t) C.uint64_t {
	return C.uint64_t(innerE(uint64(x)) + 1)
}

// Called by each thread once, before the work starts.
//
//export goHelloE
func goHelloE() {
	if _, again := seen.LoadOrStore(harness.Goid(), true); !again {
		harness.Announce("extra")
	}
}

// The worker here is a goroutine that only keeps the harness' count: the work
// is done by the C threads, between C.seam_e_begin and C.seam_e_end.
func keeperE() {
	harness.Enter("main.keeperE")
	defer harness.Leave()
	C.seam_e_begin()
	harness.WaitStop()
	C.seam_e_end()
	if left := C.seam_e_join(); left != 0 {
		harness.Fail("pthread_join failed: %d", int(left))
	}
}

func main() {
	harness.Ready(1)
	if err := C.seam_e_start(threads); err != 0 {
		harness.Fail("pthread_create failed: %d", int(err))
	}
	go keeperE()
	harness.Finish()
	harness.OK()
}
