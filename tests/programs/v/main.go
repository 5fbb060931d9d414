// Program v: asking for the time, which the kernel's vdso page answers in user
// mode, from Go (which switches to the thread's own stack for it) and from C.
package main

/*
#cgo CFLAGS: -O2 -fomit-frame-pointer -I${SRCDIR}/../harness
#include <stdint.h>
uint64_t seam_v_outer(uint64_t seed);
*/
import "C"

import (
	"time"

	"seam.test/harness"
)

//go:noinline
func clockV(calls int) int64 {
	var sum int64
	for i := 0; i < calls; i++ {
		sum += time.Now().UnixNano()
	}
	return sum
}

//go:noinline
func workerV() {
	harness.Enter("main.workerV")
	defer harness.Leave()
	for sum := int64(0); harness.Running(); {
		sum ^= clockV(2000)
	}
}

//go:noinline
func workerVC() {
	harness.Enter("main.workerVC")
	defer harness.Leave()
	for x := uint64(1); harness.Running(); {
		x = uint64(C.seam_v_outer(C.uint64_t(x))) | 1
	}
}

func main() {
	harness.Ready(2)
	go workerV()
	go workerVC()
	harness.Finish()
	harness.OK()
}
