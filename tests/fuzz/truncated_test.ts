import assert from "node:assert/strict";
import { crc32cPortable, writeUint32 } from "../../lib/base/mod.ts";
import { encodeCommand, PulsarError } from "../../lib/pulsar/wire/mod.ts";
import { decodeWhole } from "./decode_whole.ts";
import { allRecordings, type RecordedFrame } from "../pulsar/recorded.ts";
import { replay } from "./found_inputs.ts";
import type { Session } from "./session.ts";

const CONNECT = encodeCommand("CONNECT", { clientVersion: "cut", protocolVersion: 21 });
const frames = allRecordings().flat().filter(({ name }) => !name.startsWith("raw_"));

/** One frame of each command and length: the others differ in numbers and names only. */
function distinct(from: RecordedFrame["from"]): RecordedFrame[] {
  const seen = new Map<string, RecordedFrame>();
  for (const frame of frames.filter((one) => one.from === from)) {
    const key = `${frame.command} ${frame.bytes.length}`;
    if (!seen.has(key)) seen.set(key, frame);
  }
  return [...seen.values()];
}

/** The frame's first bytes, with sizes that say so, so that what is inside is looked at. */
function cut({ bytes }: RecordedFrame, length: number): Uint8Array<ArrayBuffer> {
  const short = bytes.slice(0, length);
  writeUint32(short, 0, length - 4);
  const commandBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4);
  writeUint32(short, 4, Math.min(commandBytes, length - 8));
  return short;
}

Deno.test("every recorded frame of both sides cut at every byte, sizes true or lying, is read or refused with a typed error", () => {
  let refused = 0;
  for (const frame of frames) {
    for (let length = 0; length < frame.bytes.length; length++) {
      const inputs = [frame.bytes.subarray(0, length)];
      if (length >= 8) inputs.push(cut(frame, length));
      for (const input of inputs) {
        try {
          decodeWhole(input, crc32cPortable);
        } catch (error) {
          assert.ok(error instanceof PulsarError, `${frame.name} cut at ${length}: ${error}`);
          refused++;
        }
      }
    }
  }
  assert.ok(refused > 100_000, `${refused} refused`);
});

Deno.test("the broker stands every recorded frame of a client cut at every byte", async () => {
  const sessions: Session[] = [];
  for (const frame of distinct("client")) {
    const before = frame.command === "CONNECT" ? [] : [CONNECT];
    for (let length = 8; length < frame.bytes.length; length++) {
      sessions.push({ frames: [...before, cut(frame, length)], isDeaf: false });
    }
    // Cut without a word about it: the broker waits for the rest, and the client hangs up.
    const half = frame.bytes.slice(0, frame.bytes.length >> 1);
    sessions.push({ frames: [...before, half], isDeaf: false });
  }
  assert.ok(sessions.length > 10_000, `${sessions.length} sessions`);
  const finding = await replay(sessions, { sessionsPerExchange: 200 });
  assert.equal(finding?.fault, undefined);
});
