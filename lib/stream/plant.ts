import type { Projection } from "../contract.ts";

/** What a planted fault does to its message. */
export type PlantKind = "drop" | "double" | "change";

/** A fault put in on purpose, to prove that the verdict finds it. */
export interface Plant {
  readonly kind: PlantKind;
  readonly sourceName: string;
  readonly sequence: number;
}

/**
 * Reads `drop|double|change:SOURCE:SEQUENCE`.
 *
 * @throws {RangeError} when the text is something else
 *
 * @example
 * ```ts
 * import { parsePlant } from "./plant.ts";
 * import assert from "node:assert/strict";
 * assert.deepEqual(parsePlant("drop:s-1:42"), { kind: "drop", sourceName: "s-1", sequence: 42 });
 * ```
 */
export function parsePlant(text: string): Plant {
  const [, kind, sourceName, digits] = /^(drop|double|change):(.+):(\d+)$/.exec(text) ?? [];
  const sequence = Number(digits);
  if (kind === undefined || sourceName === undefined || !Number.isSafeInteger(sequence)) {
    throw new RangeError(
      `Cannot plant "${text}": expected drop, double or change, then a source and a sequence, as in drop:sensor-7:1234`,
    );
  }
  return { kind: kind as PlantKind, sourceName, sequence };
}

/**
 * Applies a plant to the message that the projection holds, after dedupe and watermark have seen it, as a fault in the accumulation would be.
 *
 * @returns how many times the message is to be added: 0, 1 or 2
 */
export function plantedTimes(plant: Plant, projection: Projection): number {
  if (projection.sequence !== plant.sequence) return 1;
  if (projection.sourceName(projection.sourceSlot) !== plant.sourceName) return 1;
  if (plant.kind === "drop") return 0;
  if (plant.kind === "double") return 2;
  // Far outside what a measure takes, so that the maximum shows it as well as the average.
  projection.measures[0]! += 1_000_000;
  return 1;
}
