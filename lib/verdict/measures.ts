import { formatBytes, formatCount, formatDurationMs } from "../base/mod.ts";
import type { LatencySummary } from "../latency/mod.ts";
import type { Result } from "./result.ts";

/** A result before thresholds and verdict are known. */
export type MeasuredResult = Omit<Result, "verdict" | "reasons" | "thresholds">;

/** The unit of a measure's values. */
export type MeasureUnit = "us" | "bytes" | "ratePerSec" | "ns" | "seconds" | "cores" | "count";

/** A figure of a result that a threshold or a comparison may name. */
export interface Measure {
  readonly name: string;
  readonly unit: MeasureUnit;
  readonly isHigherBetter: boolean;
  /** Null when it was not measured. */
  valueOf(result: MeasuredResult): number | null;
}

const LATENCIES = ["publish", "delivery", "windowVisible", "windowEndToVisible"] as const;
const PERCENTILES = ["p50", "p90", "p99", "p999", "max"] as const;
const ROLES = ["produce", "broker", "aggregate", "clickhouse", "runner"] as const;

function percentileOf(summary: LatencySummary, name: typeof PERCENTILES[number]): number | null {
  return summary.count === 0 ? null : summary[name];
}

/** The sum over the roles that weir started; null when it started none. */
function totalOf(roles: Result["cpuSeconds"]): number | null {
  const known = Object.values(roles).filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

function roleMeasures(
  name: string,
  unit: MeasureUnit,
  rolesOf: (result: MeasuredResult) => Result["cpuSeconds"],
  scaleOf: (result: MeasuredResult) => number = () => 1,
): Measure[] {
  const scaled = (result: MeasuredResult, value: number | null) =>
    value === null ? null : value * scaleOf(result);
  return [...ROLES, "total" as const].map((role) => ({
    name: `${name}.${role}`,
    unit,
    isHigherBetter: false,
    valueOf: (result) =>
      scaled(result, role === "total" ? totalOf(rolesOf(result)) : rolesOf(result)[role]),
  }));
}

function latencyMeasures(
  name: string,
  summaryOf: (result: MeasuredResult) => LatencySummary,
): Measure[] {
  return PERCENTILES.map((percentile) => ({
    name: `${name}.${percentile}`,
    unit: "us",
    isHigherBetter: false,
    valueOf: (result) => percentileOf(summaryOf(result), percentile),
  }));
}

/** Every figure that has a name. */
export const MEASURES: readonly Measure[] = [
  {
    name: "rate",
    unit: "ratePerSec",
    isHigherBetter: true,
    valueOf: (result) => result.rateMessagesPerSec,
  },
  ...LATENCIES.flatMap((name) => latencyMeasures(name, (result) => result.latencyUs[name])),
  ...latencyMeasures("inserts", (result) => result.inserts.durationUs),
  ...latencyMeasures("checkpoints", (result) => result.checkpoints.durationUs),
  {
    name: "cpuNsPerMessage",
    unit: "ns",
    isHigherBetter: false,
    valueOf: (result) => result.cpuNsPerMessage,
  },
  ...roleMeasures("cpuSeconds", "seconds", (result) => result.cpuSeconds),
  ...roleMeasures(
    "cpuCores",
    "cores",
    (result) => result.cpuSeconds,
    (result) => result.durationSec > 0 ? 1 / result.durationSec : NaN,
  ),
  ...roleMeasures("rssBytesMax", "bytes", (result) => result.rssBytesMax),
  ...(["late", "indeterminate"] as const).map((name): Measure => ({
    name: `messages.${name}`,
    unit: "count",
    isHigherBetter: false,
    valueOf: (result) => result.messages[name],
  })),
  {
    name: "restarts",
    unit: "count",
    isHigherBetter: false,
    valueOf: (result) => result.restarts.length,
  },
];

/** A value for a person, in its unit. */
export function formatMeasure(value: number, unit: MeasureUnit): string {
  switch (unit) {
    case "us":
      return formatDurationMs(value / 1000);
    case "bytes":
      return formatBytes(value);
    case "ratePerSec":
      return `${formatCount(value)} messages/s`;
    case "ns":
      return `${formatCount(value)} ns`;
    case "seconds":
      return `${Number(value.toPrecision(4))} s`;
    case "cores":
      return `${Number(value.toPrecision(3))} cores`;
    case "count":
      return formatCount(value);
  }
}
