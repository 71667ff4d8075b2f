import assert from "node:assert/strict";
import type { AssembledMessage } from "../../../lib/pulsar/client/chunk_assembler.ts";
import type { Chunk } from "../../../lib/pulsar/client/message_decoder.ts";
import { assembler, chunk, decodeFrame, decoder, recordedMessages } from "./entries.ts";

function chunksOf(name: string): Chunk[] {
  return recordedMessages(name).flatMap((bytes) => {
    const decoded = decodeFrame(decoder(), bytes);
    return decoded.kind === "chunk" ? [decoded.chunk] : [];
  });
}

Deno.test("ChunkAssembler puts the chunks together that Java's client has sent", () => {
  const chunks = chunksOf("java_chunks");
  assert.ok(chunks.length > 1);
  const { parts, dropped } = assembler();
  const assembled = chunks.flatMap((chunk) => parts.add(chunk, 0) ?? []);
  assert.ok(assembled.length > 0);
  for (const { parts: whole, positions } of assembled) {
    assert.ok(positions.length > 1);
    assert.deepEqual(whole.firstChunk, positions[0]);
    assert.equal(whole.entryId, positions.at(-1)!.entryId);
  }
  assert.deepEqual(dropped, []);
  assert.equal(parts.pending, 0);
});

function bytesOf(assembled: AssembledMessage | undefined): number[] | undefined {
  return assembled === undefined ? undefined : [...assembled.parts.content];
}

Deno.test("ChunkAssembler keeps messages apart, takes chunks twice for once, and begins again with chunk 0", () => {
  const { parts, dropped } = assembler();
  const add = (uuid: string, chunkId: number, entryId: number) =>
    bytesOf(parts.add(chunk(uuid, chunkId, 3, entryId), 0));
  assert.equal(add("a", 0, 0), undefined);
  assert.equal(add("b", 0, 1), undefined);
  assert.equal(add("a", 1, 2), undefined);
  assert.equal(add("a", 1, 3), undefined);
  assert.equal(add("b", 1, 4), undefined);
  assert.equal(add("b", 0, 5), undefined);
  assert.deepEqual(add("a", 2, 6), [0, 1, 2]);
  assert.equal(add("b", 1, 7), undefined);
  assert.deepEqual(add("b", 2, 8), [0, 1, 2]);
  assert.deepEqual(dropped, []);
});

Deno.test("ChunkAssembler gives up messages with a gap, that are overdue, or too many", () => {
  const { parts, dropped } = assembler();
  parts.add(chunk("gap", 0, 3, 0), 0);
  parts.add(chunk("gap", 2, 3, 1), 0);
  parts.add(chunk("unknown", 1, 3, 2), 0);
  parts.add(chunk("old", 0, 3, 3), 0);
  parts.add(chunk("old", 1, 3, 4), 500);
  parts.expire(1499);
  assert.equal(parts.pending, 1);
  parts.expire(1500);
  for (const [i, uuid] of ["x", "y", "z"].entries()) parts.add(chunk(uuid, 0, 2, 10 + i), 2000);
  assert.deepEqual(dropped, ["gap 0,1", "gap 2", "expired 3,4", "too_many 10"]);
});

Deno.test("ChunkAssembler refuses more bytes than allowed, whatever was announced", () => {
  const { parts } = assembler({ messageBytesMax: 2 });
  assert.throws(() => parts.add({ ...chunk("a", 0, 9, 0), totalBytes: 3 }, 0), {
    code: "message_too_large",
  });
  const lie = (chunkId: number) => ({ ...chunk("b", chunkId, 9, chunkId), totalBytes: 1 });
  parts.add(lie(0), 0);
  parts.add(lie(1), 0);
  assert.throws(() => parts.add(lie(2), 0), { code: "message_too_large" });
  assert.equal(parts.pending, 0);
});
