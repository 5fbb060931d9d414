// Built with -race: every access to memory calls C, on the thread's own stack, by a switch of its own
// (runtime.racecall). Go works in memory by itself and below C; one thread also reports a race.
package main

// #cgo CFLAGS: -O2 -g -fomit-frame-pointer
// #include <stdint.h>
// extern uint64_t goTouch(uint64_t x);
// __attribute__((noipa, noinline)) static uint64_t race_c(uint64_t x) {
//	uint64_t r = goTouch(x);
//	__asm__ volatile("" : "+r"(r) : : "memory");
//	return r;
// }
import "C"

import (
	"fmt"
	"time"
)

var shared [4096]uint64

//go:noinline
func touch(x uint64, room []uint64) uint64 {
	for i := range room {
		room[i] += x
		x = x*6364136223846793005 + room[i]
	}
	return x
}

//export goTouch
func goTouch(x C.uint64_t) C.uint64_t {
	room := make([]uint64, 1024)
	for i := 0; i < 20; i++ {
		x = C.uint64_t(touch(uint64(x), room))
	}
	return x
}

//go:noinline
func callingC(end time.Time) {
	for x := C.uint64_t(1); time.Now().Before(end); {
		x = C.race_c(x)
	}
}

//go:noinline
func touching(end time.Time) {
	for x := uint64(1); time.Now().Before(end); {
		x = touch(x, shared[:])
	}
}

func main() {
	fmt.Println("ready")
	end := time.Now().Add(2 * time.Minute)
	go callingC(end)
	touching(end)
}
