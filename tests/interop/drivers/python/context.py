"""What a scenario is given: clients, topics, the admin interface, and ways to say what it saw."""

import inspect
import json
import time
import urllib.error
import urllib.request

import pulsar

QUIET = pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null")
# Long enough on a busy machine, and only waited for when something is wrong.
WAIT_MS = 10_000
# Nothing may come in this time.
SILENCE_MS = 400

UNSUPPORTED = {}


class Unsupported(Exception):
    """The client does not offer it."""


def unsupported(reason, *names):
    for name in names:
        UNSUPPORTED[name] = reason


def scenarios_of(module):
    """The public functions of a module that take a context alone."""
    return {
        name: action
        for name, action in inspect.getmembers(module, inspect.isfunction)
        if action.__module__ == module.__name__
        and not name.startswith("_")
        and list(inspect.signature(action).parameters) == ["c"]
    }


class Context:
    def __init__(self, config, scenario):
        self.config = config
        self.scenario = scenario
        self.notes = {}
        self.is_late = False
        self.clients = []
        self._client = None

    def end(self):
        for client in self.clients:
            try:
                client.close()
            except pulsar.PulsarException:
                pass

    def note(self, what, seen):
        """Something seen that must be the same with every broker."""
        self.notes[what] = seen

    def open_client(self, url=None, **options):
        url = url or self.config["serviceUrl"]
        options = {"logger": QUIET, "operation_timeout_seconds": 15, **options}
        if "token" in self.config and "authentication" not in options:
            options["authentication"] = pulsar.AuthenticationToken(self.config["token"])
        client = pulsar.Client(url, **options)
        self.clients.append(client)
        return client

    @property
    def client(self):
        if self._client is None:
            self._client = self.open_client()
        return self._client

    def name(self, suffix=""):
        return f"python-{self.scenario}-{self.config['runId']}{suffix}"

    def topic(self, suffix="", namespace="public/default", domain="persistent"):
        return f"{domain}://{namespace}/{self.name(suffix)}"

    def path(self, suffix="", namespace="public/default", domain="persistent"):
        return f"{domain}/{namespace}/{self.name(suffix)}"

    def namespace(self, suffix=""):
        """A namespace of the scenario's own."""
        namespace = f"public/{self.name(suffix)}"
        self.admin("PUT", f"namespaces/{namespace}", {"replication_clusters": ["standalone"]})
        return namespace

    def admin_status(self, method, path, body=None, token=None):
        url = f"{self.config['adminUrl']}/admin/v2/{path}"
        request = urllib.request.Request(url, method=method)
        request.add_header("content-type", "application/json")
        token = token or self.config.get("token")
        if token:
            request.add_header("authorization", f"Bearer {token}")
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=20) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def admin(self, method, path, body=None):
        status, content = self.admin_status(method, path, body)
        assert status < 300, f"{method} {path}: HTTP {status} {content[:300]}"
        return json.loads(content) if content and content[:1] in b"{[\"0123456789tfn-" else content

    def stats(self, suffix=""):
        return self.admin("GET", f"{self.path(suffix)}/stats")

    def control(self, action):
        """Asks the harness to do something to the broker."""
        request = urllib.request.Request(f"{self.config['controlUrl']}/{action}", method="POST")
        with urllib.request.urlopen(request, timeout=300) as response:
            assert response.status == 200

    def producer(self, topic=None, **options):
        return self.client.create_producer(topic or self.topic(), **options)

    def consumer(self, topic=None, subscription="sub", **options):
        options = {"initial_position": pulsar.InitialPosition.Earliest, **options}
        return self.client.subscribe(topic or self.topic(), subscription, **options)

    def batching(self, topic=None, **options):
        """A producer whose batches go out when they are full, or by flush()."""
        options = dict(batching_enabled=True, batching_max_messages=10, batching_max_publish_delay_ms=60_000, **options)
        return self.producer(topic, **options)

    def partitioned(self, count, suffix=""):
        self.admin("PUT", f"{self.path(suffix)}/partitions", count)


def send_all(producer, payloads, **options):
    failures = []

    def sent(result, message_id):
        if result != pulsar.Result.Ok:
            failures.append(result)

    for payload in payloads:
        producer.send_async(payload, sent, **options)
    producer.flush()
    assert not failures, failures


def numbered(count, prefix="message"):
    return [f"{prefix} {i}".encode() for i in range(count)]


def take(consumer, count, wait_ms=WAIT_MS):
    return [consumer.receive(wait_ms) for _ in range(count)]


def texts(messages):
    return [message.data().decode() for message in messages]


def equal(seen, expected, what=""):
    assert seen == expected, f"{what}: expected {str(expected)[:300]}, saw {str(seen)[:300]}"


def silent(consumer, wait_ms=SILENCE_MS):
    try:
        message = consumer.receive(wait_ms)
    except pulsar.Timeout:
        return
    raise AssertionError(f"nothing more was expected, {message.data()[:60]} came")


def drain(consumer, wait_ms=SILENCE_MS, ack=True):
    """All that comes until nothing comes any more."""
    seen = []
    while True:
        try:
            message = consumer.receive(wait_ms)
        except pulsar.Timeout:
            return seen
        seen.append(message)
        if ack:
            consumer.acknowledge(message)


def refused(action, *args, **options):
    """The broker or the client must refuse this; returns the name of the error."""
    try:
        action(*args, **options)
    except pulsar.PulsarException as error:
        return type(error).__name__
    raise AssertionError("it was accepted, and must be refused")


def eventually(check, what, wait_ms=WAIT_MS):
    """Waits until `check` is true."""
    until = time.monotonic() + wait_ms / 1000
    while True:
        try:
            if check():
                return
        except (AssertionError, pulsar.PulsarException):
            if time.monotonic() > until:
                raise
        assert time.monotonic() < until, f"not in time: {what}"
        time.sleep(0.05)
