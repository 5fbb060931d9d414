// RocksDB with a comparator and a compaction filter in Go. Small buffers, so that its own threads
// flush and compact all the time.
package main

/*
#cgo LDFLAGS: -lrocksdb
#include <stdlib.h>
#include <rocksdb/c.h>

extern int goCompare(void *, char *, size_t, char *, size_t);
extern unsigned char goFilter(void *, int, char *, size_t, char *, size_t, char **, size_t *,
			      unsigned char *);

static const char *name(void *state) { (void)state; return "seam"; }
static void nothing(void *state) { (void)state; }

static rocksdb_t *open_database(const char *path, char **error) {
	rocksdb_options_t *options = rocksdb_options_create();
	rocksdb_options_set_create_if_missing(options, 1);
	rocksdb_options_increase_parallelism(options, 2);
	rocksdb_options_set_write_buffer_size(options, 1 << 19);
	rocksdb_options_set_level0_file_num_compaction_trigger(options, 2);
	rocksdb_options_set_comparator(options, rocksdb_comparator_create(NULL, nothing,
		(int (*)(void *, const char *, size_t, const char *, size_t))goCompare, name));
	rocksdb_options_set_compaction_filter(options, rocksdb_compactionfilter_create(NULL, nothing,
		(unsigned char (*)(void *, int, const char *, size_t, const char *, size_t, char **,
				   size_t *, unsigned char *))goFilter, name));
	return rocksdb_open(options, path, error);
}
*/
import "C"

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"time"
	"unsafe"
)

func bytesOf(at *C.char, n C.size_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(at)), int(n))
}

//export goCompare
func goCompare(state unsafe.Pointer, a *C.char, an C.size_t, b *C.char, bn C.size_t) C.int {
	return C.int(bytes.Compare(bytesOf(a, an), bytesOf(b, bn)))
}

//export goFilter
func goFilter(state unsafe.Pointer, level C.int, key *C.char, keyBytes C.size_t, value *C.char,
	n C.size_t, replaced **C.char, replacedBytes *C.size_t, changed *C.uchar) C.uchar {
	if bytes.Count(bytesOf(value, n), []byte{7}) > 100 {
		return 1
	}
	return 0
}

func must(message *C.char) {
	if message != nil {
		fmt.Fprintln(os.Stderr, C.GoString(message))
		os.Exit(1)
	}
}

func write(db *C.rocksdb_t, end time.Time) (writes uint64) {
	options := C.rocksdb_writeoptions_create()
	C.rocksdb_writeoptions_disable_WAL(options, 1)
	value := (*C.char)(C.calloc(1, 300))
	key := (*C.char)(C.malloc(8))
	for ; time.Now().Before(end); writes++ {
		binary.BigEndian.PutUint64(bytesOf(key, 8), writes*0x9e3779b97f4a7c15%40000)
		var message *C.char
		C.rocksdb_put(db, options, key, 8, value, 300, &message)
		must(message)
	}
	return writes
}

func main() {
	seconds, err := strconv.ParseFloat(os.Args[1], 64)
	if err != nil {
		os.Exit(2)
	}
	folder, err := os.MkdirTemp("", "seam-rocksdb")
	if err != nil {
		os.Exit(1)
	}
	defer os.RemoveAll(folder)
	var message *C.char
	db := C.open_database(C.CString(folder), &message)
	must(message)
	fmt.Println("ready")
	writes := write(db, time.Now().Add(time.Duration(seconds*float64(time.Second))))
	C.rocksdb_close(db)
	fmt.Printf("ok writes=%d\n", writes)
}
