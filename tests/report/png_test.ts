import assert from "node:assert/strict";
import { drawChart, pngOf } from "../../lib/report/mod.ts";

const SVG = (text: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40"><rect width="200" height="40" fill="#fff"/>${text}</svg>`;

/** Width and height in a PNG's header. */
function sizeOf(png: Uint8Array): [number, number] {
  const view = new DataView(png.buffer, png.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
}

Deno.test("pngOf() scales", async () => {
  assert.deepEqual(sizeOf(await pngOf(SVG(""), 1)), [200, 40]);
  assert.deepEqual(sizeOf(await pngOf(SVG(""))), [400, 80]);
});

Deno.test("pngOf() draws letters with the font it brings, whatever family is asked for", async () => {
  const blank = await pngOf(SVG(""));
  for (const family of ["Inter", "No Such Face", "system-ui, sans-serif"]) {
    const png = await pngOf(SVG(`<text x="5" y="25" font-family="${family}">µs 99.9 %</text>`));
    assert.ok(png.length > blank.length + 500, `${family}: ${png.length} against ${blank.length}`);
  }
});

Deno.test("pngOf() draws a chart", async () => {
  const svg = drawChart({
    id: "rate",
    title: "Rate",
    description: "Rate.",
    yName: "messages/s",
    yUnit: "count",
    spanSec: 2,
    lines: [{ name: "in", tone: "produce", points: [[0, 1], [2, 3]] }],
  }, { theme: "dark", withTitle: true });
  assert.deepEqual(sizeOf(await pngOf(svg, 1)), [860, 352]);
});

Deno.test("pngOf() refuses what is no SVG", async () => {
  await assert.rejects(() => pngOf("<svg"));
});
