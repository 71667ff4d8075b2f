import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesOfHex, concatBytes } from "../../../lib/base/mod.ts";
import {
  commandName,
  FrameSplitter,
  type RecordedFrame,
  Recorder,
} from "../../../infra/pulsar/record.ts";

const GOLDEN_DIR = new URL("../../golden/pulsar/", import.meta.url);

function frame(content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + content.length);
  new DataView(bytes.buffer).setUint32(0, content.length);
  bytes.set(content, 4);
  return bytes;
}

const PING = frame(Uint8Array.from([0, 0, 0, 5, 0x08, 18, 0x92, 0x01, 0]));

Deno.test("FrameSplitter.push() gives the same frames in whatever pieces they come", () => {
  const contents = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(contents, fc.array(fc.integer({ min: 1, max: 20 })), (list, cuts) => {
      const frames = list.map(frame);
      let rest = concatBytes(frames);
      const splitter = new FrameSplitter();
      const found: Uint8Array[] = [];
      for (const cut of cuts) {
        found.push(...splitter.push(rest.subarray(0, cut)));
        rest = rest.subarray(cut);
      }
      found.push(...splitter.push(rest));
      assert.deepEqual(found, frames);
      assert.equal(splitter.pendingBytes, 0);
    }),
    { seed: 7 },
  );
});

Deno.test("FrameSplitter.push() keeps an unfinished frame back", () => {
  const splitter = new FrameSplitter();
  assert.deepEqual(splitter.push(PING.subarray(0, PING.length - 1)), []);
  assert.equal(splitter.pendingBytes, PING.length - 1);
  assert.deepEqual(splitter.push(PING.subarray(PING.length - 1)), [PING]);
});

Deno.test("commandName() reads the type of a command", () => {
  assert.equal(commandName(PING), "PING");
  assert.equal(commandName(frame(Uint8Array.from([0, 0, 0, 2, 0x08, 99]))), "TYPE_99");
  assert.equal(commandName(frame(Uint8Array.from([0, 0, 0, 2, 0x10, 18]))), "?");
  assert.equal(commandName(frame(new Uint8Array())), "?");
});

Deno.test("Recorder passes bytes on both ways and notes each frame before its answer", async () => {
  const broker = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const recorder = new Recorder(broker.addr.port);
  const client = await Deno.connect({ hostname: "127.0.0.1", port: recorder.port });
  const accepted = await broker.accept();
  const buffer = new Uint8Array(100);

  await client.write(PING);
  assert.equal(await accepted.read(buffer), PING.length);
  assert.deepEqual(buffer.subarray(0, PING.length), PING);
  const pong = PING.with(9, 19);
  await accepted.write(pong);
  assert.equal(await client.read(buffer), pong.length);
  client.close();
  assert.equal(await accepted.read(buffer), null);
  accepted.close();

  const frames = await recorder.take();
  assert.deepEqual(
    frames.map(({ from, connection, command }) => [from, connection, command]),
    [["client", 0, "PING"], ["broker", 0, "PONG"]],
  );
  assert.deepEqual(bytesOfHex(frames[0]!.hex), PING);
  assert.deepEqual(await recorder.take(), []);
  recorder.stop();
  broker.close();
});

Deno.test("the recordings hold whole frames, the names of their commands, and little more than 300 KiB", async () => {
  let byteCount = 0;
  let fileCount = 0;
  for await (const { name } of Deno.readDir(GOLDEN_DIR)) {
    if (!name.endsWith(".json")) continue;
    const text = await Deno.readTextFile(new URL(name, GOLDEN_DIR));
    byteCount += text.length;
    fileCount++;
    const frames: RecordedFrame[] = JSON.parse(text);
    assert.equal(frames[0]?.from, "client", name);
    for (const { from, connection, command, hex } of frames) {
      const bytes = bytesOfHex(hex);
      assert(from === "client" || from === "broker", name);
      assert(Number.isInteger(connection), name);
      assert.equal(commandName(bytes), command, name);
      const splitter = new FrameSplitter();
      if (!name.startsWith("raw_")) assert.equal(splitter.push(bytes).length, 1, name);
    }
  }
  assert(fileCount >= 40, `only ${fileCount} recordings`);
  assert(byteCount < 512 * 1024, `${byteCount} bytes`);
});
