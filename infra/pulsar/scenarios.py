"""What the official Python client does in each recorded scenario.

    python scenarios.py SCENARIO SERVICE_URL ADMIN_URL

One function a scenario; record_golden.ts runs each through a recording proxy against a real broker.
Names, keys and payloads are fixed, so two recordings differ only in what the broker and the clock give.
"""

import json
import sys
import time
import urllib.request

import pulsar
from pulsar.schema import AvroSchema, Integer, Record, String

NAMESPACE = "public/default"


class Reading(Record):
    _avro_namespace = "weir"
    source = String(required=True)
    value = Integer(required=True)


class OtherReading(Record):
    """Another type for `value`, and a required field without a default: incompatible under FULL."""

    _avro_namespace = "weir"
    source = String(required=True)
    value = String(required=True)


OtherReading.__name__ = "Reading"


def topic(name):
    return f"persistent://{NAMESPACE}/{name}"


def admin(method, path, body=None, token=None):
    request = urllib.request.Request(f"{ADMIN_URL}/admin/v2/{path}", method=method)
    request.add_header("content-type", "application/json")
    if token:
        request.add_header("authorization", f"Bearer {token}")
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(request, data) as response:
        return response.read()


def fails(action, *args, **kwargs):
    """The broker must refuse this."""
    try:
        action(*args, **kwargs)
    except pulsar.PulsarException as error:
        print(f"refused as expected: {error}")
        return
    raise AssertionError("the broker accepted what it should refuse")


def send_batch(producer, payloads, **kwargs):
    for payload in payloads:
        producer.send_async(payload, lambda result, message_id: None, **kwargs)
    producer.flush()


def batching(client, name, **kwargs):
    """A producer whose batches go out by flush() only."""
    options = dict(batching_enabled=True, batching_max_messages=100, batching_max_publish_delay_ms=60_000)
    return client.create_producer(topic(name), **{**options, **kwargs})


def payloads(count, size=8):
    return [f"message {i}".ljust(size, ".").encode() for i in range(count)]


def produce_single(client):
    producer = client.create_producer(topic("single"), producer_name="single-producer", properties={"role": "produce"})
    producer.send(b"plain")
    producer.send(b"keyed", partition_key="key-1", properties={"a": "1", "b": "two"}, event_timestamp=1_700_000_000_000)
    producer.send(b"ordered", partition_key="key-2", ordering_key="order-2", sequence_id=77)
    producer.send(b"")
    producer.close()


def produce_batch(client):
    producer = batching(client, "batch", producer_name="batch-producer")
    send_batch(producer, payloads(5))
    send_batch(producer, payloads(3), partition_key="key-1", properties={"a": "1"}, event_timestamp=1_700_000_000_000)
    send_batch(producer, payloads(1))
    producer.close()


def produce_compressed(client):
    for kind in ("LZ4", "ZLib", "ZSTD", "SNAPPY"):
        producer = batching(client, "compressed", producer_name=f"{kind}-producer",
                            compression_type=getattr(pulsar.CompressionType, kind))
        send_batch(producer, payloads(20, size=64))
        producer.close()
    producer = client.create_producer(topic("compressed"), compression_type=pulsar.CompressionType.LZ4)
    producer.send(b"single " * 20)
    producer.close()


def consume_compressed(client):
    """Reads what produce_compressed has sent."""
    reader = client.create_reader(topic("compressed"), pulsar.MessageId.earliest)
    count = 0
    while reader.has_message_available():
        reader.read_next(5000)
        count += 1
    assert count == 81, count
    reader.close()


def produce_avro(client):
    producer = client.create_producer(topic("avro"), producer_name="avro-producer", schema=AvroSchema(Reading))
    producer.send(Reading(source="source-1", value=42))
    producer.close()
    fails(client.create_producer, topic("avro"), schema=AvroSchema(OtherReading))
    consumer = client.subscribe(topic("avro"), "sub", schema=AvroSchema(Reading),
                                initial_position=pulsar.InitialPosition.Earliest)
    assert consumer.receive(5000).value().value == 42
    fails(client.subscribe, topic("avro"), "sub-2", schema=AvroSchema(OtherReading))
    consumer.close()


def produce_partitioned(client):
    admin("PUT", f"persistent/{NAMESPACE}/partitioned/partitions", 3)
    assert len(client.get_topic_partitions(topic("partitioned"))) == 3
    producer = client.create_producer(topic("partitioned"), producer_name="partitioned-producer",
                                      message_routing_mode=pulsar.PartitionsRoutingMode.RoundRobinDistribution)
    for i in range(3):
        producer.send(f"message {i}".encode(), partition_key=f"key-{i}")
    consumer = client.subscribe(topic("partitioned"), "sub", initial_position=pulsar.InitialPosition.Earliest)
    for _ in range(3):
        consumer.acknowledge(consumer.receive(5000))
    consumer.close()
    producer.close()


