import assert from "node:assert/strict";
import { PALETTE, type Tone, toneOfRole } from "../../lib/report/mod.ts";
import { paletteCss, rolesInOrder, tone, withTheme } from "../../lib/report/palette.ts";

/** Relative luminance, WCAG 2.2. */
function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const share = parseInt(color.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

Deno.test("PALETTE has a contrast of at least 4.5 for all that is read, on both grounds, in both themes", () => {
  const grounds: Tone[] = ["surface", "page"];
  const inks = (Object.keys(PALETTE) as Tone[]).filter((name) =>
    !["surface", "page", "line"].includes(name)
  );
  for (const theme of ["light", "dark"] as const) {
    for (const ground of grounds) {
      for (const ink of inks) {
        const ratio = contrast(PALETTE[ink][theme], PALETTE[ground][theme]);
        assert.ok(ratio >= 4.5, `${ink} on ${ground}, ${theme}: ${ratio.toFixed(2)}`);
      }
    }
  }
});

Deno.test("withTheme() puts in colours, and leaves variables to a page", () => {
  const svg = `<path stroke="${tone("broker")}" fill="var(--weir-nothing)"/>`;
  assert.equal(withTheme(svg, "page"), svg);
  assert.equal(
    withTheme(svg, "light"),
    `<path stroke="${PALETTE.broker.light}" fill="var(--weir-nothing)"/>`,
  );
  assert.equal(
    withTheme(svg, "dark"),
    `<path stroke="${PALETTE.broker.dark}" fill="var(--weir-nothing)"/>`,
  );
});

Deno.test("paletteCss() declares every variable", () => {
  for (const name of Object.keys(PALETTE)) {
    assert.ok(paletteCss("dark").includes(`--weir-${name}:#`), name);
  }
});

Deno.test("rolesInOrder() follows the data and puts unknown roles last, in the runner's tone", () => {
  assert.deepEqual(rolesInOrder(["zoo", "runner", "aggregate", "flink", "produce"]), [
    "produce",
    "aggregate",
    "runner",
    "flink",
    "zoo",
  ]);
  assert.equal(toneOfRole("flink"), "runner");
  assert.equal(toneOfRole("clickhouse"), "clickhouse");
});
