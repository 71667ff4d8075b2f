"""Schemas."""

import pulsar
from context import WAIT_MS, equal, refused, unsupported
from pulsar.schema import AvroSchema, Integer, JsonSchema, Record, String, StringSchema


class Reading(Record):
    _avro_namespace = "weir"
    source = String(required=True)
    value = Integer(required=True)


class Other(Record):
    _avro_namespace = "weir"
    source = String(required=True)
    value = String(required=True)


class Wider(Record):
    _avro_namespace = "weir"
    source = String(required=True)
    value = Integer(required=True)
    unit = String(default="none", required=True, required_default=True)


# All three are versions of one record.
Other.__name__ = "Reading"
Wider.__name__ = "Reading"


def _through(c, schema, value, kind):
    consumer = c.consumer(schema=schema)
    c.producer(schema=schema).send(value)
    seen = consumer.receive(WAIT_MS).value()
    equal(str(seen), str(value))
    equal(c.admin("GET", f"schemas/public/default/{c.name()}/schema")["type"], kind)


def schema_string(c):
    _through(c, StringSchema(), "the text", "STRING")


def schema_json(c):
    _through(c, JsonSchema(Reading), Reading(source="a", value=1), "JSON")


def schema_avro(c):
    _through(c, AvroSchema(Reading), Reading(source="a", value=1), "AVRO")


def schema_incompatible(c):
    c.producer(schema=AvroSchema(Reading)).send(Reading(source="a", value=1))
    c.note("producer", refused(c.producer, schema=AvroSchema(Other)))
    c.note("consumer", refused(c.consumer, subscription="other", schema=AvroSchema(Other)))
    c.note("another kind", refused(c.producer, schema=StringSchema()))


def schema_evolution(c):
    consumer = c.consumer()
    c.producer(schema=AvroSchema(Reading)).send(Reading(source="old", value=1))
    c.producer(schema=AvroSchema(Wider)).send(Wider(source="new", value=2, unit="K"))
    versions = [consumer.receive(WAIT_MS) for _ in range(2)]
    numbers = [int.from_bytes(bytes(_version(message)), "big") for message in versions]
    equal(numbers, [0, 1])
    new = c.consumer(subscription="new", schema=AvroSchema(Wider))
    first, second = new.receive(WAIT_MS).value(), new.receive(WAIT_MS).value()
    equal((first.source, first.unit, second.unit), ("old", "none", "K"))


def _version(message):
    version = message.schema_version()
    return version.encode("latin-1") if isinstance(version, str) else version


NONE = "pulsar-client for Python has no such schema"
unsupported(NONE, "schema_numbers", "schema_time", "schema_key_value", "schema_auto_consume", "schema_auto_produce")
unsupported("pulsar-client for Python needs a generated class for it", "schema_protobuf_native")
