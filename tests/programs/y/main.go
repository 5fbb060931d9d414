// Program y: goroutines that leak, one way for each mode, the same without the fault as MODE-fixed, and
// programs that only look like it. The function that leaks is called leak…; what is healthy has another
// name, so that the name alone is the truth.
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"seam.test/harness"
)

// A mode gets whether it is to have its fault.
var modes = map[string]func(fault bool){}

// Those that are healthy in either way.
var healthy = map[string]func(){}

// How many goroutines leak at once, where a mode makes several.
const several = 7

// Makes one more from time to time: such leaks show only by their growth.
func again(f func()) {
	go func() {
		for {
			f()
			time.Sleep(100 * time.Millisecond)
		}
	}()
}

func main() {
	mode := ""
	if len(os.Args) > 2 {
		mode = os.Args[2]
	}
	name, fixed := strings.CutSuffix(mode, "-fixed")
	if f := modes[name]; f != nil {
		f(!fixed)
	} else if f := healthy[mode]; f != nil {
		f()
	} else {
		all := []string{}
		for name := range modes {
			all = append(all, name)
		}
		for name := range healthy {
			all = append(all, name)
		}
		sort.Strings(all)
		fmt.Println("modes", strings.Join(all, " "))
		return
	}
	// Everything comes to rest.
	time.Sleep(500 * time.Millisecond)
	harness.Ready(0)
	harness.Finish()
	harness.OK()
}
