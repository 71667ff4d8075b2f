import assert from "node:assert/strict";
import type { Transport } from "../../lib/pulsar/mod.ts";
import { CuttableConnections } from "../../lib/scenarios/cuttable.ts";

Deno.test("CuttableConnections closes what is open, once, and forgets what was closed", async () => {
  const closed: number[] = [];
  let opened = 0;
  const connections = new CuttableConnections();
  const open = connections.through((): Promise<Transport> => {
    const number = opened++;
    return Promise.resolve({
      read: () => Promise.resolve(number),
      write: (bytes) => Promise.resolve(bytes.length),
      close: () => void closed.push(number),
    });
  });
  const address = { host: "h", port: 1, tls: false };
  const [first, second] = [await open(address), await open(address)];
  assert.equal(await second.read(new Uint8Array(1)), 1);
  assert.equal(await second.write(new Uint8Array(3)), 3);
  first.close();
  assert.equal(connections.cut(), 1);
  assert.equal(connections.cut(), 0);
  assert.deepEqual(closed, [0, 1]);
});
