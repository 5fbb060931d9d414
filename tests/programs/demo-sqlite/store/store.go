// Package store keeps the shop's products and orders in SQLite.
package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// No query may take longer.
const queryLimit = 5 * time.Second

// DB is the shop's database.
type DB struct {
	sql                         *sql.DB
	version, callbacks, commits atomic.Int64
}

const schema = `
create table products(id integer primary key, name text, category text, price integer, stock integer);
create index products_category on products(category);
create table customers(id integer primary key, name text, city text);
create table orders(id integer primary key, customer integer, placed integer);
create index orders_customer on orders(customer);
create table lines(order_id integer, product integer, quantity integer, price integer);
create index lines_order on lines(order_id);
`

// Open makes a new database in a file, with the Go functions its queries use.
func Open(path string) (*DB, error) {
	db := &DB{}
	// Drivers are global; the process has one store.
	sql.Register("shop", &sqlite3.SQLiteDriver{ConnectHook: db.connect})
	dsn := "file:" + path + "?_journal_mode=WAL&_synchronous=NORMAL&_cache_size=100" +
		"&_busy_timeout=5000&_txlock=immediate"
	var err error
	if db.sql, err = sql.Open("shop", dsn); err != nil {
		return nil, err
	}
	if _, err = db.sql.Exec(schema); err != nil {
		db.sql.Close()
		return nil, fmt.Errorf("creating the tables: %w", err)
	}
	return db, nil
}

// Close closes the database.
func (db *DB) Close() error { return db.sql.Close() }

// Version changes whenever a product changes.
func (db *DB) Version() int64 { return db.version.Load() }

// Callbacks is how often SQLite called Go.
func (db *DB) Callbacks() int64 { return db.callbacks.Load() }

// Commits is how many transactions were committed.
func (db *DB) Commits() int64 { return db.commits.Load() }

// Product is a row of a search.
type Product struct {
	ID       int64   `json:"id"`
	Name     string  `json:"name"`
	Category string  `json:"category"`
	Price    int64   `json:"price"`
	Score    float64 `json:"score"`
}

// Search ranks products by how well their names fit the words.
func (db *DB) Search(ctx context.Context, words string, limit int) ([]Product, error) {
	ctx, cancel := context.WithTimeout(ctx, queryLimit)
	defer cancel()
	rows, err := db.sql.QueryContext(ctx, `
		select id, name, category, price, relevance(name, ?1) as score
		from products where stock > 0 and score > 0.1
		order by score desc, name collate natural_order limit ?2`, words, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []Product
	for rows.Next() {
		var p Product
		if err := rows.Scan(&p.ID, &p.Name, &p.Category, &p.Price, &p.Score); err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	return found, rows.Err()
}

// City is a row of the sales report.
type City struct {
	Name    string  `json:"name"`
	Orders  int64   `json:"orders"`
	Revenue int64   `json:"revenue"`
	Median  float64 `json:"median"`
}

// SalesByCity sums the newest orders up, in the natural order of city names.
func (db *DB) SalesByCity(ctx context.Context) ([]City, error) {
	ctx, cancel := context.WithTimeout(ctx, queryLimit)
	defer cancel()
	rows, err := db.sql.QueryContext(ctx, `
		select c.city, count(distinct o.id), sum(l.quantity * l.price), median(l.price)
		from (select * from orders order by id desc limit 2000) o
		join customers c on c.id = o.customer join lines l on l.order_id = o.id
		group by c.city order by c.city collate natural_order`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var cities []City
	for rows.Next() {
		var c City
		if err := rows.Scan(&c.Name, &c.Orders, &c.Revenue, &c.Median); err != nil {
			return nil, err
		}
		cities = append(cities, c)
	}
	return cities, rows.Err()
}

// Shelves lists the product names of a category as they stand on the shelf.
func (db *DB) Shelves(ctx context.Context, category string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, queryLimit)
	defer cancel()
	rows, err := db.sql.QueryContext(ctx,
		`select name from products where category = ?1 order by name collate natural_order`, category)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
