import assert from "node:assert/strict";
import { MessageId } from "../../../lib/pulsar/client/message_id.ts";
import { ReadingPlace } from "../../../lib/pulsar/client/reading_place.ts";
import { ReceivedEntry } from "../../../lib/pulsar/client/received_entry.ts";
import { chunk, ORIGIN } from "./entries.ts";

Deno.test("ReadingPlace says what of the first entry is wanted", () => {
  const entry = (entryId: number, messageCount: number) => {
    const bounds = messageCount === 1 ? undefined : new Uint32Array(2 * messageCount);
    return new ReceivedEntry(ORIGIN, { ...chunk("", 0, 1, entryId).parts, bounds });
  };
  const first = (batchIndex: number, isInclusive: boolean, messageCount: number) => {
    const id = { ledgerId: 1, entryId: 5, partition: -1, batchIndex };
    return new ReadingPlace({ id, isInclusive }, false).firstWanted(entry(5, messageCount));
  };
  assert.deepEqual([first(-1, true, 1), first(-1, false, 1)], [0, 1]);
  assert.deepEqual([first(-1, true, 4), first(-1, false, 4)], [0, 4]);
  assert.deepEqual([first(2, true, 4), first(2, false, 4)], [2, 3]);
  assert.deepEqual([first(0, true, 4), first(3, false, 4)], [0, 4]);
  const elsewhere = new ReadingPlace({ id: MessageId.earliest, isInclusive: true }, false);
  assert.equal(elsewhere.firstWanted(entry(5, 4)), 0);
});
