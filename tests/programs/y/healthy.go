package main

/*
#cgo LDFLAGS: -lpthread
#include <pthread.h>
#include <unistd.h>
extern void goWork(int);
static void *seam_y_worker(void *arg) {
	for (;;) { goWork(1); usleep(20000); }
	return 0;
}
static void seam_y_pool(int n) {
	while (n-- > 0) { pthread_t t; pthread_create(&t, 0, seam_y_worker, 0); }
}
static void seam_y_compute(void) {
	volatile unsigned long x = 0;
	for (;;) x++;
}
*/
import "C"

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"seam.test/harness"
)

func init() {
	healthy["http"] = httpServer
	healthy["pool"] = pool
	healthy["database"] = database
	healthy["streams"] = streams
	healthy["cron"] = cron
	healthy["callbacks"] = func() { C.seam_y_pool(4) }
	healthy["compute"] = func() { go C.seam_y_compute() }
	healthy["gc"] = garbage
	healthy["churn"] = churn
	healthy["signals"] = signals
	healthy["empty"] = func() { go pool(); go idle() }
	healthy["rests"] = rests
	healthy["passed"] = passed
	healthy["contention"] = contention
	healthy["conditions"] = conditions
	healthy["replies"] = replies
	healthy["timeouts"] = timeouts
	healthy["barrier"] = barrier
	healthy["finalizer"] = finalizer
	healthy["register"] = register
}

var answered atomic.Int64

//export goWork
func goWork(n C.int) { answered.Add(int64(n)) }

func idle() { time.Sleep(time.Hour) }

// Connections that are kept open, some of them with a request now and then.
func httpServer() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	harness.Must(err)
	handler := func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }
	server := &http.Server{Handler: http.HandlerFunc(handler)}
	go server.Serve(listener)
	url := "http://" + listener.Addr().String()
	for i := 0; i < 20; i++ {
		client := &http.Client{Transport: &http.Transport{}}
		go func() {
			for {
				response, err := client.Get(url)
				harness.Must(err)
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
				time.Sleep(300 * time.Millisecond)
			}
		}()
	}
}

var jobs = make(chan int)

// Workers that wait for jobs, which come seldom.
func pool() {
	for i := 0; i < 16; i++ {
		go func() {
			for n := range jobs {
				answered.Add(int64(n))
			}
		}()
	}
	go func() {
		for {
			jobs <- 1
			time.Sleep(200 * time.Millisecond)
		}
	}()
}

type oneDriver struct{}
type oneConn struct{}
type oneTx struct{}

func (oneDriver) Open(string) (driver.Conn, error)  { return oneConn{}, nil }
func (oneConn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("no statements") }
func (oneConn) Close() error                        { return nil }
func (oneConn) Begin() (driver.Tx, error)           { return oneTx{}, nil }
func (oneTx) Commit() error                         { time.Sleep(5 * time.Millisecond); return nil }
func (oneTx) Rollback() error                       { return nil }

var db *sql.DB

func database() {
	sql.Register("one", oneDriver{})
	opened, err := sql.Open("one", "")
	harness.Must(err)
	db = opened
	db.SetMaxOpenConns(3)
	for i := 0; i < 12; i++ {
		go func() {
			for {
				tx, err := db.BeginTx(context.Background(), nil)
				harness.Must(err)
				harness.Must(tx.Commit())
			}
		}()
	}
}

// Readers of pipes whose writers write now and then.
func streams() {
	for i := 0; i < 8; i++ {
		read, write := io.Pipe()
		go io.Copy(io.Discard, read)
		go func() {
			for {
				write.Write([]byte("x"))
				time.Sleep(150 * time.Millisecond)
			}
		}()
	}
}

func cron() {
	for i := 0; i < 10; i++ {
		ticker := time.NewTicker(time.Duration(i+1) * 100 * time.Millisecond)
		go func() {
			for range ticker.C {
				answered.Add(1)
			}
		}()
	}
	go func() {
		for {
			<-time.After(time.Hour)
		}
	}()
	time.AfterFunc(time.Hour, func() {})
}

type node struct {
	next *node
	room [8]int
}

func garbage() {
	var list atomic.Pointer[node]
	for i := 0; i < 2; i++ {
		go func() {
			for n := 0; ; n++ {
				list.Store(&node{next: list.Load()})
				if n%10000 == 0 {
					list.Store(nil)
					time.Sleep(time.Millisecond)
				}
			}
		}()
	}
	pool()
}

