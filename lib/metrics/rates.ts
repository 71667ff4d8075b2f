import type { CumulativeBuckets } from "./buckets.ts";
import type { Scrape } from "./parser.ts";
import { isRestart } from "./regular.ts";
import { roleOf, type Sample } from "./series.ts";

/** What grew between two samples of one role's instance. */
export interface Step {
  /** Index of the later sample. */
  readonly index: number;
  /** Time since the instance answered before, seconds: longer than the interval when it was away. */
  readonly elapsedSec: number;
  readonly before: Scrape;
  readonly after: Scrape;
  /** Another process answers than before: all that it counted is new. */
  readonly isRestarted: boolean;
}

/**
 * The steps between neighbouring answers of each instance of a role.
 *
 * @param samples in order of time
 * @param role all its instances are taken
 */
export function stepsOf(samples: readonly Sample[], role: string): Step[] {
  const steps: Step[] = [];
  const last = new Map<string, { atMs: number; scrape: Scrape }>();
  samples.forEach(({ atMs, roles }, index) => {
    for (const [instance, after] of Object.entries(roles)) {
      if (roleOf(instance) !== role) continue;
      const before = last.get(instance);
      last.set(instance, { atMs, scrape: after });
      if (before === undefined || atMs <= before.atMs) continue;
      steps.push({
        index,
        elapsedSec: (atMs - before.atMs) / 1000,
        before: before.scrape,
        after,
        isRestarted: isRestart(before.scrape, after),
      });
    }
  });
  return steps;
}

/** How much a counter grew in a step, undefined where either end does not have it. */
function increaseIn(step: Step, metric: string): number | undefined {
  const { before, after, isRestarted } = step;
  const isKnown = before.values[metric] !== undefined;
  return isKnown && isRestarted
    ? after.values[metric]
    : counterIncrease(before.values[metric], after.values[metric]);
}

/**
 * How much a counter grew. A counter below its earlier value began again at 0 with a new process, and all of it is
 * growth; what the old process counted after its last sample is not known and not guessed.
 *
 * @returns undefined where either end does not have it
 *
 * @example
 * ```ts
 * import { counterIncrease } from "./rates.ts";
 * import assert from "node:assert/strict";
 * assert.equal(counterIncrease(10, 14), 4);
 * assert.equal(counterIncrease(10, 3), 3);
 * ```
 */
export function counterIncrease(
  before: number | undefined,
  after: number | undefined,
): number | undefined {
  if (before === undefined || after === undefined) return undefined;
  return after < before ? after : after - before;
}

/** What a histogram counted between two readings; all of the later one after a restart. */
export function bucketIncrease(
  before: CumulativeBuckets,
  after: CumulativeBuckets,
): CumulativeBuckets {
  if ((after.at(-1)?.[1] ?? 0) < (before.at(-1)?.[1] ?? 0)) return after;
  let i = 0;
  let counted = 0;
  return after.map(([boundSec, count]) => {
    while (i < before.length && before[i]![0] <= boundSec) counted = before[i++]![1];
    return [boundSec, count - counted] as const;
  });
}

/** Adds histograms that may not have the same bounds. */
export function addBuckets(all: readonly CumulativeBuckets[]): CumulativeBuckets {
  if (all.length === 1) return all[0]!;
  const bounds = [...new Set(all.flatMap((buckets) => buckets.map(([bound]) => bound)))]
    .sort((a, b) => a - b);
  const at = all.map(() => 0);
  const counted = all.map(() => 0);
  return bounds.map((bound) => {
    all.forEach((buckets, k) => {
      while (at[k]! < buckets.length && buckets[at[k]!]![0] <= bound) {
        counted[k] = buckets[at[k]!]![1];
        at[k] = at[k]! + 1;
      }
    });
    return [bound, counted.reduce((sum, count) => sum + count, 0)] as const;
  });
}

/**
 * A counter's rate per second at each sample, summed over the instances of a role.
 *
 * @returns as many values as samples; null where no instance answered twice in a row
 */
export function ratesPerSec(
  samples: readonly Sample[],
  role: string,
  metric: string,
): (number | null)[] {
  const rates: (number | null)[] = samples.map(() => null);
  for (const step of stepsOf(samples, role)) {
    const grown = increaseIn(step, metric);
    if (grown !== undefined) rates[step.index] = (rates[step.index] ?? 0) + grown / step.elapsedSec;
  }
  return rates;
}

/**
 * A counter's growth since the first sample, summed over instances, through restarts.
 *
 * @returns as many values as samples; the last known one while a role is away
 */
export function totals(samples: readonly Sample[], role: string, metric: string): number[] {
  const grown = samples.map(() => 0);
  for (const step of stepsOf(samples, role)) {
    grown[step.index] = grown[step.index]! + (increaseIn(step, metric) ?? 0);
  }
  // What an instance had counted when it was first seen counts as well.
  const seen = new Set<string>();
  samples.forEach(({ roles }, index) => {
    for (const [instance, scrape] of Object.entries(roles)) {
      if (roleOf(instance) !== role || seen.has(instance)) continue;
      seen.add(instance);
      grown[index] = grown[index]! + (scrape.values[metric] ?? 0);
    }
  });
  let total = 0;
  return grown.map((growth) => total += growth);
}

/**
 * A gauge at each sample, summed over the instances of a role.
 *
 * @returns as many values as samples; null where no instance has it
 */
export function gauges(
  samples: readonly Sample[],
  role: string,
  metric: string,
): (number | null)[] {
  return samples.map(({ roles }) => {
    const values = Object.entries(roles).flatMap(([instance, { values }]) =>
      roleOf(instance) === role && values[metric] !== undefined ? [values[metric]] : []
    );
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
  });
}
