// A Go library in Python: it hashes, and it sorts by C's qsort, which calls Go back.
package main

/*
#include <stdlib.h>
extern int goOrder(void *, void *);
static int order(const void *a, const void *b) { return goOrder((void *)a, (void *)b); }
static void sort_c(int *values, long count) { qsort(values, count, sizeof(*values), order); }
*/
import "C"

import (
	"crypto/sha256"
	"unsafe"
)

//export goOrder
func goOrder(a, b unsafe.Pointer) C.int {
	return *(*C.int)(a) - *(*C.int)(b)
}

//export GoHash
func GoHash(rounds C.long) C.long {
	var sum [32]byte
	for i := C.long(0); i < rounds; i++ {
		sum = sha256.Sum256(sum[:])
	}
	return C.long(sum[0])
}

//export GoSort
func GoSort(count C.long) C.long {
	at := (*C.int)(C.malloc(C.size_t(count) * 4))
	defer C.free(unsafe.Pointer(at))
	for i, values := 0, unsafe.Slice(at, int(count)); i < len(values); i++ {
		values[i] = C.int(i * 7919 % len(values))
	}
	C.sort_c(at, count)
	return count
}

func main() {}
