import assert from "node:assert/strict";
import { comparison, comparisonPicture } from "../../lib/notebook/compare.ts";
import { judge, type Result } from "../../lib/verdict/mod.ts";
import { EVIDENCE, MEASURED } from "../verdict/_result.ts";

function resultOf(p99Us: number): Result {
  const publish = { ...MEASURED.latencyUs.publish, p99: p99Us };
  return judge({ ...MEASURED, latencyUs: { ...MEASURED.latencyUs, publish } }, EVIDENCE);
}

Deno.test("compare says nothing is better from fewer than five runs, however far apart", () => {
  const four = [10_000, 10_100, 10_200, 10_300].map(resultOf);
  const text = comparisonPicture(four, four.map(() => resultOf(100)))["text/plain"];
  assert.match(text, /too few runs/);
  assert.doesNotMatch(text, /^publish.p99 .*\b(better|worse)\b/m);
  assert.match(text, /4 runs before, 4 after; medians[^]*at least 5 runs/);
});

Deno.test("compare tells better with its range from five runs on each side", async () => {
  const before = [10_000, 10_100, 10_200, 10_300, 10_400].map(resultOf);
  const after = [5000, 5050, 5100, 5150, 5200].map(resultOf);
  const found = (await comparison(before, after)).find(({ name }) => name === "publish.p99")!;
  assert.equal(found.conclusion, "better");
  const text = comparisonPicture(before, after)["text/plain"];
  assert.match(text, /publish\.p99.*0\.50 \(0\.4\d–0\.5\d\).*better/);
});
