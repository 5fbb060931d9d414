//go:build library

package harness

import "C"

// Main is the program's main function, set by the file that a build as a library adds to it.
var Main func()

// Run runs the program. Its main function is called by a goroutine of its own, as it is in a
// program that is no library.
func Run() {
	done := make(chan struct{})
	go func() {
		Main()
		close(done)
	}()
	<-done
}

// For hosts that are not Go.
//
//export harness_run
func harness_run() { Run() }
