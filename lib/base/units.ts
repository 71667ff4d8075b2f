const DURATION_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

// A map, not an object: a size in "constructor" is refused.
const SIZE_BYTES: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["tb", 1e12],
  ["kib", 1024],
  ["mib", 1024 ** 2],
  ["gib", 1024 ** 3],
  ["tib", 1024 ** 4],
]);

/**
 * A duration with its unit, in milliseconds. Parts may follow one another: `1m30s`.
 *
 * @throws {RangeError} when a number, a unit or both are missing
 *
 * @example
 * ```ts
 * import { parseDurationMs } from "./units.ts";
 * import assert from "node:assert/strict";
 * assert.equal(parseDurationMs("1m30s"), 90_000);
 * assert.equal(parseDurationMs("10ms"), 10);
 * ```
 */
export function parseDurationMs(text: string): number {
  if (text === "0") return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== text) {
    throw new RangeError(
      `Cannot read duration ${JSON.stringify(text)}: expected e.g. 10ms, 5s, 3m`,
    );
  }
  const durationMs = parts.reduce((sum, part) => sum + Number(part[1]) * DURATION_MS[part[2]!]!, 0);
  if (durationMs > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(`Cannot read duration ${JSON.stringify(text)}: it is too long`);
  }
  return durationMs;
}

/**
 * A size with its unit, in bytes: `5MiB`, `2GB`, `4096` or `4096B`.
 *
 * @throws {RangeError} when it is not a number with a known unit
 */
export function parseSizeBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text);
  const unit = match === null ? undefined : SIZE_BYTES.get(match[2]!.toLowerCase());
  const sizeBytes = match === null || unit === undefined ? NaN : Number(match[1]) * unit;
  if (!(sizeBytes <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(
      `Cannot read size ${JSON.stringify(text)}: expected e.g. 4096, 64KiB, 2GB`,
    );
  }
  return Math.round(sizeBytes);
}

/** A duration for people: `850 µs`, `12.3 ms`, `4.56 s`, `3m05s`. */
export function formatDurationMs(durationMs: number): string {
  if (durationMs < 0) return `-${formatDurationMs(-durationMs)}`;
  if (durationMs < 1) return `${Math.round(durationMs * 1000)} µs`;
  if (durationMs < 100) return `${Number(durationMs.toPrecision(3))} ms`;
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 60_000) return `${Number((durationMs / 1000).toPrecision(3))} s`;
  const seconds = Math.round(durationMs / 1000);
  const rest = String(seconds % 60).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${rest}s`;
  return `${Math.floor(seconds / 3600)}h${String(Math.floor(seconds / 60) % 60).padStart(2, "0")}m`;
}

/** A size for people in binary units: `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${units[unit]}`;
}

/** A count for people: `49,987`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}
