// Program k: deep kernel time under Go directly and under C called from Go:
// reading zeros, pushing bytes through a pipe, and two threads that wake each
// other with a futex.
package main

/*
#cgo CFLAGS: -O2 -fomit-frame-pointer -I${SRCDIR}/../harness
#include <stdint.h>
int seam_k_open(void);
uint64_t seam_k_outer(uint64_t seed);
uint64_t seam_k_side(uint32_t side);
*/
import "C"

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"seam.test/harness"
)

const (
	futexWait = 128 // FUTEX_WAIT | FUTEX_PRIVATE_FLAG
	futexWake = 129 // FUTEX_WAKE | FUTEX_PRIVATE_FLAG
)

// Helpers like Must live in the harness: inlined here, they would count as
// application frames of package main.
var (
	buffer = make([]byte, 64<<10)
	zero   = open("/dev/zero", syscall.O_RDONLY)
	null   = open("/dev/null", syscall.O_WRONLY)
	turn   uint32
)

func open(path string, flags int) int {
	fd, err := syscall.Open(path, flags|syscall.O_CLOEXEC, 0)
	harness.Must(err)
	return fd
}

//go:noinline
func zeroK(times int) (sum int) {
	for i := 0; i < times; i++ {
		n, err := syscall.Read(zero, buffer)
		harness.Must(err)
		m, err := syscall.Write(null, buffer)
		harness.Must(err)
		sum += n + m
	}
	return sum
}

//go:noinline
func pipeK(from, to int, times int) (sum int) {
	for i := 0; i < times; i++ {
		n, err := syscall.Write(to, buffer[:16<<10])
		harness.Must(err)
		m, err := syscall.Read(from, buffer)
		harness.Must(err)
		sum += n + m
	}
	return sum
}

//go:noinline
func workerK() {
	harness.Enter("main.workerK")
	defer harness.Leave()
	var ends [2]int
	harness.Must(syscall.Pipe2(ends[:], syscall.O_CLOEXEC))
	for sum := 0; harness.Running(); {
		sum += zeroK(50)
		sum += pipeK(ends[0], ends[1], 50)
	}
}

//go:noinline
func workerKC() {
	harness.Enter("main.workerKC")
	defer harness.Leave()
	for x := uint64(1); harness.Running(); {
		x = uint64(C.seam_k_outer(C.uint64_t(x))) | 1
	}
}

// One side of the ping-pong: waits until the word says it is its turn, then
// hands the turn over. The wait has a limit, so that the last one to stop ends.
//
//go:noinline
func futexK(side uint32, times int) (waits int) {
	limit := syscall.Timespec{Nsec: 10e6}
	word := uintptr(unsafe.Pointer(&turn))
	for i := 0; i < times; i++ {
		if now := atomic.LoadUint32(&turn); now != side {
			syscall.Syscall6(syscall.SYS_FUTEX, word, futexWait, uintptr(now),
				uintptr(unsafe.Pointer(&limit)), 0, 0)
			waits++
			continue
		}
		atomic.StoreUint32(&turn, 1-side)
		syscall.Syscall6(syscall.SYS_FUTEX, word, futexWake, 1, 0, 0, 0)
	}
	return waits
}

//go:noinline
func pingK() {
	harness.Enter("main.pingK")
	defer harness.Leave()
	for waits := 0; harness.Running(); {
		waits += futexK(0, 50)
	}
}

//go:noinline
func pongK() {
	harness.Enter("main.pongK")
	defer harness.Leave()
	for waits := 0; harness.Running(); {
		waits += futexK(1, 50)
	}
}

//go:noinline
func pingKC() {
	harness.Enter("main.pingKC")
	defer harness.Leave()
	for waits := C.uint64_t(0); harness.Running(); {
		waits += C.seam_k_side(0)
	}
}

//go:noinline
func pongKC() {
	harness.Enter("main.pongKC")
	defer harness.Leave()
	for waits := C.uint64_t(0); harness.Running(); {
		waits += C.seam_k_side(1)
	}
}

func main() {
	harness.Ready(6)
	if C.seam_k_open() != 0 {
		harness.Fail("program k: cannot open /dev/zero, /dev/null and a pipe in C")
	}
	for _, worker := range []func(){workerK, workerKC, pingK, pongK, pingKC, pongKC} {
		go worker()
	}
	harness.Finish()
	harness.OK()
}
