import assert from "node:assert/strict";
import { testBroker } from "../_broker.ts";
import type { TestBroker } from "../_broker.ts";
import { RawClient, sendFrame } from "../_raw_client.ts";

const QUOTA = { limitSize: 1, limitTime: -1, policy: "producer_request_hold" };
const TENANT = { adminRoles: [], allowedClusters: ["standalone"] };

async function call(broker: TestBroker, spec: string, body?: unknown): Promise<[number, unknown]> {
  const [method, path] = spec.split(" ");
  const answer = await fetch(`${broker.adminUrl}/admin/v2/${path}`, {
    method: method!,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  // As Pulsar does: plain words are called JSON too.
  return [answer.status, /^[[{"\d]|^(true|false)$/.test(text) ? JSON.parse(text) : text];
}

Deno.test("the admin interface creates, grows, lists and deletes partitioned topics", async () => {
  await using broker = await testBroker();
  const topic = "persistent/public/default/sensors";
  assert.deepEqual((await call(broker, `GET ${topic}/partitions`))[0], 404);
  assert.deepEqual(await call(broker, `PUT ${topic}/partitions`, 2), [204, ""]);
  assert.deepEqual((await call(broker, `PUT ${topic}/partitions`, 2))[0], 409);
  assert.deepEqual(await call(broker, `GET ${topic}/partitions`), [200, {
    partitions: 2,
    deleted: false,
  }]);
  assert.deepEqual(await call(broker, `POST ${topic}/partitions`, 3), [204, ""]);
  assert.deepEqual((await call(broker, `POST ${topic}/partitions`, 1))[0], 422);
  assert.deepEqual((await call(broker, "GET persistent/public/default"))[1], [
    "persistent://public/default/sensors-partition-0",
    "persistent://public/default/sensors-partition-1",
    "persistent://public/default/sensors-partition-2",
  ]);
  assert.deepEqual((await call(broker, "GET persistent/public/default/partitioned"))[1], [
    "persistent://public/default/sensors",
  ]);
  await using client = await RawClient.connect(broker.port);
  const [metadata] = await client.request("PARTITIONED_METADATA", {
    topic: "persistent://public/default/sensors",
  });
  assert.equal(metadata?.type === "PARTITIONED_METADATA_RESPONSE" && metadata.body.partitions, 3);
  assert.deepEqual(await call(broker, `DELETE ${topic}/partitions?force=true`), [204, ""]);
  assert.deepEqual((await call(broker, "GET persistent/public/default"))[1], []);
  assert.deepEqual((await call(broker, `DELETE ${topic}/partitions`))[0], 404);
});

Deno.test("the admin interface refuses numbers of partitions that make no sense", async () => {
  await using broker = await testBroker();
  const refusals = [[0, 406], [-1, 406], [1.5, 400], [100_000, 406], ["two", 400], [{}, 400]];
  for (const [body, expected] of refusals) {
    const [status] = await call(broker, "PUT persistent/public/default/t/partitions", body);
    assert.equal(status, expected, JSON.stringify(body));
  }
});

Deno.test("the admin interface tells backlog, rates and who is connected", async () => {
  await using broker = await testBroker();
  const topic = "persistent/public/default/t";
  await using client = await RawClient.connect(broker.port);
  await client.produce("persistent://public/default/t");
  await client.subscribe("persistent://public/default/t", { consumerName: "me" });
  for (let i = 0; i < 3; i++) await client.publish(i, "x");
  const [, stats] = await call(broker, `GET ${topic}/stats`) as [number, Record<string, unknown>];
  assert.equal(stats["msgInCounter"], 3);
  const subscription = (stats["subscriptions"] as Record<string, Record<string, unknown>>)["sub"]!;
  assert.deepEqual(
    [subscription["msgBacklog"], subscription["activeConsumerName"], subscription["type"]],
    [3, "me", "Exclusive"],
  );
  const [, internal] = await call(broker, `GET ${topic}/internalStats`) as [
    number,
    Record<string, unknown>,
  ];
  assert.equal(internal["numberOfEntries"], 3);
  assert.match(String(internal["lastConfirmedEntry"]), /^\d+:2$/);
  assert.deepEqual((await call(broker, `GET ${topic}/subscriptions`))[1], ["sub"]);
  assert.equal((await call(broker, `DELETE ${topic}`))[0], 412);
  await call(broker, `POST ${topic}/subscription/sub/skip_all`);
  const [, after] = await call(broker, `GET ${topic}/stats`) as [number, Record<string, unknown>];
  assert.equal(
    (after["subscriptions"] as Record<string, Record<string, unknown>>)["sub"]!["msgBacklog"],
    0,
  );
  const metrics = await (await fetch(broker.metricsUrl)).text();
  assert.match(
    metrics,
    /^pulsar_in_messages_total\{.*topic="persistent:\/\/public\/default\/t"\} 3$/m,
  );
  assert.match(metrics, /^pulsar_subscription_back_log\{.*subscription="sub"\} 0$/m);
});

Deno.test("the admin interface registers schemas and says what fits", async () => {
  await using broker = await testBroker();
  const path = "schemas/public/default/t";
  const avro = (fields: unknown[]) => ({
    type: "AVRO",
    schema: JSON.stringify({ type: "record", name: "R", fields }),
    properties: {},
  });
  assert.equal((await call(broker, `GET ${path}/schema`))[0], 404);
  assert.deepEqual(await call(broker, `POST ${path}/schema`, avro([])), [200, {
    version: { version: 0 },
  }]);
  assert.deepEqual((await call(broker, `POST ${path}/schema`, avro([])))[1], {
    version: { version: 0 },
  });
  const wrong = avro([{ name: "a", type: "int" }]);
  assert.equal((await call(broker, `POST ${path}/schema`, wrong))[0], 409);
  assert.equal((await call(broker, `POST ${path}/compatibility`, wrong))[0], 500);
  assert.deepEqual(await call(broker, `POST ${path}/compatibility`, avro([])), [202, {
    compatibility: true,
    schemaCompatibilityStrategy: "FULL",
  }]);
  const [, latest] = await call(broker, `GET ${path}/schema`) as [number, Record<string, unknown>];
  assert.deepEqual([latest["version"], latest["type"]], [0, "AVRO"]);
});

Deno.test("the admin interface manages tenants and namespaces, and keeps their policies over a restart", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using broker = await testBroker({ folder });
    assert.equal((await call(broker, "PUT namespaces/mine/n"))[0], 404);
    assert.equal((await call(broker, "PUT tenants/mine", TENANT))[0], 204);
    assert.equal((await call(broker, "PUT tenants/mine", TENANT))[0], 409);
    assert.equal((await call(broker, "PUT namespaces/mine/n"))[0], 204);
    const retention = { retentionTimeInMinutes: 10, retentionSizeInMB: -1 };
    assert.equal((await call(broker, "POST namespaces/mine/n/retention", retention))[0], 204);
    assert.equal((await call(broker, "DELETE tenants/mine"))[0], 409);
  }
  await using broker = await testBroker({ folder });
  assert.deepEqual((await call(broker, "GET namespaces/mine"))[1], ["mine/n"]);
  const [, policies] = await call(broker, "GET namespaces/mine/n") as [
    number,
    Record<string, unknown>,
  ];
  assert.deepEqual(policies["retention_policies"], {
    retentionTimeInMinutes: 10,
    retentionSizeInMB: -1,
  });
});

Deno.test("the admin interface says who it is and that it is ready", async () => {
  await using broker = await testBroker({ version: "9.9.9" });
  assert.deepEqual(await call(broker, "GET brokers/health"), [200, "ok"]);
  assert.deepEqual(await call(broker, "GET brokers/ready"), [200, "ok"]);
  assert.deepEqual(await call(broker, "GET brokers/version"), [200, "weir-embedded-9.9.9"]);
  assert.deepEqual(await call(broker, "GET clusters"), [200, ["standalone"]]);
  assert.equal((await call(broker, "GET nothing"))[0], 404);
  assert.equal((await call(broker, "PATCH tenants"))[0], 405);
});

Deno.test("the admin interface serves nobody who came by another name or page", async () => {
  await using broker = await testBroker();
  const ask = async (headers: string) => {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port: broker.adminPort });
    await socket.write(
      new TextEncoder().encode(
        `GET /admin/v2/tenants HTTP/1.1\r\n${headers}connection: close\r\n\r\n`,
      ),
    );
    const text = await new Response(socket.readable).text();
    return Number(text.split(" ")[1]);
  };
  const own = `127.0.0.1:${broker.adminPort}`;
  assert.equal(await ask(`host: ${own}\r\n`), 200);
  assert.equal(await ask(`host: localhost:${broker.adminPort}\r\n`), 200);
  assert.equal(await ask(`host: evil.example:${broker.adminPort}\r\n`), 403);
  assert.equal(await ask(`host: ${own}\r\norigin: http://evil.example\r\n`), 403);
});

Deno.test("the admin interface refuses numbers and properties that are none, and changes nothing", async () => {
  await using broker = await testBroker();
  const topic = "persistent/public/default/t";
  const subscription = `${topic}/subscription/s`;
  await call(broker, `PUT ${topic}`);
  await call(broker, `PUT ${subscription}`);
  const namespace = "namespaces/public/default";
  const refusals: [string, number, unknown?][] = [
    [`POST ${subscription}/skip/abc`, 404],
    [`POST ${subscription}/resetcursor/abc`, 404],
    [`POST ${subscription}/expireMessages/1.5`, 404],
    [`GET ${topic}/messageid/abc`, 404],
    [`GET ${topic}/ledger/x/entry/0`, 404],
    [`PUT ${subscription}/properties`, 400, "abc"],
    [`PUT ${subscription}/properties`, 400, { a: { b: 1 } }],
    [`PUT ${topic}/properties`, 400, [5]],
    [`PUT ${namespace}/properties`, 400, "xyz"],
    ["PUT tenants/t", 400, { ...TENANT, adminRoles: 5 }],
    [`POST ${namespace}/messageTTL`, 400, 99_999_999_999],
    [`POST ${namespace}/retention`, 400, {
      retentionTimeInMinutes: 1e300,
      retentionSizeInMB: 1,
    }],
    [`POST ${topic}/backlogQuota`, 400, { limitSize: 1e30, policy: "producer_exception" }],
    // Each with the status that Apache Pulsar 4.2.4 gave.
    [`POST ${topic}/backlogQuota?backlogQuotaType=nonsense`, 404, QUOTA],
    [`POST ${namespace}/backlogQuota?backlogQuotaType=nonsense`, 404, QUOTA],
    [`DELETE ${namespace}/backlogQuota?backlogQuotaType=nonsense`, 404],
    [`POST ${namespace}/backlogQuota`, 400, { ...QUOTA, policy: "nonsense" }],
    [`POST ${namespace}/backlogQuota`, 400, { limitSize: 1 }],
    [`POST ${namespace}/autoTopicCreation`, 400, { allowAutoTopicCreation: "perhaps" }],
    [`POST ${namespace}/autoTopicCreation`, 412, {
      allowAutoTopicCreation: true,
      topicType: "nonsense",
    }],
    [`POST ${namespace}/autoSubscriptionCreation`, 400, { allowAutoSubscriptionCreation: "x" }],
    [`POST ${namespace}/persistence`, 400, { bookkeeperEnsemble: "x" }],
    [`POST ${namespace}/persistence`, 400, { bookkeeperEnsemble: 0 }],
    [`POST ${namespace}/persistence`, 400, { bookkeeperEnsemble: 1, bookkeeperWriteQuorum: 2 }],
    [`POST ${namespace}/persistence`, 400, { managedLedgerMaxMarkDeleteRate: "x" }],
    [`POST ${namespace}/deduplicationSnapshotInterval`, 400, "x"],
    [`POST ${namespace}/deduplicationSnapshotInterval`, 412, -1],
    [`POST ${namespace}/inactiveTopicPolicies`, 400, "x"],
    [`POST ${namespace}/inactiveTopicPolicies`, 400, { maxInactiveDurationSeconds: "x" }],
    [`POST ${namespace}/inactiveTopicPolicies`, 400, { deleteWhileInactive: "x" }],
    ["POST schemas/public/default/t/schema", 400, {
      type: "STRING",
      schema: "",
      properties: { a: [] },
    }],
  ];
  for (const [spec, expected, body] of refusals) {
    assert.equal((await call(broker, spec, body))[0], expected, spec);
  }
  assert.deepEqual((await call(broker, `GET ${namespace}/backlogQuotaMap`))[1], {});
  assert.deepEqual((await call(broker, `GET ${topic}/backlogQuotaMap`))[1], {});
  assert.deepEqual((await call(broker, `GET ${subscription}/properties`))[1], {});
  assert.deepEqual((await call(broker, `GET ${namespace}/properties`))[1], {});
  assert.deepEqual(await call(broker, `PUT ${subscription}/properties`, { a: 5, b: null }), [
    204,
    "",
  ]);
  assert.deepEqual((await call(broker, `GET ${subscription}/properties`))[1], { a: "5" });
  assert.equal((await call(broker, `POST ${topic}/compactionThreshold`, 2 ** 40))[0], 204);
});

Deno.test("the admin interface takes words that it does not know for none where Pulsar does", async () => {
  await using broker = await testBroker();
  const namespace = "namespaces/public/default";
  const inactive = `${namespace}/inactiveTopicPolicies`;
  const policy = { maxInactiveDurationSeconds: 10, deleteWhileInactive: true };
  const nonsense = { ...policy, inactiveTopicDeleteMode: "nonsense" };
  assert.deepEqual(await call(broker, `POST ${inactive}`, nonsense), [204, ""]);
  assert.deepEqual(await call(broker, `GET ${inactive}`), [200, policy]);
  assert.deepEqual(await call(broker, `POST ${inactive}`, null), [204, ""]);
  assert.deepEqual(await call(broker, `GET ${inactive}`), [200, ""]);
  const strategy = `${namespace}/schemaCompatibilityStrategy`;
  assert.deepEqual(await call(broker, `PUT ${strategy}`, "NONSENSE"), [204, ""]);
  assert.deepEqual(await call(broker, `GET ${strategy}`), [200, "UNDEFINED"]);
  assert.deepEqual(await call(broker, `POST ${namespace}/persistence`, {}), [204, ""]);
  assert.deepEqual(await call(broker, `GET ${namespace}/persistence`), [200, {
    bookkeeperEnsemble: 2,
    bookkeeperWriteQuorum: 2,
    bookkeeperAckQuorum: 2,
    managedLedgerMaxMarkDeleteRate: -1,
  }]);
});

Deno.test("the admin interface reads names of topics and subscriptions as Java's admin client writes them", async () => {
  await using broker = await testBroker();
  await using client = await RawClient.connect(broker.port);
  await client.subscribe("persistent://public/default/sp ace+x", { subscription: "a/b c+ü" });
  const topic = "persistent/public/default/sp+ace%2Bx";
  assert.deepEqual(await call(broker, `GET ${topic}/subscriptions`), [200, ["a/b c+ü"]]);
  // Java encodes twice, as Pulsar decodes twice; with curl once is enough.
  for (const name of ["a%252Fb+c%252B%25C3%25BC", "a%2Fb%20c%252B%C3%BC"]) {
    assert.equal((await call(broker, `POST ${topic}/subscription/${name}/skip_all`))[0], 204, name);
  }
  assert.equal((await call(broker, `PUT ${topic}/subscription/100%25`))[0], 204);
});

Deno.test("the admin interface reads a backlog, counts it, says since when it is there, and truncates it", async () => {
  await using broker = await testBroker();
  const topic = "persistent/public/default/behind";
  await using client = await RawClient.connect(broker.port);
  await client.produce("persistent://public/default/behind");
  await client.subscribe("persistent://public/default/behind");
  const batch = sendFrame({ sequenceId: 2, messageCount: 3, payload: new Uint8Array(9) });
  await client.write(batch);
  const { ledgerId } = (await client.expect("SEND_RECEIPT")).messageId!;
  for (let i = 1; i < 4; i++) await client.publish(2 + i, `m${i}`);
  const acked = { ledgerId, entryId: 2 };
  await client.request("ACK", { consumerId: 0, ackType: 0, messageId: [acked] });
  const analyze = `POST ${topic}/subscription/sub/analyzeBacklog`;
  const figures = (await call(broker, analyze))[1] as Record<string, unknown>;
  assert.deepEqual(
    [figures["entries"], figures["messages"], figures["aborted"], figures["lastMessageId"]],
    [3, 5, false, `${ledgerId}:3`],
  );
  const [, fromThird] = await call(broker, analyze, { ledgerId, entryId: 2 });
  assert.equal((fromThird as Record<string, unknown>)["messages"], 1);
  assert.equal((await call(broker, analyze.replace("/sub/", "/none/")))[0], 404);
  const stats = async () => {
    const [, all] = await call(broker, `GET ${topic}/stats?getEarliestTimeInBacklog=true`);
    const { subscriptions, earliestMsgPublishTimeInBacklogs } = all as {
      subscriptions: Record<string, Record<string, number>>;
      earliestMsgPublishTimeInBacklogs: number;
    };
    const { msgBacklog, earliestMsgPublishTimeInBacklog } = subscriptions["sub"]!;
    return [msgBacklog, earliestMsgPublishTimeInBacklog, earliestMsgPublishTimeInBacklogs];
  };
  assert.deepEqual(await stats(), [3, 1_000, 1_000]);
  assert.deepEqual(await call(broker, `DELETE ${topic}/truncate`), [204, ""]);
  assert.deepEqual(await stats(), [0, -1, 0]);
});

Deno.test("the admin interface expires by time where there is a backlog, old or not", async () => {
  await using broker = await testBroker();
  const topic = "persistent/public/default/young";
  await using client = await RawClient.connect(broker.port);
  await client.produce("persistent://public/default/young");
  assert.equal((await call(broker, `PUT ${topic}/subscription/s`, "earliest"))[0], 204);
  const expire = (seconds: number) =>
    call(broker, `POST ${topic}/subscription/s/expireMessages/${seconds}`);
  assert.equal((await expire(0))[0], 409);
  await client.publish(0, "m");
  assert.equal((await expire(1e11))[0], 204);
  assert.equal((await expire(0))[0], 204);
  assert.equal((await expire(0))[0], 409);
  const [, stats] = await call(broker, `GET ${topic}/stats`);
  const { s } = (stats as { subscriptions: Record<string, Record<string, number>> }).subscriptions;
  assert(s!["lastExpireTimestamp"]! > 0 && Number.isInteger(s!["lastExpireTimestamp"]));
});

Deno.test("the admin interface makes the partitions that are missing", async () => {
  await using broker = await testBroker();
  const topic = "persistent/public/default/parts";
  await call(broker, `PUT ${topic}/partitions`, 3);
  await call(broker, `DELETE ${topic}-partition-1`);
  assert.deepEqual(await call(broker, `POST ${topic}/createMissedPartitions`), [204, ""]);
  const [, names] = await call(broker, "GET persistent/public/default");
  assert.equal((names as string[]).length, 3);
  assert.equal(
    (await call(broker, "POST persistent/public/default/no/createMissedPartitions"))[0],
    404,
  );
});

Deno.test("the admin interface says of parts that Pulsar can switch off that they are off", async () => {
  await using broker = await testBroker();
  for (
    const [path, expected] of [
      ["packages/function/public/default", 503],
      ["transactions/coordinatorStats", 503],
      ["sink/public/default", 409],
      ["source/public/default", 409],
      ["functions/public/default", 409],
    ] as const
  ) {
    const answer = await fetch(`${broker.adminUrl}/admin/v3/${path}`);
    assert.equal(answer.status, expected, await answer.text());
  }
});

Deno.test("the admin interface keeps properties of partitioned topics from the start", async () => {
  await using broker = await testBroker();
  const topic = "persistent/public/default/labelled";
  const body = { partitions: 2, properties: { a: "b" } };
  assert.equal((await call(broker, `PUT ${topic}/partitions`, body))[0], 204);
  const metadata = { partitions: 2, deleted: false, properties: { a: "b" } };
  assert.deepEqual(await call(broker, `GET ${topic}/partitions`), [200, metadata]);
  assert.deepEqual(await call(broker, `GET ${topic}/properties`), [200, { a: "b" }]);
});

Deno.test("the admin interface sets a topic's threshold of compaction as Java's admin client does", async () => {
  await using broker = await testBroker();
  const topic = "persistent/public/default/t";
  await call(broker, `PUT ${topic}`);
  assert.equal((await call(broker, `POST ${topic}/compactionThreshold`, 1000))[0], 204);
  assert.deepEqual(await call(broker, `GET ${topic}/compactionThreshold`), [200, 1000]);
});
