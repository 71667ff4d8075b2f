"""Topics, subscriptions, and the life of a topic."""

import threading
import time

import pulsar
from context import (WAIT_MS, drain, equal, eventually, numbered, refused, send_all, silent, take, texts, unsupported)

TYPES = pulsar.ConsumerType


def partitioned_by_key(c):
    c.partitioned(4)
    consumer = c.consumer()
    producer = c.producer()
    for i in range(40):
        producer.send(f"{i}".encode(), partition_key=f"key {i % 8}")
    partitions, order = {}, {}
    for message in take(consumer, 40):
        partitions.setdefault(message.partition_key(), set()).add(message.message_id().partition())
        order.setdefault(message.partition_key(), []).append(int(message.data()))
    assert all(len(seen) == 1 for seen in partitions.values()), partitions
    assert all(seen == sorted(seen) for seen in order.values()), order
    assert len(set.union(*partitions.values())) > 1
    silent(consumer)


def round_robin(c):
    c.partitioned(3)
    consumer = c.consumer()
    producer = c.producer(message_routing_mode=pulsar.PartitionsRoutingMode.RoundRobinDistribution)
    for payload in numbered(30):
        producer.send(payload)
    equal({message.message_id().partition() for message in take(consumer, 30)}, {0, 1, 2})


def custom_router(c):
    c.partitioned(3)
    consumer = c.consumer()
    producer = c.producer(message_router=lambda message, count: count - 1,
                          message_routing_mode=pulsar.PartitionsRoutingMode.CustomPartition)
    for payload in numbered(5):
        producer.send(payload)
    equal({message.message_id().partition() for message in take(consumer, 5)}, {2})


def non_persistent(c):
    topic = c.topic(domain="non-persistent")
    producer = c.producer(topic)
    producer.send(b"nobody listens")
    consumer = c.consumer(topic)
    shared = [c.consumer(topic, "two", consumer_type=TYPES.Shared) for _ in range(2)]
    for payload in numbered(10):
        producer.send(payload)
    equal(texts(take(consumer, 10)), [f"message {i}" for i in range(10)])
    seen = [texts(drain(one)) for one in shared]
    equal(sorted(seen[0] + seen[1]), sorted(f"message {i}" for i in range(10)))
    consumer.close()
    silent(c.consumer(topic))


def multi_topic(c):
    names = [c.topic(f"-{i}") for i in range(3)]
    consumer = c.consumer(names)
    for name in names:
        c.producer(name).send(name.encode())
    messages = take(consumer, 3)
    equal(sorted(texts(messages)), sorted(names))
    equal([message.topic_name() for message in messages], texts(messages))
    for message in messages:
        consumer.acknowledge(message)
    silent(consumer)


def pattern(c):
    import re

    c.producer(c.topic("-0")).send(b"zero")
    expression = re.compile(f"persistent://public/default/{c.name('-')}.*")
    consumer = c.consumer(expression)
    equal(consumer.receive(WAIT_MS).data(), b"zero")
    c.producer(c.topic("-1")).send(b"one")
    # It looks every 60 s, whatever pattern_auto_discovery_period says.
    equal(consumer.receive(70_000).data(), b"one")
    silent(consumer)


def topic_listing(c):
    c.partitioned(3, "-p")
    equal(sorted(c.client.get_topic_partitions(c.topic("-p"))), [c.topic(f"-p-partition-{i}") for i in range(3)])
    c.producer().close()
    equal(c.client.get_topic_partitions(c.topic()), [c.topic()])
    listed = c.admin("GET", "persistent/public/default")
    assert c.topic() in listed
    assert c.topic("-p") in c.admin("GET", "persistent/public/default/partitioned")


def missing_namespace(c):
    topic = f"persistent://public/{c.name('-nowhere')}/topic"
    client = c.open_client(operation_timeout_seconds=5)
    c.note("producer", refused(client.create_producer, topic))
    c.note("consumer", refused(client.subscribe, topic, "sub"))


def exclusive(c):
    first = c.consumer()
    c.note("error", refused(c.consumer))
    c.note("another type", refused(c.consumer, consumer_type=TYPES.Shared))
    first.close()
    c.consumer()


def failover_by_name(c):
    c.partitioned(2)
    second = c.consumer(consumer_type=TYPES.Failover, consumer_name="b")
    first = c.consumer(consumer_type=TYPES.Failover, consumer_name="a")
    # A consumer that lives hands over after a second.
    time.sleep(1.5)
    producers = [c.producer(c.topic(f"-partition-{i}")) for i in range(2)]
    for payload in numbered(5):
        for i, producer in enumerate(producers):
            producer.send(payload, properties={"partition": str(i)})
    seen = [take(consumer, 5) for consumer in (first, second)]
    for partition, messages in enumerate(seen):
        equal({message.properties()["partition"] for message in messages}, {str(partition)})
        equal(texts(messages), [f"message {i}" for i in range(5)])
    for message in seen[0][:3]:
        first.acknowledge(message)
    for message in seen[1]:
        second.acknowledge(message)
    first.close()
    equal(texts(take(second, 2)), ["message 3", "message 4"])
    producers[0].send(b"another")
    equal(second.receive(WAIT_MS).data(), b"another")


