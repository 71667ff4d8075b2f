import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { hexOf, sourceHash, utf8 } from "../../lib/base/mod.ts";
import { SENSOR_RECORD_BYTES_MAX } from "../../lib/sensor/_direct_encoder.ts";
import type { SensorPlan } from "../../lib/sensor/plan.ts";
import { sensorType } from "../../lib/sensor/schema.ts";
import {
  PLANTED_DUPLICATE,
  PLANTED_LATE,
  PLANTED_NONE,
  SensorStream,
} from "../../lib/sensor/sensor_stream.ts";

const SEED = 20_240_607;
const START_MS = 1_700_000_000_000;

/** 50,000 messages a second. */
const every20Us = (n: number) => n * 20;
/** Stages: 100/s, then 5/s, then 2,000/s. */
const stages = (n: number) => {
  if (n < 300) return n * 10_000;
  if (n < 400) return 3_000_000 + (n - 300) * 200_000;
  return 23_000_000 + (n - 400) * 500;
};

function planOf(changes: Partial<SensorPlan> = {}): SensorPlan {
  return { seed: 42, partitionCount: 4, startWallMs: START_MS, ...changes };
}

/** All that can be seen of the current message. */
function stateOf(stream: SensorStream) {
  const bytes = new Uint8Array(SENSOR_RECORD_BYTES_MAX);
  return {
    index: stream.index,
    source: stream.sourceIndex,
    partition: stream.partition,
    sequence: stream.sequence,
    partitionIndex: stream.partitionIndex,
    eventTimeMs: stream.eventTimeMs,
    ingestTimeMs: stream.ingestTimeMs,
    planted: stream.planted,
    bytes: hexOf(bytes.subarray(0, stream.encode(bytes, 0))),
  };
}

/** Messages that must never change for this seed: a producer of one version and an oracle of another would disagree. */
const GOLDEN_FIRST = {
  "index": 0,
  "source": 635,
  "partition": 2,
  "sequence": 0,
  "partitionIndex": 0,
  "eventTimeMs": 1699999999961,
  "ingestTimeMs": 1700000000000,
  "planted": 0,
  bytes:
    "4830636138313065362d323366622d343862302d616336652d6234303433383433663761641873656e736f722d" +
    "3030363335b29fabfef96280a0abfef962001e04020a322e342e323333333333733740d7a3703d0ad75140ec51" +
    "b81e855d8e406de7fba9f1d20440508d976e12830e40d7a3703d0ad70b40d7a3703d0a5f79406de7fba9f1922b" +
    "40d7a3703d4aedb14052b81e85ebf14a4085012e90a0f8313e4940b459f5b9da0a2b400000000000743f",
};
const GOLDEN_THOUSANDTH = {
  "index": 999,
  "source": 684,
  "partition": 1,
  "sequence": 0,
  "partitionIndex": 236,
  "eventTimeMs": 1699999998307,
  "ingestTimeMs": 1700000000019,
  "planted": 0,
  bytes:
    "4835363336656232612d363561342d343239642d623137332d6136623931626134373062341873656e736f722d" +
    "3030363834c685abfef962a6a0abfef962000204020a322e342e3200000000000039405c8fc2f5284c504085eb" +
    "51b81eb58f40df4f8d976e1209402db29defa7c6f73fc74b378941600840ae47e17a140e7940295c8fc2f5682d" +
    "409a999999d9e1b240c3f5285c8fc255406d2d431cebe2fe4640645ddc4603f820400000000000743f",
};

/** Calls `visit` for messages 0 to `count` − 1. */
function walk(
  stream: SensorStream,
  count: number,
  visit: (stream: SensorStream) => void,
  intendedUsOf: (n: number) => number = every20Us,
): void {
  for (let n = 0; n < count; n++) {
    stream.next(intendedUsOf(n));
    visit(stream);
  }
}

const plans = fc.record({
  seed: fc.integer(),
  sourceCount: fc.integer({ min: 1, max: 40 }),
  partitionCount: fc.integer({ min: 1, max: 5 }),
  skew: fc.constantFrom(0, 0.5, 1.2),
  lateShare: fc.constantFrom(0, 0.05, 0.5, 1),
  duplicateShare: fc.constantFrom(0, 0.05, 0.5, 1),
  startWallMs: fc.constantFrom(0, 1, START_MS, START_MS + 12_345),
  timeScale: fc.constantFrom(1, 60, 600),
  windowMs: fc.constantFrom(1_000, 60_000),
  outOfOrdernessMs: fc.constantFrom(0, 1, 5_000),
  allowedLatenessMs: fc.constantFrom(0, 7_000),
});

