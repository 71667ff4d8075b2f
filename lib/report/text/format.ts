import { formatBytes, formatCount, formatDurationMs } from "../../base/mod.ts";

/** What stands where a system outside of weir was not measured. */
export const NOT_MEASURED = "not measured";

/** A latency in µs for people, or a dash where nothing was recorded. */
export function latencyText(latencyUs: number, count: number): string {
  return count === 0 ? "–" : formatDurationMs(latencyUs / 1000);
}

/** From when publish and delivery latency count, in words: a closed loop has no schedule to be late on. */
export function sendTimeText(loop: "open" | "closed" | undefined): string {
  return loop === "closed" ? "actual send" : "intended send time";
}

/** A count, or a dash for null. */
export function countText(count: number | null): string {
  return count === null ? "–" : formatCount(count);
}

/** Bytes, or {@link NOT_MEASURED} for null. */
export function bytesText(bytes: number | null): string {
  return bytes === null ? NOT_MEASURED : formatBytes(bytes);
}

/** A time in UTC, to the second. */
export function timeText(atMs: number): string {
  return new Date(atMs).toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");
}

/** CPU seconds over a run as the mean of cores in use. */
export function coresText(cpuSec: number | null, durationSec: number): string {
  if (cpuSec === null) return NOT_MEASURED;
  return durationSec > 0 ? (cpuSec / durationSec).toFixed(2) : "–";
}

/** The sum of what was measured, null when nothing was. */
export function sumOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

/**
 * Nested settings as rows of `a.b` and a value in words.
 *
 * @param value anything that JSON can hold; `toJSON` counts, so a secret stays one
 */
export function flatten(value: unknown): (readonly [name: string, text: string])[] {
  return flattenJson("", JSON.parse(JSON.stringify(value ?? {})));
}

function flattenJson(name: string, value: unknown): (readonly [string, string])[] {
  if (Array.isArray(value)) {
    const isPlain = value.every((item) => typeof item !== "object" || item === null);
    if (isPlain) return [[name, value.length === 0 ? "none" : value.map(plainText).join(", ")]];
    return value.flatMap((item, i) => flattenJson(`${name}[${i}]`, item));
  }
  if (typeof value === "number" && name.endsWith("Bytes")) return [[name, formatBytes(value)]];
  if (typeof value !== "object" || value === null) return [[name, plainText(value)]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flattenJson(name === "" ? key : `${name}.${key}`, inner)
  );
}

function plainText(value: unknown): string {
  if (value === null) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" ? String(value) : String(value) || "(empty)";
}
