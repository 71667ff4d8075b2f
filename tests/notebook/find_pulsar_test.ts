import assert from "node:assert/strict";
import { findPulsar } from "../../lib/notebook/find_pulsar.ts";
import { testBroker } from "../pulsar/broker/_broker.ts";

function environment(variables: Readonly<Record<string, string>>) {
  return (name: string): string | undefined => variables[name];
}

Deno.test("findPulsar() says where nothing answers, and why", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const found = await findPulsar(environment({ PULSAR_URL: `pulsar://127.0.0.1:${port}` }));
  assert.equal(found.isThere, false);
  assert.deepEqual(found.options, {});
  assert.match(found.text, new RegExp(`^No Pulsar answers at pulsar://127.0.0.1:${port}: `));
});

Deno.test("findPulsar() does not take an embedded broker for a Pulsar", async () => {
  await using broker = await testBroker();
  const found = await findPulsar(environment({
    PULSAR_URL: `pulsar://127.0.0.1:${broker.port}`,
    WEIR_PULSAR_ADMIN: `http://127.0.0.1:${broker.adminPort}`,
  }));
  assert.equal(found.isThere, false);
  assert.match(found.text, /is an embedded broker$/);
});

Deno.test("findPulsar() finds what calls itself a Pulsar", async () => {
  await using broker = await testBroker();
  await using admin = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("4.2.4"),
  );
  const options = {
    pulsar: `pulsar://127.0.0.1:${broker.port}`,
    pulsarAdmin: `http://127.0.0.1:${admin.addr.port}`,
  };
  const variables = { PULSAR_URL: options.pulsar, WEIR_PULSAR_ADMIN: options.pulsarAdmin };
  assert.deepEqual(await findPulsar(environment(variables)), {
    isThere: true,
    text: `Apache Pulsar 4.2.4 answers at ${options.pulsar}`,
    options,
  });
  // A run is told everything: it does not look at the environment of the notebook.
  const pulsarTokenFile = await Deno.makeTempFile();
  const withToken = { ...variables, WEIR_PULSAR_TOKEN_FILE: pulsarTokenFile };
  await Deno.writeTextFile(pulsarTokenFile, "secret-1");
  const found = await findPulsar(environment(withToken));
  await Deno.remove(pulsarTokenFile);
  assert.deepEqual(found.options, { ...options, pulsarTokenFile });
});
