import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader } from "../../lib/stream/_byte_reader.ts";
import { ByteWriter } from "../../lib/stream/_byte_writer.ts";
import { OpenWindow, WindowSet, windowStartOf } from "../../lib/stream/window.ts";
import type { TestMessage } from "../simulation/messages.ts";
import { encodeMessages, identitySumOf, TestProjection } from "../simulation/messages.ts";
import { identityOf } from "../../lib/base/mod.ts";

const SHAPE = { windowSizeMs: 1_000, allowedLatenessMs: 0, measureCount: 2, flagCount: 1 };

function message(over: Partial<TestMessage>): TestMessage {
  return {
    source: "a",
    sequence: 0,
    eventTimeMs: 0,
    ingestTimeMs: 0,
    temperature: 0,
    pressure: 0,
    anomaly: false,
    ...over,
  };
}

function add(window: OpenWindow, projection: TestProjection, one: TestMessage): void {
  const { bytes, bounds } = encodeMessages([one]);
  projection.read(bytes, bounds[0]!, bounds[1]!);
  window.add(projection);
}

Deno.test("windowStartOf() aligns to 1970, before it too", () => {
  assert.deepEqual([0, 999, 1_000, -1, -1_000].map((timeMs) => windowStartOf(timeMs, 1_000)), [
    0,
    0,
    1_000,
    -1_000,
    -1_000,
  ]);
});

Deno.test("WindowSet.at() puts the end of a window into the next one", () => {
  const windows = new WindowSet(SHAPE);
  assert.equal(windows.at(999, -Infinity)?.startMs, 0);
  assert.equal(windows.at(1_000, -Infinity)?.startMs, 1_000);
  assert.equal(windows.at(0, -Infinity)?.startMs, 0);
  assert.equal(windows.open.length, 2);
});

Deno.test("WindowSet.at() calls a message late exactly when end plus lateness is not after the watermark", () => {
  const windows = new WindowSet({ ...SHAPE, allowedLatenessMs: 500 });
  assert.notEqual(windows.at(10, 1_499), undefined);
  // The window is still here, and yet takes no more: closing it is not what makes a message late.
  assert.equal(windows.at(10, 1_500), undefined);
  assert.equal(windows.open.length, 1);
  windows.takeClosed(1_500);
  assert.equal(windows.at(10, 1_500), undefined);
  assert.equal(windows.open.length, 0);
});

Deno.test("WindowSet.takeClosed() gives the closed windows once, the oldest first", () => {
  const windows = new WindowSet(SHAPE);
  for (const timeMs of [2_500, 500, 1_500]) windows.at(timeMs, -Infinity);
  assert.equal(windows.hasClosed(999), false);
  assert.equal(windows.hasClosed(1_000), true);
  assert.deepEqual(windows.takeClosed(2_000).map(({ startMs }) => startMs), [0, 1_000]);
  assert.deepEqual(windows.takeClosed(2_000), []);
  assert.deepEqual(windows.takeClosed(Infinity).map(({ startMs }) => startMs), [2_000]);
});

Deno.test("WindowSet uses the arrays of a released window again, empty", () => {
  const windows = new WindowSet(SHAPE);
  const projection = new TestProjection();
  const window = windows.at(0, -Infinity)!;
  add(window, projection, message({ temperature: 5 }));
  windows.takeClosed(Infinity);
  windows.release(window);
  const next = windows.at(5_000, -Infinity)!;
  assert.equal(next, window);
  assert.deepEqual([next.startMs, next.endMs, next.has(0)], [5_000, 6_000, false]);
});

Deno.test("OpenWindow.add() accumulates each source by itself, minima below and above 0", () => {
  const window = new OpenWindow(SHAPE);
  const projection = new TestProjection();
  add(window, projection, message({ temperature: -3, pressure: 7, sequence: 4, eventTimeMs: 9 }));
  add(window, projection, message({ source: "b", temperature: 100, pressure: 1 }));
  add(
    window,
    projection,
    message({ temperature: -5, pressure: 2, sequence: 3, eventTimeMs: 12, anomaly: true }),
  );
  assert.deepEqual(window.measureTotals(0, 0), { count: 2, sum: -8, min: -5, max: -3 });
  assert.deepEqual(window.measureTotals(0, 1), { count: 2, sum: 9, min: 2, max: 7 });
  assert.deepEqual(window.measureTotals(1, 0), { count: 1, sum: 100, min: 100, max: 100 });
  assert.deepEqual([window.countOf(0), window.countOf(1), window.countOf(2)], [2, 1, 0]);
  assert.deepEqual([window.flagCount(0, 0), window.flagCount(1, 0)], [1, 0]);
  assert.deepEqual([window.firstEventTimeMs(0), window.lastEventTimeMs(0)], [9, 12]);
  assert.deepEqual([window.minSequence(0), window.maxSequence(0)], [3, 4]);
});

Deno.test("OpenWindow.add() counts a measure that is NaN as missing", () => {
  const window = new OpenWindow(SHAPE);
  const projection = new TestProjection();
  add(window, projection, message({ temperature: NaN, pressure: 1 }));
  add(window, projection, message({ temperature: 4, pressure: 1 }));
  assert.deepEqual(window.measureTotals(0, 0), { count: 1, sum: 4, min: 4, max: 4 });
  assert.equal(window.measureTotals(0, 1).count, 2);
});

Deno.test("OpenWindow keeps the identity sum as a wrapping 64-bit number, over growth and restart", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(60), fc.nat(1_000_000)), { minLength: 1, maxLength: 200 }),
      (pairs) => {
        const window = new OpenWindow(SHAPE);
        window.reset(0, SHAPE);
        const projection = new TestProjection();
        const messages = pairs.map(([source, sequence]) =>
          message({ source: `s${source}`, sequence, temperature: sequence })
        );
        for (const one of messages) add(window, projection, one);
        const writer = new ByteWriter();
        window.write(writer);
        const copy = new OpenWindow(SHAPE);
        copy.read(new ByteReader(writer.written()), SHAPE, projection.sourceCount);
        for (let slot = 0; slot < projection.sourceCount; slot++) {
          const own = messages.filter(({ source }) => source === projection.sourceName(slot));
          for (const one of [window, copy]) {
            assert.equal(
              identityOf(one.identityHigh(slot), one.identityLow(slot)),
              identitySumOf(own),
            );
            assert.equal(one.countOf(slot), own.length);
            assert.equal(
              one.measureTotals(slot, 0).max,
              Math.max(...own.map(({ temperature }) => temperature)),
            );
          }
        }
      },
    ),
    { seed: 20_260_103, numRuns: 100 },
  );
});

Deno.test("WindowSet refuses sizes that cannot be", () => {
  assert.throws(() => new WindowSet({ ...SHAPE, windowSizeMs: 0 }), RangeError);
  assert.throws(() => new WindowSet({ ...SHAPE, windowSizeMs: 0.5 }), RangeError);
  assert.throws(() => new WindowSet({ ...SHAPE, allowedLatenessMs: -1 }), RangeError);
});
