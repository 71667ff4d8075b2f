package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/rest"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/utils"
)

func init() {
	add(map[string]func(*Context){
		"token": token, "wrong_token": wrongToken, "rights": rights, "tls": tlsTrusted, "tls_refused": tlsRefused,
		"admin_tenants": adminTenants, "admin_namespaces": adminNamespaces, "admin_policies": adminPolicies,
		"admin_topics": adminTopics, "admin_partitioned": adminPartitioned, "admin_stats": adminStats,
		"admin_partitioned_stats": adminPartitionedStats, "admin_internal_stats": adminInternalStats,
		"admin_subscriptions": adminSubscriptions, "admin_skip": adminSkip, "admin_reset_cursor": adminResetCursor,
		"admin_peek": adminPeek, "admin_last_message_id": adminLastMessageID, "admin_compaction": adminCompaction,
		"admin_schemas": adminSchemas, "admin_brokers": adminBrokers, "metrics": metrics,
	})
}

func (c *Context) as(token string) pulsar.Client {
	return c.open(func(all *pulsar.ClientOptions) {
		all.OperationTimeout = 10 * time.Second
		all.Authentication = nil
		if token != "" {
			all.Authentication = pulsar.NewAuthenticationToken(token)
		}
	})
}

func (c *Context) refusedProducer(client pulsar.Client, topic string) string {
	_, err := client.CreateProducer(pulsar.ProducerOptions{Topic: topic})
	return refusal(err)
}

func token(c *Context) {
	consumer := c.consumer()
	send(c.producer(), text("x"))
	equal(string(receive(consumer, wait).Payload()), "x")
}

func wrongToken(c *Context) {
	c.note("forged", c.refusedProducer(c.as(c.ForgedToken), c.topic("")))
	c.note("none", c.refusedProducer(c.as(""), c.topic("")))
	status, _ := c.adminStatus("GET", "namespaces/public", nil, c.ForgedToken)
	c.note("admin, forged", status)
}

func rights(c *Context) {
	namespace := c.namespace("")
	topic := "persistent://" + namespace + "/topic"
	c.admin("POST", "namespaces/"+namespace+"/permissions/producer", []string{"produce"})
	c.admin("POST", "namespaces/"+namespace+"/permissions/consumer", []string{"consume"})
	producing, consuming := c.as(c.Tokens["producer"]), c.as(c.Tokens["consumer"])
	consumer := must(consuming.Subscribe(pulsar.ConsumerOptions{Topic: topic, SubscriptionName: "sub"}))
	send(must(producing.CreateProducer(pulsar.ProducerOptions{Topic: topic})), text("x"))
	equal(string(receive(consumer, wait).Payload()), "x")
	_, err := producing.Subscribe(pulsar.ConsumerOptions{Topic: topic, SubscriptionName: "other"})
	c.note("consuming producer", refusal(err))
	c.note("producing consumer", c.refusedProducer(consuming, topic))
	c.note("nobody", c.refusedProducer(c.as(c.Tokens["nobody"]), topic))
	status, _ := c.adminStatus("DELETE", "namespaces/"+namespace, nil, c.Tokens["producer"])
	c.note("admin", status)
}

func (c *Context) withTLS(url, caFile string, timeout time.Duration) pulsar.Client {
	return c.open(func(all *pulsar.ClientOptions) {
		all.URL = url
		all.TLSTrustCertsFilePath = caFile
		all.TLSValidateHostname = true
		all.OperationTimeout = timeout
	})
}

func tlsTrusted(c *Context) {
	client := c.withTLS(c.TLSURL, c.CaFile, 3*wait)
	consumer := must(client.Subscribe(pulsar.ConsumerOptions{Topic: c.topic(""), SubscriptionName: "sub"}))
	send(must(client.CreateProducer(pulsar.ProducerOptions{Topic: c.topic("")})), text("x"))
	equal(string(receive(consumer, wait).Payload()), "x")
}

