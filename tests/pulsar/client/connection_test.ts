import assert from "node:assert/strict";
import { FakeClock, textOf } from "../../../lib/base/mod.ts";
import { tokenAuthentication, tokenFileAuthentication } from "../../../lib/pulsar/client/auth.ts";
import { connectPulsar } from "../../../lib/pulsar/client/client.ts";
import { systemNameOf } from "../../../lib/pulsar/client/connection.ts";
import { CommandLookupTopicResponseLookupType as LookupType } from "../../../lib/pulsar/wire/mod.ts";
import { FakeBroker } from "./fake_broker.ts";
import { batchOf, connectFake, rejectsWith, settle } from "./setup.ts";

const OPTIONS = { topic: "orders", producerName: "till" };

Deno.test("Connection says who it is, and takes the broker's largest message size", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  const [connect] = broker.bodies("CONNECT");
  assert.equal(connect!.protocolVersion, 21);
  assert.equal(connect!.authMethodName, "none");
  assert.equal(connect!.featureFlags!.supportsAuthRefresh, true);
});

Deno.test("Connection sends the token, and a fresh one when the broker asks again", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "first\n");
    const { broker, clock, client } = await connectFake({
      authentication: tokenFileAuthentication(file),
    });
    await using _ = client;
    const [connect] = broker.bodies("CONNECT");
    assert.equal(connect!.authMethodName, "token");
    assert.equal(textOf(connect!.authData!), "first");
    await Deno.writeTextFile(file, "second\n");
    broker.connections[0]!.send("AUTH_CHALLENGE", { challenge: { authMethodName: "token" } });
    // The file is read by the runtime, not by the fake clock.
    while (broker.count("AUTH_RESPONSE") === 0) await settle(clock);
    assert.equal(textOf(broker.bodies("AUTH_RESPONSE")[0]!.response!.authData!), "second");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("connectPulsar() names a token file that cannot be read", async () => {
  const error = await rejectsWith(
    connectFake({ authentication: tokenFileAuthentication("/nowhere/token") }),
    "authentication_error",
  );
  assert.match(error.message, /"\/nowhere\/token"/);
});

Deno.test("connectPulsar() says that the token is wrong", async () => {
  const broker = new FakeBroker();
  broker.hook = (command, connection) =>
    command.type === "CONNECT" ? broker.refuse(connection, -1n, "AuthenticationError") : false;
  const error = await rejectsWith(
    connectPulsar({
      serviceUrl: "pulsar://127.0.0.1",
      openTransport: broker.openTransport,
      authentication: tokenAuthentication("wrong"),
    }),
    "authentication_error",
  );
  assert.match(error.cure!, /token/);
  assert.doesNotMatch(error.message, /wrong/);
});

Deno.test("Connection is given up when the broker is silent, and replaced", async () => {
  const { broker, clock, client } = await connectFake({ keepAliveMs: 1000 });
  await using _ = client;
  const producer = await client.openBatchProducer(OPTIONS);
  let isSilent = true;
  broker.hook = () => isSilent;
  const sent = producer.send(batchOf(producer, ["a"]), 0);
  await clock.advance(2500);
  assert.equal(broker.count("PING"), 1);
  assert.equal(producer.counters.reconnects, 0);
  isSilent = false;
  await clock.advance(2000);
  assert.equal((await sent).position.entryId, 0);
  assert.equal(producer.counters.reconnects, 1);
  assert.equal(broker.connections.length, 2);
});

Deno.test("Connection is kept while the broker answers pings, and answers the broker's", async () => {
  const { broker, clock, client } = await connectFake({ keepAliveMs: 1000 });
  await using _ = client;
  await clock.advance(20_000);
  assert.equal(broker.connections.length, 1);
  assert.ok(broker.count("PING") >= 9);
  broker.connections[0]!.send("PING", {});
  await settle(clock);
  assert.equal(broker.count("PONG"), 1);
});

Deno.test("connectPulsar() gives up a broker that does not shake hands", async () => {
  const broker = new FakeBroker();
  broker.hook = () => true;
  const { clock } = await connectFake();
  const options = { serviceUrl: "pulsar://127.0.0.1", openTransport: broker.openTransport, clock };
  const connecting = rejectsWith(connectPulsar(options), "connect_timeout");
  await clock.advance(10_000);
  await connecting;
  await settle(clock);
  // What connected too late is not left open.
  assert.equal(clock.pending <= 1, true);
});

