import assert from "node:assert/strict";
import { hexOfField, readTopic, tapMessage } from "../../lib/notebook/message_tap.ts";
import { watchEventTimes } from "../../lib/notebook/event_times.ts";
import { Secret } from "../../lib/base/mod.ts";
import { startBroker } from "../../lib/pulsar/mod.ts";
import {
  connectTarget,
  openAdmin,
  openProducer,
  type PulsarTarget,
} from "../../lib/scenarios/mod.ts";
import { SENSOR_RECORD_BYTES_MAX, SensorStream } from "../../lib/sensor/mod.ts";

const TOPIC = "persistent://public/default/tap";
const PARTITIONS = 2;
const tlsCaFile = undefined;

/**
 * What a run leaves in its folder, as far as whoever reads its topic needs it; and a broker that holds `count` messages.
 *
 * @param token that the broker asks for, and the run had
 */
async function withRun(
  count: number,
  body: (path: string) => Promise<void>,
  token?: string,
): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    const secret = token === undefined ? undefined : new Secret(token);
    await using broker = await startBroker({ folder: `${path}/broker`, token: secret });
    const tokenFile = token === undefined ? undefined : `${path}/token`;
    if (tokenFile !== undefined) await Deno.writeTextFile(tokenFile, token!);
    const target = { serviceUrl: broker.url, adminUrl: broker.adminUrl, tokenFile, tlsCaFile };
    await (await openAdmin(target)).createPartitionedTopic(TOPIC, PARTITIONS);
    const config = {
      topic: TOPIC,
      partitionCount: PARTITIONS,
      pulsar: token === undefined ? { serviceUrl: "embedded" } : target,
      window: { windowMs: 60_000, outOfOrdernessMs: 5_000, allowedLatenessMs: 0 },
      load: {},
    };
    await writeManifest(path, config);
    await Deno.writeTextFile(
      `${path}/roles.json`,
      JSON.stringify({ broker: { role: "broker", ready: true, url: broker.url } }),
    );
    await produce(target, count);
    await body(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

async function writeManifest(path: string, config: Record<string, unknown>): Promise<void> {
  const manifest = { schemaVersion: 1, runId: "tap", restarts: [], config };
  await Deno.writeTextFile(`${path}/manifest.json`, JSON.stringify(manifest));
}

async function produce(target: PulsarTarget, count: number): Promise<void> {
  await using client = await connectTarget(target);
  await using producer = await openProducer(client, {
    topic: TOPIC,
    runId: "tap",
    compression: "none",
  });
  const stream = new SensorStream({
    seed: 1,
    partitionCount: PARTITIONS,
    startWallMs: 1_700_000_000_000,
  });
  const next = Array<number>(PARTITIONS).fill(0);
  for (let i = 0; i < count; i++) {
    stream.next(i * 1000);
    const batch = producer.openBatch(stream.partition)!;
    batch.commit(stream.encode(batch.bytes, batch.reserve(SENSOR_RECORD_BYTES_MAX)));
    await producer.send(batch, next[stream.partition]!++);
  }
  for (const [partition, sequenceId] of next.entries()) {
    await producer.sendEndMarker(partition, sequenceId);
  }
}

Deno.test("tapMessage() catches a message with its frame, as the broker sent it", async () => {
  await withRun(5, async (path) => {
    const { frame, avro, messageCount, record } = await tapMessage({ path });
    assert.equal(messageCount, 1);
    assert.equal(frame.fields[0]?.text, String(frame.bytes.length - 4));
    assert.ok(frame.bytes.toHex().endsWith(avro.bytes.toHex()), "the message ends its frame");
    assert.match(record.event_source_id, /^sensor-\d{5}$/);
    assert.equal(avro.fields.length, 25);
    const time = avro.fields.find(({ name }) => name === "event_timestamp")!;
    assert.equal(time.text, new Date(record.event_timestamp).toISOString());
    assert.equal(
      hexOfField(avro, "temperature_c"),
      new Uint8Array(new Float64Array([record.temperature_c]).buffer).toHex(),
    );
    assert.throws(() => hexOfField(avro, "nonsense"), RangeError);
  });
});

Deno.test("readTopic() gives every message from the first on, beside other readers", async () => {
  await withRun(7, async (path) => {
    for (let reader = 0; reader < 2; reader++) {
      const done = new AbortController();
      let messages = 0;
      let markers = 0;
      await readTopic({ path }, {
        signal: done.signal,
        batch: ({ properties, messageCount }) => {
          if (Object.keys(properties).length > 0) markers++;
          else messages += messageCount;
          if (markers === PARTITIONS) done.abort();
        },
      });
      assert.equal(messages, 7);
    }
  });
});

Deno.test("tapMessage() shows the broker the token that the run had", async () => {
  await withRun(3, async (path) => {
    assert.equal((await tapMessage({ path })).messageCount, 1);
    await Deno.writeTextFile(`${path}/token`, "another");
    await assert.rejects(tapMessage({ path }), { name: "PulsarError" });
  }, "secret-1");
});

Deno.test("watchEventTimes() is complete when every partition has ended", async () => {
  await withRun(20, async (path) => {
    const times = await watchEventTimes({ path });
    const { messages, late } = await times.counts();
    assert.deepEqual([messages, late], [20, 0]);
  });
});

Deno.test("tapMessage() says plainly that a run has no broker", async () => {
  const path = await Deno.makeTempDir();
  try {
    await writeManifest(path, { topic: TOPIC, pulsar: { serviceUrl: "embedded" }, load: {} });
    await Deno.writeTextFile(`${path}/roles.json`, "{}");
    await assert.rejects(tapMessage({ path }), { code: "not_started" });
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});
