//go:build !second

package main

// #cgo CFLAGS: -O2 -g -fomit-frame-pointer
// #include <stdint.h>
// __attribute__((noipa, noinline)) static uint64_t first_c(uintptr_t next, uint64_t x) {
//	uint64_t r = ((uint64_t (*)(uint64_t))next)(x);
//	__asm__ volatile("" : "+r"(r) : : "memory");
//	return r;
// }
import "C"

//go:noinline
func firstInner(next C.uintptr_t, x C.uint64_t) C.uint64_t {
	return C.first_c(next, x) + C.uint64_t(firstSpin(uint64(x)))
}

//go:noinline
func firstSpin(x uint64) uint64 { return spin(x) }

//export GoFirst
func GoFirst(next C.uintptr_t, x C.uint64_t) C.uint64_t {
	return firstInner(next, x)
}

//export GoFirstId
func GoFirstId() C.uint64_t { return C.uint64_t(goid()) }
