// Program c: Go → C → Go.
package main

/*
#cgo CFLAGS: -O2 -fomit-frame-pointer -I${SRCDIR}/../harness
#include <stdint.h>
uint64_t seam_c_outer(uint64_t seed);
*/
import "C"

import "seam.test/harness"

//go:noinline
func leafC(x uint64) uint64 {
	return harness.Spin(x, harness.Rounds)
}

//export goCallbackC
//go:noinline
func goCallbackC(x C.uint64_t) C.uint64_t {
	return C.uint64_t(leafC(uint64(x)) + 1)
}

//go:noinline
func workerC() {
	harness.Enter("main.workerC")
	defer harness.Leave()
	for x := uint64(1); harness.Running(); {
		x = uint64(C.seam_c_outer(C.uint64_t(x))) | 1
	}
}

func main() {
	harness.Ready(1)
	go workerC()
	harness.Finish()
	harness.OK()
}
