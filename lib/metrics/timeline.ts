import type { WallTimeMs } from "../base/mod.ts";
import { bucketQuantileSec, type CumulativeBuckets } from "./buckets.ts";
import { downsample, type Points } from "./downsample.ts";
import { METRIC } from "./names.ts";
import { addBuckets, bucketIncrease, gauges, ratesPerSec, stepsOf, totals } from "./rates.ts";
import { spaced, withoutMisses } from "./regular.ts";
import { roleOf, type Sample } from "./series.ts";

/** CPU and memory of a role over time, all its instances together. */
export interface RoleTimeline {
  readonly cpuCores: Points;
  readonly rssBytes: Points;
}

/** A run over time, ready to be drawn: what the charts take. Times are seconds since `startMs`. */
export interface Timeline {
  readonly startMs: WallTimeMs;
  readonly durationSec: number;
  readonly targetPerSec: Points;
  readonly ackedPerSec: Points;
  readonly aggregatedPerSec: Points;
  readonly backlogMessages: Points;
  readonly rowsPerSec: Points;
  readonly insertMs: Points;
  readonly checkpointMs: Points;
  readonly checkpointBytes: Points;
  readonly publishUsP50: Points;
  readonly publishUsP99: Points;
  readonly deliveryUsP50: Points;
  readonly deliveryUsP99: Points;
  readonly windowVisibleUsP99: Points;
  readonly roles: Readonly<Record<string, RoleTimeline>>;
}

/** What to draw from. */
export interface TimelineOptions {
  /** When the load began; the first sample unless told. Earlier samples are left out. */
  readonly startMs?: WallTimeMs;
  /** When the load ended, i.e. the last receipt; never unless told. */
  readonly endMs?: WallTimeMs;
  /** No series has more points than about this. */
  readonly pointsMax?: number;
}

/**
 * Turns samples into what the charts draw: rates from counters, percentiles of each second from histograms,
 * thinned out so that extremes stay.
 *
 * @param samples in order of time; may be empty
 */
export function timelineOf(samples: readonly Sample[], options: TimelineOptions = {}): Timeline {
  const { startMs = samples[0]?.atMs ?? 0, endMs = Infinity, pointsMax = 600 } = options;
  const used = withoutMisses(spaced(samples.filter(({ atMs }) => atMs >= startMs)));
  const times = used.map(({ atMs }) => (atMs - startMs) / 1000);
  const thin = (values: readonly (number | null)[]): Points =>
    downsample(times.map((atSec, i) => [atSec, values[i] ?? null]), pointsMax);
  const rate = (role: string, metric: string) => thin(ratesPerSec(used, role, metric));
  const quantileUs = (role: string, metric: string, quantile: number) =>
    thin(quantilesUs(used, role, metric, quantile));
  const mean = (per: string, count: string, scale: number) =>
    thin(
      ratios(used, "aggregate", per, count).map((value) => value === null ? null : value * scale),
    );
  return {
    startMs,
    durationSec: times.at(-1) ?? 0,
    // When nothing is to be sent any more there is no target.
    targetPerSec: thin(
      gauges(used, "produce", METRIC.targetRate)
        .map((value, i) => used[i]!.atMs >= endMs ? null : value),
    ),
    ackedPerSec: thin(
      untilEnd(used, ratesPerSec(used, "produce", METRIC.messagesAcknowledged), endMs),
    ),
    aggregatedPerSec: thin(
      untilEnd(used, ratesPerSec(used, "aggregate", METRIC.messagesAggregated), endMs),
    ),
    backlogMessages: thin(backlogs(used)),
    rowsPerSec: rate("aggregate", METRIC.rowsInserted),
    insertMs: mean(METRIC.insertSeconds, METRIC.inserts, 1000),
    checkpointMs: mean(METRIC.checkpointSeconds, METRIC.checkpoints, 1000),
    checkpointBytes: mean(METRIC.checkpointBytes, METRIC.checkpoints, 1),
    publishUsP50: quantileUs("produce", METRIC.publishLatency, 0.5),
    publishUsP99: quantileUs("produce", METRIC.publishLatency, 0.99),
    deliveryUsP50: quantileUs("aggregate", METRIC.deliveryLatency, 0.5),
    deliveryUsP99: quantileUs("aggregate", METRIC.deliveryLatency, 0.99),
    windowVisibleUsP99: quantileUs("aggregate", METRIC.windowVisibleLatency, 0.99),
    roles: Object.fromEntries(
      rolesOf(used).map((role) => [role, {
        cpuCores: rate(role, METRIC.processCpu),
        rssBytes: thin(gauges(used, role, METRIC.processRss)),
      }]),
    ),
  };
}

