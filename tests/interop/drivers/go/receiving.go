package main

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

func typeOf(value any) reflect.Type { return reflect.TypeOf(value) }

func init() {
	add(map[string]func(*Context){
		"listener": listener, "small_queue": smallQueue, "zero_queue": zeroQueue,
		"ack_individual": ackIndividual, "ack_cumulative": ackCumulative, "ack_batch_index": ackBatchIndex,
		"ack_cumulative_in_batch": ackCumulativeInBatch, "ack_receipt": ackReceipt, "negative_ack": negativeAck,
		"reconnect_redelivery": reconnectRedelivery, "dead_letter": deadLetter, "retry_topic": retryTopic,
		"deliver_after": deliverAfter, "deliver_at": deliverAt,
		"seek_by_id": seekByID, "seek_by_id_inclusive": seekByIDInclusive, "seek_by_time": seekByTime,
		"seek_ends": seekEnds,
	})
	without("pulsar-client-go has no such call", "batch_receive", "redeliver_all")
	without("pulsar-client-go has no such timeout", "ack_timeout")
}

func listener(c *Context) {
	channel := make(chan pulsar.ConsumerMessage, 10)
	c.consumer(func(all *pulsar.ConsumerOptions) { all.MessageChannel = channel })
	sendEach(c.producer(), numbered(10, "message"))
	for _, expected := range numbered(10, "message") {
		select {
		case message := <-channel:
			equal(string(message.Payload()), expected)
			ok(message.Consumer.Ack(message.Message))
		case <-time.After(wait):
			check(false, "%s did not come", expected)
		}
	}
}

func smallQueue(c *Context) {
	consumer := c.consumer(queue(1))
	sendAll(c.batching(), textsOf(numbered(50, "message"))...)
	equal(payloads(take(consumer, 50)), numbered(50, "message"))
}

func zeroQueue(c *Context) {
	sendEach(c.producer(), numbered(4, "message"))
	first := c.consumer(typed(pulsar.Shared), func(all *pulsar.ConsumerOptions) { all.EnableZeroQueueConsumer = true })
	// The first one holds nothing that it was not asked for: all is left for the second.
	second := c.consumer(typed(pulsar.Shared), queue(10))
	equal(payloads(take(second, 4)), numbered(4, "message"))
	first.Close()
}

func ackIndividual(c *Context) {
	sendEach(c.producer(), numbered(6, "message"))
	consumer := c.consumer()
	messages := take(consumer, 6)
	for _, i := range []int{0, 2, 5} {
		ok(consumer.Ack(messages[i]))
	}
	consumer.Close()
	again := c.consumer()
	equal(payloads(take(again, 3)), []string{"message 1", "message 3", "message 4"})
	silent(again)
}

func ackCumulative(c *Context) {
	sendEach(c.producer(), numbered(8, "message"))
	consumer := c.consumer()
	ok(consumer.AckCumulative(take(consumer, 8)[4]))
	consumer.Close()
	again := c.consumer()
	equal(payloads(take(again, 3)), []string{"message 5", "message 6", "message 7"})
	silent(again)
}

func byIndex(all *pulsar.ConsumerOptions) {
	all.EnableBatchIndexAcknowledgment = true
	all.AckWithResponse = true
}

func ackBatchIndex(c *Context) {
	consumer := c.consumer(typed(pulsar.Shared), byIndex)
	sendAll(c.batching(), textsOf(numbered(10, "message"))...)
	messages := take(consumer, 10)
	for _, i := range []int{1, 3, 4, 9} {
		ok(consumer.Ack(messages[i]))
	}
	consumer.Close()
	again := c.consumer(typed(pulsar.Shared), byIndex)
	expected := []string{}
	for _, i := range []int{0, 2, 5, 6, 7, 8} {
		expected = append(expected, fmt.Sprintf("message %d", i))
	}
	equal(payloads(take(again, 6)), expected)
	silent(again)
}

func ackCumulativeInBatch(c *Context) {
	consumer := c.consumer(byIndex)
	sendAll(c.batching(), textsOf(numbered(10, "message"))...)
	ok(consumer.AckCumulative(take(consumer, 10)[6]))
	consumer.Close()
	again := c.consumer(byIndex)
	equal(payloads(take(again, 3)), []string{"message 7", "message 8", "message 9"})
	silent(again)
}

func ackReceipt(c *Context) {
	withResponse := func(all *pulsar.ConsumerOptions) { all.AckWithResponse = true }
	consumer := c.consumer(withResponse)
	sendEach(c.producer(), numbered(5, "message"))
	messages := take(consumer, 5)
	ok(consumer.Ack(messages[0]))
	ok(consumer.AckIDList([]pulsar.MessageID{messages[1].ID(), messages[3].ID()}))
	ok(consumer.AckCumulative(messages[1]))
	consumer.Close()
	again := c.consumer(withResponse)
	equal(payloads(take(again, 2)), []string{"message 2", "message 4"})
	silent(again)
}

func negativeAck(c *Context) {
	consumer := c.consumer(typed(pulsar.Shared), func(all *pulsar.ConsumerOptions) {
		all.NackRedeliveryDelay = 200 * time.Millisecond
	})
	sendEach(c.producer(), numbered(3, "message"))
	messages := take(consumer, 3)
	ok(consumer.Ack(messages[0]))
	ok(consumer.Ack(messages[2]))
	counts := []uint32{messages[1].RedeliveryCount()}
	consumer.Nack(messages[1])
	for range 2 {
		again := receive(consumer, wait)
		equal(string(again.Payload()), "message 1")
		counts = append(counts, again.RedeliveryCount())
		consumer.Nack(again)
	}
	equal(counts, []uint32{0, 1, 2})
	ok(consumer.Ack(receive(consumer, wait)))
	silent(consumer)
}

