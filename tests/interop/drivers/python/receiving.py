"""Receiving, acknowledgement, redelivery, time."""

import time

import pulsar
from context import (WAIT_MS, drain, equal, eventually, numbered, send_all, silent, take, texts, unsupported)

TYPES = pulsar.ConsumerType


def batch_receive(c):
    policy = pulsar.ConsumerBatchReceivePolicy(10, 1_000_000, 2_000)
    consumer = c.consumer(batch_receive_policy=policy)
    send_all(c.batching(), numbered(20))
    seen = []
    while len(seen) < 20:
        messages = consumer.batch_receive()
        assert 0 < len(messages) <= 10, len(messages)
        seen += texts(messages)
    equal(seen, [f"message {i}" for i in range(20)])


def listener(c):
    seen = []

    def listen(consumer, message):
        seen.append(message.data().decode())
        consumer.acknowledge(message)

    c.consumer(message_listener=listen)
    producer = c.producer()
    for payload in numbered(10):
        producer.send(payload)
    eventually(lambda: len(seen) == 10, "all were heard")
    equal(seen, [f"message {i}" for i in range(10)])


def small_queue(c):
    consumer = c.consumer(receiver_queue_size=1)
    send_all(c.batching(), numbered(50))
    equal(texts(take(consumer, 50)), [f"message {i}" for i in range(50)])


def zero_queue(c):
    producer = c.producer()
    for payload in numbered(4):
        producer.send(payload)
    first = c.consumer(consumer_type=TYPES.Shared, receiver_queue_size=0)
    # The first one holds nothing that it was not asked for: all is left for the second.
    second = c.consumer(consumer_type=TYPES.Shared, receiver_queue_size=10)
    equal(texts(take(second, 4)), [f"message {i}" for i in range(4)])
    first.close()


def ack_individual(c):
    producer = c.producer()
    for payload in numbered(6):
        producer.send(payload)
    consumer = c.consumer()
    messages = take(consumer, 6)
    for i in (0, 2, 5):
        consumer.acknowledge(messages[i])
    consumer.close()
    again = c.consumer()
    equal(texts(take(again, 3)), ["message 1", "message 3", "message 4"])
    silent(again)


def ack_cumulative(c):
    producer = c.producer()
    for payload in numbered(8):
        producer.send(payload)
    consumer = c.consumer()
    consumer.acknowledge_cumulative(take(consumer, 8)[4])
    consumer.close()
    again = c.consumer()
    equal(texts(take(again, 3)), ["message 5", "message 6", "message 7"])
    silent(again)


def ack_batch_index(c):
    options = dict(consumer_type=TYPES.Shared, batch_index_ack_enabled=True)
    consumer = c.consumer(**options)
    send_all(c.batching(), numbered(10))
    messages = take(consumer, 10)
    for i in (1, 3, 4, 9):
        consumer.acknowledge(messages[i])
    time.sleep(0.3)
    consumer.close()
    again = c.consumer(**options)
    equal(texts(take(again, 6)), [f"message {i}" for i in (0, 2, 5, 6, 7, 8)])
    silent(again)


def ack_cumulative_in_batch(c):
    consumer = c.consumer(batch_index_ack_enabled=True)
    send_all(c.batching(), numbered(10))
    consumer.acknowledge_cumulative(take(consumer, 10)[6])
    time.sleep(0.3)
    consumer.close()
    again = c.consumer(batch_index_ack_enabled=True)
    equal(texts(take(again, 3)), [f"message {i}" for i in (7, 8, 9)])
    silent(again)


def negative_ack(c):
    consumer = c.consumer(consumer_type=TYPES.Shared, negative_ack_redelivery_delay_ms=200)
    producer = c.producer()
    for payload in numbered(3):
        producer.send(payload)
    messages = take(consumer, 3)
    counts = [messages[1].redelivery_count()]
    consumer.acknowledge(messages[0])
    consumer.acknowledge(messages[2])
    consumer.negative_acknowledge(messages[1])
    for _ in range(2):
        again = consumer.receive(WAIT_MS)
        equal(again.data(), b"message 1")
        counts.append(again.redelivery_count())
        consumer.negative_acknowledge(again)
    equal(counts, [0, 1, 2])
    consumer.acknowledge(consumer.receive(WAIT_MS))
    silent(consumer)


def ack_timeout(c):
    consumer = c.consumer(consumer_type=TYPES.Shared, unacked_messages_timeout_ms=10_000)
    producer = c.producer()
    for payload in numbered(2):
        producer.send(payload)
    messages = take(consumer, 2)
    consumer.acknowledge(messages[0])
    again = consumer.receive(20_000)
    equal(again.data(), b"message 1")
    c.note("redelivery count", again.redelivery_count())
    consumer.acknowledge(again)


