package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

func init() {
	add(map[string]func(*Context){
		"partitioned_by_key": partitionedByKey, "round_robin": roundRobin, "custom_router": customRouter,
		"key_hash_java":    func(c *Context) { keyHash(c, pulsar.JavaStringHash) },
		"key_hash_murmur3": func(c *Context) { keyHash(c, pulsar.Murmur3_32Hash) },
		"non_persistent":   nonPersistent, "multi_topic": multiTopic, "pattern": pattern,
		"topic_listing": topicListing, "partition_growth": partitionGrowth, "missing_namespace": missingNamespace,
		"exclusive": exclusive, "failover_by_name": failoverByName, "failover_by_ring": failoverByRing,
		"shared": shared, "key_shared": keyShared, "key_shared_order": keySharedOrder,
		"key_shared_sticky": keySharedSticky, "initial_position": initialPosition,
		"consumer_properties": consumerProperties, "unsubscribe": unsubscribe,
		"termination": termination, "compaction": compaction, "unload": unload, "delete_in_use": deleteInUse,
		"several_service_urls": severalServiceURLs, "http_lookup": httpLookup, "transactions": transactions,
		"broker_restart": brokerRestart,
	})
	without("pulsar-client-go has no priority", "failover_by_priority", "shared_priority")
	without("pulsar-client-go does not tell it", "end_of_topic")
}

func partitionedByKey(c *Context) {
	c.partitioned(4, "")
	consumer := c.consumer()
	producer := c.producer()
	for i := range 40 {
		send(producer, keyed(fmt.Sprintf("key %d", i%8), fmt.Sprintf("%02d", i)))
	}
	partitions, order, used := map[string]int32{}, map[string][]string{}, map[int32]bool{}
	for _, message := range take(consumer, 40) {
		key, partition := message.Key(), message.ID().PartitionIdx()
		if before, is := partitions[key]; is {
			equal(partition, before)
		}
		partitions[key] = partition
		used[partition] = true
		order[key] = append(order[key], string(message.Payload()))
	}
	for _, seen := range order {
		equal(seen, sorted(seen))
	}
	check(len(used) > 1, "one partition got all")
	silent(consumer)
}

func roundRobin(c *Context) {
	c.partitioned(3, "")
	consumer := c.consumer()
	sendEach(c.producer(), numbered(30, "message"))
	used := map[int32]bool{}
	for _, message := range take(consumer, 30) {
		used[message.ID().PartitionIdx()] = true
	}
	equal(len(used), 3)
}

func customRouter(c *Context) {
	c.partitioned(3, "")
	consumer := c.consumer()
	producer := c.producer(func(all *pulsar.ProducerOptions) {
		all.MessageRouter = func(_ *pulsar.ProducerMessage, topic pulsar.TopicMetadata) int {
			return int(topic.NumPartitions()) - 1
		}
	})
	sendEach(producer, numbered(5, "message"))
	for _, message := range take(consumer, 5) {
		equal(message.ID().PartitionIdx(), int32(2))
	}
}

// keyHash is compared with the other clients: the same keys must go to the same partitions.
func keyHash(c *Context, scheme pulsar.HashingScheme) {
	c.partitioned(7, "")
	consumer := c.consumer()
	producer := c.producer(func(all *pulsar.ProducerOptions) { all.HashingScheme = scheme })
	keys := []string{"", "a", "key", "zwei ä", "a longer key that is hashed in several steps"}
	for _, key := range keys[1:] {
		send(producer, keyed(key, key))
	}
	seen := map[string]int32{}
	for _, message := range take(consumer, len(keys)-1) {
		seen[message.Key()] = message.ID().PartitionIdx()
	}
	c.note("partitions", []int32{seen[keys[1]], seen[keys[2]], seen[keys[3]], seen[keys[4]]})
}

func nonPersistent(c *Context) {
	topic := "non-persistent://public/default/" + c.name("")
	producer := c.producer(producingTo(topic))
	send(producer, text("nobody listens"))
	consumer := c.consumer(consuming(topic))
	first := c.consumer(consuming(topic), subscription("two"), typed(pulsar.Shared))
	second := c.consumer(consuming(topic), subscription("two"), typed(pulsar.Shared))
	sendEach(producer, numbered(10, "message"))
	equal(payloads(take(consumer, 10)), numbered(10, "message"))
	both := append(payloads(drain(first, silence)), payloads(drain(second, silence))...)
	equal(sorted(both), numbered(10, "message"))
	consumer.Close()
	silent(c.consumer(consuming(topic)))
}

