import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../lib/base/mod.ts";
import { encodeCommand, FrameReader, PulsarError } from "../../../lib/pulsar/wire/mod.ts";
import { frameAround, SEED } from "./oracle.ts";

const PING = encodeCommand("PING", {}).slice(8);

/** A frame of a PING with a payload of this size, each byte of it `mark`. */
function marked(size: number, mark: number): Uint8Array {
  return frameAround(PING, new Uint8Array(size).fill(mark));
}

/** Feeds a stream in pieces; gives the payload of each frame, copied at once. */
function readAll(reader: FrameReader, stream: Uint8Array, pieces: readonly number[]): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < stream.length; i++) {
    const room = reader.room();
    assert.ok(room.length > 0, "no room");
    const count = Math.min(pieces[i % pieces.length]!, room.length, stream.length - at);
    room.set(stream.subarray(at, at + count));
    reader.filled(count);
    at += count;
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
      payloads.push(frame.bytes.slice(frame.commandEnd, frame.end));
    }
  }
  return payloads;
}

Deno.test("FrameReader gives the same frames however the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 7000 }), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(16, 64, 5000, 65536),
      (sizes, pieces, initialBytes) => {
        const frames = sizes.map((size, i) => marked(size, i));
        const payloads = readAll(new FrameReader({ initialBytes }), concatBytes(frames), pieces);
        assert.deepEqual(payloads.map((payload) => payload.length), sizes);
        payloads.forEach((payload, i) => assert.ok(payload.every((byte) => byte === i)));
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("FrameReader reads byte by byte", () => {
  const stream = concatBytes([marked(0, 1), marked(3, 2), marked(300, 3)]);
  const payloads = readAll(new FrameReader(), stream, [1]);
  assert.deepEqual(payloads.map((payload) => payload.length), [0, 3, 300]);
});

Deno.test("FrameReader.hold() keeps a frame's bytes while others are read, and lets go of them", () => {
  const reader = new FrameReader({ initialBytes: 4096 });
  const held: { bytes: Uint8Array; mark: number; release: () => void }[] = [];
  for (let mark = 0; mark < 60; mark++) {
    const frame = marked(1500, mark);
    for (let at = 0; at < frame.length;) {
      const room = reader.room();
      const count = Math.min(room.length, frame.length - at);
      room.set(frame.subarray(at, at + count));
      reader.filled(count);
      at += count;
    }
    const read = reader.next()!;
    const bytes = read.bytes.subarray(read.commandEnd, read.end);
    if (mark % 3 === 0) held.push({ bytes, mark, release: reader.hold() });
    if (held.length > 5) held.shift()!.release();
    for (const { bytes, mark } of held) assert.ok(bytes.every((byte) => byte === mark), `${mark}`);
  }
  for (const { release } of held) release();
});

Deno.test("FrameReader refuses a frame over the bound as soon as its size is there", () => {
  const reader = new FrameReader({ frameBytesMax: 1000 });
  const frame = marked(2000, 0);
  reader.room().set(frame.subarray(0, 4));
  reader.filled(4);
  assert.throws(
    () => reader.next(),
    (error) =>
      error instanceof PulsarError && error.code === "frame_too_large" && error.offset === 0,
  );
});

for (const total of [0, 1, 2, 3]) {
  Deno.test(`FrameReader refuses a total size of ${total}`, () => {
    const reader = new FrameReader();
    reader.room().set([0, 0, 0, total]);
    reader.filled(4);
    assert.throws(() => reader.next(), { code: "malformed" });
  });
}

Deno.test("FrameReader refuses a command that is larger than its frame", () => {
  const reader = new FrameReader();
  const frame = marked(10, 0);
  frame[6] = 1;
  reader.room().set(frame);
  reader.filled(frame.length);
  assert.throws(() => reader.next(), { code: "malformed", offset: 4 });
});

Deno.test("FrameReader takes memory only as bytes arrive, whatever size is announced", () => {
  const reader = new FrameReader();
  reader.room().set([0, 0x50, 0, 0]);
  reader.filled(4);
  assert.equal(reader.next(), undefined);
  assert.ok(reader.room().buffer.byteLength <= 256 * 1024, `${reader.room().buffer.byteLength}`);
  assert.equal(reader.pendingBytes, 4);
});

Deno.test("FrameReader reads frames of the largest size", () => {
  const frame = marked(5 * 1024 * 1024, 9);
  const [payload] = readAll(new FrameReader(), frame, [100_000]);
  assert.equal(payload!.length, 5 * 1024 * 1024);
});
