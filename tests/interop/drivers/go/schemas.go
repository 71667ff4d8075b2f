package main

import (
	"encoding/binary"

	"github.com/apache/pulsar-client-go/pulsar"
	"google.golang.org/protobuf/types/known/durationpb"
)

func init() {
	add(map[string]func(*Context){
		"schema_string": schemaString, "schema_json": schemaJSON, "schema_avro": schemaAvro,
		"schema_numbers": schemaNumbers, "schema_protobuf_native": schemaProtobufNative,
		"schema_incompatible": schemaIncompatible, "schema_evolution": schemaEvolution,
	})
	without("pulsar-client-go has no such schema",
		"schema_time", "schema_key_value", "schema_auto_consume", "schema_auto_produce")
}

const readingSchema = `{"type":"record","name":"Reading","namespace":"weir","fields":[
	{"name":"source","type":"string"},{"name":"value","type":"int"}]}`
const otherSchema = `{"type":"record","name":"Reading","namespace":"weir","fields":[
	{"name":"source","type":"string"},{"name":"value","type":"string"}]}`
const widerSchema = `{"type":"record","name":"Reading","namespace":"weir","fields":[
	{"name":"source","type":"string"},{"name":"value","type":"int"},{"name":"unit","type":"string","default":"none"}]}`

type reading struct {
	Source string `json:"source" avro:"source"`
	Value  int    `json:"value" avro:"value"`
}

type widerReading struct {
	Source string `json:"source" avro:"source"`
	Value  int    `json:"value" avro:"value"`
	Unit   string `json:"unit" avro:"unit"`
}

func producingAs(schema pulsar.Schema) producerOption {
	return func(all *pulsar.ProducerOptions) { all.Schema = schema }
}

func consumingAs(schema pulsar.Schema) consumerOption {
	return func(all *pulsar.ConsumerOptions) { all.Schema = schema }
}

func (c *Context) schemaType(suffix string) string {
	path := "schemas/public/default/" + c.name(suffix) + "/schema"
	return decoded(c.admin("GET", path, nil))["type"].(string)
}

// through sends a value, reads it into `into`, and looks at what the broker keeps.
func through(c *Context, suffix string, schema pulsar.Schema, value, into any, kind string) {
	consumer := c.consumer(consuming(c.topic(suffix)), consumingAs(schema))
	producer := c.producer(producingTo(c.topic(suffix)), producingAs(schema))
	send(producer, &pulsar.ProducerMessage{Value: value})
	ok(receive(consumer, wait).GetSchemaValue(into))
	equal(c.schemaType(suffix), kind)
}

func schemaString(c *Context) {
	var seen *string
	through(c, "", pulsar.NewStringSchema(nil), "the text", &seen, "STRING")
	equal(*seen, "the text")
}

func schemaJSON(c *Context) {
	var seen reading
	through(c, "", pulsar.NewJSONSchema(readingSchema, nil), reading{"a", 1}, &seen, "JSON")
	equal(seen, reading{"a", 1})
}

func schemaAvro(c *Context) {
	var seen reading
	through(c, "", pulsar.NewAvroSchema(readingSchema, nil), reading{"a", 1}, &seen, "AVRO")
	equal(seen, reading{"a", 1})
}

func schemaNumbers(c *Context) {
	var int8Seen int8
	through(c, "-int8", pulsar.NewInt8Schema(nil), int8(-8), &int8Seen, "INT8")
	equal(int8Seen, int8(-8))
	var int16Seen int16
	through(c, "-int16", pulsar.NewInt16Schema(nil), int16(-1600), &int16Seen, "INT16")
	equal(int16Seen, int16(-1600))
	var int32Seen int32
	through(c, "-int32", pulsar.NewInt32Schema(nil), int32(-320_000), &int32Seen, "INT32")
	equal(int32Seen, int32(-320_000))
	var int64Seen int64
	through(c, "-int64", pulsar.NewInt64Schema(nil), int64(-1<<40), &int64Seen, "INT64")
	equal(int64Seen, int64(-1<<40))
	var floatSeen float32
	through(c, "-float", pulsar.NewFloatSchema(nil), float32(1.5), &floatSeen, "FLOAT")
	equal(floatSeen, float32(1.5))
	var doubleSeen float64
	through(c, "-double", pulsar.NewDoubleSchema(nil), 2.25, &doubleSeen, "DOUBLE")
	equal(doubleSeen, 2.25)
}

func schemaProtobufNative(c *Context) {
	schema := pulsar.NewProtoNativeSchemaWithMessage(&durationpb.Duration{}, nil)
	var seen durationpb.Duration
	through(c, "", schema, &durationpb.Duration{Seconds: 7}, &seen, "PROTOBUF_NATIVE")
	equal(seen.Seconds, int64(7))
}

func schemaIncompatible(c *Context) {
	send(c.producer(producingAs(pulsar.NewAvroSchema(readingSchema, nil))), &pulsar.ProducerMessage{Value: reading{"a", 1}})
	_, err := c.tryProducer(producingAs(pulsar.NewAvroSchema(otherSchema, nil)))
	c.note("producer", refusal(err))
	_, err = c.tryConsumer(subscription("other"), consumingAs(pulsar.NewAvroSchema(otherSchema, nil)))
	c.note("consumer", refusal(err))
	_, err = c.tryProducer(producingAs(pulsar.NewStringSchema(nil)))
	c.note("another kind", refusal(err))
}

func schemaEvolution(c *Context) {
	// This client writes the version of the schema into batches only.
	inBatches := func(all *pulsar.ProducerOptions) { all.DisableBatching = false }
	send(c.producer(inBatches, producingAs(pulsar.NewAvroSchema(readingSchema, nil))),
		&pulsar.ProducerMessage{Value: reading{"old", 1}})
	send(c.producer(inBatches, producingAs(pulsar.NewAvroSchema(widerSchema, nil))),
		&pulsar.ProducerMessage{Value: widerReading{"new", 2, "K"}})
	consumer := c.consumer(consumingAs(pulsar.NewAvroSchema(widerSchema, nil)))
	messages := take(consumer, 2)
	for i, message := range messages {
		equal(binary.BigEndian.Uint64(message.SchemaVersion()), uint64(i))
	}
	var old, wide widerReading
	ok(messages[1].GetSchemaValue(&wide))
	equal(wide, widerReading{"new", 2, "K"})
	// This client reads an old message by its own version, without the default of the newer one.
	err := messages[0].GetSchemaValue(&old)
	c.note("old message", []any{err == nil, old.Source, old.Unit})
}
