// Program callers: all time goes to two C functions, each called by a Go function of its own, in one
// of three ways. The flags of its C are for whoever builds it to choose (CGO_CFLAGS).
//
// Usage: callers SECONDS call|callback|thread
package main

/*
#cgo CFLAGS: -I${SRCDIR}/../../../tests/programs/harness
#cgo LDFLAGS: -pthread
#include <stdint.h>
uint64_t callers_one(uint64_t seed);
uint64_t callers_two(uint64_t seed);
uint64_t callers_back(uint64_t seed);
int callers_thread_start(void);
void callers_thread_begin(void);
void callers_thread_end(void);
int callers_thread_join(void);
*/
import "C"

import (
	"os"
	"runtime"

	"seam.test/harness"
)

//go:noinline
func callOne(x uint64) uint64 {
	return uint64(C.callers_one(C.uint64_t(x))) + 1
}

//go:noinline
func callTwo(x uint64) uint64 {
	return uint64(C.callers_two(C.uint64_t(x))) + 1
}

//go:noinline
func both(x uint64) uint64 {
	return callTwo(callOne(x)) | 1
}

//export goBack
//go:noinline
func goBack(x C.uint64_t) C.uint64_t {
	return C.uint64_t(both(uint64(x)) + 1)
}

// Go → C.
func call() {
	harness.Enter("main.call")
	defer harness.Leave()
	runtime.LockOSThread()
	for x := uint64(1); harness.Running(); {
		x = both(x)
	}
}

// Go → C → Go → C.
func callback() {
	harness.Enter("main.callback")
	defer harness.Leave()
	runtime.LockOSThread()
	for x := uint64(1); harness.Running(); {
		x = uint64(C.callers_back(C.uint64_t(x))) | 1
	}
}

// C thread → Go → C. This goroutine only keeps the harness' count.
func thread() {
	harness.Enter("main.thread")
	defer harness.Leave()
	C.callers_thread_begin()
	harness.WaitStop()
	C.callers_thread_end()
	if error := C.callers_thread_join(); error != 0 {
		harness.Fail("pthread_join failed: %d", int(error))
	}
}

func main() {
	ways := map[string]func(){"call": call, "callback": callback, "thread": thread}
	if len(os.Args) != 3 || ways[os.Args[2]] == nil {
		harness.Fail("usage: %s SECONDS call|callback|thread", os.Args[0])
	}
	harness.Ready(1)
	if os.Args[2] == "thread" {
		if error := C.callers_thread_start(); error != 0 {
			harness.Fail("pthread_create failed: %d", int(error))
		}
	}
	go ways[os.Args[2]]()
	harness.Finish()
	harness.OK()
}