func tlsRefused(c *Context) {
	c.note("unknown authority", c.refusedProducer(c.withTLS(c.TLSURL, c.OtherCaFile, 3*time.Second), c.topic("")))
	// The certificate is for localhost and 127.0.0.1.
	other := strings.NewReplacer("127.0.0.1", "127.0.0.2", "localhost", "127.0.0.2").Replace(c.TLSURL)
	c.note("another host", c.refusedProducer(c.withTLS(other, c.CaFile, 3*time.Second), c.topic("")))
}

// code is the HTTP status that a call was refused with.
func code(err error) int {
	check(err != nil, "it was accepted, and must be refused")
	if failure, is := err.(rest.Error); is {
		return failure.Code
	}
	panic(err)
}

func contains(all []string, one string) bool {
	for _, other := range all {
		if other == one {
			return true
		}
	}
	return false
}

func adminTenants(c *Context) {
	tenants := c.official().Tenants()
	name := strings.ReplaceAll(c.name(""), "_", "-")
	data := utils.TenantData{Name: name, AdminRoles: []string{"one"}, AllowedClusters: []string{"standalone"}}
	ok(tenants.Create(data))
	c.note("again", code(tenants.Create(data)))
	check(contains(must(tenants.List()), name), "it is not listed")
	equal(must(tenants.Get(name)).AdminRoles, []string{"one"})
	data.AdminRoles = []string{"one", "two"}
	ok(tenants.Update(data))
	equal(len(must(tenants.Get(name)).AdminRoles), 2)
	ok(tenants.Delete(name))
	_, err := tenants.Get(name)
	c.note("gone", code(err))
	unknown := utils.TenantData{Name: name, AllowedClusters: []string{"nowhere"}}
	c.note("unknown cluster", code(tenants.Create(unknown)))
}

func adminNamespaces(c *Context) {
	namespaces := c.official().Namespaces()
	name := "public/" + c.name("-ns")
	ok(namespaces.CreateNamespace(name))
	c.note("again", code(namespaces.CreateNamespace(name)))
	check(contains(must(namespaces.GetNamespaces("public")), name), "it is not listed")
	topic := "persistent://" + name + "/topic"
	producer := c.producer(producingTo(topic))
	equal(must(namespaces.GetTopics(name)), []string{topic})
	c.note("in use", code(namespaces.DeleteNamespace(name)))
	producer.Close()
	c.admin("DELETE", "persistent/"+name+"/topic", nil)
	ok(namespaces.DeleteNamespace(name))
	check(!contains(must(namespaces.GetNamespaces("public")), name), "it is still listed")
	_, err := namespaces.GetPolicies(name)
	c.note("gone", code(err))
}

func adminPolicies(c *Context) {
	namespaces := c.official().Namespaces()
	name := c.namespace("")
	parsed := *must(utils.GetNamespaceName(name))
	ok(namespaces.SetRetention(name, utils.NewRetentionPolicies(10, 20)))
	equal(*must(namespaces.GetRetention(name)), utils.NewRetentionPolicies(10, 20))
	ok(namespaces.SetNamespaceMessageTTL(name, 300))
	equal(must(namespaces.GetNamespaceMessageTTL(name)), 300)
	quota := utils.NewBacklogQuota(1_000_000, 60, utils.ConsumerBacklogEviction)
	ok(namespaces.SetBacklogQuota(name, quota, utils.DestinationStorage))
	equal(must(namespaces.GetBacklogQuotaMap(name))[utils.DestinationStorage], quota)
	ok(namespaces.RemoveBacklogQuota(name))
	ok(namespaces.SetSchemaCompatibilityStrategy(parsed, utils.SchemaCompatibilityStrategyBackward))
	equal(must(namespaces.GetSchemaCompatibilityStrategy(parsed)), utils.SchemaCompatibilityStrategyBackward)
	ok(namespaces.SetDeduplicationStatus(name, true))
	policies := must(namespaces.GetPolicies(name))
	equal(*policies.DeduplicationEnabled, true)
	equal(policies.ReplicationClusters, []string{"standalone"})
	ok(namespaces.RemoveRetention(name))
	_, err := namespaces.GetRetention("public/" + c.name("-nowhere"))
	c.note("no such namespace", code(err))
}