func multiTopic(c *Context) {
	names := []string{c.topic("-0"), c.topic("-1"), c.topic("-2")}
	consumer := c.consumer(func(all *pulsar.ConsumerOptions) {
		all.Topic = ""
		all.Topics = names
	})
	for _, name := range names {
		send(c.producer(producingTo(name)), text(name))
	}
	messages := take(consumer, 3)
	equal(sorted(payloads(messages)), names)
	for _, message := range messages {
		equal(message.Topic(), string(message.Payload()))
		ok(consumer.Ack(message))
	}
	silent(consumer)
}

func pattern(c *Context) {
	send(c.producer(producingTo(c.topic("-0"))), text("zero"))
	consumer := c.consumer(func(all *pulsar.ConsumerOptions) {
		all.Topic = ""
		all.TopicsPattern = "persistent://public/default/" + c.name("-") + ".*"
		all.AutoDiscoveryPeriod = time.Second
	})
	equal(string(receive(consumer, wait).Payload()), "zero")
	send(c.producer(producingTo(c.topic("-1"))), text("one"))
	equal(string(receive(consumer, wait).Payload()), "one")
	silent(consumer)
}

func topicListing(c *Context) {
	c.partitioned(3, "-p")
	listed := must(c.own().TopicPartitions(c.topic("-p")))
	equal(sorted(listed), []string{c.topic("-p-partition-0"), c.topic("-p-partition-1"), c.topic("-p-partition-2")})
	c.producer().Close()
	equal(must(c.own().TopicPartitions(c.topic(""))), []string{c.topic("")})
}

func partitionGrowth(c *Context) {
	c.partitioned(2, "")
	producer := c.producer(func(all *pulsar.ProducerOptions) { all.PartitionsAutoDiscoveryInterval = time.Second })
	consumer := c.consumer(func(all *pulsar.ConsumerOptions) { all.AutoDiscoveryPeriod = time.Second })
	c.admin("POST", c.path("")+"/partitions", 4)
	used, sent, received := map[int32]bool{}, 0, 0
	get := func(within time.Duration) {
		if message, err := tryReceive(consumer, within); err == nil {
			used[message.ID().PartitionIdx()] = true
			received++
		}
	}
	eventually("all partitions are used", func() bool {
		send(producer, text("x"))
		sent++
		get(200 * time.Millisecond)
		return len(used) == 4
	})
	eventually("nothing is lost", func() bool {
		get(time.Second)
		return received == sent
	})
}

func missingNamespace(c *Context) {
	topic := "persistent://public/" + c.name("-nowhere") + "/topic"
	_, err := c.tryProducer(producingTo(topic))
	c.note("producer", refusal(err))
	_, err = c.tryConsumer(consuming(topic))
	c.note("consumer", refusal(err))
}

func exclusive(c *Context) {
	first := c.consumer()
	_, err := c.tryConsumer()
	c.note("error", refusal(err))
	_, err = c.tryConsumer(typed(pulsar.Shared))
	c.note("another type", refusal(err))
	first.Close()
	c.consumer()
}

func consumerName(name string) consumerOption {
	return func(all *pulsar.ConsumerOptions) { all.Name = name }
}

