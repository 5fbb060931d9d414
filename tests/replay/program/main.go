// Command stepped does a little of everything that changes stacks, in a loop with hardly any work
// in between, so that single-stepping it visits every instruction of the runtime's switches.
package main

/*
#cgo CFLAGS: -O2 -fomit-frame-pointer
#cgo CXXFLAGS: -O2 -fomit-frame-pointer
#include <alloca.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
extern uint64_t goOuter(uint64_t);
extern uint64_t goInner(uint64_t);
uint64_t seam_throwing(uint64_t n);

__attribute__((noipa)) static uint64_t seam_leaf(uint64_t n) { return n * 31 + 7; }

__attribute__((noipa)) static uint64_t seam_alloca(uint64_t n)
{
	volatile char *p = alloca(32 + (n & 255));
	p[0] = (char)n;
	uint64_t r = seam_leaf(n) + p[0];
	__asm__ volatile("" : "+r"(r));
	return r;
}

__attribute__((noipa)) static uint64_t seam_back(uint64_t n)
{
	uint64_t r = goOuter(n) + seam_alloca(n);
	__asm__ volatile("" : "+r"(r));
	return r;
}

__attribute__((noipa)) static uint64_t seam_back_again(uint64_t n)
{
	uint64_t r = goInner(n) + 1;
	__asm__ volatile("" : "+r"(r));
	return r;
}

__attribute__((noipa)) static int seam_compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

__attribute__((noipa)) static uint64_t seam_library(uint64_t n)
{
	int v[4] = {3, 1, 2, (int)(n & 7)};
	struct timespec t;
	char *p = malloc(24 + (n & 63));
	qsort(v, 4, sizeof v[0], seam_compare);
	clock_gettime(CLOCK_MONOTONIC, &t);
	memset(p, v[0], 24);
	uint64_t r = (uint64_t)p[3] + (uint64_t)t.tv_nsec + (uint64_t)getppid();
	free(p);
	return r;
}

// A stack realigned for vectors, with a size known only at run time.
__attribute__((noipa)) static uint64_t seam_aligned(uint64_t n)
{
	uint64_t v[8] __attribute__((aligned(64)));
	volatile char *p = alloca(16 + (n & 127));
	p[0] = 1;
	memset(v, (int)n, sizeof v);
	uint64_t r = seam_leaf(v[n & 7]) + p[0];
	__asm__ volatile("" : "+r"(r));
	return r;
}
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

//export goOuter
func goOuter(n C.uint64_t) C.uint64_t { return middle(n) }

//export goInner
func goInner(n C.uint64_t) C.uint64_t {
	if n%8 == 5 {
		runtime.GC()
	}
	return grow(n%5) + C.seam_leaf(n)
}

//go:noinline
func middle(n C.uint64_t) C.uint64_t { return C.seam_back_again(n) + 1 }

// grow needs more stack than a fresh goroutine has.
//
//go:noinline
func grow(depth C.uint64_t) C.uint64_t {
	var frame [2048]byte
	frame[depth] = byte(depth)
	if depth == 0 {
		return C.uint64_t(frame[0]) + C.seam_leaf(depth)
	}
	return grow(depth-1) + C.uint64_t(frame[depth])
}

//go:noinline
func panics(n int) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("recovered %v", r)
		}
	}()
	var p *int
	if n%2 == 0 {
		p = new(int)
	}
	*p = n
	return nil
}

func once(n int) {
	x := C.uint64_t(n)
	_ = C.seam_leaf(x)
	_ = C.seam_back(x)
	_ = C.seam_library(x)
	_ = C.seam_aligned(x)
	_ = C.seam_throwing(x)
	_ = panics(n)
	_ = time.Now()
	_ = strconv.Itoa(n)
	runtime.Gosched()
	var wg sync.WaitGroup
	wg.Add(1)
	go func() { defer wg.Done(); _ = grow(3) }()
	wg.Wait()
	m := map[int]string{}
	for i := 0; i < 9; i++ {
		m[i] = strconv.Itoa(n + i)
	}
	null.WriteString(m[3])
	time.Sleep(time.Microsecond)
}

var null, _ = os.OpenFile(os.DevNull, os.O_WRONLY, 0)

func main() {
	runtime.GOMAXPROCS(1)
	// The stepped thread must be the one that does the work.
	runtime.LockOSThread()
	fmt.Printf("ready pid=%d\n", os.Getpid())
	for n := 0; ; n++ {
		once(n)
	}
}
