import assert from "node:assert/strict";
import { WeirError } from "../../lib/base/mod.ts";
import type { StreamErrorCode } from "../../lib/stream/errors.ts";
import { isStaleOwner, StreamError } from "../../lib/stream/errors.ts";

/** All codes; the type makes the list complete. */
const CODES: Readonly<Record<StreamErrorCode, boolean>> = {
  unreadable_message: false,
  dedupe_reach: false,
  late_ledger_full: false,
  configuration_changed: false,
  corrupt_checkpoint: false,
  checkpoint_failed: false,
  stale_owner: true,
  partial_batch: false,
  doubled_batch: false,
  swallowed_batch: false,
  sink_unavailable: false,
  acknowledge_failed: false,
};

for (const [code, stale] of Object.entries(CODES)) {
  Deno.test(`StreamError with ${code} stops the stream, stale owner: ${stale}`, () => {
    const error = new StreamError("Cannot go on: test", { code: code as StreamErrorCode });
    assert.equal(error.retryable, false);
    assert.equal(error.name, "StreamError");
    assert.equal(isStaleOwner(error), stale);
  });
}

Deno.test("every code of StreamError is thrown in lib/stream and looked for in its tests", () => {
  const textOf = (folder: string) => {
    const url = new URL(folder, import.meta.url);
    return [...Deno.readDirSync(url)].filter(({ name }) => name !== "errors_test.ts")
      .map(({ name }) => Deno.readTextFileSync(new URL(name, url))).join("\n");
  };
  const source = textOf("../../lib/stream/");
  const tests = textOf("./");
  for (const code of Object.keys(CODES)) {
    assert.match(source, new RegExp(`code: .*"${code}"`), `${code} is never thrown`);
    assert(tests.includes(`"${code}"`), `${code} is never tested`);
  }
});

Deno.test("isStaleOwner() knows the code in errors of other modules' stores", () => {
  class OtherError extends WeirError<"stale_owner"> {}
  assert(isStaleOwner(new OtherError("replaced", { code: "stale_owner" })));
  assert(!isStaleOwner(new Error("stale_owner")));
});
