package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

func init() {
	add(map[string]func(*Context){
		"single": single, "metadata": metadata, "empty_message": emptyMessage, "large_message": largeMessage,
		"too_large_refused": tooLargeRefused, "message_id": messageID,
		"batch_none":   func(c *Context) { batches(c, pulsar.NoCompression) },
		"batch_lz4":    func(c *Context) { batches(c, pulsar.LZ4) },
		"batch_zlib":   func(c *Context) { batches(c, pulsar.ZLib) },
		"batch_zstd":   func(c *Context) { batches(c, pulsar.ZSTD) },
		"batch_snappy": func(c *Context) { batches(c, pulsar.SNAPPY) },
		"batch_by_key": batchByKey, "chunking": chunking,
		"producer_names": producerNames, "producer_name_taken": producerNameTaken, "deduplication": deduplication,
		"access_exclusive": accessExclusive, "access_wait_for_exclusive": accessWaitForExclusive,
		"backlog_quota": backlogQuota,
		"reader":        reader, "reader_from_id": readerFromID, "reader_latest": readerLatest,
		"has_message_available": hasMessageAvailable, "last_message_id": lastMessageID, "table_view": tableView,
	})
	without("pulsar-client-go has no initial sequence id", "sequence_ids")
	without("pulsar-client-go has no such access mode", "access_exclusive_with_fencing")
}

func single(c *Context) {
	consumer := c.consumer()
	sendEach(c.producer(), numbered(20, "message"))
	equal(payloads(take(consumer, 20)), numbered(20, "message"))
	silent(consumer)
}

func metadata(c *Context) {
	consumer := c.consumer()
	producer := c.producer(named(c.name("-producer")))
	sequence := int64(42)
	before := time.Now()
	send(producer, &pulsar.ProducerMessage{
		Payload: []byte("x"), Key: "the key", OrderingKey: "the order", Properties: map[string]string{"a": "1", "b": "zwei ä"},
		EventTime: time.UnixMilli(1_700_000_000_123), SequenceID: &sequence,
	})
	message := receive(consumer, wait)
	equal(message.Key(), "the key")
	equal(message.OrderingKey(), "the order")
	equal(message.Properties(), map[string]string{"a": "1", "b": "zwei ä"})
	equal(message.EventTime().UnixMilli(), int64(1_700_000_000_123))
	equal(message.ProducerName(), c.name("-producer"))
	equal(message.Topic(), c.topic(""))
	check(message.PublishTime().After(before.Add(-5*time.Second)), "published at %v", message.PublishTime())
	equal(producer.LastSequenceID(), int64(42))
}

func emptyMessage(c *Context) {
	consumer := c.consumer()
	// This client drops an empty message that comes without a batch.
	send(c.producer(func(all *pulsar.ProducerOptions) { all.DisableBatching = false }), text(""))
	equal(len(receive(consumer, wait).Payload()), 0)
}

func largeMessage(c *Context) {
	consumer := c.consumer()
	payload := bytes.Repeat([]byte("0123456789"), 500_000)
	send(c.producer(), &pulsar.ProducerMessage{Payload: payload})
	check(bytes.Equal(receive(consumer, wait).Payload(), payload), "another payload came")
}

func tooLargeRefused(c *Context) {
	consumer := c.consumer()
	producer := c.producer()
	_, err := producer.Send(context.Background(), text(strings.Repeat("x", 6_000_000)))
	c.note("error", refusal(err))
	send(producer, text("after it"))
	equal(string(receive(consumer, wait).Payload()), "after it")
}

func messageID(c *Context) {
	consumer := c.consumer()
	sent := sendEach(c.producer(), numbered(3, "message"))
	for i, message := range take(consumer, 3) {
		id := message.ID()
		equal([]int64{id.LedgerID(), id.EntryID()}, []int64{sent[i].LedgerID(), sent[i].EntryID()})
		restored := must(pulsar.DeserializeMessageID(id.Serialize()))
		equal(restored.String(), id.String())
	}
}

func batches(c *Context, codec pulsar.CompressionType) {
	consumer := c.consumer()
	producer := c.batching(func(all *pulsar.ProducerOptions) { all.CompressionType = codec })
	texts := numbered(100, strings.Repeat("x", 200))
	sendAll(producer, textsOf(texts)...)
	messages := take(consumer, 100)
	equal(payloads(messages), texts)
	entries := map[int64]bool{}
	for i, message := range messages {
		entries[message.ID().EntryID()] = true
		equal(message.ID().BatchIdx(), int32(i%10))
	}
	equal(len(entries), 10)
	silent(consumer)
}

