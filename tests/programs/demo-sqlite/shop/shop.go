// Package shop answers requests: it asks the store, works on what comes back
// and writes JSON.
package shop

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"seam.test/demo-sqlite/store"
)

// Server holds what the handlers share.
type Server struct {
	db                        *store.DB
	searches, orders, reports atomic.Int64

	mu    sync.Mutex
	cache map[string]cached
}

type cached struct {
	body    []byte
	version int64
}

// New returns a server over a store.
func New(db *store.DB) *Server {
	return &Server{db: db, cache: map[string]cached{}}
}

// HandleSearch finds the products that fit some words best.
func (s *Server) HandleSearch(ctx context.Context, random *rand.Rand) ([]byte, error) {
	s.searches.Add(1)
	words := store.RandomWords(random, 2)
	if body, ok := s.cached(words); ok {
		return body, nil
	}
	version := s.db.Version()
	found, err := s.db.Search(ctx, words, 25)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(struct {
		Query string          `json:"query"`
		Facet map[string]int  `json:"facets"`
		Hits  []store.Product `json:"hits"`
	}{words, facets(found), found})
	if err == nil {
		s.keep(words, cached{body, version})
	}
	return body, err
}

// HandleOrder buys a few things for a customer.
func (s *Server) HandleOrder(ctx context.Context, random *rand.Rand) ([]byte, error) {
	s.orders.Add(1)
	order := store.RandomOrder(random)
	id, total, err := s.db.InsertOrder(ctx, order)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"order": id,
		"total": fmt.Sprintf("%d.%02d", total/100, total%100),
		"time":  time.Now().UTC(),
	})
}

// HandleReport sums the sales of each city up.
func (s *Server) HandleReport(ctx context.Context, random *rand.Rand) ([]byte, error) {
	s.reports.Add(1)
	cities, err := s.db.SalesByCity(ctx)
	if err != nil {
		return nil, err
	}
	shelves, err := s.db.Shelves(ctx, store.RandomCategory(random))
	if err != nil {
		return nil, err
	}
	ranked := append([]store.City(nil), cities...)
	sort.Slice(ranked, func(i, j int) bool { return ranked[i].Revenue > ranked[j].Revenue })
	if len(ranked) > 10 {
		ranked = ranked[:10]
	}
	return json.MarshalIndent(map[string]any{
		"cities": cities, "best": ranked, "shelves": shelves,
	}, "", " ")
}

// Summary says what was done.
func (s *Server) Summary() string {
	return fmt.Sprintf("searches=%d orders=%d reports=%d callbacks=%d commits=%d",
		s.searches.Load(), s.orders.Load(), s.reports.Load(),
		s.db.Callbacks(), s.db.Commits())
}

// cached returns an earlier answer unless products were sold since.
func (s *Server) cached(words string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry, ok := s.cache[words]
	return entry.body, ok && entry.version == s.db.Version()
}

func (s *Server) keep(words string, entry cached) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cache) > 200 {
		s.cache = map[string]cached{}
	}
	s.cache[words] = entry
}

// facets counts the words of what was found.
func facets(products []store.Product) map[string]int {
	counts := map[string]int{}
	for _, product := range products {
		for _, word := range strings.Fields(strings.ToLower(product.Name)) {
			counts[word]++
		}
	}
	return counts
}
