// demo-sqlite is the application that `cargo xtask demo` profiles: a small shop
// over SQLite, without the HTTP around it. SQLite, which is C, calls back into
// Go for ranking, natural sorting, medians and change notices, so its stacks go
// Go → C → Go and down into the kernel.
package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"seam.test/demo-sqlite/shop"
	"seam.test/demo-sqlite/store"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "demo-sqlite:", err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

func run() error {
	duration, err := seconds()
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	dir, err := os.MkdirTemp("", "demo-sqlite-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := store.Open(filepath.Join(dir, "shop.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Fill(ctx, rand.New(rand.NewSource(1))); err != nil {
		return fmt.Errorf("filling the database: %w", err)
	}
	fmt.Printf("ready pid=%d\n", os.Getpid())
	fmt.Println("start")
	err = serve(ctx, shop.New(db), duration)
	fmt.Println("stop")
	return err
}

func seconds() (time.Duration, error) {
	if len(os.Args) < 2 {
		return 10 * time.Second, nil
	}
	n, err := strconv.ParseFloat(os.Args[1], 64)
	if err != nil || n <= 0 {
		return 0, errors.New("usage: demo-sqlite [SECONDS]")
	}
	return time.Duration(n * float64(time.Second)), nil
}

// A kind of client: what it asks for, and how many of it there are.
type client struct {
	name  string
	count int
	ask   func(*shop.Server, context.Context, *rand.Rand) ([]byte, error)
}

var clients = []client{
	{"search", 2, (*shop.Server).HandleSearch},
	{"order", 2, (*shop.Server).HandleOrder},
	{"report", 1, (*shop.Server).HandleReport},
}

// serve lets all clients ask until the time is over or a signal came.
func serve(ctx context.Context, server *shop.Server, duration time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	var group sync.WaitGroup
	failed := make(chan error, 16)
	for _, kind := range clients {
		for i := 0; i < kind.count; i++ {
			group.Add(1)
			go func(kind client, seed int64) {
				defer group.Done()
				if err := kind.loop(ctx, server, rand.New(rand.NewSource(seed))); err != nil {
					failed <- err
					cancel()
				}
			}(kind, int64(i+1))
		}
	}
	group.Wait()
	fmt.Println(server.Summary())
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func (c client) loop(ctx context.Context, server *shop.Server, random *rand.Rand) error {
	for ctx.Err() == nil {
		// The time limit is each query's own: a request in progress may finish.
		if _, err := c.ask(server, context.Background(), random); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}
