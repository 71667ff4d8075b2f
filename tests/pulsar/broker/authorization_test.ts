/** Rights as a real 4.2.4 gives and refuses them; texts of the binary protocol were recorded from it. */
import assert from "node:assert/strict";
import { utf8 } from "../../../lib/base/mod.ts";
import { SchemaType } from "../../../lib/pulsar/wire/mod.ts";
import type { Command } from "../../../lib/pulsar/wire/mod.ts";
import { FakeClock } from "../../../lib/base/mod.ts";
import { recordedCommands } from "../recorded.ts";
import { testBroker } from "./_broker.ts";
import type { TestBroker } from "./_broker.ts";
import { RawClient } from "./_raw_client.ts";
import { SECRET, tokenOf } from "./_tokens.ts";

const TOPIC = "persistent://tb/n/t";
const TENANT = { adminRoles: ["boss"], allowedClusters: ["standalone"] };

async function call(
  broker: TestBroker,
  role: string | undefined,
  spec: string,
  body?: unknown,
): Promise<number> {
  const [method, path] = spec.split(" ");
  const headers = role === undefined ? {} : { authorization: `Bearer ${await tokenOf(role)}` };
  const answer = await fetch(new URL(path!, `${broker.adminUrl}/admin/v2/`), {
    method: method!,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  await answer.body?.cancel();
  return answer.status;
}

async function guarded(): Promise<TestBroker> {
  const broker = await testBroker({ tokenSecretKey: SECRET, superusers: ["root"] });
  assert.equal(await call(broker, "root", "PUT tenants/tb", TENANT), 204);
  assert.equal(await call(broker, "boss", "PUT namespaces/tb/n"), 204);
  assert.equal(await call(broker, "boss", "PUT persistent/tb/n/t"), 204);
  return broker;
}

async function connectAs(broker: TestBroker, role: string): Promise<RawClient> {
  const authData = utf8(await tokenOf(role));
  return await RawClient.connect(broker.port, { authMethodName: "token", authData });
}

const messageOf = (commands: readonly Command[]) =>
  (commands.at(-1)!.body as { message?: string }).message;

async function refusals(client: RawClient): Promise<(string | undefined)[]> {
  const subscribe = { topic: TOPIC, subscription: "sub", subType: 0, consumerId: 0 } as const;
  return [
    messageOf(await client.request("PARTITIONED_METADATA", { topic: TOPIC })),
    messageOf(await client.request("LOOKUP", { topic: TOPIC })),
    messageOf([await client.produce(TOPIC)]),
    messageOf(await client.request("SUBSCRIBE", subscribe)),
    messageOf(await client.request("GET_TOPICS_OF_NAMESPACE", { namespace: "tb/n" })),
  ];
}

const NOTHING_ALLOWED = [
  "Client is not authorized to Get Partition Metadata",
  "Client is not authorized to Lookup",
  "Client is not authorized to Produce",
  "Client is not authorized to subscribe",
  "Client is not authorized to GetTopicsOfNamespace",
];

Deno.test("commands are refused in Pulsar's words until a role is granted what it wants", async () => {
  await using broker = await guarded();
  await using stranger = await connectAs(broker, "me");
  assert.deepEqual(await refusals(stranger), NOTHING_ALLOWED);
  await call(broker, "boss", "POST namespaces/tb/n/permissions/me", ["produce"]);
  await using producer = await connectAs(broker, "me");
  const none = undefined;
  const onlySubscribe = [none, none, none, "Client is not authorized to subscribe", none];
  assert.deepEqual(await refusals(producer), onlySubscribe);
  await call(broker, "boss", "POST namespaces/tb/n/permissions/me", ["consume"]);
  await using consumer = await connectAs(broker, "me");
  assert.deepEqual(await refusals(consumer), [none, none, NOTHING_ALLOWED[2], none, none]);
});

Deno.test("superusers and administrators of the tenant may use every topic of it", async () => {
  await using broker = await guarded();
  for (const role of ["root", "boss"]) {
    await using client = await connectAs(broker, role);
    assert.deepEqual(await refusals(client), Array(5).fill(undefined));
  }
});

Deno.test("a permission on one topic is none on another, and one for a subscription keeps others out", async () => {
  await using broker = await guarded();
  await call(broker, "boss", "POST persistent/tb/n/t/permissions/me", ["produce", "consume"]);
  await using client = await connectAs(broker, "me");
  assert.equal((await client.produce(TOPIC)).type, "PRODUCER_SUCCESS");
  const other = await client.produce("persistent://tb/n/other", { producerId: 1 });
  assert.equal(messageOf([other]), "Client is not authorized to Produce");
  await call(broker, "boss", "POST namespaces/tb/n/permissions/subscription/sub", ["her"]);
  assert.equal(
    messageOf(await client.subscribe(TOPIC)),
    "Client is not authorized to subscribe",
  );
  const skip = (subscription: string) =>
    call(broker, "me", `POST persistent/tb/n/t/subscription/${subscription}/skip_all`);
  // 404: nobody has made them yet.
  assert.deepEqual([await skip("sub"), await skip("another")], [401, 404]);
});

/** Every command that names a topic or a namespace, and which right of the two is enough. */
const COMMANDS:
  readonly (readonly [rights: string, ask: (client: RawClient) => Promise<Command[]>])[] = [
    ["produce or consume", (client) => client.request("PARTITIONED_METADATA", { topic: TOPIC })],
    ["produce or consume", (client) => client.request("LOOKUP", { topic: TOPIC })],
    ["produce", async (client) => [await client.produce(TOPIC)]],
    ["consume", (client) => client.subscribe(TOPIC)],
    ["produce or consume", (client) => client.request("GET_SCHEMA", { topic: TOPIC })],
    [
      "produce",
      (client) => client.request("GET_OR_CREATE_SCHEMA", { topic: TOPIC, schema: SCHEMA }),
    ],
    [
      "produce or consume",
      (client) => client.request("GET_TOPICS_OF_NAMESPACE", { namespace: "tb/n" }),
    ],
    [
      "produce or consume",
      (client) =>
        client.request("WATCH_TOPIC_LIST", {
          namespace: "tb/n",
          topicsPattern: "persistent://tb/n/.*",
          watcherId: 0,
        }),
    ],
  ];

const SCHEMA = { name: "s", type: SchemaType.String, schemaData: new Uint8Array(0) };

Deno.test("each command that names a topic or a namespace is for those who have a right on it", async () => {
  await using broker = await guarded();
  for (const right of ["produce", "consume"]) {
    await call(broker, "boss", `POST namespaces/tb/n/permissions/${right}r`, [right]);
  }
  for (const role of ["stranger", "producer", "consumer"]) {
    await using client = await connectAs(broker, role);
    for (const [rights, ask] of COMMANDS) {
      const answer = JSON.stringify(
        (await ask(client)).at(-1),
        (_, value) => typeof value === "bigint" ? String(value) : value,
      );
      const isAllowed = !answer.includes("not authorized");
      const isExpected = rights.split(" or ").some((right) => role === `${right}r`);
      assert.equal(isAllowed, isExpected, `${role}: ${answer}`);
    }
  }
});

Deno.test("a permission on a partitioned topic is one on its partitions, and on no other topic", async () => {
  await using broker = await guarded();
  assert.equal(await call(broker, "boss", "PUT persistent/tb/n/p/partitions", 2), 204);
  await call(broker, "boss", "POST persistent/tb/n/p/permissions/me", ["produce"]);
  await using client = await connectAs(broker, "me");
  const allowed = [];
  for (const [producerId, name] of ["p-partition-0", "p-partition-1", "t", "pp"].entries()) {
    const { type } = await client.produce(`persistent://tb/n/${name}`, { producerId });
    if (type === "PRODUCER_SUCCESS") allowed.push(name);
  }
  assert.deepEqual(allowed, ["p-partition-0", "p-partition-1"]);
});

Deno.test("a right that is taken away closes producers and consumers that had it", async () => {
  await using broker = await guarded();
  await call(broker, "boss", "POST namespaces/tb/n/permissions/me", ["produce", "consume"]);
  await using client = await connectAs(broker, "me");
  await client.produce(TOPIC);
  await client.subscribe(TOPIC);
  await call(broker, "boss", "POST namespaces/tb/n/permissions/me", ["consume"]);
  await client.expect("CLOSE_PRODUCER");
  await client.caughtUp();
  assert.equal(client.waiting, 0);
  await call(broker, "boss", "DELETE namespaces/tb/n/permissions/me");
  await client.expect("CLOSE_CONSUMER");
});

Deno.test("nobody comes in without a token, and anonymous calls get no answer but of health", async () => {
  await using broker = await guarded();
  const attempts = [
    {},
    { authMethodName: "token", authData: utf8("") },
    { authMethodName: "token", authData: utf8("nonsense") },
    { authMethodName: "basic", authData: utf8("a:b") },
  ];
  for (const options of attempts) {
    await using client = await RawClient.dial(broker.port);
    await client.send("CONNECT", { clientVersion: "raw", protocolVersion: 21, ...options });
    const { message, error } = await client.expect("ERROR");
    assert.deepEqual([message, error], ["Failed to authenticate", 3]);
    assert.equal(await client.ended(), true);
  }
  assert.equal(await call(broker, undefined, "GET tenants"), 401);
  assert.equal(await call(broker, undefined, "GET clusters"), 401);
  assert.equal(await call(broker, undefined, "GET ../../metrics"), 401);
  assert.equal(await call(broker, undefined, "GET no/such"), 401);
  assert.equal(await call(broker, undefined, "GET brokers/health"), 200);
});

Deno.test("what is sent right behind CONNECT waits until the token is checked", async () => {
  await using broker = await guarded();
  await using client = await RawClient.dial(broker.port);
  const authData = utf8(await tokenOf("root"));
  const hello = { clientVersion: "raw", protocolVersion: 21, authMethodName: "token", authData };
  void client.send("CONNECT", hello);
  void client.send("LOOKUP", { topic: TOPIC, requestId: 1n });
  await client.expect("CONNECTED");
  assert.equal((await client.expect("LOOKUP_RESPONSE")).requestId, 1n);
});

Deno.test("the admin interface gives each role what Pulsar gives it", async () => {
  await using broker = await guarded();
  const retention = { retentionTimeInMinutes: 1, retentionSizeInMB: 1 };
  const expected: readonly (readonly [role: string, spec: string, status: number, unknown?])[] = [
    ["root", "GET tenants", 200],
    ["me", "GET tenants", 401],
    ["me", "PUT tenants/x", 401, TENANT],
    ["me", "PUT namespaces/tb/n2", 401],
    ["me", "GET namespaces/tb", 401],
    ["boss", "GET namespaces/tb", 200],
    ["me", "PUT persistent/tb/n/t2", 403],
    ["me", "GET namespaces/tb/n", 403],
    ["me", "GET namespaces/tb/n/permissions", 403],
    ["me", "POST namespaces/tb/n/retention", 403, retention],
    ["boss", "POST namespaces/tb/n/retention", 204, retention],
    ["me", "GET persistent/tb/n", 403],
    ["me", "GET persistent/tb/n/t/stats", 401],
    ["me", "DELETE persistent/tb/n/t", 403],
    ["me", "PUT persistent/tb/n/t/subscription/s", 401],
    ["me", "GET brokers/standalone", 401],
    ["me", "GET brokers/version", 200],
    ["me", "POST namespaces/tb/n/permissions/me", 403, ["produce"]],
    ["boss", "POST namespaces/tb/n/permissions/me", 204, ["produce"]],
    ["me", "GET persistent/tb/n/t/stats", 200],
    ["me", "GET persistent/tb/n", 200],
    ["me", "PUT persistent/tb/n/t/subscription/s", 401],
    ["me", "POST persistent/tb/n/t/terminate", 401],
    ["boss", "POST namespaces/tb/n/permissions/me", 204, ["consume"]],
    ["me", "PUT persistent/tb/n/t/subscription/s", 204],
    ["me", "POST persistent/tb/n/t/subscription/s/skip_all", 204],
    ["me", "DELETE persistent/tb/n/t", 403],
    ["stranger", "GET /metrics", 200],
  ];
  for (const [role, spec, status, body] of expected) {
    assert.equal(await call(broker, role, spec.replace("GET /", "GET ../../"), body), status, spec);
  }
});

Deno.test("a client is asked for a new token when the old one ends, and goes when it has none", async () => {
  const clock = new FakeClock();
  await using broker = await testBroker({ tokenSecretKey: SECRET, superusers: ["root"], clock });
  const endSec = () => Math.floor(clock.wallMs() / 1000) + 10;
  const connectUntil = async (supportsAuthRefresh: boolean) =>
    await RawClient.connect(broker.port, {
      authMethodName: "token",
      authData: utf8(await tokenOf("root", { expiresAtSec: endSec() })),
      featureFlags: { supportsAuthRefresh },
    });
  await using able = await connectUntil(true);
  await using unable = await connectUntil(false);
  await clock.advance(11_000);
  assert.equal(await unable.ended(), true);
  assert.deepEqual(
    [await able.expect("AUTH_CHALLENGE")],
    recordedCommands("java_token_refresh", "AUTH_CHALLENGE"),
  );
  const renew = async (role: string) =>
    await able.send("AUTH_RESPONSE", {
      response: {
        authMethodName: "token",
        authData: utf8(await tokenOf(role, { expiresAtSec: endSec() })),
      },
    });
  await renew("root");
  await able.caughtUp();
  assert.equal(messageOf(await able.request("LOOKUP", { topic: "t" })), undefined);
  await clock.advance(11_000);
  await able.expect("AUTH_CHALLENGE");
  // Nobody becomes somebody else on a connection.
  await renew("other");
  assert.equal(await able.ended(), true);
});

Deno.test("startBroker() does not listen for other machines where everybody may do everything", async () => {
  await assert.rejects(() => testBroker({ host: "0.0.0.0" }), { code: "authentication" });
  await using broker = await testBroker({ host: "0.0.0.0", tokenSecretKey: SECRET });
  assert.equal(await call(broker, undefined, "GET tenants"), 401);
});
