// A Go program that changes all the time: storm-go MODE SECONDS. grow: a stack that grows at every
// call of C's caller; churn: goroutines made as fast as it goes.
package main

/*
#include <stdint.h>
#define KEEP(value) __asm__ volatile("" : "+r"(value) : : "memory")
static __attribute__((noinline)) uint64_t storm_leaf(uint64_t x) {
	for (int i = 0; i < 2000; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		KEEP(x);
	}
	return x;
}
uint64_t storm_c(uint64_t x) {
	x = storm_leaf(x);
	KEEP(x);
	return x;
}
*/
import "C"

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

//go:noinline
func stormGrow(x uint64, depth int) uint64 {
	var frame [512]byte
	frame[x%512] = byte(x)
	if depth == 0 {
		x = uint64(C.storm_c(C.uint64_t(x)))
	} else {
		x = stormGrow(x+1, depth-1)
	}
	return x + uint64(frame[x%512])
}

//go:noinline
func stormShort(x uint64, done *sync.WaitGroup) {
	for i := 0; i < 500; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	if x == 0 {
		panic(x)
	}
	done.Done()
}

func main() {
	if len(os.Args) < 3 {
		os.Exit(2)
	}
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		os.Exit(2)
	}
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	fmt.Println("ready")
	count := 0
	for time.Now().Before(end) {
		var done sync.WaitGroup
		for i := 0; i < 100; i++ {
			done.Add(1)
			x := uint64(count + i)
			if os.Args[1] == "grow" {
				// A fresh goroutine each time: its stack begins small again.
				go func() {
					defer done.Done()
					stormGrow(x, int(x%200))
				}()
			} else {
				go stormShort(x, &done)
			}
		}
		done.Wait()
		count += 100
	}
	fmt.Printf("done count=%d interrupted=0\n", count)
}