Deno.test("next() gives message 0 of a seed as it always was", () => {
  const stream = new SensorStream(planOf());
  stream.next(0);
  assert.deepEqual(stateOf(stream), GOLDEN_FIRST);
  for (let n = 1; n < 1_000; n++) stream.next(every20Us(n));
  assert.deepEqual(stateOf(stream), GOLDEN_THOUSANDTH);
});

Deno.test("encode() writes what avsc writes of record(), byte for byte", () => {
  const bytes = new Uint8Array(3 + SENSOR_RECORD_BYTES_MAX).fill(0xee);
  fc.assert(
    fc.property(plans, (plan) => {
      walk(new SensorStream(plan), 200, (stream) => {
        const end = stream.encode(bytes, 3);
        assert.ok(end - 3 <= SENSOR_RECORD_BYTES_MAX);
        const expected = sensorType.toBuffer(stream.record());
        assert.equal(Buffer.compare(bytes.subarray(3, end), expected), 0);
        assert.equal(bytes[2], 0xee);
      }, stages);
    }),
    { seed: SEED, numRuns: 60 },
  );
});

Deno.test("encode() is right for the largest sequence, source and times", () => {
  const stream = new SensorStream(planOf({ sourceCount: 1_000_000, startWallMs: 2 ** 43 }));
  stream.next(2 ** 51);
  stream.sequence = 9007199254740990;
  const bytes = new Uint8Array(SENSOR_RECORD_BYTES_MAX);
  const end = stream.encode(bytes, 0);
  assert.equal(Buffer.compare(bytes.subarray(0, end), sensorType.toBuffer(stream.record())), 0);
});

Deno.test("encode() throws where there is no room", () => {
  const stream = new SensorStream(planOf());
  stream.next(0);
  const size = sensorType.toBuffer(stream.record()).length;
  for (let room = 0; room < size; room++) {
    assert.throws(() => stream.encode(new Uint8Array(room), 0), RangeError);
  }
});

Deno.test("encode() keeps batches of partitions that take turns apart", () => {
  const stream = new SensorStream(planOf());
  const batches = Array.from({ length: 4 }, () => new Uint8Array(100_000));
  const ends = [0, 0, 0, 0];
  const expected: Buffer[][] = [[], [], [], []];
  walk(stream, 1_000, ({ partition }) => {
    ends[partition] = stream.encode(batches[partition]!, ends[partition]!);
    expected[partition]!.push(sensorType.toBuffer(stream.record()));
  });
  batches.forEach((bytes, partition) => {
    const part = bytes.subarray(0, ends[partition]);
    assert.equal(Buffer.compare(part, Buffer.concat(expected[partition]!)), 0);
  });
});

Deno.test("skipTo() gives exactly the state of walking, over changes of the rate", () => {
  fc.assert(
    fc.property(
      plans,
      fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 3 }),
      fc.constantFrom(every20Us, stages),
      (plan, jumps, intendedUsOf) => {
        const walked = new SensorStream(plan);
        const skipped = new SensorStream(plan);
        let n = 0;
        for (const jump of jumps) {
          for (const target = n + jump; n < target; n++) walked.next(intendedUsOf(n));
          skipped.skipTo(n, intendedUsOf);
          // Far enough that each source and partition shows its state.
          for (const target = n + 150; n < target; n++) {
            walked.next(intendedUsOf(n));
            skipped.next(intendedUsOf(n));
            assert.deepEqual(stateOf(skipped), stateOf(walked));
          }
        }
      },
    ),
    { seed: SEED, numRuns: 80 },
  );
});

Deno.test("skipTo() refuses to go back", () => {
  const stream = new SensorStream(planOf());
  stream.skipTo(10, every20Us);
  stream.skipTo(10, every20Us);
  stream.next(every20Us(10));
  assert.throws(() => stream.skipTo(10, every20Us), RangeError);
  assert.throws(() => stream.skipTo(NaN, every20Us), RangeError);
});

