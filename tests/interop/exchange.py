"""The official Python client as the other end of an exchange with ours.

    python exchange.py send|receive SERVICE_URL TOPIC COUNT

`send` sends COUNT messages in batches of 7, one codec after the other, and one plain message now and then.
`receive` reads COUNT messages from the earliest on and prints them as JSON.
"""

import json
import sys

import pulsar

CODECS = ("NONE", "LZ4", "ZLib", "ZSTD", "SNAPPY")


def send(client, topic, count):
    at = 0
    while at < count:
        codec = CODECS[(at // 8) % len(CODECS)]
        options = dict(batching_enabled=True, batching_max_messages=7, batching_max_publish_delay_ms=60_000)
        producer = client.create_producer(topic, compression_type=getattr(pulsar.CompressionType, codec), **options)
        for i in range(at, min(at + 7, count)):
            producer.send_async(f"message {i}".encode(), lambda result, message_id: None, properties={"i": str(i)})
        producer.flush()
        producer.close()
        plain = client.create_producer(topic)
        if at + 7 < count:
            plain.send(f"message {at + 7}".encode(), partition_key="key")
        plain.close()
        at += 8


def receive(client, topic, count):
    reader = client.create_reader(topic, pulsar.MessageId.earliest)
    print(json.dumps([reader.read_next(15_000).data().decode() for _ in range(count)]))
    reader.close()


def main():
    action, service_url, topic, count = sys.argv[1:5]
    client = pulsar.Client(service_url, logger=pulsar.FileLogger(pulsar.LoggerLevel.Warn, "/dev/null"))
    {"send": send, "receive": receive}[action](client, topic, int(count))
    client.close()


if __name__ == "__main__":
    main()
