// Calls code made at run time through cgo; some of it calls C.
package main

// #cgo CFLAGS: -O2 -g -fomit-frame-pointer -D_GNU_SOURCE
// #include "made.h"
//
// static char *made_start(void) {
//	char *page = made_page(1);
//	if (page != NULL) made_names(page);
//	return page;
// }
//
// static void made_turn(uintptr_t page) {
//	static uint64_t x = 1;
//	x = made_round((char *)page, x);
// }
import "C"

import (
	"fmt"
	"os"
	"time"
	"unsafe"
)

//go:noinline
func work(page C.uintptr_t) {
	C.made_turn(page)
}

func main() {
	page := C.made_start()
	if page == nil {
		os.Exit(1)
	}
	fmt.Println("ready")
	end := time.Now().Add(2 * time.Minute)
	for time.Now().Before(end) {
		work(C.uintptr_t(uintptr(unsafe.Pointer(page))))
	}
}
