// Calls of C that last: what is read of their goroutines a moment later is still so. Prints
// "goid NAME N" for its two goroutines, then "ready".
package main

/*
#cgo CFLAGS: -O2 -fomit-frame-pointer
#include <stdint.h>
void long_call(uint64_t milliseconds);
void long_back(uint64_t milliseconds);
*/
import "C"

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"
)

const milliseconds = 300

var ready sync.WaitGroup

func announce(name string) {
	text := make([]byte, 64)
	text = text[:runtime.Stack(text, false)]
	fmt.Printf("goid %s %s\n", name, bytes.Fields(text)[1])
	ready.Done()
}

//go:noinline
func direct() {
	announce("direct")
	for {
		C.long_call(milliseconds)
	}
}

//go:noinline
func nested() {
	announce("nested")
	for {
		C.long_back(milliseconds)
	}
}

//export goBack
func goBack(milliseconds uint64) { inside(milliseconds) }

//go:noinline
func inside(milliseconds uint64) { C.long_call(C.uint64_t(milliseconds)) }

func main() {
	ready.Add(2)
	go direct()
	go nested()
	ready.Wait()
	fmt.Println("ready")
	select {}
}
