import assert from "node:assert/strict";
import {
  assert as weirAssert,
  AssertionError,
  lineOf,
  messageOf,
  unreachable,
  UsageError,
  WeirError,
} from "../../lib/base/errors.ts";

class TestError extends WeirError<"a" | "b"> {
  override readonly name = "TestError";
}

Deno.test("assert() throws with its message when the condition is false, and only then", () => {
  weirAssert(true, "never");
  weirAssert(1, "never");
  assert.throws(
    () => weirAssert(0, "sum is 3, not 4"),
    (error) => error instanceof AssertionError && error.message === "sum is 3, not 4",
  );
});

Deno.test("unreachable() names the value", () => {
  assert.throws(() => unreachable("x" as never), /unreachable: "x"/);
});

Deno.test("WeirError carries code, cause, cure and whether to try again", () => {
  const cause = new Error("why");
  const full = new TestError("Cannot do: it is so", {
    code: "a",
    retryable: true,
    cure: "wait",
    cause,
  });
  assert.deepEqual([full.code, full.retryable, full.cure, full.cause], ["a", true, "wait", cause]);
  assert.equal(full.name, "TestError");
  assert.ok(full instanceof Error);
  const bare = new TestError("Cannot do: it is so", { code: "b" });
  assert.deepEqual([bare.retryable, bare.cure, "cause" in bare], [false, undefined, false]);
});

Deno.test("UsageError has the code of usage, and a cure where one is given", () => {
  const error = new UsageError("Cannot read flag: it is unknown", "see --help");
  assert.deepEqual([error.code, error.cure, error.name], ["usage", "see --help", "UsageError"]);
  assert.equal(new UsageError("x").cure, undefined);
});

Deno.test("messageOf() puts the message of anything thrown on one line", () => {
  const cases: readonly [unknown, string][] = [
    [new Error("one\n  two\r\nthree"), "one two three"],
    [new TypeError(""), "TypeError"],
    ["text", "text"],
    [undefined, "undefined"],
    [null, "null"],
    [{ toString: () => "object" }, "object"],
  ];
  for (const [thrown, expected] of cases) assert.equal(messageOf(thrown), expected);
});

Deno.test("lineOf() adds the cure where the error knows one", () => {
  assert.equal(
    lineOf(new UsageError("Cannot start: it is late", "go")),
    "Cannot start: it is late; go",
  );
  assert.equal(lineOf(new UsageError("Cannot start: it is late")), "Cannot start: it is late");
  assert.equal(lineOf(new Error("plain")), "plain");
});

Deno.test("lineOf() puts no full stop before the cure, and keeps an ellipsis", () => {
  assert.equal(
    lineOf(new UsageError('Module not found "a.ts".', "give b")),
    'Module not found "a.ts"; give b',
  );
  assert.equal(lineOf(new UsageError("Cannot wait: …...", "go")), "Cannot wait: …...; go");
});
