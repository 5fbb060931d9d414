//go:build second

package main

// #cgo CFLAGS: -O2 -g -fomit-frame-pointer
// #include <stdint.h>
// __attribute__((noipa, noinline)) static uint64_t second_c(uintptr_t next, uint64_t x) {
//	uint64_t r = ((uint64_t (*)(uint64_t))next)(x);
//	__asm__ volatile("" : "+r"(r) : : "memory");
//	return r;
// }
import "C"

//go:noinline
func secondInner(next C.uintptr_t, x C.uint64_t) C.uint64_t {
	return C.second_c(next, x) + C.uint64_t(secondSpin(uint64(x)))
}

//go:noinline
func secondSpin(x uint64) uint64 { return spin(x) }

//export GoSecond
func GoSecond(next C.uintptr_t, x C.uint64_t) C.uint64_t {
	return secondInner(next, x)
}

//export GoSecondId
func GoSecondId() C.uint64_t { return C.uint64_t(goid()) }

func init() { burn(1000) }

//export GoSecondStart
func GoSecondStart(next C.uintptr_t) {
	started := make(chan uint64)
	go func() {
		started <- goid()
		secondLoop(next)
	}()
	<-started
}

//go:noinline
func secondLoop(next C.uintptr_t) {
	for x := C.uint64_t(1); ; {
		x = secondInner(next, x)
	}
}
