import assert from "node:assert/strict";
import fc from "fast-check";
import { labelWidthPx, type Mark, placeMarks } from "../../lib/report/marks.ts";

const SEED = 15;

const mark: fc.Arbitrary<Mark> = fc.record({
  atSec: fc.double({ min: 0, max: 100, noNaN: true }),
  label: fc.string({ maxLength: 40 }),
  kind: fc.constantFrom("fault", "note"),
});

Deno.test("placeMarks() lets no label overlap another or leave the plot", () => {
  fc.assert(
    fc.property(
      fc.array(mark, { maxLength: 30 }),
      fc.integer({ min: 300, max: 900 }),
      (marks, widthPx) => {
        const spans = placeMarks(marks, 100, widthPx).flatMap(({ mark, lane, align }) => {
          if (lane === undefined) return [];
          const atPx = (mark.atSec / 100) * widthPx;
          const fromPx = align === "left" ? atPx : atPx - labelWidthPx(mark.label);
          return [{ lane, fromPx, toPx: fromPx + labelWidthPx(mark.label) }];
        });
        spans.forEach((a, i) => {
          assert.ok(a.lane < 3);
          assert.ok(
            a.fromPx >= -10 && a.toPx <= widthPx + 1,
            `${a.fromPx} to ${a.toPx} of ${widthPx}`,
          );
          for (const b of spans.slice(i + 1)) {
            assert.ok(
              a.lane !== b.lane || a.toPx <= b.fromPx || b.toPx <= a.fromPx,
              "labels overlap",
            );
          }
        });
      },
    ),
    { seed: SEED },
  );
});

Deno.test("placeMarks() puts labels that are far apart into the lowest row", () => {
  const marks: Mark[] = [0, 40, 80].map((atSec) => ({ atSec, label: "kill", kind: "fault" }));
  assert.deepEqual(placeMarks(marks, 100, 800).map(({ lane }) => lane), [0, 0, 0]);
});

Deno.test("placeMarks() stacks labels that are near, and turns the last one inwards", () => {
  const marks: Mark[] = [97, 98, 99, 99.5].map((atSec) => ({
    atSec,
    label: "kill",
    kind: "fault",
  }));
  const placed = placeMarks(marks, 100, 800);
  assert.deepEqual(placed.map(({ lane }) => lane), [0, 1, 2, undefined]);
  assert.equal(placed.at(-1)!.align, "right");
});

Deno.test("placeMarks() reckons a label that is turned inwards from where it begins", () => {
  const marks: Mark[] = [[50, "0123456789"], [80, "0123456789ab"]].map(([atSec, label]) => ({
    atSec: atSec as number,
    label: label as string,
    kind: "note",
  }));
  const placed = placeMarks(marks, 100, 300);
  assert.deepEqual(placed.map(({ lane, align }) => [lane, align]), [[0, "left"], [1, "right"]]);
});
