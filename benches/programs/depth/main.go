// Depth is the target of the benchmarks: Go frames, a cgo call, C frames, all with frame
// pointers, as many as asked for. It runs for a time or does a fixed amount of work, and
// says what CPU time it took.
package main

/*
#cgo CFLAGS: -O2 -fno-omit-frame-pointer -I${SRCDIR}/../../../tests/programs/harness
#include "depth.h"
*/
import "C"

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var leaves = map[string]C.uint64_t{
	"spin":   C.DEPTH_SPIN,
	"kernel": C.DEPTH_KERNEL,
	"gaps":   C.DEPTH_GAPS,
}

var (
	goFrames = flag.Int("go", 2, "Go frames of its own below the worker")
	cFrames  = flag.Int("c", 3, "C frames of its own, the leaf not counted")
	leaf     = flag.String("leaf", "spin", "spin, kernel, gaps or sleep")
	threads  = flag.Int("threads", 1, "workers")
	seconds  = flag.Float64("seconds", 10, "how long to work")
	calls    = flag.Int64("calls", 0, "cgo calls to make by each worker, instead of a time")
	delay    = flag.Float64("delay", 0, "seconds to wait before the work")
	profile  = flag.String("profile", "", "write Go's own CPU profile here")
	rate     = flag.Int("rate", 100, "its rate")
)

var (
	over    atomic.Bool
	started atomic.Int64
	sum     atomic.Uint64
	group   sync.WaitGroup
)

//go:noinline
func down(frames int, leaf, thread C.uint64_t) uint64 {
	if frames > 1 {
		return down(frames-1, leaf, thread) + 1
	}
	return uint64(C.depth_down(C.uint64_t(*cFrames), leaf, thread, 40000)) + 1
}

// The outermost function of a worker. Without arguments, or it would stand on a wrapper.
//
//go:noinline
func worker() {
	defer group.Done()
	number, thread := leaves[*leaf], C.uint64_t(started.Add(1))
	for i := int64(0); !over.Load() && (*calls == 0 || i < *calls); i++ {
		sum.Add(down(*goFrames, number, thread))
	}
}

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "depth:", err)
	os.Exit(1)
}

// profiled switches Go's CPU profile on. The rate is set first, which makes the runtime
// complain when pprof sets its own 100 Hz, and keep ours.
func profiled() func() {
	if *profile == "" {
		return func() {}
	}
	file, err := os.Create(*profile)
	if err != nil {
		fail(err)
	}
	if *rate != 100 {
		runtime.SetCPUProfileRate(*rate)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		fail(err)
	}
	return func() {
		pprof.StopCPUProfile()
		file.Close()
	}
}

func main() {
	flag.Parse()
	_, known := leaves[*leaf]
	fmt.Printf("ready pid=%d\n", os.Getpid())
	if !known {
		time.Sleep(time.Duration(*seconds * float64(time.Second)))
		return
	}
	time.Sleep(time.Duration(*delay * float64(time.Second)))
	stop := profiled()
	begun, cycles, used := time.Now(), C.depth_cycles(), cpu()
	group.Add(*threads)
	for i := 0; i < *threads; i++ {
		go worker()
	}
	if *calls == 0 {
		time.Sleep(time.Duration(*seconds * float64(time.Second)))
		over.Store(true)
	}
	group.Wait()
	used = cpu() - used
	wall, all := time.Since(begun), C.depth_cycles()-cycles
	stop()
	var seen C.struct_depth_gaps
	for _, gaps := range C.depth_gaps_seen {
		seen.count += gaps.count
		seen.cycles += gaps.cycles
		seen.all_cycles += gaps.all_cycles
	}
	perNs := float64(all) / float64(wall.Nanoseconds())
	fmt.Printf("done cpu_ns=%d wall_ns=%d gaps=%d gap_ns=%.0f user_ns=%.0f\n", used.Nanoseconds(),
		wall.Nanoseconds(), seen.count, float64(seen.cycles)/perNs, float64(seen.all_cycles)/perNs)
}
