import assert from "node:assert/strict";
import { WeirError } from "../../lib/base/mod.ts";
import { AvroError, type AvroErrorCode, failDecoding } from "../../lib/avro/errors.ts";

/** All codes; a code that is missing here does not compile. */
const CODES: Readonly<Record<AvroErrorCode, true>> = {
  truncated: true,
  trailing_bytes: true,
  varint_too_long: true,
  int_range: true,
  long_range: true,
  negative_length: true,
  boolean: true,
  union_index: true,
  enum_index: true,
  block_size: true,
  too_large: true,
  text: true,
  invalid_value: true,
  no_room: true,
  schema: true,
};

Deno.test("failDecoding() throws each code with field, offset and a message for people", () => {
  for (const code of Object.keys(CODES) as AvroErrorCode[]) {
    assert.throws(() => failDecoding(code, "temperature_c", 7), (error) => {
      assert.ok(error instanceof AvroError && error instanceof WeirError);
      assert.deepEqual([error.code, error.field, error.offset], [code, "temperature_c", 7]);
      assert.equal(error.retryable, false);
      assert.match(error.message, /^Cannot decode field "temperature_c": .*, at offset 7$/);
      return true;
    });
  }
});

Deno.test("AvroError has offset −1 where there are no bytes", () => {
  const cause = new Error("why");
  const error = new AvroError("Cannot parse AVRO schema: why", { code: "schema", cause });
  assert.deepEqual([error.offset, error.field, error.cause], [-1, undefined, cause]);
});
