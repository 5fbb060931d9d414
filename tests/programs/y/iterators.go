//go:build go1.23

package main

import (
	"iter"
	"time"
)

func init() {
	modes["pull"] = func(fault bool) { go pull(fault) }
	modes["stopped"] = func(fault bool) { go stopped(fault) }
	healthy["iterators"] = iterators
}

// leakCount is the body of an iter.Pull: it waits to be asked for the next number.
//
//go:noinline
func leakCount(yield func(int) bool) {
	for i := 0; yield(i); i++ {
	}
}

//go:noinline
func countOn(yield func(int) bool) {
	for i := 0; yield(i); i++ {
	}
}

// Who asked has gone, and has not said stop. One was never asked at all.
func pull(fault bool) {
	for i := 0; i < several; i++ {
		next, stop := iter.Pull(leakCount)
		for j := 0; j < i; j++ {
			next()
		}
		if !fault {
			stop()
		}
	}
}

// A timer that was stopped sends no more.
func stopped(fault bool) {
	for i := 0; i < several; i++ {
		timer := time.NewTimer(time.Hour)
		if fault {
			timer.Stop()
		}
		go leakTimer(timer)
	}
}

//go:noinline
func leakTimer(timer *time.Timer) { <-timer.C }

var keptIterator func() (int, bool)

// Bodies that may be asked again: by a variable, and by a goroutine that sleeps meanwhile. And one who
// waits for a body that sleeps.
func iterators() {
	keptIterator, _ = iter.Pull(countOn)
	keptIterator()
	go func() {
		next, stop := iter.Pull(countOn)
		defer stop()
		for {
			next()
			time.Sleep(50 * time.Millisecond)
		}
	}()
	go func() {
		next, stop := iter.Pull(func(yield func(int) bool) {
			for i := 0; ; i++ {
				time.Sleep(time.Hour)
				yield(i)
			}
		})
		defer stop()
		next()
	}()
}
