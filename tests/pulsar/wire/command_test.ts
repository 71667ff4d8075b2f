import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { hexOf, utf8 } from "../../../lib/base/mod.ts";
import {
  AckView,
  COMMANDS,
  decodeCommand,
  encodeCommand,
  expectCommand,
  Frame,
  PulsarError,
} from "../../../lib/pulsar/wire/mod.ts";
import type { CommandBodies, CommandType, ServerError } from "../../../lib/pulsar/wire/mod.ts";
import { anyCommand, frameAround, SEED } from "./oracle.ts";
import { BaseCommand_Type, BaseCommandSchema } from "./pulsar_api_pb.ts";

function frameOf(bytes: Uint8Array): Frame {
  return new Frame().read(bytes, 0, bytes.length);
}

/** Anything but a value or a typed error that names a place in the bytes is a fault. */
function decodeSafely(bytes: Uint8Array): "value" | "error" {
  try {
    decodeCommand(frameOf(bytes));
    return "value";
  } catch (error) {
    assert.ok(error instanceof PulsarError, String(error));
    assert.equal(error.code, "malformed");
    assert.ok(error.offset! >= 0 && error.offset! <= bytes.length, `offset ${error.offset}`);
    return "error";
  }
}

Deno.test("decodeCommand() and encodeCommand() agree with another library on random commands, byte for byte", () => {
  const types = new Set<string>();
  fc.assert(
    fc.property(anyCommand, ({ type, bytes }) => {
      const frame = frameAround(bytes);
      const command = decodeCommand(frameOf(frame))!;
      assert.equal(command.type, type);
      types.add(type);
      assert.equal(hexOf(encodeCommand(command.type, command.body)), hexOf(frame));
    }),
    { seed: SEED, numRuns: 2000 },
  );
  assert.equal(types.size, Object.keys(COMMANDS).length);
});

Deno.test("encodeCommand() writes what another library reads", () => {
  const bytes = encodeCommand("SUBSCRIBE", {
    topic: "persistent://public/default/t",
    subscription: "s",
    subType: 2,
    consumerId: 3,
    requestId: -1n,
    startMessageId: { ledgerId: -1, entryId: Infinity, ackSet: [-1n, 5n], batchIndex: -1 },
    metadata: [{ key: "a", value: "ü" }],
  });
  const { subscribe } = fromBinary(BaseCommandSchema, bytes.subarray(8));
  assert.equal(subscribe!.requestId, 2n ** 64n - 1n);
  assert.equal(subscribe!.startMessageId!.ledgerId, 2n ** 64n - 1n);
  assert.equal(subscribe!.startMessageId!.entryId, 2n ** 63n - 1n);
  assert.deepEqual(subscribe!.startMessageId!.ackSet, [-1n, 5n]);
  assert.equal(subscribe!.startMessageId!.batchIndex, -1);
  assert.equal(subscribe!.metadata[0]!.value, "ü");
});

Deno.test("COMMANDS has the numbers of the other library", () => {
  for (const [type, { number }] of Object.entries(COMMANDS)) {
    assert.equal(BaseCommand_Type[number], type);
  }
});

Deno.test("decodeCommand() gives an error for each command truncated at every byte", () => {
  for (const { bytes } of fc.sample(anyCommand, { seed: SEED, numRuns: 100 })) {
    const frame = frameAround(bytes);
    for (let length = 0; length < frame.length; length++) {
      assert.equal(decodeSafely(frame.subarray(0, length)), "error", `cut at ${length}`);
    }
  }
});

Deno.test("decodeCommand() gives a value or a typed error for any bit flipped", () => {
  const outcomes = { value: 0, error: 0 };
  for (const { bytes } of fc.sample(anyCommand, { seed: SEED + 1, numRuns: 60 })) {
    const frame = frameAround(bytes);
    for (let bit = 64; bit < Math.min(frame.length * 8, 1200); bit++) {
      const flipped = frame.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      outcomes[decodeSafely(flipped)]++;
    }
  }
  assert.ok(outcomes.value > 0 && outcomes.error > 0, JSON.stringify(outcomes));
});

Deno.test("decodeCommand() gives a value or a typed error for random bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeSafely(bytes);
      decodeSafely(frameAround(bytes));
    }),
    { seed: SEED, numRuns: 5000 },
  );
});