/** Of less than this much load a rate says more of the clock. */
const LAST_STEP_MS_MIN = 250;

/**
 * Rates of what ends with the load. The load ends within a step, and the rate over the whole of it would fall for no
 * reason of the system's: it is taken over the part with load. Where work goes on after that step, e.g. on a backlog,
 * the step was full of it and stays as it is; where nothing is left, there is no rate.
 */
function untilEnd(
  samples: readonly Sample[],
  rates: readonly (number | null)[],
  endMs: number,
): (number | null)[] {
  const last = samples.findIndex(({ atMs }) => atMs >= endMs);
  const before = samples[last - 1]?.atMs;
  if (last < 0 || before === undefined) return [...rates];
  const goesOn = rates.slice(last + 1).some((rate) => rate !== null && rate > 0);
  if (goesOn) return [...rates];
  const stepMs = samples[last]!.atMs - before;
  const loadMs = endMs - before;
  return rates.map((rate, i) => {
    if (rate === null || i < last) return rate;
    return i > last || loadMs < LAST_STEP_MS_MIN ? null : rate * stepMs / loadMs;
  });
}

function rolesOf(samples: readonly Sample[]): string[] {
  return [...new Set(samples.flatMap(({ roles }) => Object.keys(roles).map(roleOf)))].sort();
}

/** Messages acknowledged to producers and not yet accounted for by an aggregator. */
export function backlogs(samples: readonly Sample[]): (number | null)[] {
  const acked = totals(samples, "produce", METRIC.messagesAcknowledged);
  const accounted = accountedTotals(samples);
  const counted = totals(samples, "aggregate", METRIC.messagesAggregated);
  const isKnown = samples.some(({ roles }) =>
    Object.keys(roles).some((id) => roleOf(id) === "produce")
  );
  return acked.map((total, i) =>
    isKnown ? Math.max(0, total - (accounted === undefined ? counted[i]! : accounted[i]!)) : null
  );
}

/**
 * The gauge of accounted messages, summed over instances, each at its last known value while it is away;
 * undefined where no aggregator has it.
 */
function accountedTotals(samples: readonly Sample[]): number[] | undefined {
  const last = new Map<string, number>();
  const sums = samples.map(({ roles }) => {
    for (const [instance, { values }] of Object.entries(roles)) {
      const value = values[METRIC.messagesAccounted];
      if (value !== undefined) last.set(instance, value);
    }
    return [...last.values()].reduce((sum, value) => sum + value, 0);
  });
  return last.size === 0 ? undefined : sums;
}

/** A quantile of what each second added to a histogram, in µs, all instances together. */
function quantilesUs(
  samples: readonly Sample[],
  role: string,
  metric: string,
  quantile: number,
): (number | null)[] {
  const added = new Map<number, CumulativeBuckets[]>();
  for (const { index, before, after, isRestarted } of stepsOf(samples, role)) {
    const later = after.buckets[metric];
    if (later === undefined) continue;
    const grown = isRestarted ? later : bucketIncrease(before.buckets[metric] ?? [], later);
    added.set(index, [...(added.get(index) ?? []), grown]);
  }
  return samples.map((_, index) => {
    const buckets = added.get(index);
    if (buckets === undefined) return null;
    const quantileSec = bucketQuantileSec(addBuckets(buckets), quantile);
    return quantileSec === undefined ? null : quantileSec * 1e6;
  });
}

/** How much one counter grew for each unit that another grew; null where the other stood still. */
function ratios(
  samples: readonly Sample[],
  role: string,
  metric: string,
  perMetric: string,
): (number | null)[] {
  const tops = ratesPerSec(samples, role, metric);
  const bottoms = ratesPerSec(samples, role, perMetric);
  return tops.map((top, i) => {
    const bottom = bottoms[i] ?? null;
    return top === null || bottom === null || bottom === 0 ? null : top / bottom;
  });
}
