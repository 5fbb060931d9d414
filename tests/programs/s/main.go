// Program s: everything that is hard on a stack walk, all at once. No truth file: what its stacks
// are is not known by construction, only that each must have a root.
package main

/*
#cgo CFLAGS: -O2 -fomit-frame-pointer -I${SRCDIR}/../harness
#cgo CXXFLAGS: -O2 -fomit-frame-pointer -I${SRCDIR}/../harness
#cgo LDFLAGS: -lpthread -lstdc++
#include <stdint.h>
uint64_t seam_s_sort(uint64_t);
uint64_t seam_s_heap(uint64_t);
uint64_t seam_s_deep(uint64_t, uint64_t);
uint64_t seam_s_alloca(uint64_t);
uint64_t seam_s_panic(uint64_t);
uint64_t seam_s_setjmp(uint64_t);
uint64_t seam_s_churn(uint64_t);
uint64_t seam_s_throw(uint64_t);
void seam_s_start_signals(void);
*/
import "C"

import (
	"bytes"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"

	"seam.test/harness"
)

var garbage []byte

//export goCompareS
func goCompareS(x, y C.uint64_t) C.int {
	if x%64 == 0 {
		garbage = make([]byte, 1<<12)
	}
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

//go:noinline
func grow(x uint64, depth int) uint64 {
	var room [128]uint64
	room[depth%128] = x
	if depth == 0 {
		return harness.Spin(x, harness.Rounds/40)
	}
	return grow(x+1, depth-1) + room[depth%128]
}

//export goAgainS
func goAgainS(x C.uint64_t) C.uint64_t {
	if x%50 == 0 {
		runtime.GC()
	}
	// The goroutine's stack is copied while C frames wait.
	return C.uint64_t(grow(uint64(x), 60)) + C.seam_s_deep(x, 60)
}

//export goPanicS
func goPanicS(x C.uint64_t) C.uint64_t {
	if harness.Spin(uint64(x), harness.Rounds/40)%2 == 0 {
		panic("through C")
	}
	return x + 1
}

//export goFromThreadS
func goFromThreadS(x C.uint64_t) C.uint64_t {
	return C.uint64_t(harness.Spin(uint64(x), harness.Rounds/20))
}

func recovered(x uint64) (r uint64) {
	defer func() {
		if recover() != nil {
			r = harness.Spin(x, harness.Rounds/40) + 1
		}
	}()
	return uint64(C.seam_s_panic(C.uint64_t(x)))
}

func worker(name string, locked bool, step func(x uint64) uint64) {
	harness.Enter(name)
	defer harness.Leave()
	if locked {
		runtime.LockOSThread()
	}
	for x := uint64(1); harness.Running(); {
		x = step(x) | 1
	}
}

// Signals to the whole process hit any thread, in Go and in C.
func signals() {
	caught := make(chan os.Signal, 100)
	signal.Notify(caught, syscall.SIGUSR1)
	go func() {
		for range caught {
		}
	}()
	for range time.Tick(time.Millisecond) {
		syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	}
}

func profile() {
	for {
		var sink bytes.Buffer
		if pprof.StartCPUProfile(&sink) != nil {
			return
		}
		time.Sleep(500 * time.Millisecond)
		pprof.StopCPUProfile()
	}
}

func main() {
	steps := []struct {
		name   string
		locked bool
		step   func(x uint64) uint64
	}{
		{"sort", false, func(x uint64) uint64 { return uint64(C.seam_s_sort(C.uint64_t(x))) }},
		{"heap", false, func(x uint64) uint64 { return uint64(C.seam_s_heap(C.uint64_t(x))) }},
		{"deep", false, func(x uint64) uint64 { return uint64(C.seam_s_deep(C.uint64_t(x), 4000)) }},
		{"alloca", true, func(x uint64) uint64 { return uint64(C.seam_s_alloca(C.uint64_t(x))) }},
		{"panic", false, recovered},
		{"setjmp", true, func(x uint64) uint64 { return uint64(C.seam_s_setjmp(C.uint64_t(x))) }},
		{"churn", false, func(x uint64) uint64 { return uint64(C.seam_s_churn(C.uint64_t(x))) }},
		{"throw", false, func(x uint64) uint64 { return uint64(C.seam_s_throw(C.uint64_t(x))) }},
		{"fresh", false, func(x uint64) uint64 {
			done := make(chan uint64)
			go func() { done <- grow(x, 200) }()
			return <-done
		}},
		{"timers", false, func(x uint64) uint64 {
			time.Sleep(50 * time.Microsecond)
			return harness.Spin(x, harness.Rounds/20)
		}},
	}
	harness.Ready(len(steps))
	C.seam_s_start_signals()
	go signals()
	go profile()
	for _, s := range steps {
		go worker("main."+s.name, s.locked, s.step)
	}
	harness.Finish()
	harness.OK()
}
