import type { CumulativeBuckets } from "./buckets.ts";
import { METRIC } from "./names.ts";
import type { Scrape } from "./parser.ts";
import type { Sample } from "./series.ts";

/** Rates over less than this say more of the clock than of the run. */
const SPACING_MIN_MS = 500;

/**
 * Samples at least half a second apart. One that comes too soon is left out; the last one, which holds the final
 * counts, replaces the one before it.
 *
 * @param samples in order of time
 */
export function spaced(samples: readonly Sample[]): Sample[] {
  const kept: Sample[] = [];
  samples.forEach((sample, i) => {
    const isTooSoon = kept.length > 0 && sample.atMs - kept.at(-1)!.atMs < SPACING_MIN_MS;
    if (!isTooSoon) kept.push(sample);
    else if (i === samples.length - 1 && kept.length > 1) kept[kept.length - 1] = sample;
  });
  return kept;
}

/**
 * Whether two answers of an instance come from two processes: its start moved or, where that is not told, a counter
 * fell.
 */
export function isRestart(before: Scrape, after: Scrape): boolean {
  const startedSec = before.values[METRIC.processStart];
  const startedAgainSec = after.values[METRIC.processStart];
  if (startedSec !== undefined && startedAgainSec !== undefined) {
    return startedSec !== startedAgainSec;
  }
  return Object.entries(before.values).some(([name, value]) =>
    name.endsWith("_total") && (after.values[name] ?? value) < value
  );
}

/**
 * Puts in what an instance would have answered while it did not, on a straight line between its answers before and
 * after. A busy machine makes a scrape late, which is no gap in the work; and a process that was frozen answers with
 * nearly its old counts when it wakes, so that the line is flat, as its work was. Where another process answers
 * afterwards, the gap stays: nobody worked in it.
 *
 * @param samples in order of time
 */
export function withoutMisses(samples: readonly Sample[]): Sample[] {
  const filled = samples.map(({ atMs, roles }) => ({ atMs, roles: { ...roles } }));
  const last = new Map<string, number>();
  samples.forEach(({ roles }, index) => {
    for (const [instance, after] of Object.entries(roles)) {
      const from = last.get(instance);
      last.set(instance, index);
      if (from === undefined || from === index - 1) continue;
      const before = samples[from]!.roles[instance]!;
      if (isRestart(before, after)) continue;
      const spanMs = samples[index]!.atMs - samples[from]!.atMs;
      for (let i = from + 1; i < index; i++) {
        const share = (samples[i]!.atMs - samples[from]!.atMs) / spanMs;
        filled[i]!.roles[instance] = between(before, after, share);
      }
    }
  });
  return filled;
}

function between(before: Scrape, after: Scrape, share: number): Scrape {
  const line = (from: number, to: number) => from + (to - from) * share;
  const values = Object.entries(after.values).map(([name, value]) =>
    [name, line(before.values[name] ?? value, value)] as const
  );
  const buckets = Object.entries(after.buckets).map(([name, counts]) => {
    const earlier = before.buckets[name] ?? [];
    return [
      name,
      counts.map(([bound, count]) => [bound, line(countAt(earlier, bound), count)] as const),
    ] as const;
  });
  return { values: Object.fromEntries(values), buckets: Object.fromEntries(buckets) };
}

/** How many values were at or below a bound that the reading may not list. */
function countAt(buckets: CumulativeBuckets, boundSec: number): number {
  return buckets.findLast(([bound]) => bound <= boundSec)?.[1] ?? 0;
}
