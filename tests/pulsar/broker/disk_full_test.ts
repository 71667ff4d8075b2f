import assert from "node:assert/strict";
import { systemDisk } from "../../../lib/base/mod.ts";
import type { Disk, DiskFile } from "../../../lib/base/mod.ts";
import { ServerError } from "../../../lib/pulsar/wire/mod.ts";
import { testBroker, topicNamed } from "./_broker.ts";
import { RawClient, sendFrame } from "./_raw_client.ts";

const TOPIC = topicNamed("t");

/** The host's disk, with a bound on what logs may take. */
function bounded(limit: { bytes: number }): Disk {
  return {
    ...systemDisk,
    open(path, options) {
      const file = systemDisk.open(path, options);
      if (!path.endsWith(".log")) return file;
      const append = (bytes: Uint8Array) => {
        const room = limit.bytes - file.sizeBytes();
        if (room < bytes.length) {
          file.append(bytes.subarray(0, Math.max(0, room)));
          throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
        }
        file.append(bytes);
      };
      return new Proxy(file, {
        get: (target, key: keyof DiskFile) => {
          if (key === "append") return append;
          const value = target[key];
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    },
  };
}

Deno.test("a full disk fails the producer with PersistenceError, loses nothing that has a receipt, and is left when there is room", async () => {
  const limit = { bytes: 2000 };
  const folder = await Deno.makeTempDir();
  {
    await using broker = await testBroker({ folder, disk: bounded(limit) });
    await using client = await RawClient.connect(broker.port);
    await client.produce(TOPIC);
    const payload = new Uint8Array(400);
    const frames = Array.from(
      { length: 10 },
      (_, sequenceId) => sendFrame({ sequenceId, payload }),
    );
    await client.write(frames[0]!);
    await client.expect("SEND_RECEIPT");
    for (const frame of frames.slice(1)) await client.write(frame);
    let receipted = 1;
    let isClosed = false;
    while (!isClosed) {
      const { command } = (await client.next())!;
      if (command.type === "SEND_RECEIPT") receipted++;
      else if (command.type === "CLOSE_PRODUCER") isClosed = true;
      else {
        assert.equal(command.type, "SEND_ERROR");
        assert.equal(
          command.type === "SEND_ERROR" && command.body.error,
          ServerError.PersistenceError,
        );
      }
    }
    assert.ok(receipted >= 1 && receipted <= 4, `${receipted} receipts`);
    assert.match(broker.lines.join("\n"), /no space left/);

    limit.bytes = Infinity;
    const again = await client.produce(TOPIC, { epoch: 1 });
    assert.equal(again.type === "PRODUCER_SUCCESS" && again.body.lastSequenceId, receipted - 1);
    for (const frame of frames) await client.write(frame);
    const ids = new Set<number>();
    for (let i = 0; i < 10; i++) {
      const receipt = await client.expect("SEND_RECEIPT");
      if (receipt.messageId!.ledgerId >= 0) ids.add(receipt.sequenceId);
    }
    assert.equal(ids.size, 10 - receipted);
  }
  await using broker = await testBroker({ folder });
  await using client = await RawClient.connect(broker.port);
  await client.subscribe(TOPIC);
  await client.send("FLOW", { consumerId: 0, messagePermits: 100 });
  for (let i = 0; i < 10; i++) assert.equal((await client.next())?.command.type, "MESSAGE");
});
