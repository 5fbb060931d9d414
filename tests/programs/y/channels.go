package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"runtime"
	"sync"
	"time"
)

func init() {
	modes["send"] = func(fault bool) { go results(fault) }
	modes["receive"] = func(fault bool) { go stream(fault) }
	modes["select"] = func(fault bool) { go choice(fault) }
	modes["stale"] = func(fault bool) { go stale(fault) }
	modes["nil"] = func(fault bool) { go unset(fault) }
	modes["context"] = func(fault bool) { go request(fault) }
	modes["nils"] = func(fault bool) { go nils(fault) }
	modes["collected"] = func(fault bool) { go collected(fault) }
	modes["chain"] = func(fault bool) { again(func() { child(fault) }) }
	modes["sql"] = func(fault bool) { again(func() { query(fault) }) }
	modes["pipeline"] = func(fault bool) { go pipeline(fault) }
}

// Workers send results; the consumer gives up after the first error (pingcap/tidb#46034).
func results(fault bool) {
	room := 0
	if !fault {
		room = several + 1
	}
	out := make(chan error, room)
	for i := 0; i <= several; i++ {
		go leakSend(out)
	}
	<-out
}

//go:noinline
func leakSend(out chan error) { out <- errors.New("failed") }

// The producer goes without closing.
func stream(fault bool) {
	in := make(chan int)
	for i := 0; i < several; i++ {
		go leakReceive(in)
	}
	in <- 1
	if !fault {
		close(in)
	}
}

//go:noinline
func leakReceive(in chan int) {
	for range in {
	}
}

// The producer is still there and needs the channel no more, but its frame still has the word.
func stale(fault bool) {
	in := make(chan int)
	for i := 0; i < several; i++ {
		go leakReceive(in)
	}
	in <- 1
	if !fault {
		close(in)
	}
	time.Sleep(time.Hour)
}

// Both ends of a select have gone.
func choice(fault bool) {
	a, b := make(chan int), make(chan string)
	for i := 0; i < several; i++ {
		go leakSelect(a, b)
	}
	if !fault {
		close(a)
	}
}

//go:noinline
func leakSelect(a chan int, b chan string) {
	select {
	case <-a:
	case x := <-b:
		_ = x
	}
}

type client struct{ events chan int }

// A field that was never set.
func unset(fault bool) {
	c := &client{}
	if !fault {
		c.events = make(chan int)
		close(c.events)
	}
	go leakNil(c)
}

//go:noinline
func leakNil(c *client) { <-c.events }

// A context with a parent whose cancel function is dropped.
func request(fault bool) {
	type key struct{}
	parent := context.WithValue(context.Background(), key{}, 1)
	ctx, cancel := context.WithCancel(parent)
	for i := 0; i < several; i++ {
		go leakContext(ctx, make(chan int))
	}
	if !fault {
		cancel()
	}
	_ = cancel
}

//go:noinline
func leakContext(ctx context.Context, work chan int) {
	select {
	case <-ctx.Done():
	case <-work:
	}
}

// A context type of our own, which package context does not know.
type leakyContext struct{ done chan struct{} }

func (c *leakyContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (c *leakyContext) Done() <-chan struct{}       { return c.done }
func (c *leakyContext) Err() error                  { return nil }
func (c *leakyContext) Value(any) any               { return nil }

var own = &leakyContext{done: make(chan struct{})}

func child(fault bool) {
	ctx, cancel := context.WithCancel(own)
	if !fault {
		cancel()
	}
	_, _ = ctx, cancel
}

// A database opened for each call and never closed (golang/go#22699).
type noDriver struct{}

func (noDriver) Open(string) (driver.Conn, error) { return nil, errors.New("no database") }

var once sync.Once

func query(fault bool) {
	once.Do(func() { sql.Register("none", noDriver{}) })
	db, err := sql.Open("none", "")
	if err != nil {
		panic(err)
	}
	db.Ping()
	if !fault {
		db.Close()
	}
}

// A chain of stages whose end was given up: each waits for the next.
func pipeline(fault bool) {
	const stages = 50
	first := make(chan int)
	last := first
	for i := 0; i < stages; i++ {
		next := make(chan int)
		go leakStage(last, next)
		last = next
	}
	go func() {
		for i := 0; i < 2*stages; i++ {
			select {
			case first <- i:
			case <-time.After(50 * time.Millisecond):
				if fault {
					return
				}
			}
		}
		close(first)
	}()
	if !fault {
		for range last {
		}
	}
}

//go:noinline
func leakStage(in, out chan int) {
	for x := range in {
		out <- x
	}
	close(out)
}

// None of the channels was ever made.
func nils(fault bool) {
	var a chan int
	var b chan string
	if !fault {
		a = make(chan int, several)
		for i := 0; i < several; i++ {
			a <- i
		}
	}
	for i := 0; i < several; i++ {
		go leakNils(a, b)
	}
}

//go:noinline
func leakNils(a chan int, b chan string) {
	select {
	case <-a:
	case b <- "":
	}
}

// The context itself is garbage: nothing keeps it while others wait for its end.
func collected(fault bool) {
	for i := 0; i < several; i++ {
		request(fault)
	}
	time.Sleep(50 * time.Millisecond)
	kept := [][]byte{}
	for i := 0; i < 3; i++ {
		runtime.GC()
		for j := 0; j < 1000; j++ {
			kept = append(kept, make([]byte, 128))
		}
	}
	time.Sleep(time.Hour)
	runtime.KeepAlive(kept)
}