def consume_exclusive(client):
    producer = batching(client, "exclusive", producer_name="exclusive-producer")
    consumer = client.subscribe(topic("exclusive"), "sub", consumer_name="exclusive-consumer",
                                receiver_queue_size=10, properties={"role": "consume"},
                                initial_position=pulsar.InitialPosition.Earliest)
    fails(client.subscribe, topic("exclusive"), "sub", consumer_name="too-many")
    for _ in range(3):
        send_batch(producer, payloads(5))
    producer.close()
    messages = [consumer.receive(5000) for _ in range(15)]
    consumer.acknowledge_cumulative(messages[6])
    consumer.acknowledge_cumulative(messages[9])
    for message in messages[10:]:
        consumer.acknowledge(message)
    time.sleep(0.3)
    consumer.close()


def consume_single_ack(client):
    producer = client.create_producer(topic("single-ack"), producer_name="single-ack-producer")
    for payload in payloads(4):
        producer.send(payload)
    consumer = client.subscribe(topic("single-ack"), "sub", consumer_name="single-ack-consumer",
                                initial_position=pulsar.InitialPosition.Earliest)
    messages = [consumer.receive(5000) for _ in range(4)]
    consumer.acknowledge(messages[0])
    consumer.acknowledge(messages[2])
    consumer.acknowledge_cumulative(messages[1])
    consumer.close()
    again = client.subscribe(topic("single-ack"), "sub", consumer_name="single-ack-consumer")
    assert again.receive(5000).data() == messages[3].data()
    again.unsubscribe()
    producer.close()


def consume_failover(client):
    producer = client.create_producer(topic("failover"), producer_name="failover-producer")
    options = dict(consumer_type=pulsar.ConsumerType.Failover)
    first = client.subscribe(topic("failover"), "sub", consumer_name="a-consumer", **options)
    second = client.subscribe(topic("failover"), "sub", consumer_name="b-consumer", **options)
    producer.send(b"for the first")
    first.acknowledge(first.receive(5000))
    first.close()
    time.sleep(1.5)
    producer.send(b"for the second")
    second.acknowledge(second.receive(5000))
    second.close()
    producer.close()


def consume_shared(client):
    """Two shared consumers, a negative ack, and what is redelivered after one of them has gone."""
    producer = client.create_producer(topic("shared"), producer_name="shared-producer")
    options = dict(consumer_type=pulsar.ConsumerType.Shared, negative_ack_redelivery_delay_ms=200,
                   receiver_queue_size=2)
    first = client.subscribe(topic("shared"), "sub", consumer_name="a-consumer", **options)
    second = client.subscribe(topic("shared"), "sub", consumer_name="b-consumer", **options)
    for payload in payloads(4):
        producer.send(payload)
    message = first.receive(5000)
    first.negative_acknowledge(message)
    assert first.receive(5000).data() is not None
    first.redeliver_unacknowledged_messages()
    first.close()
    for _ in range(4):
        second.acknowledge(second.receive(5000))
    second.close()
    producer.close()


def consume_key_shared(client):
    producer = client.create_producer(topic("key-shared"), producer_name="key-shared-producer")
    auto = pulsar.ConsumerKeySharedPolicy()
    options = dict(consumer_type=pulsar.ConsumerType.KeyShared, key_shared_policy=auto)
    first = client.subscribe(topic("key-shared"), "sub", consumer_name="a-consumer", **options)
    second = client.subscribe(topic("key-shared"), "sub", consumer_name="b-consumer", **options)
    for i in range(10):
        producer.send(f"message {i}".encode(), partition_key=f"key-{i}")
    received = {"a": 0, "b": 0}
    for name, consumer in (("a", first), ("b", second)):
        try:
            while True:
                consumer.acknowledge(consumer.receive(1000))
                received[name] += 1
        except pulsar.Timeout:
            pass
    assert received["a"] + received["b"] == 10 and min(received.values()) > 0, received
    first.close()
    second.close()
    sticky = pulsar.ConsumerKeySharedPolicy(key_shared_mode=pulsar.KeySharedMode.Sticky,
                                            sticky_ranges=[(0, 32767)])
    half = client.subscribe(topic("key-shared"), "sticky", consumer_name="half",
                            consumer_type=pulsar.ConsumerType.KeyShared, key_shared_policy=sticky)
    fails(client.subscribe, topic("key-shared"), "sticky", consumer_name="overlap",
          consumer_type=pulsar.ConsumerType.KeyShared, key_shared_policy=sticky)
    half.close()
    producer.close()


