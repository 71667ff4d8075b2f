import assert from "node:assert/strict";
import { testBroker, topicNamed } from "../_broker.ts";
import type { TestBroker } from "../_broker.ts";
import { RawClient } from "../_raw_client.ts";

async function call(
  broker: TestBroker,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  return await fetch(`${broker.adminUrl}/admin/v2/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

Deno.test("a namespace takes as many topics as it may have, partitions counted one by one", async () => {
  await using broker = await testBroker();
  const status = async (...spec: [method: string, path: string, body?: unknown]) => {
    const answer = await call(broker, ...spec);
    await answer.body?.cancel();
    return answer.status;
  };
  assert.equal(await status("POST", "namespaces/public/default/maxTopicsPerNamespace", 4), 204);
  const at = "persistent/public/default";
  assert.equal(await status("PUT", `${at}/a`), 204);
  assert.equal(await status("PUT", `${at}/p/partitions`, 4), 412);
  assert.equal(await status("PUT", `${at}/p/partitions`, 2), 204);
  assert.equal(await status("POST", `${at}/p/partitions`, 4), 412);
  assert.equal(await status("POST", `${at}/p/partitions`, 3), 204);
  assert.equal(await status("PUT", `${at}/b`), 412);
});

Deno.test("new partitions get the subscriptions that are kept, from their first message on, and no reader's", async () => {
  await using broker = await testBroker();
  const at = "persistent/public/default";
  assert.equal((await call(broker, "PUT", `${at}/p/partitions`, 1)).status, 204);
  await using client = await RawClient.connect(broker.port);
  const first = topicNamed("p-partition-0");
  await client.subscribe(first, { subscription: "kept", consumerId: 0 });
  await client.subscribe(first, { subscription: "reader", consumerId: 1, durable: false });
  // The same count again changes nothing.
  assert.equal((await call(broker, "POST", `${at}/p/partitions`, 1)).status, 204);
  assert.equal((await call(broker, "POST", `${at}/p/partitions`, 2)).status, 204);
  const subscriptions = await call(broker, "GET", `${at}/p-partition-1/subscriptions`);
  assert.deepEqual(await subscriptions.json(), ["kept"]);
  const second = topicNamed("p-partition-1");
  await client.produce(second);
  await client.publish(0, "m0");
  await client.subscribe(second, { subscription: "kept", consumerId: 2, initialPosition: 0 });
  await client.send("FLOW", { consumerId: 2, messagePermits: 1 });
  assert.equal((await client.message()).text, "m0");
});
