/** The embedded broker held to what a real Pulsar does, by our client and by the official ones. */
import assert from "node:assert/strict";
import { brokerContract } from "./broker_contract.ts";
import { clientContract } from "./client_contract.ts";
import { dispatchContract } from "./dispatch_contract.ts";
import { EmbeddedBroker } from "./embedded.ts";
import { runJavaScenario, runScenario } from "./harness.ts";

const broker = await EmbeddedBroker.start();

// It always deduplicates by sequence id: exactly once does not depend on a policy that may be off.
brokerContract("the embedded broker", () => {
  const { serviceUrl, adminUrl } = broker;
  return { serviceUrl, adminUrl, deduplicates: true };
});
dispatchContract("the embedded broker", () => {
  const { serviceUrl, adminUrl } = broker;
  return { serviceUrl, adminUrl, deduplicates: true };
});
clientContract("the embedded broker", () => {
  const { serviceUrl, adminUrl } = broker;
  return { serviceUrl, adminUrl, systemName: "embedded broker" };
});

const PYTHON_SCENARIOS = [
  "produce_single",
  "produce_batch",
  "produce_compressed",
  "consume_compressed",
  "produce_avro",
  "produce_partitioned",
  "consume_exclusive",
  "consume_single_ack",
  "consume_failover",
  "consume_shared",
  "consume_key_shared",
  "batch_index_ack",
  "delayed",
  "last_message_id",
  "seek",
  "deduplication",
  "producer_access",
  "unload",
  "pattern",
  "backlog_quota",
  "not_found",
  "non_persistent",
  "terminate",
];

for (const scenario of PYTHON_SCENARIOS) {
  Deno.test(`the official Python client × the embedded broker: ${scenario}`, async () => {
    const { success, stderr } = await runScenario(scenario, broker);
    assert(success, stderr.slice(-3000));
  });
}

const JAVA_SCENARIOS = [
  "produce",
  "produce_avro",
  "auto_consume",
  "table_view",
  "pattern",
  "chunks",
  "ack_receipt",
  "dead_letter",
  "failover",
  "seek",
  "deduplication",
];

for (const scenario of JAVA_SCENARIOS) {
  Deno.test(`the official Java client × the embedded broker: ${scenario}`, async () => {
    const { success, stdout, stderr } = await runJavaScenario(scenario, broker);
    assert(success, `${stderr}${stdout}`.slice(-3000));
  });
}

Deno.test("the embedded broker ends with its input", async () => {
  await broker[Symbol.asyncDispose]();
});
