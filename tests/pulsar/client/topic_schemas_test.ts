/** Schemas that a broker is asked for: what is remembered, and what is asked again. */
import assert from "node:assert/strict";
import { utf8 } from "../../../lib/base/mod.ts";
import type { Schema } from "../../../lib/pulsar/client/schema.ts";
import { schema } from "../../../lib/pulsar/client/schemas.ts";
import { SchemaType, ServerError } from "../../../lib/pulsar/wire/mod.ts";
import { consuming, section } from "./consuming.ts";
import { rejectsWith, settle } from "./setup.ts";

const VERSION = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1);
const written = (payload: string) => section(payload, { schemaVersion: VERSION });
const TEXT = { name: "text", type: SchemaType.String, schemaData: new Uint8Array(0) };

/** A topic, its broker's answers to GET_SCHEMA in turn, and a consumer that reads whatever there is. */
async function scene(...answers: (keyof typeof ServerError | "there")[]) {
  const made = await consuming([], {
    schema: schema.autoConsume() as Schema<Uint8Array>,
  });
  const { broker, topic, clock } = made;
  broker.hook = (command, connection) => {
    if (command.type !== "GET_SCHEMA") return false;
    const { requestId } = command.body;
    const answer = answers.shift() ?? assert.fail("it was asked too often");
    connection.send(
      "GET_SCHEMA_RESPONSE",
      answer === "there"
        ? { requestId, schema: TEXT }
        : { requestId, errorCode: ServerError[answer], errorMessage: "by the test" },
    );
    return true;
  };
  const deliver = async (payload: string) => {
    topic.entries.push({ ledgerId: 7, entryId: topic.entries.length, section: written(payload) });
    broker.deliverAll();
    await settle(clock);
    return await made.consumer.receive();
  };
  return { ...made, deliver };
}

Deno.test("TopicSchemas.get() asks for a version once", async () => {
  const { deliver, broker, end } = await scene("there");
  for (const text of ["a", "b"]) assert.equal((await deliver(text)).value as unknown, text);
  assert.deepEqual(broker.bodies("GET_SCHEMA").map(({ schemaVersion }) => schemaVersion), [
    VERSION,
  ]);
  await end();
});

Deno.test("TopicSchemas.get() asks again for a version that it was refused", async () => {
  const { deliver, end } = await scene("AuthorizationError", "there");
  const refused = await deliver("a");
  await rejectsWith(Promise.resolve().then(() => refused.value), "authorization_error");
  assert.equal((await deliver("b")).value as unknown, "b");
  await end();
});

Deno.test("TopicSchemas.get() takes a version that the broker does not know for none: bytes as they are", async () => {
  const { deliver, end } = await scene("TopicNotFound");
  const { value } = await deliver("a");
  assert.deepEqual(value, utf8("a"));
  await end();
});
