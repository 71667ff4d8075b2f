/** Acknowledgements with receipts that a broker does not give at first. */
import assert from "node:assert/strict";
import { FakeClock } from "../../../lib/base/mod.ts";
import { AckSender } from "../../../lib/pulsar/client/ack_sender.ts";
import type { TopicSession } from "../../../lib/pulsar/client/topic_session.ts";
import {
  type Command,
  type CommandBodies,
  decodeCommand,
  FrameReader,
  ServerError,
} from "../../../lib/pulsar/wire/mod.ts";
import { acknowledged, consuming } from "./consuming.ts";
import { TOPIC } from "./setup.ts";

Deno.test("Consumer.acknowledge() with receipts sends again what the broker could not note, on the same connection", async () => {
  const { consumer, broker, clock, end } = await consuming(["a"], { ackReceipt: true });
  let refusals = 2;
  broker.hook = (command, connection) => {
    if (command.type !== "ACK") return false;
    const { consumerId, requestId } = command.body;
    const isRefused = refusals-- > 0;
    const error = isRefused ? { error: ServerError.ServiceNotReady, message: "by the test" } : {};
    connection.send("ACK_RESPONSE", { consumerId, requestId, ...error });
    return true;
  };
  let isDone = false;
  const done = consumer.acknowledge(await consumer.receive()).then(() => isDone = true);
  await clock.advance(150);
  assert.deepEqual([broker.count("ACK"), isDone], [1, false]);
  await clock.advance(200);
  await done;
  assert.deepEqual(acknowledged(broker.bodies("ACK")), [0, 0, 0]);
  assert.equal(broker.connections.length, 1);
  await end();
});

/** A sender whose connection keeps what is written. */
function senderOf() {
  const written: Command[] = [];
  const reader = new FrameReader();
  const connection = {
    write(bytes: Uint8Array) {
      reader.room().set(bytes);
      reader.filled(bytes.length);
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
        written.push(decodeCommand(frame)!);
      }
    },
  };
  const session = { topic: TOPIC, consumerId: 3, connection } as unknown as TopicSession;
  const sender = new AckSender(new FakeClock(), session, {
    ackGroupTimeMs: 0,
    ackReceipt: false,
    batchIndexAck: false,
    receiptTimeoutMs: 1000,
    acknowledged: () => {},
  });
  return { sender, written };
}

const at = (entryId: number) => ({ ledgerId: 7, entryId });
const idAt = (entryId: number) => ({ ...at(entryId), batchIndex: -1, batchMessageCount: 1 });
const entriesOf = (command: Command) =>
  (command.body as CommandBodies["ACK"]).messageId!.map(({ entryId }) => entryId);

Deno.test("AckSender acknowledges all chunks of a message, once", () => {
  const { sender, written } = senderOf();
  sender.chunked([at(1), at(3), at(4)]);
  void sender.acknowledge(idAt(4));
  void sender.acknowledge(idAt(4));
  assert.deepEqual(written.flatMap(entriesOf), [1, 3, 4, 4]);
});

Deno.test("AckSender asks for all chunks of a message again, and knows none that are acknowledged", () => {
  const { sender, written } = senderOf();
  sender.chunked([at(1), at(4)]);
  sender.chunked([at(2), at(6)]);
  sender.redeliver({ positions: [at(4), at(5)] });
  const body = written[0]!.body as CommandBodies["REDELIVER_UNACKNOWLEDGED_MESSAGES"];
  assert.deepEqual(body.messageIds!.map(({ entryId }) => entryId), [1, 4, 5]);
  void sender.acknowledgeCumulative(idAt(4));
  assert.equal(sender.chunksOf(at(4)), undefined);
  assert.deepEqual(sender.chunksOf(at(6)), [at(2), at(6)]);
});
