import { startBroker } from "../../../lib/pulsar/mod.ts";
import { producerContract } from "./producer_contract.ts";

const folder = await Deno.makeTempDir();
const broker = await startBroker({ folder });

producerContract("the embedded broker", () => {
  return Promise.resolve({ serviceUrl: broker.url, adminUrl: broker.adminUrl });
});

Deno.test.afterAll(async () => {
  await broker[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});
