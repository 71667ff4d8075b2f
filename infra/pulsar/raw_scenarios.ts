/**
 * What no official client can be brought to send: frames of recordings, changed, to learn how the broker answers.
 *
 * @module
 */
import { join } from "node:path";
import { bytesOfHex, concatBytes } from "../../lib/base/mod.ts";
import { FrameSplitter, type RecordedFrame } from "./record.ts";

const GOLDEN_DIR = join(import.meta.dirname!, "..", "..", "tests", "golden", "pulsar");
/** An answer later than this does not belong to the question. */
const ANSWER_WAIT_MS = 3_000;

/** The frames of one command that the client sent in a recording. */
async function sentBefore(file: string, command: string): Promise<Uint8Array[]> {
  const text = await Deno.readTextFile(join(GOLDEN_DIR, `${file}.json`));
  const frames: RecordedFrame[] = JSON.parse(text);
  return frames.filter((frame) => frame.from === "client" && frame.command === command)
    .map((frame) => bytesOfHex(frame.hex));
}

/** A frame that holds just a command. */
function commandFrame(command: readonly number[]): Uint8Array {
  const size = command.length;
  return Uint8Array.from([0, 0, 0, size + 4, 0, 0, 0, size, ...command]);
}

/** Sends each frame and waits for an answer to it, or for the end of the connection. */
async function converse(port: number, frames: readonly Uint8Array[]): Promise<void> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const splitter = new FrameSplitter();
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (const frame of frames) {
      await connection.write(frame);
      const timer = AbortSignal.timeout(ANSWER_WAIT_MS);
      const late = new Promise<"late">((resolve) => {
        timer.addEventListener("abort", () => resolve("late"), { once: true });
      });
      for (let answered = false; !answered;) {
        const byteCount = await Promise.race([connection.read(buffer), late]);
        if (byteCount === null || byteCount === "late") return;
        answered = splitter.push(buffer.subarray(0, byteCount)).length > 0;
      }
    }
  } finally {
    connection.close();
  }
}

/** The first frame of each command in one recording. */
async function firsts(file: string, commands: readonly string[]): Promise<Uint8Array[]> {
  return await Promise.all(commands.map(async (name) => (await sentBefore(file, name))[0]!));
}

/** Up to the producer; the lookup makes the broker own the topic. */
async function opening(): Promise<Uint8Array[]> {
  return await firsts("python_produce_single", ["CONNECT", "LOOKUP", "PRODUCER"]);
}

/** A payload that does not fit its checksum. */
async function wrongChecksum(port: number): Promise<void> {
  const [send] = await sentBefore("python_produce_single", "SEND");
  const damaged = send!.slice();
  damaged[damaged.length - 1]! ^= 1;
  await converse(port, [...await opening(), damaged, send!]);
}

/** SEND without a producer, CONSUMER_STATS without a consumer, then a frame before CONNECT. */
async function outOfOrder(port: number): Promise<void> {
  const [connect, , producer] = await opening();
  const [send] = await sentBefore("python_produce_single", "SEND");
  await converse(port, [connect!, send!]);
  // CommandConsumerStats: request_id (1) = 5, consumer_id (4) = 77
  await converse(port, [connect!, commandFrame([0x08, 25, 0xca, 0x01, 4, 0x08, 5, 0x20, 77])]);
  await converse(port, [producer!]);
  await converse(port, [connect!, connect!]);
}

/** CONSUMER_STATS of a consumer that is there. */
async function consumerStats(port: number): Promise<void> {
  const file = "python_consume_single_ack";
  const frames = await firsts(file, ["CONNECT", "LOOKUP", "SUBSCRIBE"]);
  await converse(port, [...frames, commandFrame([0x08, 25, 0xca, 0x01, 4, 0x08, 5, 0x20, 0])]);
}

/** A total size over the maximum, a command size over the total size, a command that is none. */
async function malformed(port: number): Promise<void> {
  const [connect] = await opening();
  await converse(port, [connect!, Uint8Array.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 4])]);
  await converse(port, [connect!, Uint8Array.from([0, 0, 0, 8, 0, 0, 0x10, 0, 0x08, 18, 0, 0])]);
  await converse(port, [connect!, commandFrame([0xff, 0xff, 0xff, 0xff])]);
  await converse(port, [concatBytes([connect!, commandFrame([0x08, 18, 0x92, 0x01, 0])])]);
}

/** By name, as the scenarios of the official clients. */
export const RAW_SCENARIOS: Readonly<Record<string, (port: number) => Promise<void>>> = {
  wrong_checksum: wrongChecksum,
  out_of_order: outOfOrder,
  consumer_stats: consumerStats,
  malformed,
};
