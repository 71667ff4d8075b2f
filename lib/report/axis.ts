/** How the values of an axis are written. */
export type Unit = "count" | "milliseconds" | "mebibytes" | "kibibytes" | "cores" | "seconds";

/**
 * A value at an axis: short, with its unit where a reader would not know it otherwise.
 *
 * @example
 * ```ts
 * import { axisText } from "./axis.ts";
 * import assert from "node:assert/strict";
 * assert.equal(axisText(50_000, "count"), "50k");
 * assert.equal(axisText(2_500, "milliseconds"), "2.5 s");
 * ```
 */
export function axisText(value: number, unit: Unit): string {
  if (unit === "milliseconds") return millisecondsText(value);
  if (unit === "seconds") return `${rounded(value)} s`;
  if (unit !== "count") return rounded(value);
  if (Math.abs(value) >= 1e6) return `${rounded(value / 1e6)}M`;
  return Math.abs(value) >= 1e3 ? `${rounded(value / 1e3)}k` : rounded(value);
}

function millisecondsText(valueMs: number): string {
  if (valueMs === 0) return "0";
  if (Math.abs(valueMs) < 1) return `${rounded(valueMs * 1000)} µs`;
  return Math.abs(valueMs) < 1000 ? `${rounded(valueMs)} ms` : `${rounded(valueMs / 1000)} s`;
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(4)));
}

const TIME_STEPS_SEC = [
  0.1,
  0.2,
  0.5,
  1,
  2,
  5,
  10,
  15,
  20,
  30,
  60,
  120,
  300,
  600,
  900,
  1800,
  3600,
  7200,
  10_800,
  21_600,
  43_200,
  86_400,
];

/** Ticks of a time axis. */
export interface TimeTicks {
  readonly stepSec: number;
  text(atSec: number): string;
}

/**
 * Round steps for an axis of time, and how they are written: seconds up to five minutes, then minutes, then hours.
 *
 * @param spanSec length of the axis
 * @param ticksMax how many labels have room
 */
export function timeTicks(spanSec: number, ticksMax: number): TimeTicks {
  const unitSec = spanSec <= 300 ? 1 : spanSec <= 3 * 3600 ? 60 : 3600;
  const unit = unitSec === 1 ? "s" : unitSec === 60 ? "min" : "h";
  const fits = (stepSec: number) =>
    spanSec / stepSec <= ticksMax && (unitSec === 1 || stepSec * 2 >= unitSec);
  const stepSec = TIME_STEPS_SEC.find(fits) ?? Math.ceil(spanSec / ticksMax / 86_400) * 86_400;
  return {
    stepSec,
    text: (atSec) => atSec === 0 ? "0" : `${rounded(atSec / unitSec)} ${unit}`,
  };
}