Deno.test("sequences per source and indices per partition are gapless", () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const nextSequence = new Map<number, number>();
      const nextIndex = new Map<number, number>();
      let index = 0;
      walk(new SensorStream(plan), 500, (message) => {
        const { sourceIndex, partition, sequence, partitionIndex, planted } = message;
        assert.equal(message.index, index++);
        assert.equal(partitionIndex, nextIndex.get(partition) ?? 0);
        nextIndex.set(partition, partitionIndex + 1);
        const expected = nextSequence.get(sourceIndex) ?? 0;
        assert.equal(sequence, planted === PLANTED_DUPLICATE ? expected - 1 : expected);
        nextSequence.set(sourceIndex, sequence + 1);
      }, stages);
    }),
    { seed: SEED, numRuns: 60 },
  );
});

Deno.test("a source's partition is the hash of its name, and its name has five digits", () => {
  const stream = new SensorStream(planOf({ sourceCount: 1_200, partitionCount: 7 }));
  assert.equal(stream.sourceName(42), "sensor-00042");
  assert.throws(() => stream.sourceName(1_200), RangeError);
  walk(stream, 5_000, ({ sourceIndex, partition }) => {
    assert.equal(partition, sourceHash(utf8(stream.sourceName(sourceIndex))) % 7);
  });
});

Deno.test("a planted duplicate repeats the previous message of its source byte for byte", () => {
  const stream = new SensorStream(planOf({ duplicateShare: 0.2, lateShare: 0.2, timeScale: 600 }));
  const newest = new Map<number, string>();
  let duplicates = 0;
  walk(stream, 20_000, ({ sourceIndex, planted }) => {
    const { bytes } = stateOf(stream);
    if (planted === PLANTED_DUPLICATE) {
      duplicates++;
      assert.equal(bytes, newest.get(sourceIndex));
    } else assert.notEqual(bytes, newest.get(sourceIndex));
    newest.set(sourceIndex, bytes);
  }, (n) => n * 100);
  assert.ok(duplicates > 3_000);
});

Deno.test("no two messages but duplicates share an event id", () => {
  const stream = new SensorStream(planOf({ sourceCount: 100 }));
  const bytes = new Uint8Array(SENSOR_RECORD_BYTES_MAX);
  const ids = new Set<string>();
  walk(stream, 300_000, () => {
    stream.encode(bytes, 0);
    ids.add(hexOf(bytes.subarray(1, 37)));
  });
  assert.equal(ids.size, 300_000);
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assert.match(stream.record().event_id, uuid);
});

Deno.test("the ingest time is the intended send time in whole milliseconds", () => {
  const stream = new SensorStream(planOf({ timeScale: 60 }));
  stream.next(1_999);
  assert.equal(stream.ingestTimeMs, START_MS + 1);
  stream.next(2_000);
  assert.equal(stream.ingestTimeMs, START_MS + 2);
});

/** What a consumer does: is each message late against the partition's watermark? */
class Watermarks {
  readonly #newest = new Map<number, number>();

  constructor(readonly plan: Required<SensorPlan>) {}

  isLate({ partition, eventTimeMs }: SensorStream): boolean {
    const { windowMs, outOfOrdernessMs, allowedLatenessMs } = this.plan;
    const newest = this.#newest.get(partition) ?? -Infinity;
    const windowEndMs = (Math.floor(eventTimeMs / windowMs) + 1) * windowMs;
    this.#newest.set(partition, Math.max(newest, eventTimeMs));
    return windowEndMs + allowedLatenessMs <= newest - outOfOrdernessMs;
  }
}

Deno.test("messages are late if and only if they were planted late", () => {
  let late = 0;
  fc.assert(
    fc.property(plans, fc.constantFrom(every20Us, stages), (plan, intendedUsOf) => {
      const stream = new SensorStream({ ...plan, duplicateShare: 0 });
      const watermarks = new Watermarks(stream.plan);
      walk(stream, 1_500, () => {
        const isPlanted = stream.planted === PLANTED_LATE;
        assert.equal(watermarks.isLate(stream), isPlanted);
        if (isPlanted) late++;
      }, intendedUsOf);
    }),
    { seed: SEED, numRuns: 100 },
  );
  assert.ok(late > 1_000, `only ${late} late messages`);
});

