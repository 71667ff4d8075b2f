/**
 * Schemas of points in time, byte for byte as Java's.
 *
 * DATE, TIME and TIMESTAMP are `Date`s. The others are texts of ISO 8601, which keep the nanoseconds and which `Temporal` reads.
 */
import type { Schema } from "./schema.ts";
import { fixedSchema, plainInfo, schemaMismatch, shown } from "./schema_primitives.ts";
import { SchemaType } from "../wire/mod.ts";

const DAY_MS = 86_400_000;
const SECOND_NANOS = 1_000_000_000;

const DATE = /^([+-]?\d{4,6})-(\d\d)-(\d\d)$/;
const TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/;

/** java.util.Date, java.sql.Time and java.sql.Timestamp: ms since 1970. */
export function dateSchema(kind: "Date" | "Time" | "Timestamp"): Schema<Date> {
  return fixedSchema(plainInfo(kind, SchemaType[kind]), 8, {
    refusal: (value) =>
      value instanceof Date && !Number.isNaN(value.getTime()) ? undefined : shown(value),
    put: (view, value) => view.setBigInt64(0, BigInt(value.getTime())),
    get: (view) => new Date(Number(view.getBigInt64(0))),
  });
}

/** INSTANT, e.g. `2026-11-21T07:43:32.123456789Z`: seconds since 1970 and nanoseconds. */
export function instantSchema(): Schema<string> {
  return fixedSchema(plainInfo("Instant", SchemaType.Instant), 12, {
    refusal: (value) => isText(value) && value.endsWith("Z") ? undefined : shown(value),
    put(view, value) {
      const { epochDay, nanoOfDay } = parseDateTime(value.slice(0, -1));
      view.setBigInt64(0, BigInt(epochDay * 86_400 + Math.floor(nanoOfDay / SECOND_NANOS)));
      view.setInt32(8, nanoOfDay % SECOND_NANOS);
    },
    get(view) {
      const seconds = Number(view.getBigInt64(0));
      const epochDay = Math.floor(seconds / 86_400);
      const nanoOfDay = (seconds - epochDay * 86_400) * SECOND_NANOS + view.getInt32(8);
      return `${formatDate(epochDay)}T${formatTime(nanoOfDay)}Z`;
    },
  });
}

/** LOCAL_DATE, e.g. `2026-11-21`: days since 1970. */
export function localDateSchema(): Schema<string> {
  return fixedSchema(plainInfo("LocalDate", SchemaType.LocalDate), 8, {
    refusal: (value) => isText(value) ? undefined : shown(value),
    put: (view, value) => view.setBigInt64(0, BigInt(parseDate(value))),
    get: (view) => formatDate(Number(view.getBigInt64(0))),
  });
}

/** LOCAL_TIME, e.g. `07:43:32.123456789`: nanoseconds of the day. */
export function localTimeSchema(): Schema<string> {
  return fixedSchema(plainInfo("LocalTime", SchemaType.LocalTime), 8, {
    refusal: (value) => isText(value) ? undefined : shown(value),
    put: (view, value) => view.setBigInt64(0, BigInt(parseTime(value))),
    get: (view) => formatTime(Number(view.getBigInt64(0))),
  });
}

/** LOCAL_DATE_TIME, e.g. `2026-11-21T07:43:32.123456789`: both. */
export function localDateTimeSchema(): Schema<string> {
  return fixedSchema(plainInfo("LocalDateTime", SchemaType.LocalDateTime), 16, {
    refusal: (value) => isText(value) ? undefined : shown(value),
    put(view, value) {
      const { epochDay, nanoOfDay } = parseDateTime(value);
      view.setBigInt64(0, BigInt(epochDay));
      view.setBigInt64(8, BigInt(nanoOfDay));
    },
    get: (view) =>
      `${formatDate(Number(view.getBigInt64(0)))}T${formatTime(Number(view.getBigInt64(8)))}`,
  });
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function parseDateTime(text: string): { epochDay: number; nanoOfDay: number } {
  const [date = "", time = "", ...rest] = text.split("T");
  if (rest.length > 0) throw unreadable(text);
  return { epochDay: parseDate(date), nanoOfDay: parseTime(time) };
}

function parseDate(text: string): number {
  const match = DATE.exec(text);
  if (match === null) throw unreadable(text);
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!isReal) throw unreadable(text);
  return date.getTime() / DAY_MS;
}

function parseTime(text: string): number {
  const match = TIME.exec(text);
  if (match === null) throw unreadable(text);
  const [hour, minute, second] = [match[1], match[2], match[3] ?? 0].map(Number);
  if (hour! > 23 || minute! > 59 || second! > 59) throw unreadable(text);
  const nanos = Number((match[4] ?? "").padEnd(9, "0"));
  return ((hour! * 60 + minute!) * 60 + second!) * SECOND_NANOS + nanos;
}

function formatDate(epochDay: number): string {
  const date = new Date(epochDay * DAY_MS);
  if (Number.isNaN(date.getTime())) throw schemaMismatch("decode", `day ${epochDay} is no date`);
  return date.toISOString().split("T")[0]!;
}

function formatTime(nanoOfDay: number): string {
  if (!(nanoOfDay >= 0 && nanoOfDay < 86_400 * SECOND_NANOS)) {
    throw schemaMismatch("decode", `${nanoOfDay} ns are no time of a day`);
  }
  const seconds = Math.floor(nanoOfDay / SECOND_NANOS);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [time, nanos] = [parts.map(twoDigits).join(":"), nanoOfDay % SECOND_NANOS];
  return nanos === 0 ? time : `${time}.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

function unreadable(text: string): Error {
  return schemaMismatch("encode", `${shown(text)} is no date or time as ISO 8601 has them`);
}
