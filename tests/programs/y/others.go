package main

/*
#include <unistd.h>
static void seam_y_wait(int fd) { char c; read(fd, &c, 1); }
*/
import "C"

import (
	"net"
	"os"
	"time"

	"seam.test/harness"
)

func init() {
	modes["ticker"] = func(fault bool) { again(func() { watch(fault) }) }
	modes["sleep"] = func(fault bool) { again(func() { retry(fault) }) }
	modes["c"] = func(fault bool) { again(func() { inC(fault) }) }
	modes["io"] = func(fault bool) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		harness.Must(err)
		go silent(listener)
		again(func() { dial(listener.Addr().String(), fault) })
	}
}

// A ticker for each call, never stopped (containerd#9384).
func watch(fault bool) {
	stop := make(chan struct{})
	go leakTicker(stop)
	if !fault {
		close(stop)
	}
}

//go:noinline
func leakTicker(stop chan struct{}) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
	}
}

func retry(fault bool) { go leakSleep(fault) }

//go:noinline
func leakSleep(fault bool) {
	for {
		time.Sleep(50 * time.Millisecond)
		if !fault {
			return
		}
	}
}

// C that reads from a pipe to which nobody writes.
func inC(fault bool) {
	read, write, err := os.Pipe()
	harness.Must(err)
	go leakC(int(read.Fd()))
	if !fault {
		write.Write([]byte{1})
	}
	kept = append(kept, read, write)
}

var kept []*os.File

//go:noinline
func leakC(fd int) { C.seam_y_wait(C.int(fd)) }

var accepted []net.Conn

func silent(listener net.Listener) {
	for {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		accepted = append(accepted, c)
	}
}

// A peer that never answers, and no deadline.
func dial(address string, fault bool) {
	c, err := net.Dial("tcp", address)
	harness.Must(err)
	if !fault {
		c.SetDeadline(time.Now().Add(50 * time.Millisecond))
	}
	go leakIO(c)
}

//go:noinline
func leakIO(c net.Conn) {
	c.Read(make([]byte, 1))
	c.Close()
}
