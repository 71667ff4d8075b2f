import assert from "node:assert/strict";
import fc from "fast-check";
import {
  combine,
  formatQuantity,
  isSameDimension,
  parseQuantity,
  PLAIN,
  unitText,
} from "../../lib/verdict/quantity.ts";

const SEED = 20_261_121;

Deno.test("parseQuantity() reads what people write", () => {
  const cases: readonly (readonly [text: string, value: number, unit: string])[] = [
    ["50,000 messages/s", 50_000, "messages/s"],
    ["50k messages/s", 50_000, "messages/s"],
    ["3 million events per minute", 50_000, "messages/s"],
    ["1.5M records/h", 1_500_000 / 3600, "messages/s"],
    ["3 min", 180, "s"],
    ["3m", 180, "s"],
    ["120 ms", 0.12, "s"],
    ["3 µs/message", 3e-6, "s/message"],
    ["177 B/message", 177, "B/message"],
    ["8.85 MB/s", 8_850_000, "B/s"],
    ["1 Gbit/s", 125_000_000, "B/s"],
    ["2 GiB", 2 * 1024 ** 3, "B"],
    ["9B", 9, "B"],
    ["9M", 9_000_000, ""],
    ["2 bn messages", 2e9, "messages"],
    ["1k windows", 1000, ""],
    ["0.5 %", 0.005, ""],
    ["12", 12, ""],
    [".5 cores", 0.5, ""],
    ["1e3 rows", 1000, ""],
    ["2 per minute", 2 / 60, "1/s"],
  ];
  for (const [text, value, unit] of cases) {
    const quantity = parseQuantity(text);
    assert.ok(Math.abs(quantity.value / value - 1) < 1e-12, `${text}: ${quantity.value}`);
    assert.equal(unitText(quantity.dimension), unit, text);
    assert.equal(quantity.text, text);
  }
});

Deno.test("parseQuantity() says what it cannot read", () => {
  assert.throws(() => parseQuantity("fast"), {
    name: "RangeError",
    message: 'Cannot read quantity "fast": expected a number with its unit, e.g. 50k messages/s',
  });
  for (const text of ["", "-5 ms", "5 parsecs", "5 messages/fortnight", "5 kk", "5 M M"]) {
    assert.throws(() => parseQuantity(text), RangeError, text);
  }
  assert.throws(() => parseQuantity("5 messages/fortnight"), /unit "fortnight" is not known/);
});

Deno.test("formatQuantity() gives a unit of fitting size", () => {
  const text = (quantity: string) => {
    const { value, dimension } = parseQuantity(quantity);
    return formatQuantity(value, dimension);
  };
  assert.equal(text("9M messages"), "9,000,000 messages");
  assert.equal(text("3k messages/min"), "50 messages/s");
  assert.equal(text("0.12 s"), "120 ms");
  assert.equal(text("3000 ns/message"), "3 µs/message");
  assert.equal(text("8,850,000 B/s"), "8.85 MB/s");
  assert.equal(text("177 B/message"), "177 B/message");
  assert.equal(text("2.5 cores"), "2.5");
  assert.equal(text("0 messages"), "0 messages");
});

Deno.test("formatQuantity() writes what parseQuantity() reads as the same, but for rounding", () => {
  const units = ["messages", "messages/s", "ms", "MB/s", "B/message", "us/message", "rows"];
  fc.assert(
    fc.property(
      fc.double({ min: 1e-2, max: 1e3, noNaN: true }),
      fc.constantFrom(...units),
      (value, unit) => {
        const quantity = parseQuantity(`${value} ${unit}`);
        const text = formatQuantity(quantity.value, quantity.dimension);
        // Minutes and hours are written for reading only, and less than half a microsecond as none.
        fc.pre(!/\dm\d|\dh\d|^0 µs/.test(text) && !/^\d µs/.test(text));
        const again = parseQuantity(text);
        assert.ok(isSameDimension(again.dimension, quantity.dimension), text);
        assert.ok(
          Math.abs(again.value / quantity.value - 1) < 0.06,
          `${text} for ${value} ${unit}`,
        );
      },
    ),
    { seed: SEED },
  );
});

Deno.test("combine() undoes itself", () => {
  const rate = parseQuantity("1 messages/s").dimension;
  const size = parseQuantity("1 B/message").dimension;
  assert.equal(unitText(combine(rate, size, 1)), "B/s");
  assert.ok(isSameDimension(combine(combine(rate, size, 1), size, -1), rate));
  assert.ok(isSameDimension(combine(rate, rate, -1), PLAIN));
  assert.ok(!isSameDimension(rate, size));
});
