import assert from "node:assert/strict";
import type { Position } from "../../../lib/contract.ts";
import { MessageId } from "../../../lib/pulsar/client/message_id.ts";

Deno.test("MessageId's bytes are those of the official Python client", () => {
  const golden: [string, Partial<MessageId> & Position][] = [
    ["080c1007", { ledgerId: 12, entryId: 7 }],
    ["08ac02100518022003", { ledgerId: 300, entryId: 5, partition: 2, batchIndex: 3 }],
    ["08ffffffffffffffffff0110ffffffffffffffffff01", MessageId.earliest],
    ["08ffffffffffffffff7f10ffffffffffffffff7f", MessageId.latest],
  ];
  for (const [hex, parts] of golden) {
    const id = { partition: -1, batchIndex: -1, ...parts };
    assert.equal(MessageId.toBytes(id).toHex(), hex);
    assert.deepEqual(MessageId.fromBytes(Uint8Array.fromHex(hex)), id);
  }
  assert.throws(() => MessageId.fromBytes(Uint8Array.of(8)), { code: "malformed" });
});

Deno.test("MessageId.compare() orders by ledger, entry and place in the batch", () => {
  const id = (ledgerId: number, entryId: number, batchIndex = -1) => {
    return { ledgerId, entryId, partition: -1, batchIndex };
  };
  const ordered = [
    MessageId.earliest,
    id(1, 9),
    id(2, 0),
    id(2, 1),
    id(2, 1, 0),
    id(2, 1, 5),
    MessageId.latest,
  ];
  for (const [i, a] of ordered.entries()) {
    for (const [j, b] of ordered.entries()) {
      assert.equal(Math.sign(MessageId.compare(a, b)), Math.sign(i - j));
    }
  }
});