func failoverByName(c *Context) {
	c.partitioned(2, "")
	second := c.consumer(typed(pulsar.Failover), consumerName("b"))
	first := c.consumer(typed(pulsar.Failover), consumerName("a"))
	// A consumer that lives hands over after a second.
	time.Sleep(1500 * time.Millisecond)
	producers := []pulsar.Producer{
		c.producer(producingTo(c.topic("-partition-0"))), c.producer(producingTo(c.topic("-partition-1"))),
	}
	for _, payload := range numbered(5, "message") {
		for i, producer := range producers {
			message := text(payload)
			message.Properties = map[string]string{"partition": fmt.Sprint(i)}
			send(producer, message)
		}
	}
	all := [][]pulsar.Message{}
	for i, consumer := range []pulsar.Consumer{first, second} {
		messages := take(consumer, 5)
		equal(payloads(messages), numbered(5, "message"))
		for _, message := range messages {
			equal(message.Properties()["partition"], fmt.Sprint(i))
		}
		all = append(all, messages)
	}
	for _, message := range all[0][:3] {
		ok(first.Ack(message))
	}
	for _, message := range all[1] {
		ok(second.Ack(message))
	}
	first.Close()
	equal(payloads(take(second, 2)), []string{"message 3", "message 4"})
	send(producers[0], text("another"))
	equal(string(receive(second, wait).Payload()), "another")
}

// failoverByRing: without partitions a hash chooses; the names are without the run, to compare brokers.
func failoverByRing(c *Context) {
	consumers := map[string]map[string]pulsar.Consumer{}
	names := []string{}
	for i := range 8 {
		topic := fmt.Sprintf("persistent://public/default/go-failover-ring-%d", i)
		names = append(names, topic)
		consumers[topic] = map[string]pulsar.Consumer{}
		for _, name := range []string{"a", "b", "c"} {
			consumers[topic][name] = c.consumer(consuming(topic), typed(pulsar.Failover), consumerName(name))
		}
	}
	time.Sleep(2500 * time.Millisecond)
	active := ""
	for _, topic := range names {
		send(c.producer(producingTo(topic)), text("x"))
		seen := ""
		for _, name := range []string{"a", "b", "c"} {
			if len(drain(consumers[topic][name], 150*time.Millisecond)) > 0 {
				seen += name
			}
		}
		equal(len(seen), 1)
		active += seen
	}
	c.note("active", active)
}

func queue(size int) consumerOption {
	return func(all *pulsar.ConsumerOptions) { all.ReceiverQueueSize = size }
}

func shared(c *Context) {
	consumers := []pulsar.Consumer{}
	for range 3 {
		consumers = append(consumers, c.consumer(typed(pulsar.Shared), queue(10)))
	}
	sendEach(c.producer(), numbered(60, "message"))
	all := []string{}
	for _, consumer := range consumers {
		seen := payloads(drain(consumer, silence))
		check(len(seen) >= 10, "one got %d only", len(seen))
		all = append(all, seen...)
	}
	equal(sorted(all), sorted(numbered(60, "message")))
}

func keyShared(c *Context) {
	consumers := []pulsar.Consumer{c.consumer(typed(pulsar.KeyShared)), c.consumer(typed(pulsar.KeyShared))}
	producer := c.producer()
	for i := range 100 {
		send(producer, keyed(fmt.Sprintf("key %d", i%20), fmt.Sprintf("%03d", i)))
	}
	owner, count := map[string]int{}, 0
	for i, consumer := range consumers {
		last := map[string]string{}
		messages := drain(consumer, silence)
		check(len(messages) > 0, "consumer %d got nothing", i)
		count += len(messages)
		for _, message := range messages {
			key := message.Key()
			if before, is := owner[key]; is {
				equal(i, before)
			}
			owner[key] = i
			check(last[key] < string(message.Payload()), "%s after %s", message.Payload(), last[key])
			last[key] = string(message.Payload())
		}
	}
	equal(count, 100)
}

type arrival struct {
	key    string
	number int
}

// member takes and acknowledges until it is told to leave.
func member(c *Context, arrived func(arrival)) (leave func()) {
	consumer := c.consumer(typed(pulsar.KeyShared), queue(20))
	stop, gone := make(chan bool), make(chan bool)
	go func() {
		defer close(gone)
		for {
			select {
			case <-stop:
				consumer.Close()
				return
			default:
			}
			message, err := tryReceive(consumer, 100*time.Millisecond)
			if err != nil {
				continue
			}
			number := 0
			fmt.Sscan(string(message.Payload()), &number)
			arrived(arrival{message.Key(), number})
			consumer.Ack(message)
			time.Sleep(2 * time.Millisecond)
		}
	}()
	return func() {
		close(stop)
		<-gone
	}
}

