"""Security and administration."""

import urllib.request

import pulsar
from context import WAIT_MS, equal, eventually, refused, unsupported


def _as(c, token, **options):
    authentication = pulsar.AuthenticationToken(token) if token else None
    return c.open_client(authentication=authentication, **options)


def token(c):
    consumer = c.consumer()
    c.producer().send(b"x")
    equal(consumer.receive(WAIT_MS).data(), b"x")


def wrong_token(c):
    c.note("forged", refused(_as(c, c.config["forgedToken"], operation_timeout_seconds=5).create_producer, c.topic()))
    c.note("none", refused(_as(c, None, operation_timeout_seconds=5).create_producer, c.topic()))
    c.note("admin, forged", c.admin_status("GET", "namespaces/public", token=c.config["forgedToken"])[0])


def rights(c):
    namespace = c.namespace()
    topic = c.topic(namespace=namespace)
    c.admin("POST", f"namespaces/{namespace}/permissions/producer", ["produce"])
    c.admin("POST", f"namespaces/{namespace}/permissions/consumer", ["consume"])
    producing, consuming = (_as(c, c.config["tokens"][role]) for role in ("producer", "consumer"))
    consumer = consuming.subscribe(topic, "sub")
    producing.create_producer(topic).send(b"x")
    equal(consumer.receive(WAIT_MS).data(), b"x")
    c.note("consuming producer", refused(producing.subscribe, topic, "other"))
    c.note("producing consumer", refused(consuming.create_producer, topic))
    nobody = _as(c, c.config["tokens"]["nobody"])
    c.note("nobody", refused(nobody.create_producer, topic))
    token = c.config["tokens"]["producer"]
    c.note("admin", c.admin_status("DELETE", f"namespaces/{namespace}", token=token)[0])


def tls(c):
    client = c.open_client(c.config["tlsUrl"], tls_trust_certs_file_path=c.config["caFile"], tls_validate_hostname=True)
    consumer = client.subscribe(c.topic(), "sub")
    client.create_producer(c.topic()).send(b"x")
    equal(consumer.receive(WAIT_MS).data(), b"x")


def tls_refused(c):
    other = c.open_client(c.config["tlsUrl"], tls_trust_certs_file_path=c.config["otherCaFile"],
                          operation_timeout_seconds=3)
    c.note("unknown authority", refused(other.create_producer, c.topic()))
    # The certificate is for localhost and 127.0.0.1.
    url = c.config["tlsUrl"].replace("127.0.0.1", "127.0.0.2").replace("localhost", "127.0.0.2")
    named = c.open_client(url, tls_trust_certs_file_path=c.config["caFile"], tls_validate_hostname=True,
                          operation_timeout_seconds=3)
    c.note("another host", refused(named.create_producer, c.topic()))


def metrics(c):
    consumer = c.consumer()
    producer = c.producer()
    for _ in range(3):
        producer.send(b"x")
    names = ("pulsar_in_messages_total", "pulsar_out_messages_total", "pulsar_subscription_back_log",
             "pulsar_storage_size", "pulsar_producers_count", "pulsar_consumers_count", "pulsar_msg_backlog")

    def value(name):
        with urllib.request.urlopen(f"{c.config['adminUrl']}/metrics/", timeout=10) as response:
            for line in response.read().decode().splitlines():
                if line.startswith(name + "{") and f'topic="{c.topic()}"' in line:
                    return float(line.split()[-1])

    eventually(lambda: all(value(name) is not None for name in names), f"{[n for n in names if value(n) is None]}")
    equal([value("pulsar_producers_count"), value("pulsar_consumers_count")], [1, 1])
    equal(value("pulsar_in_messages_total"), 3)
    consumer.close()


unsupported("pulsar-client for Python has no admin interface", *[f"admin_{name}" for name in (
    "tenants", "namespaces", "policies", "topics", "partitioned", "stats", "partitioned_stats", "internal_stats",
    "subscriptions", "skip", "reset_cursor", "peek", "last_message_id", "compaction", "schemas", "brokers")])
