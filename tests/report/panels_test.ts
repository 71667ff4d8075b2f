import assert from "node:assert/strict";
import { drawPanels, panelBoxes, type PanelsSpec } from "../../lib/report/panels.ts";
import { assertAbsent, assertSnapshot } from "./_snapshot.ts";

const SPEC: PanelsSpec = {
  id: "cpu",
  title: "CPU per role",
  description: "Cores.",
  yName: "cores",
  yUnit: "cores",
  spanSec: 60,
  lines: (["produce", "broker", "aggregate", "clickhouse"] as const).map((role, i) => ({
    name: role,
    tone: role,
    points: [[0, 0.1], [30, 0.1 * (i + 1)], [60, 0.05]],
  })),
  marks: [{ atSec: 20, untilSec: 25, label: "broker killed", kind: "fault" }],
};

Deno.test("drawPanels() draws small multiples as in the snapshot", () => {
  assertSnapshot("panels_light.snap", drawPanels(SPEC, { theme: "light", withTitle: true }));
});

Deno.test("drawPanels() gives all panels one scale and the first of each row its labels", () => {
  const svg = drawPanels(SPEC, { theme: "light" });
  const labels = [...svg.matchAll(/text-anchor="end"[^>]*>([^<]*)</g)].map(([, text]) => text);
  assert.deepEqual(labels, ["0", "0.2", "0.4", "0", "0.2", "0.4"]);
});

Deno.test("panelBoxes() puts panels side by side without overlap, inside the picture", () => {
  for (const size of ["wide", "narrow"] as const) {
    const boxes = panelBoxes(SPEC, { size });
    const [, width, height] = /width="(\d+)" height="(\d+)"/
      .exec(drawPanels(SPEC, { theme: "light", size }))!.map(Number);
    boxes.forEach((box, i) => {
      assert.ok(box.leftPx >= 0 && box.leftPx + box.widthPx <= width!);
      assert.ok(box.topPx + box.heightPx <= height!);
      for (const other of boxes.slice(i + 1)) {
        const isApart = other.leftPx >= box.leftPx + box.widthPx ||
          other.topPx >= box.topPx + box.heightPx;
        assert.ok(isApart, `${size} ${i}`);
      }
    });
  }
});

Deno.test("drawPanels() says no data instead of drawing empty axes, and draws a run of zeros", () => {
  assert.match(drawPanels({ ...SPEC, lines: [] }, { theme: "light" }), /no data: cores/);
  const flat = SPEC.lines.map((line) => ({ ...line, points: [[0, 0], [1, 0]] as const }));
  assertAbsent(
    drawPanels({ ...SPEC, lines: flat, spanSec: 0 }, { theme: "light" }),
    /NaN|Infinity/,
  );
});