def failover_by_ring(c):
    """Without partitions a hash of the topic chooses: names without the run, to compare brokers."""
    active = []
    for i in range(8):
        topic = f"persistent://public/default/python-failover-ring-{i}"
        consumers = {name: c.consumer(topic, consumer_type=TYPES.Failover, consumer_name=name) for name in "abc"}
        active.append((topic, consumers))
    time.sleep(2.5)
    for topic, _ in active:
        c.producer(topic).send(b"x")
    chosen = []
    for _, consumers in active:
        seen = [name for name, consumer in consumers.items() if drain(consumer, 150)]
        equal(len(seen), 1)
        chosen += seen
    c.note("active", "".join(chosen))


def shared(c):
    consumers = [c.consumer(consumer_type=TYPES.Shared, receiver_queue_size=10) for _ in range(3)]
    producer = c.producer()
    for payload in numbered(60):
        producer.send(payload)
    seen = [texts(drain(consumer)) for consumer in consumers]
    equal(sorted(sum(seen, [])), sorted(f"message {i}" for i in range(60)))
    assert all(len(one) >= 10 for one in seen), [len(one) for one in seen]


def key_shared(c):
    first, second = [c.consumer(consumer_type=TYPES.KeyShared) for _ in range(2)]
    producer = c.producer()
    for i in range(100):
        producer.send(f"{i}".encode(), partition_key=f"key {i % 20}")
    seen = [drain(consumer) for consumer in (first, second)]
    equal(sorted(int(message.data()) for message in seen[0] + seen[1]), list(range(100)))
    keys = [{message.partition_key() for message in one} for one in seen]
    assert not keys[0] & keys[1], keys[0] & keys[1]
    assert keys[0] and keys[1]
    for one in seen:
        for key in {message.partition_key() for message in one}:
            order = [int(message.data()) for message in one if message.partition_key() == key]
            assert order == sorted(order), (key, order)


def key_shared_order(c):
    """Three consumers come and go while messages of ten keys flow; an acknowledged one must never be overtaken."""
    total = 300
    lock = threading.Lock()
    acknowledged = []
    stops = []

    def consume():
        consumer = c.consumer(consumer_type=TYPES.KeyShared, receiver_queue_size=20)
        stop = threading.Event()

        def loop():
            while not stop.is_set():
                try:
                    message = consumer.receive(100)
                except pulsar.Timeout:
                    continue
                with lock:
                    acknowledged.append((message.partition_key(), int(message.data())))
                consumer.acknowledge(message)
                time.sleep(0.002)
            consumer.close()

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        stops.append((stop, thread))

    def leave():
        stop, thread = stops.pop(0)
        stop.set()
        thread.join(10)

    consume()
    producer = c.producer()
    for i in range(total):
        producer.send(f"{i}".encode(), partition_key=f"key {i % 10}")
        if i in (50, 100, 200):
            consume()
        if i in (150, 250):
            leave()
    eventually(lambda: len({number for _, number in acknowledged}) == total, "all arrive")
    while stops:
        leave()
    for key in {key for key, _ in acknowledged}:
        first_seen = list(dict.fromkeys(number for one, number in acknowledged if one == key))
        assert first_seen == sorted(first_seen), (key, first_seen)


def key_shared_sticky(c):
    def policy(*ranges):
        return pulsar.ConsumerKeySharedPolicy(key_shared_mode=pulsar.KeySharedMode.Sticky, sticky_ranges=list(ranges))

    low = c.consumer(consumer_type=TYPES.KeyShared, key_shared_policy=policy((0, 32767)))
    high = c.consumer(consumer_type=TYPES.KeyShared, key_shared_policy=policy((32768, 65535)))
    c.note("overlap", refused(c.consumer, consumer_type=TYPES.KeyShared, key_shared_policy=policy((100, 200))))
    producer = c.producer()
    for i in range(40):
        producer.send(f"{i}".encode(), partition_key=f"key {i}")
    # By Murmur3 of the key, modulo 65536: the same for every broker.
    seen = [sorted(int(message.data()) for message in drain(consumer)) for consumer in (low, high)]
    equal(sorted(seen[0] + seen[1]), list(range(40)))
    c.note("low half", seen[0])


def partition_growth(c):
    c.partitioned(1)
    producer = c.producer(message_routing_mode=pulsar.PartitionsRoutingMode.RoundRobinDistribution)
    consumer = c.consumer()
    c.admin("POST", f"{c.path()}/partitions", 3)
    # It looks every 60 s.
    time.sleep(61)

    def reached():
        producer.send(b"x")
        seen.add(consumer.receive(WAIT_MS).message_id().partition())
        return seen == {0, 1, 2}

    seen = set()
    eventually(reached, "all partitions are used", 15_000)


