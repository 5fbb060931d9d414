// Program a: Go alone. Its leaves are a function without a frame, which has
// nothing on the stack but the return address, one with a frame, and a method.
package main

import "seam.test/harness"

type machineA struct{ state uint64 }

// No calls and no locals that need memory: the compiler gives it no frame, and
// nosplit keeps the stack check away.
//
//go:nosplit
//go:noinline
func leafA(x uint64, rounds int) uint64 {
	for i := 0; i < rounds; i++ {
		x = x*6364136223846793005 + 1442695040888963407
		x ^= x >> 29
	}
	return x
}

//go:noinline
func framedA(x uint64) uint64 {
	var table [64]uint64
	for i := 0; i < harness.Rounds; i++ {
		x = x*6364136223846793005 + 1442695040888963407
		table[x>>58] ^= x
	}
	return table[x>>58]
}

//go:noinline
func (m *machineA) stepA() {
	m.state = leafA(m.state, harness.Rounds)
	m.state++
}

//go:noinline
func middleA(m *machineA, x uint64) uint64 {
	x = leafA(x, harness.Rounds)
	x ^= framedA(x)
	m.stepA()
	return x + m.state
}

//go:noinline
func workerA() {
	harness.Enter("main.workerA")
	defer harness.Leave()
	m := &machineA{state: 1}
	for x := uint64(1); harness.Running(); {
		x = middleA(m, x) | 1
	}
}

func main() {
	harness.Ready(1)
	go workerA()
	harness.Finish()
	harness.OK()
}
