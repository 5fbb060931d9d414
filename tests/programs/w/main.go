// Program w: goroutines that wait, one for each way of waiting, and some that wait in C. It prints the
// runtime's own dump of them, each line behind "dump ", when all have come to rest.
package main

/*
#cgo CFLAGS: -O2 -fomit-frame-pointer
#cgo LDFLAGS: -lpthread
#include <stdint.h>
void seam_w_wait(int depth);
void seam_w_back(void);
*/
import "C"

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"time"

	"seam.test/harness"
)

var (
	never  = make(chan int)
	full   = make(chan int)
	other  = make(chan string)
	mutex  sync.Mutex
	shared sync.RWMutex
	group  sync.WaitGroup
	cond   = sync.NewCond(new(sync.Mutex))
)

//go:noinline
func receiveW() { <-never }

//go:noinline
func sendW() { full <- 1 }

//go:noinline
func nilW() {
	var none chan int
	<-none
}

//go:noinline
func selectW() {
	select {
	case <-never:
	case other <- "x":
	}
}

//go:noinline
func emptyW() { select {} }

//go:noinline
func rangeW() {
	for x := range never {
		fmt.Println(x)
	}
}

//go:noinline
func sleepW() { time.Sleep(time.Hour) }

//go:noinline
func mutexW() { mutex.Lock() }

//go:noinline
func readLockW() { shared.RLock() }

//go:noinline
func writeLockW() { shared.Lock() }

//go:noinline
func groupW() { group.Wait() }

//go:noinline
func condW() {
	cond.L.Lock()
	cond.Wait()
}

//go:noinline
func acceptW() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	harness.Must(err)
	listener.Accept()
}

//go:noinline
func pipeW() {
	read, _ := io.Pipe()
	io.ReadAll(read)
}

//go:noinline
func lockedW() {
	runtime.LockOSThread()
	<-never
}

// As deep as stacks that do not fit into what is read of them at once.
//
//go:noinline
func deepW(depth int) int {
	if depth == 0 {
		return <-never
	}
	var room [64]byte
	room[depth%64] = 1
	return deepW(depth-1) + int(room[0])
}

type boxW[T any] struct{ c chan T }

//go:noinline
func (b *boxW[T]) waitW() T { return <-b.c }

func inlinedW() { inlinedTooW() }

func inlinedTooW() { <-never }

//go:noinline
func inlinesW() { inlinedW() }

//go:noinline
func labelledW(context.Context) { <-never }

//go:noinline
func makerW() {
	go receiveW()
	<-never
}

//go:noinline
func cW() { C.seam_w_wait(3) }

//go:noinline
func backW() { C.seam_w_back() }

//export goWaitW
func goWaitW() { <-never }

func start() {
	mutex.Lock()
	shared.Lock()
	group.Add(1)
	for i := 0; i < 3; i++ {
		go receiveW()
		go sendW()
		go selectW()
	}
	simple := []func(){nilW, emptyW, rangeW, sleepW, mutexW, readLockW, writeLockW, groupW, condW,
		acceptW, pipeW, lockedW, inlinesW, makerW, cW, backW}
	for _, f := range simple {
		go f()
	}
	go deepW(90)
	box := &boxW[string]{c: make(chan string)}
	go box.waitW()
	go func() { receiveW() }()
	go pprof.Do(context.Background(), pprof.Labels("kind", "w", "ü", "ö"), labelledW)
}

// How many goroutines start makes, and the one that makerW makes.
const all = 9 + 16 + 4 + 1

func dump() []byte {
	text := make([]byte, 1<<20)
	return text[:runtime.Stack(text, true)]
}

// rest waits until all goroutines wait where they are to.
func rest() []byte {
	for i := 0; i < 2000; i++ {
		text := dump()
		goroutines := bytes.Count(text, []byte("\ngoroutine ")) + 1
		busy := bytes.Contains(text, []byte("[runnable")) || bytes.Count(text, []byte("[running")) != 1
		inC := bytes.Count(text, []byte("[syscall"))
		if goroutines == all+1 && !busy && inC == 1 {
			return text
		}
		time.Sleep(5 * time.Millisecond)
	}
	harness.Fail("goroutines do not come to rest:\n%s", dump())
	return nil
}

func main() {
	harness.Ready(0)
	start()
	for _, line := range strings.Split(string(rest()), "\n") {
		fmt.Fprintf(os.Stdout, "dump %s\n", line)
	}
	harness.Finish()
	harness.OK()
}
