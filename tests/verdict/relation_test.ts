import assert from "node:assert/strict";
import { parseQuantity } from "../../lib/verdict/quantity.ts";
import {
  amountOf,
  type Amounts,
  DimensionMismatch,
  parseRelation,
} from "../../lib/verdict/relation.ts";

function amounts(quantities: Readonly<Record<string, string>>): Amounts {
  return Object.fromEntries(
    Object.entries(quantities).map(([name, text]) => [name, parseQuantity(text)]),
  );
}

Deno.test("parseRelation() takes a relation apart", () => {
  const relation = parseRelation("tail", "p99 >= stall − 0.01 × duration");
  assert.equal(relation.law, "tail");
  assert.equal(relation.text, "p99 >= stall − 0.01 × duration");
  assert.equal(relation.operator, ">=");
  assert.deepEqual(relation.left.names, ["p99"]);
  assert.deepEqual(relation.right.names, ["stall", "duration"]);
});

Deno.test("parseRelation() refuses what is no relation", () => {
  for (const text of ["a", "a = b = c", "a < b", "= b", "a = b × ", "a = ", "a = 5 parsecs"]) {
    assert.throws(() => parseRelation("x", text), RangeError, text);
  }
});

Deno.test("amountOf() multiplies before it adds, and divides by the one factor after ÷", () => {
  const known = amounts({ a: "12", b: "3", c: "2" });
  const value = (side: string) => amountOf(parseRelation("x", `a = ${side}`).right, known).value;
  assert.equal(value("a + b × c"), 18);
  assert.equal(value("a − b × c"), 6);
  assert.equal(value("a - b - c"), 7);
  assert.equal(value("a ÷ b × c"), 8);
  assert.equal(value("a * b ÷ c"), 18);
  assert.equal(value("0.5 × a"), 6);
});

Deno.test("amountOf() carries units through", () => {
  const known = amounts({ rate: "50 messages/s", wait: "2 s", rows: "10 rows" });
  const { right } = parseRelation("x", "rows = rate × wait");
  assert.deepEqual(amountOf(right, known), {
    value: 100,
    dimension: { messages: 1, bytes: 0, seconds: 0 },
  });
  const one = amountOf(parseRelation("x", "rows × 1 message/row <= rate").left, known);
  assert.deepEqual(one, { value: 10, dimension: { messages: 1, bytes: 0, seconds: 0 } });
});

Deno.test("amountOf() does not add seconds to messages", () => {
  const known = amounts({ a: "1 s", b: "1 messages" });
  assert.throws(() => amountOf(parseRelation("x", "a = a + b").right, known), DimensionMismatch);
});
