// Big is a program of more than 100 MB: much of Go's own library, and a C part of 450,000
// functions with unwind information (big.S). It works until its time is over.
package main

/*
#cgo CFLAGS: -O2 -I${SRCDIR}/../../../tests/programs/harness
#include <stdint.h>
uint64_t big_work(uint64_t x);
*/
import "C"

import (
	"fmt"
	"go/types"
	"html/template"
	"net/http"
	"os"
	"strconv"
	"time"
)

// Kept, so that the linker keeps what they need.
var kept = []any{http.ListenAndServe, template.New, types.NewChecker}

func main() {
	seconds := 10.0
	if len(os.Args) > 1 {
		seconds, _ = strconv.ParseFloat(os.Args[1], 64)
	}
	fmt.Printf("ready pid=%d %d\n", os.Getpid(), len(kept))
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	for sum := C.uint64_t(1); time.Now().Before(end); {
		sum = C.big_work(sum)
	}
}
