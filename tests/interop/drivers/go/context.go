package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/apache/pulsar-client-go/pulsaradmin"
	adminconfig "github.com/apache/pulsar-client-go/pulsaradmin/pkg/admin/config"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/utils"
	"github.com/sirupsen/logrus"
)

// wait is long enough on a busy machine, and only waited for when something is wrong.
const wait = 10 * time.Second

// silence is how long nothing may come.
const silence = 400 * time.Millisecond

// Context is what a scenario is given: clients, topics, the admin interface, and ways to say what it saw.
type Context struct {
	Config
	scenario string
	lock     sync.Mutex
	notes    map[string]any
	clients  []pulsar.Client
	client   pulsar.Client
}

func newContext(config Config, scenario string) *Context {
	return &Context{Config: config, scenario: scenario, notes: map[string]any{}}
}

func (c *Context) seen() map[string]any {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.notes
}

// note keeps something seen that must be the same with every broker.
func (c *Context) note(what string, seen any) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.notes[what] = seen
}

func (c *Context) end() {
	done := make(chan bool)
	go func() {
		for _, client := range c.clients {
			client.Close()
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
	}
}

func quiet() log.Logger {
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	return log.NewLoggerWithLogrus(logger)
}

func (c *Context) open(change func(*pulsar.ClientOptions)) pulsar.Client {
	options := pulsar.ClientOptions{URL: c.ServiceURL, OperationTimeout: 15 * time.Second, Logger: quiet()}
	if c.Token != "" {
		options.Authentication = pulsar.NewAuthenticationToken(c.Token)
	}
	if change != nil {
		change(&options)
	}
	client := must(pulsar.NewClient(options))
	c.clients = append(c.clients, client)
	return client
}

func (c *Context) own() pulsar.Client {
	if c.client == nil {
		c.client = c.open(nil)
	}
	return c.client
}

func (c *Context) name(suffix string) string {
	return fmt.Sprintf("go-%s-%s%s", c.scenario, c.RunID, suffix)
}

func (c *Context) topic(suffix string) string {
	return "persistent://public/default/" + c.name(suffix)
}

func (c *Context) path(suffix string) string {
	return "persistent/public/default/" + c.name(suffix)
}

// namespace makes a namespace of the scenario's own.
func (c *Context) namespace(suffix string) string {
	namespace := "public/" + c.name(suffix)
	c.admin("PUT", "namespaces/"+namespace, map[string]any{"replication_clusters": []string{"standalone"}})
	return namespace
}

func (c *Context) adminStatus(method, path string, body any, token string) (int, []byte) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(must(json.Marshal(body)))
	}
	request := must(http.NewRequest(method, c.AdminURL+"/admin/v2/"+path, reader))
	request.Header.Set("content-type", "application/json")
	if token == "" {
		token = c.Token
	}
	if token != "" {
		request.Header.Set("authorization", "Bearer "+token)
	}
	response := must(http.DefaultClient.Do(request))
	defer response.Body.Close()
	return response.StatusCode, must(io.ReadAll(response.Body))
}

func (c *Context) admin(method, path string, body any) []byte {
	status, content := c.adminStatus(method, path, body, "")
	check(status < 300, "%s %s: HTTP %d %.300s", method, path, status, content)
	return content
}

// official is the admin client of the same module.
func (c *Context) official() pulsaradmin.Client {
	return must(pulsaradmin.NewClient(&adminconfig.Config{WebServiceURL: c.AdminURL, Token: c.Token}))
}

func (c *Context) topicName(suffix string) utils.TopicName {
	return *must(utils.GetTopicName(c.topic(suffix)))
}

// control asks the harness to do something to the broker.
func (c *Context) control(action string) {
	response := must(http.Post(c.ControlURL+"/"+action, "text/plain", nil))
	defer response.Body.Close()
	equal(response.StatusCode, 200)
}

func (c *Context) partitioned(count int, suffix string) {
	c.admin("PUT", c.path(suffix)+"/partitions", count)
}

type producerOption func(*pulsar.ProducerOptions)
type consumerOption func(*pulsar.ConsumerOptions)

func (c *Context) tryProducer(options ...producerOption) (pulsar.Producer, error) {
	all := pulsar.ProducerOptions{Topic: c.topic(""), DisableBatching: true}
	for _, option := range options {
		option(&all)
	}
	return c.own().CreateProducer(all)
}

func (c *Context) producer(options ...producerOption) pulsar.Producer {
	return must(c.tryProducer(options...))
}

// batching makes batches that go out when they are full, or by Flush.
func (c *Context) batching(options ...producerOption) pulsar.Producer {
	return c.producer(append([]producerOption{func(all *pulsar.ProducerOptions) {
		all.DisableBatching = false
		all.BatchingMaxMessages = 10
		all.BatchingMaxPublishDelay = time.Minute
	}}, options...)...)
}

func producingTo(topic string) producerOption {
	return func(all *pulsar.ProducerOptions) { all.Topic = topic }
}

func named(name string) producerOption {
	return func(all *pulsar.ProducerOptions) { all.Name = name }
}

func (c *Context) tryConsumer(options ...consumerOption) (pulsar.Consumer, error) {
	all := pulsar.ConsumerOptions{
		Topic: c.topic(""), SubscriptionName: "sub",
		SubscriptionInitialPosition: pulsar.SubscriptionPositionEarliest,
	}
	for _, option := range options {
		option(&all)
	}
	return c.own().Subscribe(all)
}