func adminTopics(c *Context) {
	topics := c.official().Topics()
	name := c.topicName("")
	ok(topics.Create(name, 0))
	c.note("again", code(topics.Create(name, 0)))
	_, plain, err := topics.List(*must(utils.GetNamespaceName("public/default")))
	ok(err)
	check(contains(plain, name.String()), "it is not listed")
	lookup := must(topics.Lookup(name))
	equal(lookup.BrokerURL, c.ServiceURL)
	ok(topics.Delete(name, false, true))
	_, err = topics.GetStats(name)
	c.note("gone", code(err))
	c.note("deleted again", code(topics.Delete(name, false, true)))
}

func adminPartitioned(c *Context) {
	topics := c.official().Topics()
	name := c.topicName("")
	ok(topics.Create(name, 3))
	c.note("again", code(topics.Create(name, 3)))
	equal(must(topics.GetMetadata(name)).Partitions, 3)
	ok(topics.Update(name, 5))
	equal(must(topics.GetMetadata(name)).Partitions, 5)
	c.note("fewer", code(topics.Update(name, 2)))
	partitioned, _, err := topics.List(*must(utils.GetNamespaceName("public/default")))
	ok(err)
	check(contains(partitioned, name.String()), "it is not listed")
	ok(topics.Delete(name, false, false))
	_, err = topics.GetMetadata(name)
	c.note("gone", code(err))
	c.note("deleted again", code(topics.Delete(name, false, false)))
}

func adminStats(c *Context) {
	producer := c.producer(named("the producer"))
	consumer := c.consumer(consumerName("the consumer"))
	sendEach(producer, numbered(5, "message"))
	for _, message := range take(consumer, 3) {
		ok(consumer.Ack(message))
	}
	topics := c.official().Topics()
	eventually("the backlog is two", func() bool {
		return must(topics.GetStats(c.topicName(""))).Subscriptions["sub"].MsgBacklog == 2
	})
	stats := must(topics.GetStats(c.topicName("")))
	equal(stats.MsgCounterIn, int64(5))
	equal(len(stats.Publishers), 1)
	equal(stats.Publishers[0].ProducerName, "the producer")
	equal(string(stats.Publishers[0].AccessModel), "Shared")
	check(stats.StorageSize > 0, "no storage size")
	sub := stats.Subscriptions["sub"]
	equal(sub.SubType, "Exclusive")
	equal(sub.MsgOutCounter, int64(5))
	equal(len(sub.Consumers), 1)
	equal(sub.Consumers[0].ConsumerName, "the consumer")
	equal(stats.DeDuplicationStatus != "", true)
	c.note("client version", strings.HasPrefix(sub.Consumers[0].ClientVersion, "Pulsar Go"))
}

func adminPartitionedStats(c *Context) {
	c.partitioned(3, "")
	consumer := c.consumer()
	sendEach(c.producer(), numbered(9, "message"))
	take(consumer, 9)
	stats := must(c.official().Topics().GetPartitionedStats(c.topicName(""), true))
	equal(stats.Metadata.Partitions, 3)
	equal(len(stats.Partitions), 3)
	sum := int64(0)
	for _, one := range stats.Partitions {
		sum += one.MsgCounterIn
	}
	equal(sum, int64(9))
	equal(stats.Subscriptions["sub"].MsgBacklog, int64(9))
}

func adminInternalStats(c *Context) {
	consumer := c.consumer()
	sendEach(c.producer(), numbered(5, "message"))
	ok(consumer.AckCumulative(take(consumer, 5)[2]))
	time.Sleep(300 * time.Millisecond)
	stats := must(c.official().Topics().GetInternalStats(c.topicName("")))
	equal(stats.NumberOfEntries, int64(5))
	equal(stats.EntriesAddedCounter, int64(5))
	check(len(stats.Ledgers) > 0, "no ledgers")
	check(strings.HasSuffix(stats.LastConfirmedEntry, ":4"), "last confirmed %s", stats.LastConfirmedEntry)
	cursor := stats.Cursors["sub"]
	check(strings.HasSuffix(cursor.MarkDeletePosition, ":2"), "mark delete %s", cursor.MarkDeletePosition)
	c.note("state", stats.State)
	c.note("cursor state", cursor.State)
}

