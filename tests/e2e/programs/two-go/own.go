// A Go library (c-shared) that calls back whoever calls it. Built twice, as "first" and with the
// tag second, so that a process can hold two runtimes.
package main

// #include <stdint.h>
// typedef uint64_t (*next_fn)(uint64_t);
import "C"

import (
	"bytes"
	"runtime"
	"strconv"
)

// Rounds that take about 100 µs.
const rounds = 40000

func spin(x uint64) uint64 {
	for i := 0; i < rounds; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

// burn makes goroutine ids go up by some, so that no two runtimes use the same ones.
func burn(count int) {
	done := make(chan bool)
	for i := 0; i < count; i++ {
		go func() { done <- true }()
		<-done
	}
}

func goid() uint64 {
	var text [64]byte
	words := bytes.Fields(text[:runtime.Stack(text[:], false)])
	id, _ := strconv.ParseUint(string(words[1]), 10, 64)
	return id
}

func main() {}
