import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { concatBytes, hexOf, utf8, writeUint32 } from "../../../lib/base/mod.ts";
import {
  decodeMessage,
  plainHeaderLength,
  ProtoWriter,
  PulsarError,
  putPlainHeader,
  SINGLE_MESSAGE_METADATA,
  splitBatch,
  writeSingleMetadata,
} from "../../../lib/pulsar/wire/mod.ts";
import { SEED } from "./oracle.ts";
import { SingleMessageMetadataSchema } from "./pulsar_api_pb.ts";

/** A message in a batch as the other library writes it. */
function batched(value: Uint8Array, fields: Record<string, unknown> = {}): Uint8Array {
  const metadata = toBinary(
    SingleMessageMetadataSchema,
    create(SingleMessageMetadataSchema, { ...fields, payloadSize: value.length }),
  );
  const size = new Uint8Array(4);
  writeUint32(size, 0, metadata.length);
  return concatBytes([size, metadata, value]);
}

function split(bytes: Uint8Array, count: number): Uint8Array[] {
  const bounds = new Uint32Array(2 * count);
  splitBatch(bytes, 0, bytes.length, count, bounds);
  return Array.from(
    { length: count },
    (_, i) => bytes.subarray(bounds[2 * i], bounds[2 * i + 1]),
  );
}

const message = fc.record({
  value: fc.uint8Array({ maxLength: 400 }),
  fields: fc.record({
    partitionKey: fc.string({ maxLength: 10 }),
    eventTime: fc.bigInt({ min: 0n, max: 2n ** 42n }),
    properties: fc.array(fc.record({ key: fc.string(), value: fc.string() }), { maxLength: 2 }),
    sequenceId: fc.bigInt({ min: 0n, max: 2n ** 42n }),
    nullValue: fc.boolean(),
  }, { requiredKeys: [] }),
});

Deno.test("splitBatch() finds the messages that another library has written", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
      const bytes = concatBytes(messages.map(({ value, fields }) => batched(value, fields)));
      assert.deepEqual(
        split(bytes, messages.length).map(hexOf),
        messages.map(({ value }) => hexOf(value)),
      );
    }),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("putPlainHeader() writes what another library writes", () => {
  for (const size of [0, 1, 127, 128, 184, 16_383, 16_384, 5_000_000]) {
    const header = new Uint8Array(plainHeaderLength(size));
    assert.equal(putPlainHeader(header, 0, size), header.length);
    const oracle = batched(new Uint8Array(size));
    assert.equal(hexOf(header), hexOf(oracle.subarray(0, oracle.length - size)));
  }
});

Deno.test("writeSingleMetadata() writes what the table codec reads", () => {
  const writer = new ProtoWriter();
  writer.raw(utf8("value"));
  writeSingleMetadata(writer, {
    payloadBytes: 5,
    properties: [{ key: "a", value: "b" }],
    partitionKey: "k",
    orderingKey: utf8("o"),
    eventTimeMs: 77,
  });
  const bytes = writer.finish();
  assert.deepEqual(split(bytes, 1).map(hexOf), [hexOf(utf8("value"))]);
  assert.deepEqual(decodeMessage(SINGLE_MESSAGE_METADATA, bytes, 4, bytes.length - 5), {
    properties: [{ key: "a", value: "b" }],
    partitionKey: "k",
    payloadSize: 5,
    eventTime: 77,
    orderingKey: utf8("o"),
  });
});

Deno.test("splitBatch() refuses a batch truncated at every byte, or with another count", () => {
  const bytes = concatBytes([batched(utf8("one")), batched(utf8("two")), batched(utf8(""))]);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => split(bytes.subarray(0, length), 3), PulsarError, `cut at ${length}`);
  }
  assert.throws(() => split(bytes, 2), { code: "malformed" });
  assert.throws(() => split(bytes, 4), { code: "malformed" });
});

Deno.test("splitBatch() gives bounds inside the batch or a typed error for any bit flipped", () => {
  const bytes = concatBytes([batched(utf8("one"), { partitionKey: "k" }), batched(utf8("two"))]);
  const bounds = new Uint32Array(4);
  let refused = 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    try {
      splitBatch(flipped, 0, flipped.length, 2, bounds);
      assert.ok(bounds.every((bound) => bound <= flipped.length));
    } catch (error) {
      assert.ok(error instanceof PulsarError && error.code === "malformed");
      assert.ok(error.offset! <= flipped.length);
      refused++;
    }
  }
  assert.ok(refused > 0);
});

Deno.test("splitBatch() refuses a negative payload size", () => {
  const metadata = toBinary(
    SingleMessageMetadataSchema,
    create(SingleMessageMetadataSchema, { payloadSize: -5 }),
  );
  const bytes = concatBytes([new Uint8Array([0, 0, 0, metadata.length]), metadata]);
  assert.throws(() => split(bytes, 1), { code: "malformed" });
});