func keySharedOrder(c *Context) {
	const total = 300
	var lock sync.Mutex
	arrivals, seen := []arrival{}, map[int]bool{}
	arrived := func(one arrival) {
		lock.Lock()
		defer lock.Unlock()
		// Only the first time counts: what was not acknowledged by one that left comes again.
		if !seen[one.number] {
			arrivals = append(arrivals, one)
		}
		seen[one.number] = true
	}
	members := []func(){member(c, arrived)}
	producer := c.producer()
	for i := range total {
		send(producer, keyed(fmt.Sprintf("key %d", i%10), fmt.Sprint(i)))
		switch i {
		case 50, 100, 200:
			members = append(members, member(c, arrived))
		case 150, 250:
			members[0]()
			members = members[1:]
		}
	}
	eventually("all arrive", func() bool {
		lock.Lock()
		defer lock.Unlock()
		return len(seen) == total
	})
	for _, leave := range members {
		leave()
	}
	last := map[string]int{}
	for _, one := range arrivals {
		before, is := last[one.key]
		check(!is || before < one.number, "%s: %d after %d", one.key, one.number, before)
		last[one.key] = one.number
	}
}

func sticky(ranges ...int) consumerOption {
	policy := must(pulsar.NewKeySharedPolicySticky(ranges))
	return func(all *pulsar.ConsumerOptions) {
		all.Type = pulsar.KeyShared
		all.KeySharedPolicy = policy
	}
}

func keySharedSticky(c *Context) {
	low, high := c.consumer(sticky(0, 32767)), c.consumer(sticky(32768, 65535))
	_, err := c.tryConsumer(sticky(100, 200))
	c.note("overlap", refusal(err))
	producer := c.producer()
	for i := range 40 {
		send(producer, keyed(fmt.Sprintf("key %d", i), fmt.Sprintf("%02d", i)))
	}
	lower, upper := sorted(payloads(drain(low, silence))), payloads(drain(high, silence))
	equal(len(lower)+len(upper), 40)
	// By Murmur3 of the key, modulo 65536: the same for every broker.
	c.note("low half", lower)
}

func initialPosition(c *Context) {
	producer := c.producer()
	send(producer, text("before"))
	earliest := c.consumer(subscription("earliest"))
	latest := c.consumer(subscription("latest"), func(all *pulsar.ConsumerOptions) {
		all.SubscriptionInitialPosition = pulsar.SubscriptionPositionLatest
	})
	send(producer, text("after"))
	equal(payloads(take(earliest, 2)), []string{"before", "after"})
	equal(payloads(take(latest, 1)), []string{"after"})
}

func consumerProperties(c *Context) {
	c.consumer(consumerName("me"), func(all *pulsar.ConsumerOptions) {
		all.Properties = map[string]string{"a": "1"}
		all.SubscriptionProperties = map[string]string{"b": "2"}
	})
	stats := c.subscriptions("")["sub"].(map[string]any)
	consumers := stats["consumers"].([]any)
	equal(len(consumers), 1)
	one := consumers[0].(map[string]any)
	equal(one["consumerName"], "me")
	equal(one["metadata"], map[string]any{"a": "1"})
	equal(stats["subscriptionProperties"], map[string]any{"b": "2"})
}

func unsubscribe(c *Context) {
	producer := c.producer()
	consumer := c.consumer()
	send(producer, text("before"))
	ok(consumer.Ack(receive(consumer, wait)))
	ok(consumer.Unsubscribe())
	equal(len(c.subscriptions("")), 0)
	equal(string(receive(c.consumer(), wait).Payload()), "before")
}

func termination(c *Context) {
	producer := c.producer()
	consumer := c.consumer()
	sendEach(producer, numbered(3, "message"))
	last := decoded(c.admin("POST", c.path("")+"/terminate", nil))
	limit, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	_, err := producer.Send(limit, text("too late"))
	// What it says depends on how soon it has tried to come back.
	refusal(err)
	_, err = c.tryProducer()
	c.note("error of a new producer", refusal(err))
	messages := take(consumer, 3)
	equal(int64(last["entryId"].(float64)), messages[2].ID().EntryID())
	silent(consumer)
	equal(payloads(take(c.consumer(subscription("late")), 3)), numbered(3, "message"))
}

