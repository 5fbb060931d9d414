// Package leaky has functions that leave goroutines behind, and some that do not, for its tests.
package leaky

// Pool is a worker that everybody may give work to.
var Pool chan int

// StartPool starts the worker.
func StartPool() {
	Pool = make(chan int)
	go poolWorker()
}

func poolWorker() {
	for range Pool {
	}
}

func init() {
	TestServer()
}

var requests = make(chan int)

// TestServer is named like a test and is none: what it starts before all tests is nobody's.
func TestServer() {
	go func() {
		for range requests {
		}
	}()
}

// Send leaves n goroutines that want to send to nobody.
func Send(n int) {
	for i := 0; i < n; i++ {
		c := make(chan int)
		go leakSend(c)
	}
}

func leakSend(c chan int) {
	c <- 1
}

// Receive leaves a goroutine that nobody sends anything.
func Receive() {
	go leakReceive(make(chan int))
}

func leakReceive(c chan int) {
	<-c
}

// Between has another goroutine leave one behind, and waits until that other one is gone.
func Between() {
	done := make(chan bool)
	go func() {
		Receive()
		close(done)
	}()
	<-done
}

// Clean waits for what it starts.
func Clean() int {
	c := make(chan int)
	go cleanSend(c)
	return <-c
}

func cleanSend(c chan int) {
	c <- 1
}
