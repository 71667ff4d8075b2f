import assert from "node:assert/strict";
import { crc32cPortable, seededRandom } from "../../lib/base/mod.ts";
import { PulsarClient } from "../../lib/pulsar/client/client.ts";
import { encodeCommand, PulsarError } from "../../lib/pulsar/wire/mod.ts";
import { FakeBroker, type Hook } from "../pulsar/client/fake_broker.ts";
import { playClient } from "./client_session.ts";
import { Unhandled } from "./epoch.ts";
import { allRecordings } from "../pulsar/recorded.ts";
import { VirtualClock } from "./virtual_clock.ts";

const TOPIC = "persistent://public/default/found";
const LIVES = 300;
const MINUTES_10 = { limitMs: 600_000, stepsMax: 10_000 };

/** A client of a fake broker with this hook, under a clock that jumps. */
function clientOf(hook: Hook) {
  const broker = new FakeBroker();
  broker.hook = hook;
  const clock = new VirtualClock();
  const client = new PulsarClient({
    serviceUrl: "pulsar://127.0.0.1:6650",
    openTransport: broker.openTransport,
    clock,
    random: seededRandom(1),
    crc32c: crc32cPortable,
  }, crc32cPortable);
  return { broker, clock, client };
}

/** The frame of a PING that says it is a megabyte long. */
function endlessFrame(): Uint8Array {
  const frame = encodeCommand("PING", {});
  frame.set([0, 16, 0, 0], 0);
  return frame;
}

Deno.test("a client keeps its word in 300 lives with a broker that lies", async () => {
  const recorded = allRecordings().flat().filter(({ from }) => from === "broker");
  let lies = 0;
  for (let seed = 1; seed <= LIVES; seed++) {
    using unhandled = new Unhandled();
    const outcome = await playClient(seed, recorded);
    assert.equal(unhandled.first ?? outcome.fault, undefined, `seed ${seed}`);
    lies += outcome.lieCount;
  }
  assert.ok(lies > LIVES, `${lies} lies`);
});

Deno.test("PulsarClient leaves no timer when CONNECTED is followed at once by nonsense", async () => {
  const { client, clock } = clientOf((command, connection) => {
    if (command.type !== "CONNECT") return false;
    const connected = encodeCommand("CONNECTED", { serverVersion: "x", protocolVersion: 20 });
    const nonsense = [0, 0, 0, 5, 0, 0, 0, 9, 1];
    connection.sendBytes(new Uint8Array([...connected, ...nonsense]));
    return true;
  });
  const connecting = assert.rejects(client.connect(), PulsarError);
  assert.ok(await clock.run(connecting, MINUTES_10));
  await connecting;
  await clock.run(client[Symbol.asyncDispose](), MINUTES_10);
  assert.equal(clock.pending, 0);
});

Deno.test("PulsarClient.partitionCount() refuses a number that no topic has", async () => {
  const { client, clock } = clientOf((command, connection) => {
    if (command.type !== "PARTITIONED_METADATA") return false;
    const { requestId } = command.body;
    const answer = { requestId, response: 0 as const, partitions: 4294967295 };
    connection.send("PARTITIONED_METADATA_RESPONSE", answer);
    return true;
  });
  const counting = assert.rejects(client.partitionCount(TOPIC), { code: "protocol_violation" });
  assert.ok(await clock.run(counting, MINUTES_10));
  await counting;
  await clock.run(client[Symbol.asyncDispose](), MINUTES_10);
});

Deno.test("PulsarClient gives a connection up whose frame is announced longer than it is, and goes on with another", async () => {
  let isFirst = true;
  const { client, clock, broker } = clientOf((command, connection) => {
    if (command.type !== "PARTITIONED_METADATA" || !isFirst) return false;
    isFirst = false;
    connection.sendBytes(endlessFrame());
    return true;
  });
  await clock.run(client.connect(), MINUTES_10);
  const counting = (async () => {
    for (;;) {
      try {
        return await client.partitionCount(TOPIC);
      } catch (error) {
        assert.ok(error instanceof PulsarError && error.retryable, String(error));
      }
    }
  })();
  assert.ok(await clock.run(counting, MINUTES_10));
  assert.equal(await counting, 0);
  assert.equal(broker.connections.length, 2);
  await clock.run(client[Symbol.asyncDispose](), MINUTES_10);
});
