/** Consumers, readers and table views against the embedded broker, over real sockets and a real disk. */
import { type BrokerHandle, startBroker } from "../../../lib/pulsar/mod.ts";
import { consumerContract } from "./consumer_contract.ts";
import type { BrokerUnderTest } from "./consumer_scene.ts";

let started: Promise<{ readonly folder: string; readonly broker: BrokerHandle }> | undefined;

async function start() {
  const folder = await Deno.makeTempDir();
  return { folder, broker: await startBroker({ folder }) };
}

/** One broker serves all tests: each has a topic of its own. */
async function theBroker(): Promise<BrokerUnderTest> {
  const { broker } = await (started ??= start());
  return { serviceUrl: broker.url, adminUrl: broker.adminUrl };
}

Deno.test.beforeAll(async () => {
  await theBroker();
});

Deno.test.afterAll(async () => {
  const { folder, broker } = await started!;
  await broker[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

consumerContract("the embedded broker", theBroker);
