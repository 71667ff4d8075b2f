import assert from "node:assert/strict";
import { textOf, utf8 } from "../../../lib/base/mod.ts";
import type { Schema } from "../../../lib/pulsar/client/schema.ts";
import { PulsarError } from "../../../lib/pulsar/wire/mod.ts";
import { section } from "./consuming.ts";
import { connectFake, settle, TOPIC } from "./setup.ts";

async function viewing<T = Uint8Array>(
  entries: readonly (readonly [key: string | undefined, text: string])[],
  schema?: Schema<T>,
) {
  const { broker, clock, client } = await connectFake();
  const put = (key: string | undefined, text: string) => {
    const topic = broker.topic(TOPIC);
    const entryId = topic.entries.length;
    const metadata = key === undefined ? {} : { partitionKey: key };
    topic.entries.push({ ledgerId: 7, entryId, section: section(text, metadata) });
    broker.deliverAll();
  };
  for (const [key, text] of entries) put(key, text);
  const view = await client.openTableView<T>({ topic: "orders", ...(schema ? { schema } : {}) });
  return { broker, clock, client, view, put };
}

Deno.test("TableView reads the topic compacted, from its beginning, and keeps bytes of its own", async () => {
  const { broker, clock, client, view, put } = await viewing([["a", "1"], [undefined, "x"], [
    "a",
    "2",
  ]]);
  const [body] = broker.bodies("SUBSCRIBE");
  assert.equal(body!.readCompacted, true);
  assert.equal(body!.durable, false);
  assert.deepEqual(body!.startMessageId, { ledgerId: -1, entryId: -1 });
  assert.deepEqual([...view.keys()], ["a"]);
  const value = view.get("a")!;
  assert.equal(textOf(value), "2");
  assert.equal(value.byteLength, value.buffer.byteLength);
  put("b", "3");
  await settle(clock);
  assert.deepEqual([...view.values()].map(textOf), ["2", "3"]);
  put("a", "");
  await settle(clock);
  assert.equal(view.has("a"), false);
  await client[Symbol.asyncDispose]();
  assert.throws(() => view.size, { code: "closed" });
});

Deno.test("TableView tells whoever asks for it of a value that cannot be read, and goes on", async () => {
  const schema: Schema<string> = {
    info: undefined,
    encode: utf8,
    decode: (bytes) => {
      const text = textOf(bytes);
      if (text === "bad") throw new PulsarError("Cannot read: bad", { code: "schema_mismatch" });
      return text;
    },
  };
  const { clock, client, view, put } = await viewing([["a", "bad"], ["b", "good"]], schema);
  assert.equal(view.get("b"), "good");
  assert.throws(() => view.get("a"), { code: "schema_mismatch" });
  put("a", "better");
  await settle(clock);
  assert.equal(view.get("a"), "better");
  await client[Symbol.asyncDispose]();
});

Deno.test("TableView counts what listeners throw, and calls the others", async () => {
  const { clock, client, view, put } = await viewing([]);
  const heard: string[] = [];
  view.listen(() => {
    throw new Error("no");
  });
  const stop = view.listen((key) => heard.push(key));
  put("a", "1");
  await settle(clock);
  stop();
  put("b", "2");
  await settle(clock);
  assert.deepEqual(heard, ["a"]);
  assert.equal(view.listenerErrors, 2);
  await client[Symbol.asyncDispose]();
});

Deno.test("TableView says why it cannot follow its topic any more, instead of old values", async () => {
  const { broker, clock, client, view } = await viewing([["a", "1"]]);
  broker.hook = (command, connection) => {
    if (command.type !== "SUBSCRIBE") return false;
    return broker.refuse(connection, command.body.requestId, "AuthorizationError");
  };
  broker.dropAll();
  await clock.advance(1000);
  assert.throws(() => view.get("a"), { code: "authorization_error" });
  await assert.rejects(view.refresh(), { code: "authorization_error" });
  await client[Symbol.asyncDispose]();
});