Deno.test("decodeCommand() passes over fields that it does not know", () => {
  const known = encodeCommand("FLOW", { consumerId: 1, messagePermits: 2 }).subarray(8);
  const unknown = [
    ...[0xf8, 0x07, 0x05], // field 127, varint
    ...[0xfa, 0x07, 0x02, 1, 2], // field 127, bytes
    ...[0xfd, 0x07, 1, 2, 3, 4], // field 127, four bytes
    ...[0xf9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8], // field 127, eight bytes
  ];
  const frame = frameAround(new Uint8Array([...known, ...unknown]));
  assert.deepEqual(decodeCommand(frameOf(frame)), {
    type: "FLOW",
    body: { consumerId: 1, messagePermits: 2 },
  });
});

Deno.test("decodeCommand() gives undefined for a type that it does not know", () => {
  // Type 99 and a field of that number.
  const command = new Uint8Array([0x08, 99, 0x9a, 0x06, 0x00]);
  assert.equal(decodeCommand(frameOf(frameAround(command))), undefined);
});

Deno.test("decodeCommand() takes a number that an enum does not have for a field that did not come, as Pulsar's codec does", () => {
  const named = <T extends CommandType>(type: T, body: CommandBodies[T], change: object) =>
    frameOf(encodeCommand(type, { ...body, ...change }));
  const subscribe: CommandBodies["SUBSCRIBE"] = {
    topic: "t",
    subscription: "s",
    subType: 1,
    consumerId: 0,
    requestId: 1n,
    initialPosition: 1,
  };
  const producer = { topic: "t", producerId: 0, requestId: 1n };
  const optional = decodeCommand(named("SUBSCRIBE", subscribe, { initialPosition: 7 }))!;
  const { initialPosition: _, ...others } = subscribe;
  assert.deepEqual(optional.body, others);
  const shared = decodeCommand(named("PRODUCER", producer, { producerAccessMode: -1 }))!;
  assert.deepEqual(shared.body, producer);
  const refused = [
    named("SUBSCRIBE", subscribe, { subType: 4 }),
    named("SUBSCRIBE", subscribe, { keySharedMeta: { keySharedMode: 2 } }),
    named("PRODUCER", producer, { schema: { name: "", schemaData: utf8(""), type: 23 } }),
    named("ACK", { consumerId: 0, ackType: 0 }, { ackType: 2 }),
  ];
  for (const frame of refused) {
    assert.throws(() => decodeCommand(frame), { code: "malformed", message: /is missing/ });
  }
  assert.throws(() => new AckView().read(refused[3]!), { code: "malformed" });
});

Deno.test("decodeCommand() keeps an error code of a newer broker: it ends a request, not the connection", () => {
  const body = { requestId: 1n, error: 99 as ServerError, message: "no" };
  assert.deepEqual(decodeCommand(frameOf(encodeCommand("ERROR", body)))!.body, body);
});

Deno.test("decodeCommand() refuses groups, field 0, a missing required field and deep nesting", () => {
  const refused = (bytes: number[]) => decodeSafely(frameAround(new Uint8Array(bytes)));
  assert.equal(refused([0x08, 18, 0x93, 0x01, 0x94, 0x01]), "error");
  assert.equal(refused([0x08, 18, 0x00, 0x00]), "error");
  assert.equal(refused([0x08, 11, 0x5a, 0x02, 0x08, 0x01]), "error");
  // SEEK to a message id within a message id within …: field 7 again and again.
  let nested: number[] = [];
  for (let i = 0; i < 30; i++) {
    const inner = [0x08, 1, 0x10, 1, 0x3a, nested.length, ...nested];
    nested = i === 0 ? [0x08, 1, 0x10, 1] : inner;
    if (nested.length > 120) break;
  }
  const body = [0x08, 1, 0x10, 1, 0x1a, nested.length, ...nested];
  assert.equal(refused([0x08, 28, 0xe2, 0x01, body.length, ...body]), "error");
});

Deno.test("decodeCommand() reads lists that are packed, as some encoders write them", () => {
  // ACK with a message id whose ack_set is packed: [1, 2].
  const id = [0x08, 5, 0x10, 6, 0x2a, 2, 1, 2];
  const body = [0x08, 1, 0x10, 0, 0x1a, id.length, ...id];
  const bytes = frameAround(new Uint8Array([0x08, 10, 0x52, body.length, ...body]));
  const ack = expectCommand(frameOf(bytes), "ACK");
  assert.deepEqual(ack.messageId, [{ ledgerId: 5, entryId: 6, ackSet: [1n, 2n] }]);
});

Deno.test("expectCommand() refuses another type", () => {
  const frame = frameOf(encodeCommand("PING", {}));
  assert.deepEqual(expectCommand(frame, "PING"), {});
  assert.throws(() => expectCommand(frame, "PONG"), { code: "malformed" });
});
