package store

import (
	"sort"
	"strings"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// connect prepares a new connection: SQLite calls these functions from C.
func (db *DB) connect(conn *sqlite3.SQLiteConn) error {
	if err := conn.RegisterFunc("relevance", db.relevance, true); err != nil {
		return err
	}
	if err := conn.RegisterAggregator("median", db.newMedian, true); err != nil {
		return err
	}
	if err := conn.RegisterCollation("natural_order", db.compareNatural); err != nil {
		return err
	}
	conn.RegisterUpdateHook(db.onUpdate)
	conn.RegisterCommitHook(db.onCommit)
	return nil
}

// onUpdate hears of every changed row.
func (db *DB) onUpdate(_ int, _ string, table string, _ int64) {
	db.callbacks.Add(1)
	if table == "products" {
		db.version.Add(1)
	}
}

// onCommit hears of every transaction; 0 lets it pass.
func (db *DB) onCommit() int {
	db.callbacks.Add(1)
	db.commits.Add(1)
	return 0
}

// relevance is 1 for a name with all the words, less for similar ones.
func (db *DB) relevance(name, words string) float64 {
	db.callbacks.Add(1)
	name = strings.ToLower(name)
	var sum float64
	wanted := strings.Fields(words)
	for _, word := range wanted {
		if strings.Contains(name, word) {
			sum++
		} else {
			sum += similarity(name, word) / 2
		}
	}
	return sum / float64(len(wanted))
}

// similarity is the share of a word's runs of three letters that a name has.
func similarity(name, word string) float64 {
	common, runs := 0, 0
	for i := 0; i+3 <= len(word); i++ {
		runs++
		if strings.Contains(name, word[i:i+3]) {
			common++
		}
	}
	if runs == 0 {
		return 0
	}
	return float64(common) / float64(runs)
}

// median is an aggregate: SQLite makes one for each group.
type median struct {
	db     *DB
	values []float64
}

func (db *DB) newMedian() *median { return &median{db: db} }

// Step takes the value of one row.
func (m *median) Step(value int64) {
	m.db.callbacks.Add(1)
	m.values = append(m.values, float64(value))
}

// Done returns the result of the group.
func (m *median) Done() float64 {
	m.db.callbacks.Add(1)
	if len(m.values) == 0 {
		return 0
	}
	sort.Float64s(m.values)
	middle := len(m.values) / 2
	if len(m.values)%2 == 1 {
		return m.values[middle]
	}
	return (m.values[middle-1] + m.values[middle]) / 2
}

// compareNatural sorts "Shelf 9" before "Shelf 10", and ignores case.
func (db *DB) compareNatural(a, b string) int {
	db.callbacks.Add(1)
	for a != "" && b != "" {
		var x, y string
		x, a = chunk(a)
		y, b = chunk(b)
		if order := compareChunks(x, y); order != 0 {
			return order
		}
	}
	return len(a) - len(b)
}

func compareChunks(x, y string) int {
	if digit(x[0]) && digit(y[0]) {
		x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
		if len(x) != len(y) {
			return len(x) - len(y)
		}
		return strings.Compare(x, y)
	}
	return strings.Compare(strings.ToLower(x), strings.ToLower(y))
}

// chunk cuts the leading run of digits, or of anything else, off.
func chunk(text string) (head, rest string) {
	end := 1
	for end < len(text) && digit(text[end]) == digit(text[0]) {
		end++
	}
	return text[:end], text[end:]
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