def redeliver_all(c):
    consumer = c.consumer()
    producer = c.producer()
    for payload in numbered(5):
        producer.send(payload)
    messages = take(consumer, 5)
    consumer.acknowledge(messages[0])
    time.sleep(0.3)
    consumer.redeliver_unacknowledged_messages()
    equal(texts(take(consumer, 4)), [f"message {i}" for i in range(1, 5)])
    silent(consumer)


def reconnect_redelivery(c):
    producer = c.producer()
    first = c.consumer(consumer_type=TYPES.Shared, receiver_queue_size=10)
    for payload in numbered(5):
        producer.send(payload)
    messages = take(first, 5)
    first.acknowledge(messages[0])
    first.acknowledge(messages[3])
    second = c.consumer(consumer_type=TYPES.Shared)
    silent(second)
    first.close()
    again = take(second, 3)
    equal(texts(again), ["message 1", "message 2", "message 4"])
    c.note("redelivery counts", [message.redelivery_count() for message in again])


def dead_letter(c):
    policy = pulsar.ConsumerDeadLetterPolicy(2, c.topic("-dead"))
    consumer = c.consumer(consumer_type=TYPES.Shared, negative_ack_redelivery_delay_ms=100, dead_letter_policy=policy)
    dead = c.consumer(c.topic("-dead"))
    producer = c.producer()
    producer.send(b"poison", partition_key="key", properties={"a": "1"})
    producer.send(b"good")
    tries = 0
    seen = []
    while tries < 3:
        message = consumer.receive(WAIT_MS)
        if message.data() == b"good":
            consumer.acknowledge(message)
            continue
        seen.append(message.redelivery_count())
        consumer.negative_acknowledge(message)
        tries += 1
    equal(seen, [0, 1, 2])
    # It is sent on when it comes for the fourth time, which is not shown to the application.
    silent(consumer, 1_500)
    letter = dead.receive(WAIT_MS)
    equal(letter.data(), b"poison")
    equal(letter.properties().get("a"), "1")


def deliver_after(c):
    consumer = c.consumer(consumer_type=TYPES.Shared)
    producer = c.producer()
    from datetime import timedelta

    started = time.monotonic()
    producer.send(b"late", deliver_after=timedelta(milliseconds=2_500))
    producer.send(b"soon")
    equal(consumer.receive(1_000).data(), b"soon")
    equal(consumer.receive(WAIT_MS).data(), b"late")
    took = time.monotonic() - started
    # The broker may be a tick, one second, early.
    assert 1.4 < took < 6, took


def deliver_at(c):
    consumer = c.consumer(consumer_type=TYPES.Shared)
    producer = c.producer()
    now_ms = int(time.time() * 1000)
    for delay_ms in (3_500, 1_500):
        producer.send(f"{delay_ms}".encode(), deliver_at=now_ms + delay_ms)
    for expected in (1_500, 3_500):
        message = consumer.receive(WAIT_MS)
        equal(message.data(), f"{expected}".encode())
        # The broker may be a tick, one second, early.
        early_ms = now_ms + expected - time.time() * 1000
        assert early_ms <= 1_050, early_ms


def seek_by_id(c):
    producer = c.producer()
    ids = [producer.send(payload) for payload in numbered(6)]
    consumer = c.consumer()
    take(consumer, 6)
    consumer.seek(ids[2])
    equal(texts(take(consumer, 3)), ["message 3", "message 4", "message 5"])
    silent(consumer)


def seek_by_id_inclusive(c):
    producer = c.producer()
    ids = [producer.send(payload) for payload in numbered(6)]
    consumer = c.consumer(start_message_id_inclusive=True)
    take(consumer, 6)
    consumer.seek(ids[2])
    equal(texts(take(consumer, 4)), ["message 2", "message 3", "message 4", "message 5"])


def seek_by_time(c):
    producer = c.producer()
    for payload in numbered(3):
        producer.send(payload)
    time.sleep(0.3)
    middle_ms = int(time.time() * 1000)
    time.sleep(0.3)
    for payload in numbered(3, "later"):
        producer.send(payload)
    consumer = c.consumer()
    take(consumer, 6)
    consumer.seek(middle_ms)
    equal(texts(take(consumer, 3)), ["later 0", "later 1", "later 2"])
    silent(consumer)


def seek_ends(c):
    producer = c.producer()
    for payload in numbered(5):
        producer.send(payload)
    consumer = c.consumer()
    for message in take(consumer, 5):
        consumer.acknowledge(message)
    consumer.seek(pulsar.MessageId.earliest)
    equal(texts(take(consumer, 5)), [f"message {i}" for i in range(5)])
    consumer.seek(pulsar.MessageId.latest)
    producer.send(b"after")
    equal(texts(take(consumer, 1)), ["after"])
    silent(consumer)


unsupported("pulsar-client for Python does not wait for it", "ack_receipt")
unsupported("pulsar-client for Python has no retry topic", "retry_topic")