Deno.test("Connection.request() ends with request_timeout when no answer comes", async () => {
  const { broker, clock, client } = await connectFake({ requestTimeoutMs: 5000 });
  await using _ = client;
  broker.hook = (command) => command.type === "PARTITIONED_METADATA";
  const asking = rejectsWith(client.partitionCount("orders"), "request_timeout");
  await clock.advance(60_000);
  await asking;
});

Deno.test("Connection is closed with a typed error when the broker sends nonsense", async () => {
  for (
    const [bytes, code] of [
      [[0xff, 0xff, 0xff, 0xff], "frame_too_large"],
      [[0, 0, 0, 0], "malformed"],
      [[0, 0, 0, 8, 0, 0, 0, 4, 1, 2, 3, 4], "malformed"],
      [[0, 0, 0, 8, 0, 0, 0x10, 0, 8, 18, 0, 0], "malformed"],
    ] as const
  ) {
    const { broker, clock, client } = await connectFake();
    await using _ = client;
    const asking = rejectsWith(client.partitionCount("orders"), code);
    broker.hook = (command, connection) => {
      if (command.type !== "PARTITIONED_METADATA") return false;
      connection.sendBytes(new Uint8Array(bytes));
      return true;
    };
    await clock.advance(60_000);
    await asking;
  }
});

Deno.test("connectPulsar() knows a socket that ends in itself, and a broker that wants a certificate", async () => {
  const { broker, client } = await connectFake();
  await client[Symbol.asyncDispose]();
  broker.hook = (command, connection) => {
    if (command.type === "CONNECT") connection.send("CONNECT", command.body);
    return true;
  };
  const options = { openTransport: broker.openTransport, clock: new FakeClock() };
  const serviceUrl = "pulsar://127.0.0.1";
  await rejectsWith(connectPulsar({ ...options, serviceUrl }), "connection_refused");
  // TLS 1.3 refuses a client without a certificate at the first read.
  const refusing = connectPulsar({
    clock: new FakeClock(),
    serviceUrl: "pulsar+ssl://127.0.0.1",
    openTransport: () =>
      Promise.resolve({
        read: () => Promise.reject(new Error("received fatal alert: CertificateRequired")),
        write: (bytes) => Promise.resolve(bytes.length),
        close() {},
      }),
  });
  const error = await rejectsWith(refusing, "tls_failed");
  assert.match(error.cure!, /tlsAuthentication/);
});

Deno.test("Lookup follows redirects, with the authoritative flag", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  broker.hook = (command, connection) => {
    if (command.type !== "LOOKUP" || connection.index > 0) return false;
    connection.send("LOOKUP_RESPONSE", {
      requestId: command.body.requestId,
      response: LookupType.Redirect,
      brokerServiceUrl: "pulsar://other:6650",
      authoritative: true,
    });
    return true;
  };
  const producer = await client.openBatchProducer(OPTIONS);
  await producer.send(batchOf(producer, ["a"]), 0);
  assert.deepEqual(broker.connections.map(({ address }) => address), [
    "pulsar://127.0.0.1:6650",
    "pulsar://other:6650",
  ]);
  assert.deepEqual(broker.bodies("LOOKUP").map((body) => body.authoritative), [false, true]);
  const sends = broker.commands.filter(({ command }) => command.type === "SEND");
  assert.deepEqual(sends.map(({ connection }) => connection), [1]);
});

Deno.test("Lookup gives up brokers that redirect in a circle", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  broker.hook = (command, connection) => {
    if (command.type !== "LOOKUP") return false;
    connection.send("LOOKUP_RESPONSE", {
      requestId: command.body.requestId,
      response: LookupType.Redirect,
      brokerServiceUrl: "pulsar://127.0.0.1:6650",
    });
    return true;
  };
  const opening = rejectsWith(client.openBatchProducer(OPTIONS), "protocol_violation");
  await clock.advance(60_000);
  await opening;
  assert.equal(broker.connections.length, 1);
});

