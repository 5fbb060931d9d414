// Many goroutines that wait, and one that is busy and notes how long it did not run. On stdin it is
// told what to do: "gap" prints the longest gap since the last time, "debug2" has the runtime itself
// dump all goroutines, "profile" write its goroutine profile.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"strconv"
	"sync/atomic"
	"time"
)

var longest atomic.Int64

func busy() {
	last := time.Now()
	for {
		now := time.Now()
		if gap := int64(now.Sub(last)); gap > longest.Load() {
			longest.Store(gap)
		}
		last = now
	}
}

//go:noinline
func one(c chan int) { two(c) }

//go:noinline
func two(c chan int) { three(c) }

//go:noinline
func three(c chan int) { <-c }

//go:noinline
func start(n int, c chan int) {
	for i := 0; i < n; i++ {
		go one(c)
	}
}

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	c := make(chan int)
	start(n, c)
	time.Sleep(2 * time.Second)
	go busy()
	fmt.Println("ready pid=" + strconv.Itoa(os.Getpid()))
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		begun := time.Now()
		switch in.Text() {
		case "gap":
			fmt.Println("gap", time.Duration(longest.Swap(0)))
			continue
		case "debug2":
			pprof.Lookup("goroutine").WriteTo(io.Discard, 2)
		case "profile":
			pprof.Lookup("goroutine").WriteTo(io.Discard, 0)
		}
		fmt.Println(in.Text(), time.Since(begun))
	}
}
