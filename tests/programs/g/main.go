// Program g: everything that Go's runtime does for itself: marking, assists, sweeping, returning
// memory, timers, the network poller, looking for work, scheduling.
package main

import (
	"net"
	"runtime/debug"
	"time"

	"seam.test/harness"
)

type nodeG struct {
	left, right *nodeG
	room        [4]uint64
}

func growG(depth int) *nodeG {
	if depth == 0 {
		return &nodeG{}
	}
	return &nodeG{left: growG(depth - 1), right: growG(depth - 1)}
}

// Allocates faster than the background workers mark: it has to help.
//
//go:noinline
func allocateG() {
	harness.Enter("main.allocateG")
	defer harness.Leave()
	var kept [4]*nodeG
	for i := 0; harness.Running(); i++ {
		kept[i%len(kept)] = growG(15)
	}
	sink = kept[0]
}

var sink *nodeG

// Memory that was large once and is given back.
//
//go:noinline
func releaseG() {
	harness.Enter("main.releaseG")
	defer harness.Leave()
	for harness.Running() {
		block := make([]byte, 32<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		block = nil
		debug.FreeOSMemory()
		time.Sleep(100 * time.Millisecond)
	}
}

//go:noinline
func timersG() {
	harness.Enter("main.timersG")
	defer harness.Leave()
	for harness.Running() {
		var timers [512]*time.Timer
		for i := range timers {
			timers[i] = time.NewTimer(time.Duration(i*7919%997) * time.Microsecond)
		}
		for _, timer := range timers {
			timer.Reset(time.Hour)
			timer.Stop()
		}
		<-time.NewTimer(100 * time.Microsecond).C
	}
}

//go:noinline
func echoG(conn net.Conn) {
	harness.Enter("main.echoG")
	defer harness.Leave()
	var buffer [64]byte
	for {
		n, err := conn.Read(buffer[:])
		if err != nil {
			return
		}
		if _, err := conn.Write(buffer[:n]); err != nil {
			return
		}
	}
}

//go:noinline
func askG(conn net.Conn) {
	harness.Enter("main.askG")
	defer harness.Leave()
	var buffer [64]byte
	for harness.Running() {
		_, err := conn.Write(buffer[:])
		harness.Must(err)
		_, err = conn.Read(buffer[:])
		harness.Must(err)
	}
	harness.Must(conn.Close())
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	harness.Must(err)
	asking, err := net.Dial("tcp", listener.Addr().String())
	harness.Must(err)
	echoing, err := listener.Accept()
	harness.Must(err)
	harness.Ready(5)
	go allocateG()
	go releaseG()
	go timersG()
	go echoG(echoing)
	go askG(asking)
	harness.Finish()
	harness.OK()
}
