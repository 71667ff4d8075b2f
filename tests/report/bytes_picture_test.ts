import assert from "node:assert/strict";
import { bytesPicture } from "../../lib/report/bytes_picture.ts";
import { PALETTE } from "../../lib/report/palette.ts";

const bytes = Uint8Array.from({ length: 20 }, (_, i) => i);
const field = (name: string, start: number, end: number, layer = "head", type = "u32") => ({
  name,
  layer,
  start,
  end,
  type,
  text: `value of ${name}`,
});

function htmlOf(fields: Parameters<typeof bytesPicture>[0]["fields"]): string {
  return bytesPicture({ title: "Frame", bytes, fields })["text/html"]!;
}

Deno.test("bytesPicture() draws every byte once, in order, and names its field to the pointer", () => {
  const html = htmlOf([field("a", 0, 4), field("b", 4, 20, "body")]);
  const cells = [...html.matchAll(/data-field="(\w*)" title="([^"]*)"[^>]*>([0-9a-f]{2})</g)];
  assert.deepEqual(cells.map(([, , , hex]) => parseInt(hex!, 16)), [...bytes]);
  assert.deepEqual(cells.map(([, name]) => name), [
    ...Array(4).fill("a"),
    ...Array(16).fill("b"),
  ]);
  assert.equal(cells[0]![2], "a = value of a (u32)");
});

Deno.test("bytesPicture() gives each layer a colour and says how many bytes it has", () => {
  const html = htmlOf([field("a", 0, 4), field("b", 4, 8), field("c", 8, 20, "body")]);
  assert.match(html, /head: 8 bytes/);
  assert.match(html, /body: 12 bytes/);
  assert.ok(
    html.includes(`background:${PALETTE.broker.light}2b`),
    "first field of the first layer",
  );
  assert.ok(html.includes(`background:${PALETTE.broker.light}57`), "its neighbour differs");
  assert.ok(html.includes(`background:${PALETTE.produce.light}2b`), "the second layer");
});

Deno.test("bytesPicture() colours by type where there is but one layer", () => {
  const html = htmlOf([
    field("a", 0, 8, "AVRO", "long (timestamp-millis)"),
    field("b", 8, 10, "AVRO", "null or long"),
    field("c", 10, 20, "AVRO", "double"),
  ]);
  assert.match(html, /long: 10 bytes/);
  assert.match(html, /double: 10 bytes/);
});

Deno.test("bytesPicture() draws bytes without a field grey and escapes what a message says", () => {
  const nasty = { ...field("x", 0, 1), text: "<script>alert(1)</script>" };
  const html = htmlOf([nasty]);
  assert.ok(!html.includes("<script>"));
  const grey = html.split(`background:${PALETTE.line.light}"`).length - 1;
  assert.equal(grey, 19);
});

Deno.test("bytesPicture() cuts long values in the table, not in the text", () => {
  const long = { ...field("x", 0, 20), text: "y".repeat(200) };
  const picture = bytesPicture({ title: "Frame", bytes, fields: [long] });
  assert.ok(picture["text/plain"].includes("y".repeat(200)));
  assert.match(picture["text/html"]!, />y{43}…</);
});