func compaction(c *Context) {
	producer := c.producer()
	for i := range 12 {
		send(producer, keyed(fmt.Sprintf("key %d", i%3), fmt.Sprintf("value %d", i)))
	}
	send(producer, keyed("key 2", ""))
	c.admin("PUT", c.path("")+"/compaction", nil)
	eventually("it is compacted", func() bool {
		return decoded(c.admin("GET", c.path("")+"/compaction", nil))["status"] == "SUCCESS"
	})
	send(producer, keyed("key 0", "later"))
	consumer := c.consumer(subscription("compacted"), func(all *pulsar.ConsumerOptions) { all.ReadCompacted = true })
	equal(sorted(payloads(drain(consumer, silence))), []string{"later", "value 10", "value 9"})
	// All but the empty one, which this client drops.
	equal(len(drain(c.consumer(subscription("plain")), silence)), 13)
	reader := c.reader(func(all *pulsar.ReaderOptions) { all.ReadCompacted = true })
	seen := []string{}
	for reader.HasNext() {
		seen = append(seen, next(reader))
	}
	equal(sorted(seen), []string{"later", "value 10", "value 9"})
}

func unload(c *Context) {
	producer := c.producer()
	consumer := c.consumer()
	sendEach(producer, numbered(5, "message"))
	for _, message := range take(consumer, 5) {
		ok(consumer.Ack(message))
	}
	time.Sleep(500 * time.Millisecond)
	c.admin("PUT", c.path("")+"/unload", nil)
	sendEach(producer, numbered(5, "later"))
	equal(payloads(take(consumer, 5)), numbered(5, "later"))
	silent(consumer)
}

func deleteInUse(c *Context) {
	producer := c.producer()
	c.consumer()
	status, _ := c.adminStatus("DELETE", c.path(""), nil, "")
	c.note("status", status)
	send(producer, text("still there"))
	c.admin("DELETE", c.path("")+"?force=true", nil)
	eventually("it is gone or anew", func() bool {
		status, content := c.adminStatus("GET", c.path("")+"/stats", nil, "")
		return status == 404 || decoded(content)["msgInCounter"] == float64(0)
	})
}

func severalServiceURLs(c *Context) {
	live := c.ServiceURL[len("pulsar://"):]
	client := c.open(func(all *pulsar.ClientOptions) {
		all.URL = "pulsar://127.0.0.1:1," + strings.Repeat(live+",", 2) + live
	})
	// Lookups pass over it; a producer takes the next host in turn, once.
	eventually("it gets through", func() bool {
		producer, err := client.CreateProducer(pulsar.ProducerOptions{Topic: c.topic("")})
		if err == nil {
			send(producer, text("x"))
		}
		return err == nil
	})
}

func httpLookup(c *Context) {
	client := c.open(func(all *pulsar.ClientOptions) { all.URL = c.AdminURL })
	producer := must(client.CreateProducer(pulsar.ProducerOptions{Topic: c.topic("")}))
	consumer := must(client.Subscribe(pulsar.ConsumerOptions{Topic: c.topic(""), SubscriptionName: "sub"}))
	send(producer, text("x"))
	equal(string(receive(consumer, wait).Payload()), "x")
}

func transactions(c *Context) {
	options := pulsar.ClientOptions{
		URL: c.ServiceURL, EnableTransaction: true, Logger: quiet(), OperationTimeout: 3 * time.Second,
	}
	client, err := pulsar.NewClient(options)
	if err == nil {
		_, err = client.NewTransaction(time.Minute)
	}
	c.note("error", refusal(err))
}

func brokerRestart(c *Context) {
	producer := c.producer(func(all *pulsar.ProducerOptions) { all.SendTimeout = time.Minute })
	consumer := c.consumer()
	sendEach(producer, numbered(10, "message"))
	seen := map[string]bool{}
	for _, payload := range payloads(take(consumer, 5)) {
		seen[payload] = true
	}
	c.control("restart")
	sendEach(producer, numbered(10, "later"))
	for _, payload := range payloads(drain(consumer, 3*time.Second)) {
		seen[payload] = true
	}
	equal(len(seen), 20)
}
