"""Messages, producers, readers and views."""

import time

import pulsar
from context import (WAIT_MS, drain, equal, eventually, numbered, refused, send_all, silent, take, texts,
                     unsupported)


def single(c):
    consumer = c.consumer()
    producer = c.producer()
    for payload in numbered(20):
        producer.send(payload)
    equal(texts(take(consumer, 20)), [f"message {i}" for i in range(20)])
    silent(consumer)


def metadata(c):
    consumer = c.consumer()
    producer = c.producer(producer_name=c.name("-producer"))
    before_ms = int(time.time() * 1000)
    producer.send(b"x", partition_key="the key", ordering_key="the order", properties={"a": "1", "b": "zwei ä"},
                  event_timestamp=1_700_000_000_123, sequence_id=42)
    message = consumer.receive(WAIT_MS)
    equal(message.partition_key(), "the key")
    equal(message.ordering_key(), "the order")
    equal(message.properties(), {"a": "1", "b": "zwei ä"})
    equal(message.event_timestamp(), 1_700_000_000_123)
    equal(message.producer_name(), c.name("-producer"))
    equal(message.topic_name(), c.topic())
    assert before_ms - 5_000 <= message.publish_timestamp() <= before_ms + 60_000
    equal(producer.last_sequence_id(), 42)


def empty_message(c):
    consumer = c.consumer()
    producer = c.producer()
    producer.send(b"")
    equal(consumer.receive(WAIT_MS).data(), b"")


def large_message(c):
    consumer = c.consumer()
    payload = bytes(range(250)) * 20_000
    c.producer().send(payload)
    assert consumer.receive(WAIT_MS).data() == payload


def too_large_refused(c):
    consumer = c.consumer()
    producer = c.producer()
    c.note("error", refused(producer.send, b"x" * 6_000_000))
    producer.send(b"after it")
    equal(consumer.receive(WAIT_MS).data(), b"after it")


def message_id(c):
    consumer = c.consumer()
    producer = c.producer()
    sent = [producer.send(payload) for payload in numbered(3)]
    received = [message.message_id() for message in take(consumer, 3)]
    equal([str(id) for id in received], [str(id) for id in sent])
    restored = pulsar.MessageId.deserialize(received[1].serialize())
    assert restored == received[1] and received[0] < received[1] < received[2]


def _batches(c, codec):
    consumer = c.consumer()
    producer = c.batching(compression_type=getattr(pulsar.CompressionType, codec))
    payloads = [f"message {i} ".encode() + b"x" * 200 for i in range(100)]
    send_all(producer, payloads)
    messages = take(consumer, 100)
    equal([message.data() for message in messages], payloads)
    entries = {message.message_id().entry_id() for message in messages}
    equal(len(entries), 10, "entries")
    equal([message.message_id().batch_index() for message in messages[:10]], list(range(10)))
    silent(consumer)


def batch_none(c):
    _batches(c, "NONE")


def batch_lz4(c):
    _batches(c, "LZ4")


def batch_zlib(c):
    _batches(c, "ZLib")


def batch_zstd(c):
    _batches(c, "ZSTD")


def batch_snappy(c):
    _batches(c, "SNAPPY")


def batch_by_key(c):
    consumer = c.consumer(consumer_type=pulsar.ConsumerType.KeyShared)
    producer = c.client.create_producer(c.topic(), batching_enabled=True, batching_max_publish_delay_ms=60_000,
                                        batching_type=pulsar.BatchingType.KeyBased)
    for i in range(20):
        producer.send_async(f"message {i}".encode(), lambda result, id: None, partition_key=f"key {i % 2}")
    producer.flush()
    messages = take(consumer, 20)
    by_entry = {}
    for message in messages:
        by_entry.setdefault(message.message_id().entry_id(), set()).add(message.partition_key())
    equal(sorted(len(keys) for keys in by_entry.values()), [1, 1])


def chunking(c):
    consumer = c.consumer()
    producer = c.producer(chunking_enabled=True)
    payload = bytes(range(240)) * 50_000
    producer.send(b"before")
    producer.send(payload)
    producer.send(b"after")
    before, whole, after = take(consumer, 3)
    assert before.data() == b"before" and whole.data() == payload and after.data() == b"after"
    for message in (before, whole, after):
        consumer.acknowledge(message)
    consumer.close()
    silent(c.consumer())


def producer_names(c):
    first, second = c.producer(), c.producer()
    assert first.producer_name() and first.producer_name() != second.producer_name()


def producer_name_taken(c):
    first = c.producer(producer_name="one")
    c.note("error", refused(c.producer, producer_name="one"))
    first.close()
    c.producer(producer_name="one").send(b"x")


def sequence_ids(c):
    producer = c.producer(initial_sequence_id=99)
    equal(producer.last_sequence_id(), 99)
    producer.send(b"x")
    equal(producer.last_sequence_id(), 100)


def deduplication(c):
    namespace = c.namespace()
    c.admin("POST", f"namespaces/{namespace}/deduplication", True)
    topic = c.topic(namespace=namespace)
    consumer = c.consumer(topic)
    producer = c.producer(topic, producer_name="one", initial_sequence_id=9)

    def is_on():
        return c.admin("GET", f"{c.path(namespace=namespace)}/stats").get("deduplicationStatus") == "Enabled"

    eventually(is_on, "deduplication is on")
    producer.send(b"ten")
    producer.send(b"eleven")
    producer.send(b"eleven again", sequence_id=11)
    producer.send(b"ten again", sequence_id=10)
    producer.send(b"twenty", sequence_id=20)
    producer.close()
    again = c.producer(topic, producer_name="one")
    equal(again.last_sequence_id(), 20)
    again.send(b"twenty-one")
    equal(texts(take(consumer, 4)), ["ten", "eleven", "twenty", "twenty-one"])
    silent(consumer)