func batchByKey(c *Context) {
	consumer := c.consumer(typed(pulsar.KeyShared))
	producer := c.batching(func(all *pulsar.ProducerOptions) {
		all.BatcherBuilderType = pulsar.KeyBasedBatchBuilder
		all.BatchingMaxMessages = 100
	})
	messages := []*pulsar.ProducerMessage{}
	for i := range 20 {
		messages = append(messages, keyed(fmt.Sprintf("key %d", i%2), fmt.Sprint(i)))
	}
	sendAll(producer, messages...)
	byEntry := map[int64]map[string]bool{}
	for _, message := range take(consumer, 20) {
		id := message.ID().EntryID()
		if byEntry[id] == nil {
			byEntry[id] = map[string]bool{}
		}
		byEntry[id][message.Key()] = true
	}
	equal(len(byEntry), 2)
	for _, keys := range byEntry {
		equal(len(keys), 1)
	}
}

func chunking(c *Context) {
	consumer := c.consumer()
	producer := c.producer(func(all *pulsar.ProducerOptions) { all.EnableChunking = true })
	whole := strings.Repeat("0123456789", 1_200_000)
	sendEach(producer, []string{"before", whole, "after"})
	messages := take(consumer, 3)
	equal(payloads(messages)[0], "before")
	check(string(messages[1].Payload()) == whole, "another payload came")
	equal(payloads(messages)[2], "after")
	for _, message := range messages {
		ok(consumer.Ack(message))
	}
	consumer.Close()
	silent(c.consumer())
}

func producerNames(c *Context) {
	first, second := c.producer(), c.producer()
	check(first.Name() != "" && first.Name() != second.Name(), "%s and %s", first.Name(), second.Name())
}

func producerNameTaken(c *Context) {
	first := c.producer(named("one"))
	_, err := c.tryProducer(named("one"))
	c.note("error", refusal(err))
	first.Close()
	send(c.producer(named("one")), text("x"))
}

func deduplication(c *Context) {
	namespace := c.namespace("")
	c.admin("POST", "namespaces/"+namespace+"/deduplication", true)
	topic := "persistent://" + namespace + "/topic"
	consumer := c.consumer(consuming(topic))
	producer := c.producer(producingTo(topic), named("one"))
	eventually("deduplication is on", func() bool {
		stats := decoded(c.admin("GET", "persistent/"+namespace+"/topic/stats", nil))
		return stats["deduplicationStatus"] == "Enabled"
	})
	for _, sequence := range []int64{10, 11, 11, 10, 20} {
		message := text(fmt.Sprint(sequence))
		message.SequenceID = &sequence
		send(producer, message)
	}
	producer.Close()
	// It goes on at 21: with a lower number the message would be dropped.
	send(c.producer(producingTo(topic), named("one")), text("21"))
	equal(payloads(take(consumer, 4)), []string{"10", "11", "20", "21"})
	silent(consumer)
}

func access(mode pulsar.ProducerAccessMode) producerOption {
	return func(all *pulsar.ProducerOptions) { all.ProducerAccessMode = mode }
}

func accessExclusive(c *Context) {
	first := c.producer(access(pulsar.ProducerAccessModeExclusive))
	_, err := c.tryProducer()
	c.note("shared beside it", refusal(err))
	_, err = c.tryProducer(access(pulsar.ProducerAccessModeExclusive))
	c.note("exclusive beside it", refusal(err))
	first.Close()
	shared := c.producer()
	_, err = c.tryProducer(access(pulsar.ProducerAccessModeExclusive))
	c.note("exclusive beside a shared one", refusal(err))
	shared.Close()
}

