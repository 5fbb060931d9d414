// Program l: goroutines with labels, and C threads made by C that Go called.
package main

/*
#cgo CFLAGS: -O2 -fomit-frame-pointer -I${SRCDIR}/../harness
#cgo LDFLAGS: -lpthread
#include <stdint.h>
uint64_t seam_l_call(uint64_t seed);
uint64_t seam_l_make(uint64_t seed);
*/
import "C"

import (
	"context"
	"fmt"
	"runtime/pprof"
	"strings"

	"seam.test/harness"
)

//go:noinline
func work(x uint64) uint64 {
	x = harness.Spin(x, harness.Rounds/4)
	return uint64(C.seam_l_call(C.uint64_t(x))) | 1
}

//go:noinline
func plainL() {
	harness.Enter("main.plainL")
	defer harness.Leave()
	for x := uint64(1); harness.Running(); {
		x = work(x)
	}
}

//go:noinline
func oneL(ctx context.Context) {
	harness.Enter("main.startOneL")
	defer harness.Leave()
	for x := uint64(1); harness.Running(); {
		x = work(x)
	}
}

// Labels change all the time; which ones are set is known from the function.
//
//go:noinline
func nestedL(ctx context.Context) {
	harness.Enter("main.startNestedL")
	defer harness.Leave()
	labels := pprof.Labels("inner", "yes", "kind", "changed")
	for harness.Running() {
		pprof.Do(ctx, labels, insideL)
		outsideL()
	}
}

var nested uint64 = 1

//go:noinline
func insideL(context.Context) { nested = work(nested) + 2 }

//go:noinline
func outsideL() { nested = work(nested) + 2 }

// More than one bucket of a map.
//
//go:noinline
func manyL(ctx context.Context) {
	harness.Enter("main.startManyL")
	defer harness.Leave()
	for x := uint64(1); harness.Running(); {
		x = work(x)
	}
}

// A key and a value that are too long to be copied whole.
//
//go:noinline
func longL(ctx context.Context) {
	harness.Enter("main.startLongL")
	defer harness.Leave()
	for x := uint64(1); harness.Running(); {
		x = work(x)
	}
}

// A goroutine inherits the labels of the one that starts it.
//
//go:noinline
func heirL() {
	harness.Enter("main.heirL")
	defer harness.Leave()
	for x := uint64(1); harness.Running(); {
		x = work(x)
	}
}

//go:noinline
func makerL() {
	harness.Enter("main.makerL")
	defer harness.Leave()
	for x := uint64(1); harness.Running(); {
		x = uint64(C.seam_l_make(C.uint64_t(x))) | 1
	}
}

func many() pprof.LabelSet {
	pairs := []string{"empty", ""}
	for i := 0; i < 12; i++ {
		pairs = append(pairs, fmt.Sprintf("key%02d", i), fmt.Sprintf("value %d", i))
	}
	return pprof.Labels(pairs...)
}

var background = context.Background()

//go:noinline
func startOneL() { pprof.Do(background, pprof.Labels("kind", "one"), oneL) }

//go:noinline
func startNestedL() { pprof.Do(background, pprof.Labels("kind", "nested", "ü", "ö"), nestedL) }

//go:noinline
func startManyL() { pprof.Do(background, many(), manyL) }

//go:noinline
func startLongL() {
	pprof.Do(background, pprof.Labels("long", strings.Repeat("x", 200), strings.Repeat("k", 100), "v"), longL)
}

//go:noinline
func startHeirL(context.Context) { go heirL() }

func main() {
	harness.Ready(7)
	go plainL()
	go makerL()
	go startOneL()
	go startNestedL()
	go startManyL()
	go startLongL()
	pprof.Do(background, pprof.Labels("kind", "parent"), startHeirL)
	harness.Finish()
	harness.OK()
}