def access_exclusive(c):
    mode = pulsar.ProducerAccessMode
    first = c.producer(access_mode=mode.Exclusive)
    c.note("shared beside it", refused(c.producer))
    c.note("exclusive beside it", refused(c.producer, access_mode=mode.Exclusive))
    first.close()
    shared = c.producer()
    c.note("exclusive beside a shared one", refused(c.producer, access_mode=mode.Exclusive))
    shared.close()


def access_wait_for_exclusive(c):
    import threading

    mode = pulsar.ProducerAccessMode
    first = c.producer(access_mode=mode.Exclusive)
    got = threading.Event()
    failures = []

    def wait():
        try:
            c.producer(access_mode=mode.WaitForExclusive).send(b"mine")
            got.set()
        except pulsar.PulsarException as error:
            failures.append(error)

    threading.Thread(target=wait, daemon=True).start()
    assert not got.wait(0.5), "it did not wait"
    assert not failures, failures
    first.close()
    assert got.wait(WAIT_MS / 1000), f"it waits on: {failures}"
    c.note("beside it", refused(c.producer))


def access_exclusive_with_fencing(c):
    mode = pulsar.ProducerAccessMode
    first = c.producer(access_mode=mode.Exclusive)
    first.send(b"mine")
    fencing = c.producer(access_mode=mode.ExclusiveWithFencing)
    fencing.send(b"mine now")
    error = refused(first.send, b"fenced")
    c.note("error of the fenced one", error)
    consumer = c.consumer()
    equal(texts(take(consumer, 2)), ["mine", "mine now"])
    silent(consumer)


def backlog_quota(c):
    namespace = c.namespace()
    quota = {"limitSize": 10_000, "limitTime": -1, "policy": "producer_exception"}
    topic = c.topic(namespace=namespace)
    consumer = c.consumer(topic)
    producer = c.producer(topic)
    for _ in range(30):
        producer.send(b"x" * 1_000)
    producer.close()
    c.admin("POST", f"namespaces/{namespace}/backlogQuota?backlogQuotaType=destination_storage", quota)

    def is_refused():
        try:
            c.producer(topic).close()
        except pulsar.PulsarException as error:
            c.note("error", type(error).__name__)
            return True

    eventually(is_refused, "the quota is checked")
    equal(len(drain(consumer)), 30)


def reader(c):
    producer = c.producer()
    for payload in numbered(10):
        producer.send(payload)
    reader = c.client.create_reader(c.topic(), pulsar.MessageId.earliest)
    equal(texts([reader.read_next(WAIT_MS) for _ in range(10)]), [f"message {i}" for i in range(10)])
    equal(len(c.stats()["subscriptions"]), 1)
    reader.close()
    eventually(lambda: c.stats()["subscriptions"] == {}, "the subscription of the reader is gone")


def reader_from_id(c):
    producer = c.producer()
    ids = [producer.send(payload) for payload in numbered(5)]
    behind = c.client.create_reader(c.topic(), ids[2])
    equal(behind.read_next(WAIT_MS).data(), b"message 3")
    at = c.client.create_reader(c.topic(), ids[2], start_message_id_inclusive=True)
    equal(at.read_next(WAIT_MS).data(), b"message 2")
    behind.seek(ids[0])
    equal(behind.read_next(WAIT_MS).data(), b"message 1")


def reader_latest(c):
    producer = c.producer()
    producer.send(b"before")
    reader = c.client.create_reader(c.topic(), pulsar.MessageId.latest)
    assert not reader.has_message_available()
    producer.send(b"after")
    equal(reader.read_next(WAIT_MS).data(), b"after")


def has_message_available(c):
    producer = c.batching()
    reader = c.client.create_reader(c.topic(), pulsar.MessageId.earliest)
    assert not reader.has_message_available(), "the topic is empty"
    send_all(producer, numbered(3))
    for _ in range(3):
        assert reader.has_message_available(), "there is one more"
        reader.read_next(WAIT_MS)
    assert not reader.has_message_available(), "it was the last"
    send_all(producer, numbered(1))
    assert reader.has_message_available(), "another one came"


def last_message_id(c):
    consumer = c.consumer()
    try:
        id = consumer.get_last_message_id()
        c.note("empty", f"{id.ledger_id()}:{id.entry_id()}")
    except pulsar.PulsarException as error:
        c.note("empty", type(error).__name__)
    producer = c.batching()
    send_all(producer, numbered(3))
    id = consumer.get_last_message_id()
    last = take(consumer, 3)[2].message_id()
    equal((id.ledger_id(), id.entry_id(), id.batch_index()), (last.ledger_id(), last.entry_id(), last.batch_index()))


def table_view(c):
    producer = c.producer()
    for i in range(10):
        producer.send(f"value {i}".encode(), partition_key=f"key {i % 3}")
    view = c.client.create_table_view(c.topic())
    equal((view.get("key 0"), view.get("key 1"), view.get("key 2")), (b"value 9", b"value 7", b"value 8"))
    equal(len(view), 3)
    producer.send(b"newer", partition_key="key 1")
    eventually(lambda: view.get("key 1") == b"newer", "it follows")


unsupported("pulsar-client for Python has no choice of the hash", "key_hash_java", "key_hash_murmur3")
