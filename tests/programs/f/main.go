// Program f: Go → C → a Go callback that outgrows its stack, so the runtime
// copies it to a new place while C waits in the middle → C, which spins from
// the grown stack. Each round is a fresh goroutine, with a small stack again.
package main

/*
#cgo CFLAGS: -O2 -fomit-frame-pointer -I${SRCDIR}/../harness
#include <stdint.h>
uint64_t seam_f_outer(uint64_t seed);
uint64_t seam_f_inner(uint64_t seed);
*/
import "C"

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"seam.test/harness"
)

// Frames of growF on top of each other when it calls C, each more than 2 KiB:
// about 100 KiB, from a stack that starts with a few.
const depth = 48

var rounds, moved atomic.Int64

//go:noinline
func growF(x uint64, left int) uint64 {
	var frame [256]uint64
	frame[x%256] = x
	if left == 1 {
		x = uint64(C.seam_f_inner(C.uint64_t(x)))
	} else {
		x = growF(x+1, left-1)
	}
	return x ^ frame[x%256]
}

//export goCallbackF
//go:noinline
func goCallbackF(x C.uint64_t) C.uint64_t {
	var here byte
	before := uintptr(unsafe.Pointer(&here))
	sum := growF(uint64(x), depth)
	if uintptr(unsafe.Pointer(&here)) != before {
		moved.Add(1)
	}
	return C.uint64_t(sum + uint64(here))
}

//go:noinline
func workerF() {
	harness.Announce("main.workerF")
	rounds.Add(1)
	x := uint64(C.seam_f_outer(1))
	done <- x
}

var done = make(chan uint64)

func feederF() {
	harness.Enter("main.feederF")
	defer harness.Leave()
	for harness.Running() {
		go workerF()
		<-done
	}
}

func main() {
	harness.Ready(1)
	go feederF()
	harness.Finish()
	fmt.Printf("rounds=%d moved=%d\n", rounds.Load(), moved.Load())
	if moved.Load() == 0 {
		harness.Fail("no stack moved under a callback")
	}
	harness.OK()
}
