import assert from "node:assert/strict";
import { readUint32, textOf } from "../../../lib/base/mod.ts";
import { frameFields } from "../../../lib/pulsar/wire/fields.ts";
import { PulsarError } from "../../../lib/pulsar/wire/errors.ts";
import { allRecordings, recording } from "../recorded.ts";

/** Recordings named raw_* hold what no client sends: damaged frames. */
const everyFrame = allRecordings().flat().filter(({ name }) => !name.startsWith("raw_"));

Deno.test("frameFields() leaves no byte of what real clients and a real broker sent out", () => {
  let withMessages = 0;
  for (const { name, bytes } of everyFrame) {
    const { fields, messages } = frameFields(bytes);
    let at = 0;
    for (const { start, end } of fields) {
      assert.equal(start, at, name);
      assert.ok(end > start, name);
      at = end;
    }
    assert.equal(at, bytes.length, name);
    if (messages.length > 0) withMessages++;
  }
  assert.ok(withMessages > 50, `${withMessages} frames with messages`);
});

Deno.test("frameFields() knows every field that Pulsar 4.2 sent", () => {
  const unknown = everyFrame.flatMap(({ name, bytes }) =>
    frameFields(bytes).fields.filter((field) => / ?field \d+$/.test(field.name)).map((field) =>
      `${name}: ${field.name}`
    )
  );
  assert.deepEqual(unknown, []);
});

Deno.test("frameFields() names what a SEND of the Java client holds", () => {
  const send = recording("java_produce").find(({ name }) => name.endsWith(" SEND"))!;
  const { fields, messages } = frameFields(send.bytes);
  const textOfField = (name: string) => fields.find((field) => field.name === name)?.text;
  assert.equal(textOfField("total size"), String(send.bytes.length - 4));
  assert.equal(textOfField("type"), "6, SEND");
  assert.match(textOfField("producer_name")!, /^".+"$/);
  assert.match(textOfField("publish_time")!, /^20\d\d-.+Z$/);
  assert.equal(textOfField("magic"), "0e01");
  const checksum = fields.find(({ name }) => name.startsWith("CRC-32C"))!;
  assert.equal(Number(checksum.text), readUint32(send.bytes, checksum.start));
  const [start, end] = messages[0]!;
  assert.ok(textOf(send.bytes.subarray(start, end)).length > 0);
});

Deno.test("frameFields() refuses a frame that is cut anywhere", () => {
  const { bytes } = everyFrame.find(({ name }) => name.endsWith(" SEND"))!;
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => frameFields(bytes.subarray(0, length)), PulsarError, `${length}`);
  }
});