def batch_index_ack(client):
    producer = batching(client, "batch-index", producer_name="batch-index-producer")
    options = dict(consumer_type=pulsar.ConsumerType.Shared, batch_index_ack_enabled=True)
    consumer = client.subscribe(topic("batch-index"), "sub", consumer_name="a-consumer", **options)
    send_batch(producer, payloads(5))
    messages = [consumer.receive(5000) for _ in range(5)]
    consumer.acknowledge(messages[1])
    consumer.acknowledge(messages[3])
    time.sleep(0.3)
    consumer.close()
    again = client.subscribe(topic("batch-index"), "sub", consumer_name="a-consumer", **options)
    left = [again.receive(5000) for _ in range(3)]
    assert [m.data() for m in left] == [messages[i].data() for i in (0, 2, 4)]
    for message in left:
        again.acknowledge(message)
    time.sleep(0.3)
    again.close()
    producer.close()


def last_message_id(client):
    consumer = client.subscribe(topic("last-id"), "sub")
    try:
        print("empty topic:", consumer.get_last_message_id())
    except pulsar.PulsarException as error:
        print("empty topic:", error)
    producer = batching(client, "last-id", producer_name="last-id-producer")
    send_batch(producer, payloads(3))
    print("batch of three:", consumer.get_last_message_id())
    single = client.create_producer(topic("last-id"), producer_name="last-id-single")
    single.send(b"single")
    print("single:", consumer.get_last_message_id())
    for _ in range(4):
        consumer.acknowledge(consumer.receive(5000))
    consumer.close()
    reader = client.create_reader(topic("last-id"), pulsar.MessageId.latest, start_message_id_inclusive=True)
    assert reader.has_message_available()
    assert reader.read_next(5000).data() == b"single"
    assert not reader.has_message_available()
    reader.close()
    single.close()
    producer.close()


def seek(client):
    producer = client.create_producer(topic("seek"), producer_name="seek-producer")
    ids = [producer.send(payload) for payload in payloads(5)]
    consumer = client.subscribe(topic("seek"), "sub", consumer_name="seek-consumer")
    consumer.seek(pulsar.MessageId.earliest)
    assert consumer.receive(5000).data() == payloads(5)[0]
    consumer.seek(ids[3])
    print("after seek to the fourth:", consumer.receive(5000).data())
    consumer.seek(int(time.time() * 1000) - 3_600_000)
    assert consumer.receive(5000).data() == payloads(5)[0]
    consumer.seek(pulsar.MessageId.latest)
    producer.send(b"after latest")
    assert consumer.receive(5000).data() == b"after latest"
    consumer.close()
    producer.close()


def deduplication(client):
    """Broker deduplication on: last sequence ids at PRODUCER_SUCCESS, receipts of duplicates."""
    admin("PUT", "namespaces/public/dedup", {})
    admin("POST", "namespaces/public/dedup/deduplication", True)
    time.sleep(1)
    name = "persistent://public/dedup/dedup"
    producer = client.create_producer(name, producer_name="dedup-producer", initial_sequence_id=9)
    print([str(producer.send(b"ten")), str(producer.send(b"eleven"))])
    print("duplicate:", producer.send(b"eleven again", sequence_id=11))
    print("lower:", producer.send(b"ten again", sequence_id=10))
    producer.send(b"twenty", sequence_id=20)
    producer.close()
    again = client.create_producer(name, producer_name="dedup-producer")
    assert again.last_sequence_id() == 20, again.last_sequence_id()
    again.send(b"twenty-one")
    again.close()
    batch = client.create_producer(name, producer_name="dedup-batch", batching_enabled=True,
                                   batching_max_publish_delay_ms=60_000)
    send_batch(batch, payloads(5))
    batch.close()
    batch = client.create_producer(name, producer_name="dedup-batch", batching_enabled=True,
                                   initial_sequence_id=-1, batching_max_publish_delay_ms=60_000)
    print("after a batch of five:", batch.last_sequence_id())
    batch.close()


def producer_access(client):
    """A name in use, exclusive access, waiting for exclusive access, fencing."""
    access = pulsar.ProducerAccessMode
    shared = client.create_producer(topic("access"), producer_name="shared-one")
    fails(client.create_producer, topic("access"), producer_name="shared-one")
    fails(client.create_producer, topic("access"), access_mode=access.Exclusive)
    shared.close()
    exclusive = client.create_producer(topic("access"), producer_name="exclusive-one", access_mode=access.Exclusive)
    fails(client.create_producer, topic("access"), producer_name="shared-two")
    fencing = client.create_producer(topic("access"), producer_name="fencing-one",
                                     access_mode=access.ExclusiveWithFencing)
    fails(exclusive.send, b"fenced")
    fencing.send(b"mine")
    fencing.close()


