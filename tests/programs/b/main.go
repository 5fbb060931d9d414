// Program b: Go → C.
package main

/*
#cgo CFLAGS: -O2 -fomit-frame-pointer -I${SRCDIR}/../harness
#include <stdint.h>
uint64_t seam_b_outer(uint64_t seed);
*/
import "C"

import "seam.test/harness"

//go:noinline
func callB(x uint64) uint64 {
	return uint64(C.seam_b_outer(C.uint64_t(x))) + 1
}

//go:noinline
func workerB() {
	harness.Enter("main.workerB")
	defer harness.Leave()
	for x := uint64(1); harness.Running(); {
		x = callB(x) | 1
	}
}

func main() {
	harness.Ready(1)
	go workerB()
	harness.Finish()
	harness.OK()
}