// Goroutines that come and go, each with a channel of its own.
func churn() {
	for i := 0; i < 2; i++ {
		go func() {
			for {
				answer := make(chan int)
				for j := 0; j < 100; j++ {
					go func() { answer <- j }()
				}
				for j := 0; j < 100; j++ {
					<-answer
				}
			}
		}()
	}
}

func signals() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	go func() { <-c }()
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt)
	go func() { <-ctx.Done() }()
}

var shared sync.Mutex

func contention() {
	for i := 0; i < 8; i++ {
		go func() {
			for {
				shared.Lock()
				time.Sleep(time.Millisecond)
				shared.Unlock()
			}
		}()
	}
}

func conditions() {
	var mutex sync.Mutex
	c := sync.NewCond(&mutex)
	for i := 0; i < 8; i++ {
		go func() {
			for {
				c.L.Lock()
				c.Wait()
				c.L.Unlock()
			}
		}()
	}
	go func() {
		for {
			time.Sleep(700 * time.Millisecond)
			c.Broadcast()
		}
	}()
}

type call struct {
	n      int
	answer chan int
}

// Calls whose answers come late, through a queue that only the server knows.
func replies() {
	queue := make(chan call, 64)
	go func() {
		late := []call{}
		for {
			select {
			case c := <-queue:
				late = append(late, c)
			case <-time.After(100 * time.Millisecond):
				for _, c := range late {
					c.answer <- c.n
				}
				late = nil
			}
		}
	}()
	for i := 0; i < 16; i++ {
		go func() {
			for n := 0; ; n++ {
				c := call{n, make(chan int)}
				queue <- c
				<-c.answer
			}
		}()
	}
}

func timeouts() {
	for i := 0; i < 8; i++ {
		go func() {
			for {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				child, _ := context.WithCancel(ctx)
				<-child.Done()
				cancel()
			}
		}()
	}
}

// Everybody waits for the slowest.
func barrier() {
	go func() {
		for {
			var group sync.WaitGroup
			for i := 0; i < 4; i++ {
				group.Add(1)
				go func() {
					time.Sleep(400 * time.Millisecond)
					group.Done()
				}()
			}
			group.Wait()
		}
	}()
}

type cache struct {
	stop chan struct{}
	rows map[int]int
}

var caches []*struct{ *cache }

// Janitors that end when their cache is collected; only the finalizer knows how.
func finalizer() {
	for i := 0; i < several; i++ {
		c := &struct{ *cache }{&cache{stop: make(chan struct{})}}
		go janitor(c.stop)
		stop := c.stop
		c.cache = &cache{rows: map[int]int{}}
		runtime.SetFinalizer(c, func(*struct{ *cache }) { close(stop) })
		caches = append(caches, c)
	}
	runtime.GC()
}

//go:noinline
func janitor(stop chan struct{}) { <-stop }

// Somebody computes an answer and has the channel for it in a register only, most of the time.
func register() {
	for i := 0; i < 2; i++ {
		go func() {
			for {
				ask()
			}
		}()
	}
}

//go:noinline
func ask() {
	c := make(chan int)
	go answer(c, 30_000_000)
	answered.Add(int64(<-c))
}

//go:noinline
func answer(c chan int, rounds int) {
	x := 0
	for i := 0; i < rounds; i++ {
		x ^= i*x + 3
	}
	c <- x
}

type token struct {
	done chan int
	room [5]int
}

// What they wait for is known to one short-lived object after another, which two pass to each other.
func passed() {
	for i := 0; i < 100; i++ {
		there, back := make(chan *token), make(chan *token)
		go passOn(there, back)
		go passOn(back, there)
		done := make(chan int)
		go waitDone(done)
		there <- &token{done: done}
	}
}

func passOn(in, out chan *token) {
	for t := range in {
		next := &token{done: t.done}
		t.done = nil
		time.Sleep(time.Millisecond)
		out <- next
	}
}

//go:noinline
func waitDone(done chan int) { <-done }

// Others do the work, and main waits for nobody so that the program stays.
func rests() {
	harness.Ready(0)
	go func() {
		harness.Finish()
		harness.OK()
		os.Exit(0)
	}()
	<-make(chan int)
}
