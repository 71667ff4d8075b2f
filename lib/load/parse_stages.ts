import { messageOf, parseDurationMs, UsageError } from "../base/mod.ts";
import type { Stage } from "./schedule.ts";

const RATE = String.raw`(\d+(?:\.\d+)?)(k|m)?(?:\/s)?`;
const FORMS: readonly [RegExp, (match: RegExpExecArray) => readonly [number, number]][] = [
  [
    new RegExp(`^(?:constant )?${RATE} for (\\S+)$`, "i"),
    (match) => [rateOf(match, 1), rateOf(match, 1)],
  ],
  [
    new RegExp(`^ramp ${RATE} to ${RATE} for (\\S+)$`, "i"),
    (match) => [rateOf(match, 1), rateOf(match, 3)],
  ],
  [/^pause for (\S+)$/i, () => [0, 0]],
];

function rateOf(match: RegExpExecArray, group: number): number {
  const factor = { k: 1e3, m: 1e6 }[match[group + 1]?.toLowerCase() ?? ""] ?? 1;
  return Number(match[group]) * factor;
}

function parseStage(text: string): Stage {
  for (const [pattern, ratesOf] of FORMS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const [rateFrom, rateTo] = ratesOf(match);
    const durationMs = parseDurationMs(match.at(-1)!);
    if (durationMs === 0) throw new RangeError("a stage takes longer than 0");
    return { durationMs, rateFrom, rateTo };
  }
  throw new RangeError(
    "expected e.g. constant 50000 for 3m, ramp 1k to 50k for 30s, pause for 10s",
  );
}

/**
 * Stages as a person writes them, separated by commas: `ramp 0 to 50k for 30s, constant 50000 for 3m`.
 *
 * @returns at least one stage, of which one has a rate above 0
 * @throws {UsageError} with every stage that cannot be read
 *
 * @example
 * ```ts
 * import { parseStages } from "./parse_stages.ts";
 * import assert from "node:assert/strict";
 * assert.deepEqual(parseStages("constant 50000 for 3m"), [{ durationMs: 180_000, rateFrom: 50_000, rateTo: 50_000 }]);
 * ```
 */
export function parseStages(text: string): Stage[] {
  const faults: string[] = [];
  const stages: Stage[] = [];
  for (const part of text.split(",").map((part) => part.trim().replaceAll(/\s+/g, " "))) {
    try {
      stages.push(parseStage(part));
    } catch (error) {
      faults.push(`Cannot read stage ${JSON.stringify(part)}: ${messageOf(error)}`);
    }
  }
  if (faults.length > 0) throw new UsageError(faults.join("; "));
  if (stages.every((stage) => stage.rateFrom === 0 && stage.rateTo === 0)) {
    throw new UsageError(
      `Cannot run stages ${JSON.stringify(text)}: none sends anything`,
      "give one a rate above 0",
    );
  }
  return stages;
}