func accessWaitForExclusive(c *Context) {
	first := c.producer(access(pulsar.ProducerAccessModeExclusive))
	got := make(chan error, 1)
	go func() {
		waiting, err := c.tryProducer(access(pulsar.ProducerAccessModeWaitForExclusive))
		if err == nil {
			_, err = waiting.Send(context.Background(), text("mine"))
		}
		got <- err
	}()
	select {
	case err := <-got:
		check(false, "it did not wait: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	first.Close()
	select {
	case err := <-got:
		ok(err)
	case <-time.After(wait):
		check(false, "it waits on")
	}
	_, err := c.tryProducer()
	c.note("beside it", refusal(err))
}

func backlogQuota(c *Context) {
	namespace := c.namespace("")
	quota := map[string]any{"limitSize": 10_000, "limitTime": -1, "policy": "producer_exception"}
	topic := "persistent://" + namespace + "/topic"
	consumer := c.consumer(consuming(topic))
	producer := c.producer(producingTo(topic))
	sendEach(producer, numbered(30, strings.Repeat("x", 1_000)))
	producer.Close()
	c.admin("POST", "namespaces/"+namespace+"/backlogQuota?backlogQuotaType=destination_storage", quota)
	eventually("the quota is checked", func() bool {
		another, err := c.tryProducer(producingTo(topic))
		if err == nil {
			another.Close()
			return false
		}
		c.note("error", refusal(err))
		return true
	})
	equal(len(drain(consumer, silence)), 30)
}

func reader(c *Context) {
	sendEach(c.producer(), numbered(10, "message"))
	reader := c.reader(nil)
	for _, expected := range numbered(10, "message") {
		equal(next(reader), expected)
	}
	equal(len(c.subscriptions("")), 1)
	reader.Close()
	eventually("the subscription of the reader is gone", func() bool { return len(c.subscriptions("")) == 0 })
}

func readerFromID(c *Context) {
	ids := sendEach(c.producer(), numbered(5, "message"))
	behind := c.reader(func(all *pulsar.ReaderOptions) { all.StartMessageID = ids[2] })
	equal(next(behind), "message 3")
	at := c.reader(func(all *pulsar.ReaderOptions) {
		all.StartMessageID = ids[2]
		all.StartMessageIDInclusive = true
	})
	equal(next(at), "message 2")
	ok(behind.Seek(ids[0]))
	c.note("after a seek to the first", next(behind))
}

func readerLatest(c *Context) {
	producer := c.producer()
	send(producer, text("before"))
	reader := c.reader(func(all *pulsar.ReaderOptions) { all.StartMessageID = pulsar.LatestMessageID() })
	check(!reader.HasNext(), "there is nothing yet")
	send(producer, text("after"))
	equal(next(reader), "after")
}

func hasMessageAvailable(c *Context) {
	producer := c.batching()
	reader := c.reader(nil)
	check(!reader.HasNext(), "the topic is empty")
	sendAll(producer, textsOf(numbered(3, "message"))...)
	for range 3 {
		check(reader.HasNext(), "there is one more")
		next(reader)
	}
	check(!reader.HasNext(), "it was the last")
	sendAll(producer, text("another"))
	check(reader.HasNext(), "another one came")
}

func lastMessageID(c *Context) {
	consumer := c.consumer()
	empty := must(consumer.GetLastMessageIDs())[0]
	c.note("empty", []int64{empty.LedgerID(), empty.EntryID()}[1])
	sendAll(c.batching(), textsOf(numbered(3, "message"))...)
	id := must(consumer.GetLastMessageIDs())[0]
	last := take(consumer, 3)[2].ID()
	equal([]int64{id.LedgerID(), id.EntryID(), int64(id.BatchIdx())},
		[]int64{last.LedgerID(), last.EntryID(), int64(last.BatchIdx())})
}

func tableView(c *Context) {
	schema := pulsar.NewStringSchema(nil)
	producer := c.producer(producingAs(schema))
	put := func(key, value string) { send(producer, &pulsar.ProducerMessage{Key: key, Value: value}) }
	for i := range 10 {
		put(fmt.Sprintf("key %d", i%3), fmt.Sprintf("value %d", i))
	}
	var value string
	view := must(c.own().CreateTableView(pulsar.TableViewOptions{
		Topic: c.topic(""), Schema: schema, SchemaValueType: typeOf(&value), Logger: quiet(),
	}))
	get := func(key string) string {
		if found, is := view.Get(key).(*string); is && found != nil {
			return *found
		}
		return fmt.Sprintf("%T", view.Get(key))
	}
	equal([]string{get("key 0"), get("key 1"), get("key 2")}, []string{"value 9", "value 7", "value 8"})
	equal(view.Size(), 3)
	put("key 1", "newer")
	eventually("it follows", func() bool { return get("key 1") == "newer" })
}
