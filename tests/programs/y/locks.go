package main

import (
	"sync"
	"time"
)

func init() {
	modes["mutex"] = func(fault bool) { go early(fault) }
	modes["order"] = func(fault bool) { go order(fault) }
	modes["ring"] = func(fault bool) { go ring(fault) }
	modes["rwmutex"] = func(fault bool) { go again3(fault) }
	modes["group"] = func(fault bool) { go add(fault) }
	modes["cond"] = func(fault bool) { go missed(fault) }
	modes["global"] = func(fault bool) { go forgotten(fault) }
	modes["queue"] = func(fault bool) { go queue(fault) }
}

type account struct {
	name  string
	mutex sync.Mutex
	sum   int
}

// A path that returns without Unlock.
func early(fault bool) {
	a := &account{name: "a"}
	a.mutex.Lock()
	if !fault {
		a.mutex.Unlock()
	}
	for i := 0; i < several; i++ {
		go leakLock(a)
	}
}

//go:noinline
func leakLock(a *account) {
	a.mutex.Lock()
	a.sum++
	a.mutex.Unlock()
}

// Two locks in two orders.
func order(fault bool) {
	a, b := &account{name: "a"}, &account{name: "b"}
	go leakOrder(a, b)
	if fault {
		go leakOrder(b, a)
	} else {
		go leakOrder(a, b)
	}
}

//go:noinline
func leakOrder(a, b *account) {
	a.mutex.Lock()
	time.Sleep(100 * time.Millisecond)
	b.mutex.Lock()
	a.sum, b.sum = a.sum+1, b.sum-1
	b.mutex.Unlock()
	a.mutex.Unlock()
}

// Each holds one lock and waits for the next. Locks by themselves lie two in one object of the heap.
func ring(fault bool) {
	var all [6]*sync.Mutex
	for i := range all {
		all[i] = new(sync.Mutex)
	}
	// The first and the last may lie beside something that is not this function's.
	locks := all[1:5]
	for i, lock := range locks {
		next := locks[(i+1)%len(locks)]
		if !fault && i == len(locks)-1 {
			lock, next = next, lock
		}
		go leakRing(lock, next)
	}
}

//go:noinline
func leakRing(own, next *sync.Mutex) {
	own.Lock()
	time.Sleep(100 * time.Millisecond)
	next.Lock()
	next.Unlock()
	own.Unlock()
}

type table struct {
	mutex sync.RWMutex
	rows  map[int]int
}

// A reader that reads again while a writer waits.
func again3(fault bool) {
	t := &table{rows: map[int]int{}}
	t.mutex.RLock()
	go leakWrite(t)
	time.Sleep(100 * time.Millisecond)
	if !fault {
		t.mutex.RUnlock()
		return
	}
	leakRead(t)
	t.mutex.RUnlock()
}

//go:noinline
func leakWrite(t *table) {
	t.mutex.Lock()
	t.rows[1] = 1
	t.mutex.Unlock()
}

//go:noinline
func leakRead(t *table) {
	t.mutex.RLock()
	t.mutex.RUnlock()
}

// One Done too few.
func add(fault bool) {
	group := new(sync.WaitGroup)
	group.Add(2)
	go group.Done()
	if !fault {
		go group.Done()
	}
	leakGroup(group)
}

//go:noinline
func leakGroup(group *sync.WaitGroup) { group.Wait() }

// The signal came before the wait.
func missed(fault bool) {
	c := sync.NewCond(new(sync.Mutex))
	ready := false
	c.Broadcast()
	if !fault {
		ready = true
	}
	for i := 0; i < several; i++ {
		go leakCond(c, &ready)
	}
}

//go:noinline
func leakCond(c *sync.Cond, ready *bool) {
	c.L.Lock()
	for !*ready {
		c.Wait()
	}
	c.L.Unlock()
}

var known sync.Mutex

// A lock that everybody knows and nobody releases: it can't be shown that nobody will.
func forgotten(fault bool) {
	known.Lock()
	if !fault {
		known.Unlock()
	}
	for i := 0; i < several; i++ {
		go leakKnown()
	}
}

//go:noinline
func leakKnown() {
	known.Lock()
	known.Unlock()
}

var busy sync.Mutex

// The same in a server: requests keep coming, and wait behind each other.
func queue(fault bool) {
	busy.Lock()
	if !fault {
		busy.Unlock()
	}
	again(func() { go leakQueue() })
}

//go:noinline
func leakQueue() {
	busy.Lock()
	busy.Unlock()
}
