/** Acknowledgements with receipts that a broker does not give at first. */
import assert from "node:assert/strict";
import { ServerError } from "../../../lib/pulsar/wire/mod.ts";
import { acknowledged, consuming } from "./consuming.ts";

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
