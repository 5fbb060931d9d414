//go:build go1.24

package main

import "weak"

func init() { healthy["weak"] = weakly }

type box struct{ done chan int }

var boxes []weak.Pointer[box]

// A cache that keeps nothing alive: those who wait for a box do, and the cache finds it.
func weakly() {
	for i := 0; i < several; i++ {
		b := &box{done: make(chan int)}
		boxes = append(boxes, weak.Make(b))
		go waitFor(b)
	}
}

//go:noinline
func waitFor(b *box) {
	<-b.done
	b.done = nil
}
