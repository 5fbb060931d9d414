// Its main thread ends in C, and the others go on: a goroutine that calls C, a thread of C that calls
// Go, a goroutine that waits.
package main

// #cgo CFLAGS: -O2 -g -fomit-frame-pointer
// #cgo LDFLAGS: -pthread
// #include <stdint.h>
// uint64_t headless_c(uint64_t x);
// int headless_start(void);
// void headless_end(void);
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

//export goBack
//go:noinline
func goBack(x C.uint64_t) C.uint64_t {
	return C.headless_c(x) + 1
}

//go:noinline
func callingC() {
	for x := C.uint64_t(1); ; {
		x = C.headless_c(x) + 1
	}
}

//go:noinline
func waiting(never chan int) {
	<-never
}

// The main goroutine stays on the main thread.
func init() { runtime.LockOSThread() }

func main() {
	if C.headless_start() != 0 {
		os.Exit(1)
	}
	go callingC()
	never := make(chan int)
	go waiting(never)
	go func() {
		time.Sleep(2 * time.Minute)
		os.Exit(0)
	}()
	fmt.Println("ready")
	C.headless_end()
	never <- 1
}
