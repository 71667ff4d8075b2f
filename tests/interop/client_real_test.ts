import assert from "node:assert/strict";
import {
  connectPulsar,
  tokenAuthentication,
  tokenFileAuthentication,
} from "../../lib/pulsar/mod.ts";
import { parseUp } from "../../infra/pulsar/options.ts";
import { bringPulsarDown, bringPulsarUp, findPulsar } from "../../infra/pulsar/server.ts";
import { freePort } from "../../infra/process.ts";
import { signToken } from "../../infra/token.ts";
import { assertRefused, clientContract } from "./client_contract.ts";
import { Notes, sendTexts, whileRunning } from "./client_session.ts";
import { admin, freshTopic, interopServers } from "./harness.ts";

clientContract("a real Pulsar", () => {
  const { serviceUrl, adminUrl } = interopServers().plain;
  return { serviceUrl, adminUrl, systemName: "Apache Pulsar 4.2.4" };
});

Deno.test("client × a real Pulsar: a wrong token, or none, is refused at once", async () => {
  const { serviceUrl } = interopServers().token;
  const forged = tokenAuthentication(await signToken(new Uint8Array(32), "admin"));
  for (const authentication of [undefined, forged, tokenAuthentication("nonsense")]) {
    await assertRefused(connectPulsar({ serviceUrl, authentication }), "authentication_error", {
      retryable: false,
      cure: /token/,
    });
  }
});

Deno.test("client × a real Pulsar: a token without rights is refused, one of the superuser works", async () => {
  const { serviceUrl, tokenSecretFile, dataDir } = interopServers().token;
  const topic = freshTopic("client-token");
  const secret = await Deno.readFile(tokenSecretFile!);
  {
    const authentication = tokenAuthentication(await signToken(secret, "nobody"));
    await using client = await connectPulsar({ serviceUrl, authentication });
    await assertRefused(
      client.openBatchProducer({ topic, producerName: "p" }),
      "authorization_error",
      { retryable: false, cure: /rights/ },
    );
  }
  const authentication = tokenFileAuthentication(`${dataDir}/admin.token`);
  await using client = await connectPulsar({ serviceUrl, authentication });
  await using producer = await client.openBatchProducer({ topic, producerName: "p" });
  await sendTexts(producer, { partition: 0, sequenceId: 0 }, ["allowed"]);
});

Deno.test("client × nothing that listens: refused at once, with the cure", async () => {
  const serviceUrl = `pulsar://127.0.0.1:${await freePort(0, "port")}`;
  await assertRefused(connectPulsar({ serviceUrl }), "connection_refused");
});

Deno.test("client × a real Pulsar that deduplicates: a new producer of the name knows the last sequence id, and a batch that is sent again is a duplicate", async () => {
  const { serviceUrl, adminUrl } = interopServers().plain;
  const namespace = `public/dedup-${crypto.randomUUID().slice(0, 8)}`;
  await admin(adminUrl, { method: "PUT", path: `namespaces/${namespace}`, body: {} });
  await admin(adminUrl, {
    method: "POST",
    path: `namespaces/${namespace}/deduplication`,
    body: true,
  });
  const topic = `persistent://${namespace}/numbered`;
  await using client = await connectPulsar({ serviceUrl });
  {
    await using producer = await client.openBatchProducer({ topic, producerName: "numbered" });
    assert.equal(producer.lastSequenceId(0), -1);
    await sendTexts(producer, { partition: 0, sequenceId: 0 }, ["a", "b", "c"]);
    const again = await sendTexts(producer, { partition: 0, sequenceId: 0 }, ["a", "b", "c"]);
    assert.equal(again.duplicate, true);
  }
  await using producer = await client.openBatchProducer({ topic, producerName: "numbered" });
  assert.equal(producer.lastSequenceId(0), 2);
  const next = await sendTexts(producer, { partition: 0, sequenceId: 3 }, ["d"]);
  assert.equal(next.duplicate, false);
});

Deno.test("client × a real Pulsar: kill -9 of the broker and its restart lose no acknowledged batch", async () => {
  const dataDir = await Deno.makeTempDir();
  const port = `${await freePort(0, "port")}`;
  const flags = ["--port", port, "--admin-port", "0", "--heap", "512m", "--data", dataDir];
  const options = parseUp(flags);
  assert(options !== "help");
  const up = () => bringPulsarUp(options, () => {}, new AbortController().signal);
  try {
    const { serviceUrl, pid } = await up();
    const topic = freshTopic("killed");
    await using client = await connectPulsar({ serviceUrl });
    await using producer = await client.openBatchProducer({ topic, producerName: "p" });
    await using source = await client.openSource({
      topic,
      subscription: "sub",
      subscriptionType: "exclusive",
    });
    const notes = new Notes();
    const sent: string[] = [];
    const send = async (label: string) => {
      const batch = Array.from({ length: 10 }, (_, i) => `${label} ${i}`);
      const sequenceId = sent.length;
      sent.push(...batch);
      await sendTexts(producer, { partition: 0, sequenceId }, batch);
    };
    await whileRunning(source, notes, async () => {
      for (let i = 0; i < 20; i++) await send(`before ${i}`);
      Deno.kill(pid, "SIGKILL");
      while (await findPulsar(dataDir) !== undefined);
      // Sent while there is no broker: they wait for it.
      const waiting = Promise.all(Array.from({ length: 20 }, (_, i) => send(`while away ${i}`)));
      // If bringing it up fails, that is the error to be seen, not that the producer was closed then.
      waiting.catch(() => {});
      await up();
      await waiting;
      await send("the end");
      await notes.until(() => notes.texts.at(-1) === "the end 9", "the last message");
    });
    // Without deduplication a batch may come twice, whole; nothing may be missing or out of order.
    assert.deepEqual([...new Set(notes.texts)], sent);
    const batches = notes.batches.map((batch) => batch.texts.join());
    assert(batches.length - new Set(batches).size <= 1, "more than the batch in flight came twice");
  } finally {
    await bringPulsarDown({ dataDir, deleteData: true, waitMs: 30_000 }, () => {});
  }
});