def unload(client):
    """The broker closes producer and consumer, both look up and come back."""
    producer = client.create_producer(topic("unload"), producer_name="unload-producer")
    consumer = client.subscribe(topic("unload"), "sub", consumer_name="unload-consumer")
    producer.send(b"before")
    consumer.acknowledge(consumer.receive(5000))
    time.sleep(0.5)
    admin("PUT", f"persistent/{NAMESPACE}/unload/unload")
    producer.send(b"after")
    assert consumer.receive(5000).data() == b"after"
    consumer.close()
    producer.close()


def terminate(client):
    producer = client.create_producer(topic("terminated"), producer_name="terminated-producer")
    consumer = client.subscribe(topic("terminated"), "sub", consumer_name="terminated-consumer")
    producer.send(b"the last one")
    admin("POST", f"persistent/{NAMESPACE}/terminated/terminate")
    consumer.acknowledge(consumer.receive(5000))
    time.sleep(0.5)
    fails(producer.send, b"too late")
    fails(client.create_producer, topic("terminated"))
    consumer.close()


def pattern(client):
    """A pattern subscription: GET_TOPICS_OF_NAMESPACE."""
    import re
    for i in range(2):
        client.create_producer(topic(f"pattern-{i}")).close()
    consumer = client.subscribe(re.compile(f"persistent://{NAMESPACE}/pattern-.*"), "sub", pattern_auto_discovery_period=1)
    producer = client.create_producer(topic("pattern-0"))
    producer.send(b"found")
    consumer.acknowledge(consumer.receive(5000))
    time.sleep(1.5)
    consumer.close()
    producer.close()


def delayed(client):
    from datetime import timedelta
    producer = client.create_producer(topic("delayed"), producer_name="delayed-producer")
    consumer = client.subscribe(topic("delayed"), "sub", consumer_type=pulsar.ConsumerType.Shared)
    # The broker may be a tick (1 s) early.
    producer.send(b"later", deliver_after=timedelta(seconds=2))
    producer.send(b"now")
    assert consumer.receive(5000).data() == b"now"
    assert consumer.receive(5000).data() == b"later"
    consumer.close()
    producer.close()


def non_persistent(client):
    name = f"non-persistent://{NAMESPACE}/volatile"
    consumer = client.subscribe(name, "sub")
    producer = client.create_producer(name, producer_name="volatile-producer")
    producer.send(b"volatile")
    assert consumer.receive(5000).data() == b"volatile"
    consumer.close()
    producer.close()


def not_found(client):
    """Namespaces, tenants and topic names that are not there or not valid."""
    fails(client.create_producer, "persistent://public/no-such-namespace/topic")
    fails(client.create_producer, "persistent://no-such-tenant/default/topic")
    fails(client.subscribe, "persistent://public/no-such-namespace/topic", "sub")
    admin("PUT", f"persistent/{NAMESPACE}/three/partitions", 3)
    fails(client.create_producer, topic("three-partition-7"))


def backlog_quota(client):
    """Needs backlogQuotaCheckIntervalInSeconds=1: producers are held or refused once the backlog is over the quota."""
    for name, policy in (("held", "producer_request_hold"), ("refused", "producer_exception")):
        namespace = f"public/quota-{name}"
        admin("PUT", f"namespaces/{namespace}", {})
        admin("POST", f"namespaces/{namespace}/backlogQuota", {"limitSize": 1000, "policy": policy})
        name = f"persistent://{namespace}/quota"
        client.subscribe(name, "sub").close()
        producer = client.create_producer(name, producer_name="quota-producer", send_timeout_millis=2000)
        producer.send(b"." * 2000)
        time.sleep(3)
        fails(producer.send, b"over the quota")
        producer.close()
    time.sleep(1)


def ping(client):
    """Silence for longer than the keep-alive interval of both sides."""
    consumer = client.subscribe(topic("ping"), "sub")
    time.sleep(32)
    consumer.close()


def token_accepted(client):
    producer = client.create_producer(topic("token"), producer_name="token-producer")
    producer.send(b"authenticated")
    producer.close()


def token_refused(client):
    fails(client.create_producer, topic("token"))
    fails(client.subscribe, topic("token"), "sub")


def main():
    global ADMIN_URL
    scenario, service_url, ADMIN_URL = sys.argv[1:4]
    options = dict(operation_timeout_seconds=8, logger=None)
    if len(sys.argv) > 4:
        options["authentication"] = pulsar.AuthenticationToken(sys.argv[4])
    client = pulsar.Client(service_url, **options)
    try:
        globals()[scenario](client)
    finally:
        client.close()


if __name__ == "__main__":
    main()
