// Package harness holds what the Go test programs share: their argument, the
// lines they print, and the start and stop of their workers. None of it counts
// as an application frame: the truth files name package main and seam_* only.
package harness

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Go's build cache does not look into headers outside a package's folder.
// Embedding the shared one here makes every program that imports this package
// rebuild when it changes.
//
//go:embed seam.h
var header string

// Rounds of Spin that take about 100 µs; the same number as SEAM_ROUNDS.
const Rounds = 40000

var (
	running atomic.Bool
	begin   = make(chan struct{})
	end     = make(chan struct{})
	entered sync.WaitGroup
	left    sync.WaitGroup
	seconds = 10.0
	// Replaced in builds with the tag cpuprofile, for comparing with Go's own profiler.
	profiled = func() (stop func()) { return func() {} }
)

// Ready reads the one argument, SECONDS, and says that the program is up.
// workers is the number of Enter calls Finish waits for.
func Ready(workers int) {
	if len(os.Args) > 1 {
		n, err := strconv.ParseFloat(os.Args[1], 64)
		if err != nil || n <= 0 {
			Fail("usage: %s [SECONDS]", os.Args[0])
		}
		seconds = n
	}
	if len(header) == 0 {
		Fail("harness built without seam.h")
	}
	entered.Add(workers)
	left.Add(workers)
	fmt.Printf("ready pid=%d\n", os.Getpid())
	Announce("main.main")
}

// Announce prints the goid of the calling goroutine under a name: the function
// at the root of its application frames.
func Announce(name string) {
	fmt.Printf("goroutine %s goid=%d\n", name, Goid())
}

// Enter announces a worker and lets it wait for the start mark.
func Enter(name string) {
	Announce(name)
	entered.Done()
	<-begin
}

// Leave is what a worker does last.
func Leave() { left.Done() }

// Running tells workers whether to go on.
func Running() bool { return running.Load() }

// WaitStop blocks until the work is to stop, for a worker that only looks on.
func WaitStop() { <-end }

// Finish lets the workers run between the two marks and waits for their end.
func Finish() {
	within("workers to start", &entered)
	running.Store(true)
	unprofiled := profiled()
	mark("start")
	close(begin)
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	mark("stop")
	unprofiled()
	running.Store(false)
	close(end)
	within("workers to stop", &left)
}

// OK is the last line of a program that did what its truth file says.
func OK() { fmt.Println("ok") }

// Fail ends the program with a reason.
func Fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

// Must ends the program on an error that its truth file has no place for.
func Must(err error) {
	if err != nil {
		Fail("%s: %v", os.Args[0], err)
	}
}

// Spin is arithmetic the compiler cannot shorten.
func Spin(x uint64, rounds int) uint64 {
	for i := 0; i < rounds; i++ {
		x = x*6364136223846793005 + 1442695040888963407
		x ^= x >> 29
	}
	return x
}

// Goid reads the caller's goroutine id from the header of its own trace,
// "goroutine N [running]:", the one place where the runtime tells it.
func Goid() uint64 {
	var buf [64]byte
	text := buf[:runtime.Stack(buf[:], false)]
	text = bytes.TrimPrefix(text, []byte("goroutine "))
	digits := bytes.IndexByte(text, ' ')
	if digits < 0 {
		Fail("unexpected stack header %q", text)
	}
	id, err := strconv.ParseUint(string(text[:digits]), 10, 64)
	if err != nil {
		Fail("unexpected stack header %q: %v", text, err)
	}
	return id
}

// mark prints a mark with the time on CLOCK_MONOTONIC, the clock of samples.
func mark(name string) {
	const clockMonotonic = 1
	var ts syscall.Timespec
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME,
		clockMonotonic, uintptr(unsafe.Pointer(&ts)), 0)
	if errno != 0 {
		Fail("clock_gettime: %v", errno)
	}
	fmt.Printf("%s ns=%d\n", name, ts.Nano())
}

// within waits, but not for ever: a hung test program must end by itself.
func within(what string, group *sync.WaitGroup) {
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		Fail("waited 20 s for %s", what)
	}
}