func reconnectRedelivery(c *Context) {
	first := c.consumer(typed(pulsar.Shared), queue(10))
	sendEach(c.producer(), numbered(5, "message"))
	messages := take(first, 5)
	ok(first.Ack(messages[0]))
	ok(first.Ack(messages[3]))
	second := c.consumer(typed(pulsar.Shared))
	silent(second)
	first.Close()
	again := take(second, 3)
	equal(payloads(again), []string{"message 1", "message 2", "message 4"})
	counts := []uint32{}
	for _, message := range again {
		counts = append(counts, message.RedeliveryCount())
	}
	c.note("redelivery counts", counts)
}

func deadLetter(c *Context) {
	consumer := c.consumer(typed(pulsar.Shared), func(all *pulsar.ConsumerOptions) {
		all.NackRedeliveryDelay = 100 * time.Millisecond
		all.DLQ = &pulsar.DLQPolicy{MaxDeliveries: 2, DeadLetterTopic: c.topic("-dead")}
	})
	dead := c.consumer(consuming(c.topic("-dead")))
	producer := c.producer()
	poison := keyed("key", "poison")
	poison.Properties = map[string]string{"a": "1"}
	send(producer, poison)
	counts := []uint32{}
	for range 2 {
		message := receive(consumer, wait)
		equal(string(message.Payload()), "poison")
		counts = append(counts, message.RedeliveryCount())
		consumer.Nack(message)
	}
	equal(counts, []uint32{0, 1})
	letter := receive(dead, wait)
	equal(string(letter.Payload()), "poison")
	equal(letter.Properties()["a"], "1")
	silent(consumer)
}

func retryTopic(c *Context) {
	consumer := c.consumer(typed(pulsar.Shared), func(all *pulsar.ConsumerOptions) {
		all.RetryEnable = true
		all.DLQ = &pulsar.DLQPolicy{
			MaxDeliveries: 2, RetryLetterTopic: c.topic("-retry"), DeadLetterTopic: c.topic("-dead"),
		}
	})
	dead := c.consumer(consuming(c.topic("-dead")))
	send(c.producer(), text("again"))
	for range 3 {
		message := receive(consumer, wait)
		equal(string(message.Payload()), "again")
		consumer.ReconsumeLater(message, 1200*time.Millisecond)
	}
	letter := receive(dead, wait)
	equal(string(letter.Payload()), "again")
	equal(letter.Properties()["REAL_TOPIC"], c.topic(""))
	silent(consumer)
}

func deliverAfter(c *Context) {
	consumer := c.consumer(typed(pulsar.Shared))
	producer := c.producer()
	started := time.Now()
	send(producer, &pulsar.ProducerMessage{Payload: []byte("late"), DeliverAfter: 2500 * time.Millisecond})
	send(producer, text("soon"))
	equal(string(receive(consumer, time.Second).Payload()), "soon")
	equal(string(receive(consumer, wait).Payload()), "late")
	took := time.Since(started)
	// The broker may be a tick, one second, early.
	check(took > 1400*time.Millisecond && took < 6*time.Second, "it took %v", took)
}

func deliverAt(c *Context) {
	consumer := c.consumer(typed(pulsar.Shared))
	producer := c.producer()
	now := time.Now()
	late, soon := 3500*time.Millisecond, 1500*time.Millisecond
	for _, delay := range []time.Duration{late, soon} {
		send(producer, &pulsar.ProducerMessage{Payload: []byte(delay.String()), DeliverAt: now.Add(delay)})
	}
	for _, delay := range []time.Duration{soon, late} {
		equal(string(receive(consumer, wait).Payload()), delay.String())
		early := time.Until(now.Add(delay))
		check(early <= 1050*time.Millisecond, "%v early", early)
	}
}

func seekByID(c *Context) {
	ids := sendEach(c.producer(), numbered(6, "message"))
	consumer := c.consumer()
	take(consumer, 6)
	ok(consumer.Seek(ids[2]))
	equal(payloads(take(consumer, 3)), []string{"message 3", "message 4", "message 5"})
	silent(consumer)
}

func seekByIDInclusive(c *Context) {
	ids := sendEach(c.producer(), numbered(6, "message"))
	consumer := c.consumer(func(all *pulsar.ConsumerOptions) { all.StartMessageIDInclusive = true })
	take(consumer, 6)
	ok(consumer.Seek(ids[2]))
	equal(payloads(take(consumer, 4)), []string{"message 2", "message 3", "message 4", "message 5"})
}

func seekByTime(c *Context) {
	producer := c.producer()
	sendEach(producer, numbered(3, "message"))
	time.Sleep(300 * time.Millisecond)
	middle := time.Now()
	time.Sleep(300 * time.Millisecond)
	sendEach(producer, numbered(3, "later"))
	consumer := c.consumer()
	take(consumer, 6)
	ok(consumer.SeekByTime(middle))
	equal(payloads(take(consumer, 3)), numbered(3, "later"))
	silent(consumer)
}

func seekEnds(c *Context) {
	producer := c.producer()
	sendEach(producer, numbered(5, "message"))
	consumer := c.consumer()
	for _, message := range take(consumer, 5) {
		ok(consumer.Ack(message))
	}
	// Its own constants are for a reader: they name no partition.
	ok(consumer.Seek(pulsar.NewMessageID(-1, -1, -1, 0)))
	equal(payloads(take(consumer, 5)), numbered(5, "message"))
	ok(consumer.Seek(pulsar.NewMessageID(math.MaxInt64, math.MaxInt64, -1, 0)))
	send(producer, text("after"))
	equal(payloads(take(consumer, 1)), []string{"after"})
	silent(consumer)
}
