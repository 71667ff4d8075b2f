import type { EventTimeMs } from "../base/mod.ts";

/** A row as a sink gave it back: columns by name, 64-bit integers as text. */
export type FoundRow = Readonly<Record<string, unknown>>;

/** Late messages of one source and window, as the pipeline reported them. */
export interface FoundLate {
  readonly partition: number;
  readonly windowStartMs: EventTimeMs;
  readonly sourceName: string;
  readonly messageCount: number;
  /** Wrapping 64-bit sum, decimal. */
  readonly identitySum: string;
}

/** Rows that can be read more than once, in any order, one after the other. */
export type FoundRows = () => Iterable<FoundRow> | AsyncIterable<FoundRow>;

const DATE_TIME = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,9})?)Z?$/;

/**
 * An instant as a sink writes it: ms since 1970 as number or text, or `2026-11-21 14:30:05.000`, which is UTC.
 *
 * @returns ms since 1970, NaN when it is none
 */
export function foundTimeMs(value: unknown): EventTimeMs {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || value === "") return NaN;
  const match = DATE_TIME.exec(value);
  return match === null ? Number(value) : Date.parse(`${match[1]}T${match[2]}Z`);
}

/** A number as a sink writes it, perhaps as text; NaN when it is none. */
export function foundNumber(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" ? Number(value) : NaN;
}

/** An unsigned 64-bit integer as a sink writes it; undefined when it is none or was rounded on its way. */
export function foundUint64(value: unknown): bigint | undefined {
  if (typeof value === "string" && /^\d{1,20}$/.test(value)) return BigInt(value);
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}
