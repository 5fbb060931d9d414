package store

import (
	"fmt"
	"math/rand"
	"strings"
)

const (
	products  = 3000
	customers = 800
)

var (
	words = strings.Fields(`amber anchor basket beacon birch bottle brass bucket cable candle
		canvas cedar chair clock cloth copper cotton cradle desk drawer feather fender
		flask frame garden glass hammer handle hinge iron kettle lamp lantern leather
		linen marble mirror needle oak paper pillow pine plate ribbon saddle shelf
		silver spindle stone table thread timber trunk vase velvet wagon walnut wheel`)
	categories = strings.Fields("bath bed garden kitchen light office storage workshop")
)

// RandomWords returns a search, or a name.
func RandomWords(random *rand.Rand, count int) string {
	picked := make([]string, count)
	for i := range picked {
		picked[i] = words[random.Intn(len(words))]
	}
	return strings.Join(picked, " ")
}

// RandomCategory returns one of the categories.
func RandomCategory(random *rand.Rand) string {
	return categories[random.Intn(len(categories))]
}

// RandomOrder returns an order of a few products.
func RandomOrder(random *rand.Rand) Order {
	order := Order{Customer: 1 + random.Int63n(customers)}
	for i := 0; i < 1+random.Intn(5); i++ {
		order.Lines = append(order.Lines, Line{
			Product:  1 + random.Int63n(products),
			Quantity: 1 + random.Int63n(3),
		})
	}
	return order
}

func randomName(random *rand.Rand) string {
	return fmt.Sprintf("%s No. %d", RandomWords(random, 3), random.Intn(2000))
}

func randomCity(random *rand.Rand) string {
	return fmt.Sprintf("District %d", 1+random.Intn(60))
}
