/** Consumers, readers and table views against a real Pulsar: the tests that the embedded broker passes, too. */
import { consumerContract } from "../pulsar/client/consumer_contract.ts";
import { interopServers } from "./harness.ts";

consumerContract("a real Pulsar", () => {
  const { serviceUrl, adminUrl } = interopServers().plain;
  return Promise.resolve({ serviceUrl, adminUrl });
});
