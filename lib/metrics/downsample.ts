/** A series over time: seconds since the start, and the value or null for a gap. */
export type Points = readonly (readonly [atSec: number, value: number | null])[];

/**
 * Thins a series for drawing. Of each stretch the smallest and the largest value stay, where they are, so that a peak
 * of one second shows in a chart of a day; a gap stays a gap.
 *
 * @param points in order of time
 * @param pointsMax how many to keep, at least 4; gaps may add a few
 *
 * @example
 * ```ts
 * import { downsample } from "./downsample.ts";
 * import assert from "node:assert/strict";
 * const points = Array.from({ length: 100 }, (_, i) => [i, i === 42 ? 9 : 1] as const);
 * assert.ok(downsample(points, 10).some(([atSec, value]) => atSec === 42 && value === 9));
 * ```
 */
export function downsample(points: Points, pointsMax: number): Points {
  if (points.length <= pointsMax) return points;
  const stretchCount = Math.max(1, Math.floor((pointsMax - 2) / 2));
  const inner = points.length - 2;
  const kept: Points[number][] = [points[0]!];
  for (let i = 0; i < stretchCount; i++) {
    const from = 1 + Math.floor((i * inner) / stretchCount);
    const to = 1 + Math.floor(((i + 1) * inner) / stretchCount);
    kept.push(...extremesOf(points.slice(from, to)));
  }
  kept.push(points.at(-1)!);
  return kept;
}

/** The smallest and the largest value of a stretch in order of time, and one gap if it has any. */
function extremesOf(stretch: Points): Points {
  let low: Points[number] | undefined;
  let high: Points[number] | undefined;
  let gap: Points[number] | undefined;
  for (const point of stretch) {
    const value = point[1];
    if (value === null) gap ??= point;
    else {
      if (low === undefined || value < low[1]!) low = point;
      if (high === undefined || value > high[1]!) high = point;
    }
  }
  return [low, high === low ? undefined : high, gap]
    .filter((point) => point !== undefined)
    .sort((a, b) => a[0] - b[0]);
}
