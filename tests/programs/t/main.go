// Program t: coroutines. The sequence of iter.Pull has a goroutine of its own, whose stack begins at
// runtime.corostart, and calls C, which calls Go back; between two values the one that pulls calls C
// itself. Each switch leaves one goroutine for the other without the scheduler. The C keeps frame
// pointers, so callbacks must give back the right one.
package main

/*
#cgo CFLAGS: -O2 -fno-omit-frame-pointer -I${SRCDIR}/../harness
#include <stdint.h>
uint64_t seam_t_outer(uint64_t seed);
uint64_t seam_t_pulled(uint64_t seed);
*/
import "C"

import (
	"iter"

	"seam.test/harness"
)

// Values in a row without C in between: most of that time goes to switches.
const quick = 200

//go:noinline
func innerT(x uint64) uint64 {
	return harness.Spin(x, harness.Rounds/2) + 1
}

//export goCallbackT
//go:noinline
func goCallbackT(x C.uint64_t) C.uint64_t {
	return C.uint64_t(innerT(uint64(x)) + 1)
}

//go:noinline
func makeT(x uint64) uint64 {
	return uint64(C.seam_t_outer(C.uint64_t(x))) + 1
}

// The sequence, in a form that is not a closure: its name is what stacks show.
//
//go:noinline
func sequenceT(yield func(uint64) bool) {
	harness.Announce("main.sequenceT")
	for x := uint64(1); ; {
		x = makeT(x)
		for i := uint64(0); i < quick; i++ {
			if !yield(x + i) {
				return
			}
		}
	}
}

//go:noinline
func useT(x uint64) uint64 {
	return uint64(C.seam_t_pulled(C.uint64_t(x))) + 1
}

//go:noinline
func workerT() {
	next, stop := iter.Pull(iter.Seq[uint64](sequenceT))
	defer stop()
	sum, _ := next()
	harness.Enter("main.workerT")
	defer harness.Leave()
	for harness.Running() {
		for i := 0; i < quick; i++ {
			x, _ := next()
			sum += x
		}
		sum = useT(sum)
	}
}

func main() {
	harness.Ready(1)
	go workerT()
	harness.Finish()
	harness.OK()
}
