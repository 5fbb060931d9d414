package leaky

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// long is what tests take, so that they are seen; the short ones say so.
const long = 100 * time.Millisecond

func TestMain(m *testing.M) {
	go ofMain()
	os.Exit(m.Run())
}

func ofMain() {
	for {
		time.Sleep(time.Hour)
	}
}

// Examples run on the main goroutine: only its function tells whose the goroutine is.
func ExampleReceive() {
	c := make(chan int)
	go func() {
		c <- 1
	}()
	fmt.Println("left")
	// Output: left
}

func TestPool(t *testing.T) {
	StartPool()
	time.Sleep(long)
}

func TestSend(t *testing.T) {
	Send(3)
	time.Sleep(long)
}

func TestClean(t *testing.T) {
	Clean()
	time.Sleep(long)
}

func TestSub(t *testing.T) {
	t.Run("leaks here", func(t *testing.T) {
		Receive()
		time.Sleep(long)
	})
	t.Run("clean", func(t *testing.T) {
		Clean()
		time.Sleep(long)
	})
}

func TestParallel(t *testing.T) {
	for n := 1; n <= 2; n++ {
		n := n
		t.Run([]string{"none", "one", "two"}[n], func(t *testing.T) {
			t.Parallel()
			Send(n)
			time.Sleep(2 * long)
		})
	}
}

func TestBetween(t *testing.T) {
	Between()
	time.Sleep(long)
}

// Shorter than any look: its name is known by what is left of its goroutine, or by its function.
func TestShort(t *testing.T) {
	c := make(chan int)
	go func() {
		c <- 1
	}()
}

func TestSlow(t *testing.T) {
	time.Sleep(1500 * time.Millisecond)
}

// What it leaves ends by itself, but not before the process.
func TestLast(t *testing.T) {
	go func() {
		time.Sleep(300 * time.Millisecond)
	}()
	time.Sleep(long)
}
