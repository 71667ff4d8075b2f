/** What the embedded broker is measured by: the same tests pass on a real Pulsar. */
import assert from "node:assert/strict";
import { ServerError } from "../../lib/pulsar/wire/mod.ts";
import { signToken } from "../../infra/token.ts";
import { brokerContract } from "./broker_contract.ts";
import { dispatchContract } from "./dispatch_contract.ts";
import { freshTopic, interopServers } from "./harness.ts";
import { WireSession } from "./wire_session.ts";

brokerContract("a real Pulsar", () => {
  const { serviceUrl, adminUrl } = interopServers().plain;
  return { serviceUrl, adminUrl, deduplicates: false };
});

dispatchContract("a real Pulsar", () => {
  const { serviceUrl, adminUrl } = interopServers().plain;
  return { serviceUrl, adminUrl, deduplicates: false };
});

Deno.test("a real Pulsar answers a wrong token, or none, with AuthenticationError in place of CONNECTED", async () => {
  const { serviceUrl } = interopServers().token;
  const forged = await signToken(new Uint8Array(32), "admin");
  for (const options of [{}, { token: forged }, { token: "no token at all" }]) {
    await using session = await WireSession.open(serviceUrl, options);
    const { body } = await session.receive("ERROR");
    assert.equal(body.error, ServerError.AuthenticationError);
    // The broker has no request to answer, so it says −1.
    assert.equal(BigInt.asIntN(64, body.requestId), -1n);
  }
});

Deno.test("a real Pulsar answers a token without rights with AuthorizationError", async () => {
  const { serviceUrl, tokenSecretFile } = interopServers().token;
  const token = await signToken(await Deno.readFile(tokenSecretFile!), "nobody");
  await using session = await WireSession.open(serviceUrl, { token });
  await session.receive("CONNECTED");
  const topic = freshTopic("forbidden");
  await session.send("PARTITIONED_METADATA", { topic, requestId: session.nextRequestId() });
  const { body } = await session.receive("PARTITIONED_METADATA_RESPONSE");
  assert.equal(body.error, ServerError.AuthorizationError);
});
