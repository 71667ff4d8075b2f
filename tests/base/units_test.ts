import assert from "node:assert/strict";
import {
  formatBytes,
  formatCount,
  formatDurationMs,
  parseDurationMs,
  parseSizeBytes,
} from "../../lib/base/units.ts";

Deno.test("parseDurationMs() reads each unit, fractions and parts in a row", () => {
  const cases: readonly [string, number][] = [
    ["0", 0],
    ["0s", 0],
    ["500us", 0.5],
    ["10ms", 10],
    ["5s", 5_000],
    ["1.5s", 1_500],
    ["3m", 180_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
    ["1m30s", 90_000],
    ["1h0m1s", 3_601_000],
  ];
  for (const [text, expected] of cases) assert.equal(parseDurationMs(text), expected, text);
});

Deno.test("parseDurationMs() refuses all else, quoting it", () => {
  const refused = [
    "",
    "5",
    "s",
    "5 s",
    " 5s",
    "5s ",
    "-5s",
    "5S",
    "5sec",
    "1e3s",
    ".5s",
    "5s3",
    "1.s",
  ];
  for (const text of [...refused, `${"9".repeat(400)}s`]) {
    assert.throws(
      () => parseDurationMs(text),
      (error) => error instanceof RangeError && error.message.includes(JSON.stringify(text)),
      text,
    );
  }
});

Deno.test("parseSizeBytes() reads plain numbers, decimal and binary units in any case", () => {
  const cases: readonly [string, number][] = [
    ["0", 0],
    ["4096", 4096],
    ["4096B", 4096],
    ["64KiB", 65_536],
    ["64 kib", 65_536],
    ["1kB", 1_000],
    ["5MiB", 5_242_880],
    ["1.5MB", 1_500_000],
    ["2GB", 2_000_000_000],
    ["2GiB", 2_147_483_648],
    ["1TiB", 1_099_511_627_776],
    ["1TB", 1e12],
  ];
  for (const [text, expected] of cases) assert.equal(parseSizeBytes(text), expected, text);
});

Deno.test("parseSizeBytes() refuses all else, quoting it", () => {
  const refused = ["", "B", "-1", "1e3", "5X", "5 MiB s", "0x10", "5constructor", "5valueOf"];
  for (const text of [...refused, `${"9".repeat(400)}B`]) {
    assert.throws(
      () => parseSizeBytes(text),
      (error) => error instanceof RangeError && error.message.includes(JSON.stringify(text)),
      text,
    );
  }
});

Deno.test("formatDurationMs() picks the unit that people would", () => {
  const cases: readonly [number, string][] = [
    [0, "0 µs"],
    [0.85, "850 µs"],
    [1, "1 ms"],
    [12.34, "12.3 ms"],
    [123.4, "123 ms"],
    [4_560, "4.56 s"],
    [60_000, "1m00s"],
    [185_000, "3m05s"],
    [3_599_600, "1h00m"],
    [7_260_000, "2h01m"],
    [-1_500, "-1.5 s"],
  ];
  for (const [durationMs, expected] of cases) assert.equal(formatDurationMs(durationMs), expected);
});

Deno.test("formatBytes() counts in binary units", () => {
  const cases: readonly [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [5_242_880, "5 MiB"],
    [1.7e9, "1.58 GiB"],
    [-2048, "-2 KiB"],
    [2 ** 60, "1050000 TiB"],
  ];
  for (const [bytes, expected] of cases) assert.equal(formatBytes(bytes), expected);
});

Deno.test("formatCount() groups by thousands and rounds", () => {
  assert.equal(formatCount(49_986.6), "49,987");
  assert.equal(formatCount(0), "0");
  assert.equal(formatCount(-1_234_567), "-1,234,567");
});
