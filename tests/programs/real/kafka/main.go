// confluent-kafka-go: librdkafka with its own threads, a producer and a consumer against the cluster
// that it brings along for tests.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func produce(producer *kafka.Producer, end time.Time) {
	topic := "seam"
	value := make([]byte, 500)
	for i := range value {
		value[i] = byte("what a long line of words this is "[i%34])
	}
	to := kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny}
	for time.Now().Before(end) {
		if producer.Produce(&kafka.Message{TopicPartition: to, Value: value}, nil) != nil {
			time.Sleep(time.Millisecond)
		}
	}
}

func consume(consumer *kafka.Consumer, end time.Time) (count int) {
	for time.Now().Before(end) {
		if message, err := consumer.ReadMessage(100 * time.Millisecond); err == nil && message != nil {
			count++
		}
	}
	return count
}

func main() {
	seconds, err := strconv.ParseFloat(os.Args[1], 64)
	must(err)
	cluster, err := kafka.NewMockCluster(1)
	must(err)
	servers := cluster.BootstrapServers()
	producer, err := kafka.NewProducer(&kafka.ConfigMap{
		"bootstrap.servers": servers, "compression.type": "lz4", "linger.ms": 5,
	})
	must(err)
	consumer, err := kafka.NewConsumer(&kafka.ConfigMap{
		"bootstrap.servers": servers, "group.id": "seam", "auto.offset.reset": "earliest",
	})
	must(err)
	must(consumer.Subscribe("seam", nil))
	go func() {
		for range producer.Events() {
		}
	}()
	fmt.Println("ready")
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	go produce(producer, end)
	fmt.Printf("ok messages=%d\n", consume(consumer, end))
}
