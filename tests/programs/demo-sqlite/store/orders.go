package store

import (
	"context"
	"database/sql"
	"math/rand"
	"time"
)

// Line is one product of an order.
type Line struct {
	Product, Quantity int64
}

// Order is what a customer wants.
type Order struct {
	Customer int64
	Lines    []Line
}

// InsertOrder stores an order and takes its products from stock, all or nothing.
// It returns the order's id and its total in cents.
func (db *DB) InsertOrder(ctx context.Context, order Order) (id, total int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, queryLimit)
	defer cancel()
	tx, err := db.sql.BeginTx(ctx, nil)
	if err != nil {
		return 0, 0, err
	}
	defer tx.Rollback() // does nothing after the commit
	err = tx.QueryRowContext(ctx,
		`insert into orders(customer, placed) values(?1, ?2) returning id`,
		order.Customer, time.Now().Unix()).Scan(&id)
	if err != nil {
		return 0, 0, err
	}
	for _, line := range order.Lines {
		cents, err := insertLine(ctx, tx, id, line)
		if err != nil {
			return 0, 0, err
		}
		total += cents
	}
	return id, total, tx.Commit()
}

func insertLine(ctx context.Context, tx *sql.Tx, order int64, line Line) (cents int64, err error) {
	var price int64
	err = tx.QueryRowContext(ctx, `
		update products set stock = case when stock > ?2 then stock - ?2 else 1000 end
		where id = ?1 returning price`, line.Product, line.Quantity).Scan(&price)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `
		insert into lines(order_id, product, quantity, price) values(?1, ?2, ?3, ?4)
		returning quantity * price`, order, line.Product, line.Quantity, price).Scan(&cents)
	return cents, err
}

// Fill puts products, customers and some orders into a new database.
func (db *DB) Fill(ctx context.Context, random *rand.Rand) error {
	tx, err := db.sql.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for id := 1; id <= products; id++ {
		_, err := tx.Exec(`insert into products values(?, ?, ?, ?, 1000)`,
			id, randomName(random), RandomCategory(random), 100+random.Intn(20000))
		if err != nil {
			return err
		}
	}
	for id := 1; id <= customers; id++ {
		_, err := tx.Exec(`insert into customers values(?, ?, ?)`,
			id, RandomWords(random, 2), randomCity(random))
		if err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	for i := 0; i < 300; i++ {
		if _, _, err := db.InsertOrder(ctx, RandomOrder(random)); err != nil {
			return err
		}
	}
	return nil
}