func adminSubscriptions(c *Context) {
	subscriptions := c.official().Subscriptions()
	sendEach(c.producer(), numbered(3, "message"))
	name := c.topicName("")
	ok(subscriptions.Create(name, "early", utils.Earliest))
	ok(subscriptions.Create(name, "late", utils.Latest))
	c.note("again", code(subscriptions.Create(name, "early", utils.Earliest)))
	equal(sorted(must(subscriptions.List(name))), []string{"early", "late"})
	consumer := c.consumer(subscription("early"))
	equal(payloads(take(consumer, 3)), numbered(3, "message"))
	c.note("in use", code(subscriptions.Delete(name, "early")))
	consumer.Close()
	ok(subscriptions.Delete(name, "early"))
	c.note("gone", code(subscriptions.Delete(name, "early")))
	equal(must(subscriptions.List(name)), []string{"late"})
	silent(c.consumer(subscription("late")))
}

func adminSkip(c *Context) {
	subscriptions := c.official().Subscriptions()
	sendEach(c.producer(), numbered(8, "message"))
	name := c.topicName("")
	for _, one := range []string{"some", "all", "old"} {
		ok(subscriptions.Create(name, one, utils.Earliest))
	}
	ok(subscriptions.SkipMessages(name, "some", 5))
	equal(payloads(take(c.consumer(subscription("some")), 3)), []string{"message 5", "message 6", "message 7"})
	ok(subscriptions.ClearBacklog(name, "all"))
	silent(c.consumer(subscription("all")))
	time.Sleep(2100 * time.Millisecond)
	ok(subscriptions.ExpireMessages(name, "old", 1))
	eventually("they expire", func() bool {
		return c.subscriptions("")["old"].(map[string]any)["msgBacklog"] == float64(0)
	})
}

func adminResetCursor(c *Context) {
	subscriptions := c.official().Subscriptions()
	producer := c.producer()
	name := c.topicName("")
	ids := sendEach(producer, numbered(3, "message"))
	time.Sleep(200 * time.Millisecond)
	middle := time.Now().UnixMilli()
	time.Sleep(200 * time.Millisecond)
	sendEach(producer, numbered(2, "later"))
	consumer := c.consumer()
	for _, message := range take(consumer, 5) {
		ok(consumer.Ack(message))
	}
	consumer.Close()
	ok(subscriptions.ResetCursorToTimestamp(name, "sub", middle))
	again := c.consumer()
	equal(payloads(take(again, 2)), numbered(2, "later"))
	again.Close()
	id := utils.MessageID{LedgerID: ids[1].LedgerID(), EntryID: ids[1].EntryID(), PartitionIndex: -1, BatchIndex: -1}
	ok(subscriptions.ResetCursorToMessageID(name, "sub", id))
	c.note("first after the id", string(receive(c.consumer(), wait).Payload()))
}

func adminPeek(c *Context) {
	subscriptions := c.official().Subscriptions()
	producer := c.producer()
	message := keyed("key", "message 0")
	message.Properties = map[string]string{"a": "1"}
	send(producer, message)
	send(producer, text("message 1"))
	name := c.topicName("")
	ok(subscriptions.Create(name, "sub", utils.Earliest))
	peeked := must(subscriptions.PeekMessages(name, "sub", 2))
	equal(len(peeked), 2)
	equal([]string{string(peeked[0].Payload), string(peeked[1].Payload)}, numbered(2, "message"))
	c.note("property", peeked[0].Properties["a"])
	one := must(subscriptions.GetMessageByID(name, peeked[1].MessageID.LedgerID, peeked[1].MessageID.EntryID))
	equal(string(one.Payload), "message 1")
	equal(payloads(take(c.consumer(), 2)), numbered(2, "message"))
}

