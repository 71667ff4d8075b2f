/** Our producer against a real Pulsar: what tests/pulsar/client/producer_embedded_test.ts tries on the embedded broker. */
import { producerContract } from "../pulsar/client/producer_contract.ts";
import { interopServers } from "./harness.ts";

producerContract("a real Pulsar", () => {
  const { serviceUrl, adminUrl } = interopServers().plain;
  return Promise.resolve({ serviceUrl, adminUrl });
});
