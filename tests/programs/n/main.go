// Program n: three cgo calls and two callbacks nested, Go → C (alloca) → Go
// (the stack grows and moves) → C → Go → C, on two goroutines at a time.
package main

/*
#cgo CFLAGS: -O2 -fomit-frame-pointer -I${SRCDIR}/../harness
#include <stdint.h>
uint64_t seam_n_first(uint64_t seed);
uint64_t seam_n_second(uint64_t seed);
uint64_t seam_n_third(uint64_t seed);
*/
import "C"

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"seam.test/harness"
)

const depth = 24

var rounds, moved atomic.Int64

//go:noinline
func growN(x uint64, left int) uint64 {
	var frame [256]uint64
	frame[x%256] = x
	if left == 1 {
		x = uint64(C.seam_n_second(C.uint64_t(x)))
	} else {
		x = growN(x+1, left-1)
	}
	return x ^ frame[x%256]
}

//export goFirstN
//go:noinline
func goFirstN(x C.uint64_t) C.uint64_t {
	var here byte
	before := uintptr(unsafe.Pointer(&here))
	sum := growN(uint64(x), depth)
	if uintptr(unsafe.Pointer(&here)) != before {
		moved.Add(1)
	}
	return C.uint64_t(sum + uint64(here))
}

//export goSecondN
//go:noinline
func goSecondN(x C.uint64_t) C.uint64_t {
	x += C.uint64_t(harness.Spin(uint64(x), harness.Rounds/4))
	return C.seam_n_third(x) + 1
}

//go:noinline
func workerN() {
	harness.Announce("main.workerN")
	rounds.Add(1)
	sum := uint64(0)
	for i := 0; i < 3; i++ {
		sum += uint64(C.seam_n_first(C.uint64_t(sum)))
	}
	done <- sum
}

// Unbuffered: two feeders, so at most two workers at a time, whoever ends first.
var done = make(chan uint64)

func feederN() {
	harness.Enter("main.feederN")
	defer harness.Leave()
	for harness.Running() {
		go workerN()
		<-done
	}
}

func main() {
	harness.Ready(2)
	go feederN()
	go feederN()
	harness.Finish()
	fmt.Printf("rounds=%d moved=%d\n", rounds.Load(), moved.Load())
	if moved.Load() == 0 {
		harness.Fail("no stack moved under a callback")
	}
	harness.OK()
}