Deno.test("nothing is planted late before a window has closed", () => {
  const stream = new SensorStream(planOf({ lateShare: 0.5, startWallMs: 60_000 }));
  let firstMs = Infinity;
  walk(stream, 10_000, ({ planted, ingestTimeMs }) => {
    if (planted === PLANTED_LATE) firstMs = Math.min(firstMs, ingestTimeMs - 60_000);
  }, (n) => n * 10_000);
  assert.ok(firstMs >= 65_000 && firstMs < 70_000, `first one after ${firstMs} ms`);
});

Deno.test("events on time are out of order, mostly a little, within half of the bound", () => {
  const stream = new SensorStream(planOf());
  let behind = 0;
  let small = 0;
  let newestMs = 0;
  walk(stream, 50_000, ({ eventTimeMs, ingestTimeMs }) => {
    const delayMs = ingestTimeMs - eventTimeMs;
    assert.ok(delayMs >= 0 && delayMs <= 2_000);
    if (eventTimeMs < newestMs) behind++;
    if (delayMs < 500) small++;
    newestMs = Math.max(newestMs, eventTimeMs);
  });
  assert.ok(behind > 10_000 && small > 30_000, `${behind} behind, ${small} small`);
});

Deno.test("event time runs as many times faster as the plan says", () => {
  const stream = new SensorStream(planOf({ timeScale: 60, outOfOrdernessMs: 0 }));
  walk(stream, 100, ({ index, eventTimeMs }) => {
    assert.equal(eventTimeMs, START_MS + Math.floor(index * 60));
  }, (n) => n * 1_000);
});

Deno.test("planted shares are those of the plan", () => {
  const stream = new SensorStream(
    planOf({ lateShare: 0.03, duplicateShare: 0.02, timeScale: 600, startWallMs: 0 }),
  );
  const counts = [0, 0, 0];
  walk(stream, 200_000, ({ planted, index }) => {
    if (index >= 100_000) counts[planted]!++;
  }, (n) => n * 100);
  // Four standard deviations of a binomial distribution.
  assert.ok(Math.abs(counts[PLANTED_DUPLICATE]! - 2_000) < 180, `${counts}`);
  assert.ok(Math.abs(counts[PLANTED_LATE]! - 2_940) < 220, `${counts}`);
  assert.equal(counts[PLANTED_NONE]! + counts[PLANTED_LATE]! + counts[PLANTED_DUPLICATE]!, 100_000);
});

Deno.test("sources send alike without skew", () => {
  const counts = countsOf(planOf({ sourceCount: 100 }), 100_000);
  // Expected 1,000 each, standard deviation 31.
  assert.ok(Math.min(...counts) > 850 && Math.max(...counts) < 1_150);
});

Deno.test("sources send by Zipf's law with skew", () => {
  const counts = countsOf(planOf({ sourceCount: 100, skew: 1 }), 200_000);
  const harmonic = Array.from({ length: 100 }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b);
  for (const rank of [1, 2, 4, 8, 16, 32, 64, 100]) {
    const expected = 200_000 / harmonic / rank;
    const count = counts[rank - 1]!;
    assert.ok(Math.abs(count - expected) < 5 * Math.sqrt(expected), `${rank}: ${count}`);
  }
  const decades = [0, 10, 20, 30, 40, 50].map((from) =>
    counts.slice(from, from + 10).reduce((a, b) => a + b)
  );
  assert.deepEqual([...decades].sort((a, b) => b - a), decades);
});

function countsOf(plan: SensorPlan, count: number): number[] {
  const stream = new SensorStream(plan);
  const counts = new Array<number>(stream.plan.sourceCount).fill(0);
  walk(stream, count, ({ sourceIndex }) => counts[sourceIndex]!++);
  return counts;
}

Deno.test("two seeds give different messages", () => {
  const [one, other] = [1, 2].map((seed) => {
    const texts: string[] = [];
    const stream = new SensorStream(planOf({ seed }));
    walk(stream, 50, () => texts.push(stateOf(stream).bytes));
    return texts;
  });
  assert.equal(new Set([...one!, ...other!]).size, 100);
});

Deno.test("values go on beyond message 2^32", () => {
  const near = new SensorStream(planOf());
  const far = new SensorStream(planOf());
  near.next(0);
  far.index = 2 ** 32 - 1;
  const sources: number[][] = [[], []];
  for (let n = 0; n < 20; n++) {
    near.next(n);
    far.next(n);
    sources[0]!.push(near.sourceIndex);
    sources[1]!.push(far.sourceIndex);
  }
  assert.notDeepEqual(sources[0], sources[1]);
});
