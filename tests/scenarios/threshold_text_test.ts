import assert from "node:assert/strict";
import { atLeast, atMost, below, thresholdText } from "../../lib/scenarios/threshold_text.ts";
import { MEASURES, parseThresholds } from "../../lib/verdict/mod.ts";

Deno.test("thresholdText() says a sentence in the form that flags take", () => {
  const sentences = {
    "p99 of windowVisible below 1 s, after warm-up": "windowVisible.p99<1s",
    "p99.9 of publish is at most 50ms": "publish.p999<=50ms",
    "max of delivery below 2 s": "delivery.max<2s",
    "rate at least 99%": "rate>=99%",
    "rssBytesMax.total below 1 GiB": "rssBytesMax.total<1GiB",
    "publish.p99<=50ms": "publish.p99<=50ms",
  };
  for (const [sentence, text] of Object.entries(sentences)) {
    assert.equal(thresholdText(sentence, true), text);
    assert.equal(parseThresholds([text])[0]!.text, text);
  }
});

Deno.test("thresholdText() refuses a warm-up that the run has not", () => {
  assert.throws(
    () => thresholdText("p99 of publish below 1 s after warm-up", false),
    /has no warm-up/,
  );
});

Deno.test("below(), atMost() and atLeast() make thresholds that are read", () => {
  const specs = [below("publish.p99", "50 ms"), atMost("messages.late", 0), atLeast("rate", "99%")];
  const texts = specs.map((spec) => thresholdText(spec, false));
  assert.deepEqual(texts, ["publish.p99<50ms", "messages.late<=0", "rate>=99%"]);
  assert.equal(parseThresholds(texts).length, 3);
  assert.ok(specs.every(({ measure }) => MEASURES.some(({ name }) => name === measure)));
});