def initial_position(c):
    producer = c.producer()
    producer.send(b"before")
    earliest = c.consumer(subscription="earliest", initial_position=pulsar.InitialPosition.Earliest)
    latest = c.consumer(subscription="latest", initial_position=pulsar.InitialPosition.Latest)
    producer.send(b"after")
    equal(texts(take(earliest, 2)), ["before", "after"])
    equal(texts(take(latest, 1)), ["after"])


def consumer_properties(c):
    c.consumer(consumer_name="me", properties={"a": "1"})
    consumers = c.stats()["subscriptions"]["sub"]["consumers"]
    equal([one["consumerName"] for one in consumers], ["me"])
    equal(consumers[0]["metadata"], {"a": "1"})


def unsubscribe(c):
    producer = c.producer()
    consumer = c.consumer()
    producer.send(b"before")
    consumer.acknowledge(consumer.receive(WAIT_MS))
    consumer.unsubscribe()
    equal(c.stats()["subscriptions"], {})
    equal(c.consumer().receive(WAIT_MS).data(), b"before")


def termination(c):
    producer = c.producer()
    consumer = c.consumer()
    for payload in numbered(3):
        producer.send(payload)
    last = c.admin("POST", f"{c.path()}/terminate")
    c.note("error of the producer", refused(producer.send, b"too late"))
    c.note("error of a new producer", refused(c.producer))
    messages = take(consumer, 3)
    equal(last["entryId"], messages[2].message_id().entry_id())
    silent(consumer)
    equal(texts(take(c.consumer(subscription="late"), 3)), [f"message {i}" for i in range(3)])


def compaction(c):
    producer = c.producer()
    for i in range(12):
        producer.send(f"value {i}".encode(), partition_key=f"key {i % 3}")
    producer.send(b"", partition_key="key 2")
    c.admin("PUT", f"{c.path()}/compaction")
    eventually(lambda: c.admin("GET", f"{c.path()}/compaction")["status"] == "SUCCESS", "it is compacted")
    producer.send(b"later", partition_key="key 0")
    consumer = c.consumer(subscription="compacted", is_read_compacted=True)
    seen = [(message.partition_key(), message.data().decode()) for message in drain(consumer)]
    equal(sorted(seen), [("key 0", "later"), ("key 0", "value 9"), ("key 1", "value 10")])
    equal(len(drain(c.consumer(subscription="plain"))), 14)
    reader = c.client.create_reader(c.topic(), pulsar.MessageId.earliest, is_read_compacted=True)
    equal(reader.read_next(WAIT_MS).data() in (b"value 9", b"value 10"), True)


def unload(c):
    producer = c.producer()
    consumer = c.consumer()
    for payload in numbered(5):
        producer.send(payload)
    for message in take(consumer, 5):
        consumer.acknowledge(message)
    time.sleep(0.5)
    c.admin("PUT", f"{c.path()}/unload")
    for payload in numbered(5, "later"):
        producer.send(payload)
    equal(texts(take(consumer, 5)), [f"later {i}" for i in range(5)])
    silent(consumer)


def delete_in_use(c):
    producer = c.producer()
    c.consumer()
    status, _ = c.admin_status("DELETE", c.path())
    c.note("status", status)
    producer.send(b"still there")
    c.admin("DELETE", f"{c.path()}?force=true")
    eventually(lambda: c.topic() not in c.admin("GET", "persistent/public/default")
               or c.stats()["msgInCounter"] == 0, "it is gone or anew")


def several_service_urls(c):
    live = c.config["serviceUrl"].removeprefix("pulsar://")
    client = c.open_client(f"pulsar://127.0.0.1:1,{live}")
    client.create_producer(c.topic()).send(b"x")


def http_lookup(c):
    client = c.open_client(c.config["adminUrl"])
    producer = client.create_producer(c.topic())
    consumer = client.subscribe(c.topic(), "sub")
    producer.send(b"x")
    equal(consumer.receive(WAIT_MS).data(), b"x")


def broker_restart(c):
    producer = c.producer(send_timeout_millis=60_000)
    consumer = c.consumer()
    for payload in numbered(10):
        producer.send(payload)
    early = take(consumer, 5)
    c.control("restart")
    for payload in numbered(10, "later"):
        producer.send(payload)
    late = texts(drain(consumer, 3_000))
    equal(sorted({*texts(early), *late}), sorted(texts_of(numbered(10) + numbered(10, "later"))))


def texts_of(payloads):
    return [payload.decode() for payload in payloads]




unsupported("pulsar-client for Python has no priority", "failover_by_priority", "shared_priority")
unsupported("pulsar-client for Python does not tell it", "end_of_topic")
unsupported("pulsar-client for Python has no transactions", "transactions")
