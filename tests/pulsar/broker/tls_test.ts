import assert from "node:assert/strict";
import { utf8 } from "../../../lib/base/mod.ts";
import type { TlsFiles } from "../../../lib/pulsar/broker/mod.ts";
import { testBroker } from "./_broker.ts";
import type { TestBroker } from "./_broker.ts";
import { RawClient, sendFrame } from "./_raw_client.ts";
import { SECRET, tokenOf } from "./_tokens.ts";

const FILES = new URL("../client/tls/", import.meta.url);
const pem = (name: string) => Deno.readTextFileSync(new URL(`${name}.pem`, FILES));
const TLS: TlsFiles = { certPem: pem("server"), keyPem: pem("server_key") };
const MUTUAL: TlsFiles = { ...TLS, clientCaPem: pem("client_ca") };
const CLIENT = { cert: pem("client"), key: pem("client_key") };
const TOPIC = "persistent://public/default/t";

function dial(broker: TestBroker, options: { cert?: string; key?: string } = {}) {
  const port = Number(new URL(broker.tlsUrl!.replace("pulsar+ssl", "http")).port);
  const identity = options.cert === undefined ? {} : options as { cert: string; key: string };
  return Deno.connectTls({ hostname: "localhost", port, caCerts: [pem("ca")], ...identity });
}

Deno.test("a broker with a certificate speaks both protocols over TLS, and without as well", async () => {
  await using broker = await testBroker({ tls: TLS });
  await using client = await RawClient.over(await dial(broker));
  await client.produce(TOPIC);
  // More than one record of TLS, and more than a socket takes at once.
  const large = new Uint8Array(1024 * 1024).fill(7);
  await client.subscribe(TOPIC);
  await client.send("FLOW", { consumerId: 0, messagePermits: 10 });
  await client.write(sendFrame({ sequenceId: 0, payload: large }));
  await client.expect("SEND_RECEIPT");
  assert.equal((await client.message()).text.length, large.length);
  const [lookup] = await client.request("LOOKUP", { topic: TOPIC });
  assert.ok(lookup?.type === "LOOKUP_RESPONSE");
  assert.equal(lookup.body.brokerServiceUrlTls, broker.tlsUrl);
  using http = Deno.createHttpClient({ caCerts: [pem("ca")] });
  const health = new URL("/admin/v2/brokers/health", broker.adminTlsUrl);
  health.hostname = "localhost";
  assert.equal(await (await fetch(health, { client: http })).text(), "ok");
  await using plain = await RawClient.connect(broker.port);
  assert.equal((await plain.produce(TOPIC, { producerName: "plain" })).type, "PRODUCER_SUCCESS");
});

Deno.test("with a client's authority the common name of its certificate is the role", async () => {
  await using broker = await testBroker({
    tls: MUTUAL,
    tokenSecretKey: SECRET,
    superusers: ["root"],
  });
  const role = /CN\s*=\s*([^,\n]+)/.exec(await subjectOf())![1]!;
  const grant = (roles: unknown) =>
    call(broker, `namespaces/public/default/permissions/${encodeURIComponent(role)}`, roles);
  const authMethodName = "tls";
  {
    await using client = await RawClient.over(await dial(broker, CLIENT), { authMethodName });
    assert.equal((await client.produce(TOPIC)).type, "ERROR");
  }
  assert.equal(await grant(["produce", "consume"]), 204);
  await using client = await RawClient.over(await dial(broker, CLIENT), { authMethodName });
  assert.equal((await client.produce(TOPIC)).type, "PRODUCER_SUCCESS");
  const large = new Uint8Array(2 * 1024 * 1024).fill(7);
  await client.subscribe(TOPIC);
  await client.send("FLOW", { consumerId: 0, messagePermits: 10 });
  await client.write(sendFrame({ sequenceId: 0, payload: large }));
  await client.expect("SEND_RECEIPT");
  assert.equal((await client.message()).text.length, large.length);
});

async function call(broker: TestBroker, path: string, body: unknown): Promise<number> {
  const answer = await fetch(`${broker.adminUrl}/admin/v2/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${await tokenOf("root")}` },
    body: JSON.stringify(body),
  });
  return answer.status;
}

async function subjectOf(): Promise<string> {
  const { X509Certificate } = await import("node:crypto");
  return new X509Certificate(CLIENT.cert).subject;
}

Deno.test("a client without a certificate is refused where one is asked for, and the plain port wants a token", async () => {
  await using broker = await testBroker({ tls: MUTUAL });
  await assert.rejects(async () => {
    const socket = await dial(broker);
    try {
      await socket.write(utf8("x"));
      if (await socket.read(new Uint8Array(1)) === null) throw new Error("closed");
    } finally {
      socket.close();
    }
  });
  await using plain = await RawClient.dial(broker.port);
  await plain.send("CONNECT", { clientVersion: "raw", protocolVersion: 21 });
  assert.equal((await plain.expect("ERROR")).message, "Failed to authenticate");
  assert.equal((await fetch(`${broker.adminUrl}/admin/v2/tenants`)).status, 401);
});

Deno.test("startBroker() says what is wrong with a certificate", async () => {
  const wrong = { certPem: "nonsense", keyPem: TLS.keyPem };
  await assert.rejects(() => testBroker({ tls: wrong }), { code: "invalid" });
});