func (c *Context) consumer(options ...consumerOption) pulsar.Consumer {
	return must(c.tryConsumer(options...))
}

func consuming(topic string) consumerOption {
	return func(all *pulsar.ConsumerOptions) { all.Topic = topic }
}

func subscription(name string) consumerOption {
	return func(all *pulsar.ConsumerOptions) { all.SubscriptionName = name }
}

func typed(kind pulsar.SubscriptionType) consumerOption {
	return func(all *pulsar.ConsumerOptions) { all.Type = kind }
}

func (c *Context) reader(change func(*pulsar.ReaderOptions)) pulsar.Reader {
	options := pulsar.ReaderOptions{Topic: c.topic(""), StartMessageID: pulsar.EarliestMessageID()}
	if change != nil {
		change(&options)
	}
	return must(c.own().CreateReader(options))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func ok(err error) {
	if err != nil {
		panic(err)
	}
}

func check(is bool, format string, values ...any) {
	if !is {
		panic(fmt.Sprintf(format, values...))
	}
}

func equal(seen, expected any) {
	check(reflect.DeepEqual(seen, expected), "expected %.300v, saw %.300v", expected, seen)
}

func send(producer pulsar.Producer, message *pulsar.ProducerMessage) pulsar.MessageID {
	within, cancel := context.WithTimeout(context.Background(), 3*wait)
	defer cancel()
	return must(producer.Send(within, message))
}

func text(payload string) *pulsar.ProducerMessage {
	return &pulsar.ProducerMessage{Payload: []byte(payload)}
}

func keyed(key, payload string) *pulsar.ProducerMessage {
	return &pulsar.ProducerMessage{Key: key, Payload: []byte(payload)}
}

func numbered(count int, prefix string) []string {
	payloads := make([]string, count)
	for i := range payloads {
		payloads[i] = fmt.Sprintf("%s %d", prefix, i)
	}
	return payloads
}

// sendEach sends one by one, and gives the ids of the receipts.
func sendEach(producer pulsar.Producer, payloads []string) []pulsar.MessageID {
	ids := []pulsar.MessageID{}
	for _, payload := range payloads {
		ids = append(ids, send(producer, text(payload)))
	}
	return ids
}

// sendAll sends without waiting between, then flushes.
func sendAll(producer pulsar.Producer, messages ...*pulsar.ProducerMessage) {
	var waiting sync.WaitGroup
	failures := make(chan error, len(messages))
	for _, message := range messages {
		waiting.Add(1)
		producer.SendAsync(context.Background(), message, func(_ pulsar.MessageID, _ *pulsar.ProducerMessage, err error) {
			if err != nil {
				failures <- err
			}
			waiting.Done()
		})
	}
	ok(producer.Flush())
	waiting.Wait()
	close(failures)
	for err := range failures {
		panic(err)
	}
}

func textsOf(payloads []string) []*pulsar.ProducerMessage {
	messages := []*pulsar.ProducerMessage{}
	for _, payload := range payloads {
		messages = append(messages, text(payload))
	}
	return messages
}

func receive(consumer pulsar.Consumer, within time.Duration) pulsar.Message {
	message, err := tryReceive(consumer, within)
	check(err == nil, "no message came: %v", err)
	return message
}

func tryReceive(consumer pulsar.Consumer, within time.Duration) (pulsar.Message, error) {
	limit, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return consumer.Receive(limit)
}

func take(consumer pulsar.Consumer, count int) []pulsar.Message {
	messages := []pulsar.Message{}
	for range count {
		messages = append(messages, receive(consumer, wait))
	}
	return messages
}

func payloads(messages []pulsar.Message) []string {
	all := []string{}
	for _, message := range messages {
		all = append(all, string(message.Payload()))
	}
	return all
}

func next(reader pulsar.Reader) string {
	limit, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	return string(must(reader.Next(limit)).Payload())
}

func silent(consumer pulsar.Consumer) {
	message, err := tryReceive(consumer, silence)
	if err == nil {
		check(false, "nothing more was expected, %.60s came", message.Payload())
	}
}

// drain takes and acknowledges until nothing comes any more.
func drain(consumer pulsar.Consumer, quiet time.Duration) []pulsar.Message {
	messages := []pulsar.Message{}
	for {
		message, err := tryReceive(consumer, quiet)
		if err != nil {
			return messages
		}
		messages = append(messages, message)
		ok(consumer.Ack(message))
	}
}

var serverError = regexp.MustCompile(`server error: (\w+)`)

// refusal names the error that there must be.
func refusal(err error) string {
	check(err != nil, "it was accepted, and must be refused")
	if match := serverError.FindStringSubmatch(err.Error()); match != nil {
		return match[1]
	}
	return strings.SplitN(err.Error(), ": ", 2)[0]
}

func eventually(what string, is func() bool) {
	until := time.Now().Add(wait)
	for !is() {
		check(time.Now().Before(until), "not in time: %s", what)
		time.Sleep(50 * time.Millisecond)
	}
}

func sorted(all []string) []string {
	copied := append([]string{}, all...)
	sort.Strings(copied)
	return copied
}

// decoded reads JSON of the admin interface.
func decoded(content []byte) map[string]any {
	var value map[string]any
	ok(json.Unmarshal(content, &value))
	return value
}

func (c *Context) subscriptions(suffix string) map[string]any {
	return decoded(c.admin("GET", c.path(suffix)+"/stats", nil))["subscriptions"].(map[string]any)
}
