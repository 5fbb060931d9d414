// Program d: Go → C → Go → C.
package main

/*
#cgo CFLAGS: -O2 -fomit-frame-pointer -I${SRCDIR}/../harness
#include <stdint.h>
uint64_t seam_d_outer(uint64_t seed);
uint64_t seam_d_inner(uint64_t seed);
*/
import "C"

import "seam.test/harness"

//go:noinline
func innerD(x uint64) uint64 {
	x = harness.Spin(x, harness.Rounds/10)
	return uint64(C.seam_d_inner(C.uint64_t(x))) + 1
}

//export goCallbackD
//go:noinline
func goCallbackD(x C.uint64_t) C.uint64_t {
	return C.uint64_t(innerD(uint64(x)) + 1)
}

//go:noinline
func workerD() {
	harness.Enter("main.workerD")
	defer harness.Leave()
	for x := uint64(1); harness.Running(); {
		x = uint64(C.seam_d_outer(C.uint64_t(x))) | 1
	}
}

func main() {
	harness.Ready(1)
	go workerD()
	harness.Finish()
	harness.OK()
}
