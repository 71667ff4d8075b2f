import assert from "node:assert/strict";
import { utf8 } from "../../../lib/base/mod.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import { RawClient } from "./_raw_client.ts";

Deno.test("a broker that closed has let its ports go, with clients connected too", async () => {
  const folder = await Deno.makeTempDir();
  let ports = { port: 0, adminPort: 0 };
  for (let i = 0; i < 5; i++) {
    const broker = await testBroker({ folder, ...ports });
    ports = { port: broker.port, adminPort: broker.adminPort };
    await using client = await RawClient.connect(broker.port);
    await client.produce(topicNamed("t"));
    await (await fetch(`${broker.adminUrl}/admin/v2/clusters`)).body?.cancel();
    await broker[Symbol.asyncDispose]();
    assert.equal(await client.ended(), true);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a broker closes though an admin client never sends the rest of its request", async () => {
  const broker = await testBroker();
  const socket = await Deno.connect({ hostname: "127.0.0.1", port: broker.adminPort });
  await socket.write(utf8(
    "PUT /admin/v2/tenants/t HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{",
  ));
  // Whoever asks after it is answered after it.
  await (await fetch(`${broker.adminUrl}/admin/v2/clusters`)).body?.cancel();
  await broker[Symbol.asyncDispose]();
  assert.equal(await socket.read(new Uint8Array(1)).catch(() => null), null);
  socket.close();
});

Deno.test("a broker on IPv6 names itself with brackets", async () => {
  await using broker = await testBroker({ host: "::1" });
  assert.equal(broker.url, `pulsar://[::1]:${broker.port}`);
  assert.equal(broker.adminUrl, `http://[::1]:${broker.adminPort}`);
  const answer = await fetch(`${broker.adminUrl}/admin/v2/brokers/health`);
  assert.equal(await answer.text(), "ok");
});