func adminLastMessageID(c *Context) {
	topics := c.official().Topics()
	ids := sendEach(c.producer(), numbered(3, "message"))
	last := must(topics.GetLastMessageID(c.topicName("")))
	equal([]int64{last.LedgerID, last.EntryID}, []int64{ids[2].LedgerID(), ids[2].EntryID()})
	end := must(topics.Terminate(c.topicName("")))
	equal([]int64{end.LedgerID, end.EntryID}, []int64{ids[2].LedgerID(), ids[2].EntryID()})
}

func adminCompaction(c *Context) {
	topics := c.official().Topics()
	producer := c.producer()
	for i := range 4 {
		send(producer, keyed("key", fmt.Sprint(i)))
	}
	c.note("before", must(topics.CompactStatus(c.topicName(""))).Status)
	ok(topics.Compact(c.topicName("")))
	eventually("it is done", func() bool { return must(topics.CompactStatus(c.topicName(""))).Status == utils.SUCCESS })
}

func adminSchemas(c *Context) {
	schemas := c.official().Schemas()
	topic := c.topic("")
	payload := utils.PostSchemaPayload{SchemaType: "AVRO", Schema: readingSchema, Properties: map[string]string{}}
	ok(schemas.CreateSchemaByPayload(topic, payload))
	equal(must(schemas.GetSchemaInfo(topic)).Type, "AVRO")
	wider := utils.PostSchemaPayload{SchemaType: "AVRO", Schema: widerSchema, Properties: map[string]string{}}
	check(must(schemas.TestCompatibilityWithPostSchemaPayload(topic, wider)).IsCompatibility, "it is compatible")
	ok(schemas.CreateSchemaByPayload(topic, wider))
	other := utils.PostSchemaPayload{SchemaType: "AVRO", Schema: otherSchema, Properties: map[string]string{}}
	c.note("incompatible", code(schemas.CreateSchemaByPayload(topic, other)))
	equal(must(schemas.GetVersionByPayload(topic, payload)), int64(0))
	equal(must(schemas.GetSchemaInfoWithVersion(topic)).Version, int64(1))
	check(strings.Contains(string(must(schemas.GetSchemaInfoByVersion(topic, 1)).Schema), "unit"), "another version")
	equal(len(must(schemas.GetAllSchemas(topic))), 2)
	ok(schemas.DeleteSchema(topic))
	_, err := schemas.GetSchemaInfo(topic)
	c.note("gone", code(err))
}

func adminBrokers(c *Context) {
	official := c.official()
	equal(must(official.Clusters().List()), []string{"standalone"})
	equal(must(official.Clusters().Get("standalone")).BrokerServiceURL, c.ServiceURL)
	ok(official.Brokers().HealthCheck())
	address := strings.TrimPrefix(c.AdminURL, "http://")
	equal(must(official.Brokers().GetActiveBrokers("standalone")), []string{address})
	equal(string(c.admin("GET", "brokers/ready", nil)), "ok")
	check(len(c.admin("GET", "brokers/version", nil)) > 0, "no version")
}

func metrics(c *Context) {
	c.consumer()
	sendEach(c.producer(), numbered(3, "message"))
	names := []string{
		"pulsar_in_messages_total", "pulsar_out_messages_total", "pulsar_subscription_back_log", "pulsar_storage_size",
		"pulsar_producers_count", "pulsar_consumers_count", "pulsar_msg_backlog",
	}
	value := func(name string) string {
		response := must(http.Get(c.AdminURL + "/metrics/"))
		defer response.Body.Close()
		for _, line := range strings.Split(string(must(io.ReadAll(response.Body))), "\n") {
			if strings.HasPrefix(line, name+"{") && strings.Contains(line, `topic="`+c.topic("")+`"`) {
				fields := strings.Fields(line)
				return fields[len(fields)-1]
			}
		}
		return ""
	}
	for _, name := range names {
		eventually(name+" is there", func() bool { return value(name) != "" })
	}
	check(strings.HasPrefix(value("pulsar_in_messages_total"), "3"), "in: %s", value("pulsar_in_messages_total"))
}
