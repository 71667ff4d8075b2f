import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { jsonScript, packedIn, packedScript } from "../../lib/report/embedded.ts";
import { ReportError } from "../../lib/report/mod.ts";

Deno.test("packedIn() gives back what packedScript() was given", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const page = `<p>before</p>${packedScript(value)}<p>after</p>`;
      assert.equal(JSON.stringify(packedIn(page)), JSON.stringify(value));
    }),
    { seed: 11 },
  );
});

Deno.test("packedIn() tells a page without a run from a damaged one", () => {
  const page = String(packedScript({ a: "b".repeat(100) }));
  const bomb = new Uint8Array(gzipSync("not json")).toBase64();
  const cases = {
    "<p>another page</p>": "no_data",
    [page.replace(/>H4/, ">!!")]: "damaged_data",
    [page.replace(/.{12}<\/script>/, "</script>")]: "damaged_data",
    [page.replace(/>[^<]+</, `>${bomb}<`)]: "damaged_data",
  };
  for (const [text, code] of Object.entries(cases)) {
    assert.throws(
      () => packedIn(text),
      (error) => error instanceof ReportError && error.code === code && error.cure !== undefined,
      `${code}: ${text.slice(0, 80)}`,
    );
  }
});

Deno.test("jsonScript() cannot be ended by what it holds", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const script = String(jsonScript("x", { text: `</script><!--${text}` }));
      assert.equal(script.match(/</g)!.length, 2);
      const [, json] = script.match(/>([^<]*)</)!;
      assert.equal(JSON.parse(json!).text, `</script><!--${text}`);
    }),
    { seed: 12 },
  );
});
