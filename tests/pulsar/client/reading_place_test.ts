import assert from "node:assert/strict";
import { MessageId } from "../../../lib/pulsar/client/message_id.ts";
import { ReadingPlace } from "../../../lib/pulsar/client/reading_place.ts";
import { ReceivedEntry } from "../../../lib/pulsar/client/received_entry.ts";
import type { ReceivedMessage } from "../../../lib/pulsar/client/received_entry.ts";
import { chunk, ORIGIN } from "./entries.ts";

const idOf = (entryId: number, batchIndex = -1): MessageId => ({
  ledgerId: 1,
  entryId,
  partition: -1,
  batchIndex,
});

function entryOf(entryId: number, messageCount = 1): ReceivedEntry {
  const bounds = messageCount === 1 ? undefined : new Uint32Array(2 * messageCount);
  return new ReceivedEntry(ORIGIN, { ...chunk("", 0, 1, entryId).parts, bounds });
}

function take(place: ReadingPlace, entry: ReceivedEntry, batchIndex = 0): void {
  place.taken({ entry, batchIndex } as unknown as ReceivedMessage<unknown>);
}

Deno.test("ReadingPlace says what of the first entry is wanted", () => {
  const first = (batchIndex: number, isInclusive: boolean, messageCount: number) => {
    const id = { ledgerId: 1, entryId: 5, partition: -1, batchIndex };
    return new ReadingPlace({ id, isInclusive }, false).firstWanted(entryOf(5, messageCount));
  };
  assert.deepEqual([first(-1, true, 1), first(-1, false, 1)], [0, 1]);
  assert.deepEqual([first(-1, true, 4), first(-1, false, 4)], [0, 4]);
  assert.deepEqual([first(2, true, 4), first(2, false, 4)], [2, 3]);
  assert.deepEqual([first(0, true, 4), first(3, false, 4)], [0, 4]);
  const elsewhere = new ReadingPlace({ id: MessageId.earliest, isInclusive: true }, false);
  assert.equal(elsewhere.firstWanted(entryOf(5, 4)), 0);
});

Deno.test("ReadingPlace.isBefore() counts the start itself where it is included", () => {
  for (const isInclusive of [false, true]) {
    const place = new ReadingPlace({ id: idOf(5), isInclusive }, false);
    const answers = [4, 5, 6].map((entryId) => place.isBefore(idOf(entryId), undefined));
    assert.deepEqual(answers, [false, isInclusive, true]);
    const inBatch = new ReadingPlace({ id: idOf(5, 2), isInclusive }, false);
    const places = [1, 2, 3].map((index) => inBatch.isBefore(idOf(5, index), undefined));
    assert.deepEqual(places, [false, isInclusive, true]);
  }
});

Deno.test("ReadingPlace.isBefore() counts from the last message taken, else from the cursor", () => {
  const place = new ReadingPlace(undefined, false);
  assert.equal(place.isBefore(idOf(5), undefined), false);
  assert.equal(place.isBefore(idOf(5), { ledgerId: 1, entryId: 4 }), true);
  assert.equal(place.isBefore(idOf(5), { ledgerId: 1, entryId: 5 }), false);
  take(place, entryOf(5, 3), 1);
  assert.equal(place.isBefore(idOf(5, 1), { ledgerId: 1, entryId: 4 }), false);
  assert.equal(place.isBefore(idOf(5, 2), { ledgerId: 1, entryId: 4 }), true);
});

Deno.test("ReadingPlace goes on behind the last message taken, not at the time that it was told before", () => {
  const place = new ReadingPlace(undefined, false);
  place.moveTo(1234);
  assert.equal(place.startTimeMs, 1234);
  take(place, entryOf(7, 3), 1);
  place.goOn();
  assert.equal(place.startTimeMs, undefined);
  assert.deepEqual(place.start, { id: idOf(7, 1), isInclusive: false });
  // Its subscription begins with the whole entry, and perhaps before it.
  const wanted = [entryOf(6, 3), entryOf(7, 3), entryOf(8, 3)].map((one) => place.firstWanted(one));
  assert.deepEqual(wanted, [3, 2, 0]);
  place.goBack();
  assert.equal(place.firstWanted(entryOf(6, 3)), 0);
});

Deno.test("ReadingPlace.moveTo() forgets what was taken, and takes it back when the seek fails", () => {
  const place = new ReadingPlace({ id: idOf(3), isInclusive: false }, true);
  take(place, entryOf(9));
  const takeBack = place.moveTo(idOf(2));
  assert.equal(place.last, undefined);
  assert.deepEqual(place.start, { id: idOf(2), isInclusive: true });
  takeBack();
  assert.deepEqual(place.last, idOf(9));
  assert.deepEqual(place.start, { id: idOf(3), isInclusive: false });
});
