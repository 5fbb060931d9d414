// DuckDB, a C++ database with threads of its own, by database/sql: one query after the other, each
// over more rows than one of its threads takes.
package main

import (
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"time"

	_ "github.com/marcboeker/go-duckdb"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

//go:noinline
func query(db *sql.DB) (rows int64) {
	const text = "SELECT count(*) FROM (SELECT i % 1000 AS k, sum(i * i) FROM range(2000000) t(i) GROUP BY k)"
	must(db.QueryRow(text).Scan(&rows))
	return rows
}

func main() {
	seconds, err := strconv.ParseFloat(os.Args[1], 64)
	must(err)
	db, err := sql.Open("duckdb", "")
	must(err)
	_, err = db.Exec("SET threads = 3")
	must(err)
	fmt.Println("ready")
	queries := 0
	for end := time.Now().Add(time.Duration(seconds * float64(time.Second))); time.Now().Before(end); {
		if query(db) != 1000 {
			must(fmt.Errorf("a wrong answer"))
		}
		queries++
	}
	fmt.Printf("ok queries=%d\n", queries)
}