Deno.test("Lookup goes through the service URL where the broker says so", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  broker.hook = (command, connection) => {
    if (command.type !== "LOOKUP") return false;
    connection.send("LOOKUP_RESPONSE", {
      requestId: command.body.requestId,
      response: LookupType.Connect,
      brokerServiceUrl: "pulsar://hidden:6650",
      proxyThroughServiceUrl: true,
    });
    return true;
  };
  await client.openBatchProducer(OPTIONS);
  assert.deepEqual(broker.connections.map(({ address }) => address), [
    "pulsar://127.0.0.1:6650",
    "pulsar://127.0.0.1:6650",
  ]);
  const connects = broker.bodies("CONNECT");
  assert.deepEqual(connects.map((body) => body.proxyToBrokerUrl), [undefined, "hidden:6650"]);
});

Deno.test("connectPulsar() tries the hosts of the service URL in turn", async () => {
  const broker = new FakeBroker();
  const tried: string[] = [];
  const client = await connectPulsar({
    serviceUrl: "pulsar://one:1,two:2,three:3",
    openTransport: (address) => {
      tried.push(address.host);
      return address.host === "three"
        ? broker.openTransport(address)
        : Promise.reject(new Error("down"));
    },
  });
  await client[Symbol.asyncDispose]();
  assert.deepEqual(tried, ["one", "two", "three"]);
});

Deno.test("PulsarClient refuses to be used when it is closed", async () => {
  const { client } = await connectFake();
  await client[Symbol.asyncDispose]();
  await rejectsWith(client.partitionCount("orders"), "closed");
  await client[Symbol.asyncDispose]();
});

Deno.test("systemNameOf() names brokers by what they say of themselves", () => {
  assert.equal(systemNameOf("Pulsar Server4.2.4"), "Apache Pulsar 4.2.4");
  assert.equal(systemNameOf("Pulsar Server-v3.0.0"), "Apache Pulsar 3.0.0");
  assert.equal(systemNameOf("weir-embedded-0.1.0"), "embedded broker");
  assert.equal(systemNameOf("something else"), "something else");
});

Deno.test("opening ends at once when its signal is aborted, and the broker forgets what it made", async () => {
  const { broker, clock, client } = await connectFake();
  await using _ = client;
  const requests: (() => void)[] = [];
  broker.hook = (command, connection, frame) => {
    if (command.type !== "PRODUCER" && command.type !== "SUBSCRIBE") return false;
    // The frame lies in the reader's buffer: nothing of it is used later.
    requests.push(() => broker.answer(command, connection, frame));
    return true;
  };
  const stop = new AbortController();
  const { signal } = stop;
  const subscription = { subscription: "s", subscriptionType: "exclusive" } as const;
  const opening = [
    assert.rejects(client.openBatchProducer({ ...OPTIONS, signal }), /enough/),
    assert.rejects(client.openSource({ topic: "orders", ...subscription, signal }), /enough/),
  ];
  await settle(clock);
  stop.abort(new Error("enough"));
  await Promise.all(opening);
  assert.equal(requests.length, 2);
  requests.forEach((answer) => answer());
  await settle(clock);
  assert.equal(broker.count("CLOSE_PRODUCER"), 1);
  assert.equal(broker.count("CLOSE_CONSUMER"), 1);
});

Deno.test("BatchProducer.whenReady() and Producer.flush() end when their signal is aborted", async () => {
  const { broker, client } = await connectFake();
  await using _ = client;
  broker.hook = (command) => command.type === "SEND";
  const producer = await client.openBatchProducer({ ...OPTIONS, batchesInFlightMax: 1 });
  producer.send(batchOf(producer, ["a"]), 0).catch(() => {});
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(producer.whenReady(0, signal), /enough/);
  const messages = await client.openProducer({ ...OPTIONS, producerName: "other" });
  messages.send({ value: new Uint8Array(1) }).catch(() => {});
  await assert.rejects(messages.flush(signal), /enough/);
});

Deno.test("a connection that was given up before its handshake is closed", async () => {
  const broker = new FakeBroker();
  broker.hook = () => true;
  const { clock } = await connectFake();
  let isClosed = false;
  const connecting = rejectsWith(
    connectPulsar({
      serviceUrl: "pulsar://127.0.0.1",
      clock,
      openTransport: async (address) => {
        const transport = await broker.openTransport(address);
        return {
          ...transport,
          close() {
            isClosed = true;
            transport.close();
          },
        };
      },
    }),
    "connect_timeout",
  );
  await clock.advance(10_000);
  await connecting;
  assert.equal(isClosed, true);
});
