package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sort"
	"time"
)

const yieldCount = 10

type leakProfile struct{}

func (leakProfile) WriteTo(io.Writer, int) error { return nil }

var cmds = map[string]func(){}

var text = make([]byte, 16<<20)

func register(name string, f func()) { cmds[name] = f }

func main() {
	if len(os.Args) < 2 {
		names := []string{}
		for name := range cmds {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			fmt.Println(name)
		}
		return
	}
	for _, name := range os.Args[1:] {
		cmds[name]()
	}
	for i := 0; i < 300; i++ {
		time.Sleep(time.Second)
		fmt.Printf("dump\n%s\ndumped\n", text[:runtime.Stack(text, true)])
	}
}
