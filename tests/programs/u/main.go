// Program u: Go without cgo that calls C all the same, and is called back by it: purego loads
// libc, whose qsort compares by a Go function.
package main

import (
	"unsafe"

	"github.com/ebitengine/purego"

	"seam.test/harness"
)

const items = 16

var (
	qsort   func(items unsafe.Pointer, count, size uintptr, compare uintptr)
	compare uintptr
)

//go:noinline
func leafU(x uint64) uint64 { return harness.Spin(x, harness.Rounds/4) }

//go:noinline
func compareU(a, b *uint64) int32 {
	leafU(*a ^ *b)
	if *a < *b {
		return -1
	}
	return 1
}

//go:noinline
func sortU(x uint64) uint64 {
	var list [items]uint64
	for i := range list {
		list[i] = x * uint64(i*7919%items)
	}
	qsort(unsafe.Pointer(&list[0]), items, 8, compare)
	return list[items/2]
}

//go:noinline
func workerU() {
	harness.Enter("main.workerU")
	defer harness.Leave()
	for x := uint64(1); harness.Running(); {
		x = leafU(x) ^ sortU(x) | 1
	}
}

func main() {
	libc, err := purego.Dlopen("libc.so.6", purego.RTLD_NOW|purego.RTLD_GLOBAL)
	harness.Must(err)
	purego.RegisterLibFunc(&qsort, libc, "qsort")
	compare = purego.NewCallback(compareU)
	harness.Ready(2)
	go workerU()
	go workerU()
	harness.Finish()
	harness.OK()
}
