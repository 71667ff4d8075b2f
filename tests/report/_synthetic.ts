/** A made-up run of one sample a second, with the shapes of a real one: start, noise, a killed broker, recovery. */
import { type Random, seededRandom } from "../../lib/base/mod.ts";
import { LatencyHistogram } from "../../lib/latency/mod.ts";
import { LatencyBuckets, METRIC, type Sample, type Scrape } from "../../lib/metrics/mod.ts";
import type { Distribution } from "../../lib/report/distribution.ts";
import { distributionOf } from "../../lib/report/distribution.ts";

export interface SyntheticOptions {
  readonly durationSec: number;
  readonly ratePerSec?: number;
  /** When the broker is killed; it is back 2 s later. */
  readonly killAtSec?: number;
  readonly startMs?: number;
  readonly seed?: number;
}

export interface SyntheticRun {
  readonly samples: Sample[];
  readonly distributions: Distribution[];
  readonly publish: LatencyHistogram;
  readonly delivery: LatencyHistogram;
}

const AWAY_SEC = 2;

class State {
  acked = 0;
  aggregated = 0;
  rows = 0;
  inserts = 0;
  insertSec = 0;
  insertBytes = 0;
  checkpoints = 0;
  checkpointSec = 0;
  checkpointBytes = 0;
  readonly cpuSec: Record<string, number> = {};
  readonly publishBuckets = new LatencyBuckets();
  readonly deliveryBuckets = new LatencyBuckets();
  readonly visibleBuckets = new LatencyBuckets();
  readonly publish = new LatencyHistogram();
  readonly delivery = new LatencyHistogram();
  readonly visible = new LatencyHistogram();
}

export function syntheticRun(options: SyntheticOptions): SyntheticRun {
  const { durationSec, killAtSec = -1, startMs = 1_760_000_000_000, seed = 7 } = options;
  const state = new State();
  const random = seededRandom(seed);
  const samples: Sample[] = [];
  for (let sec = 0; sec <= durationSec; sec++) {
    const sinceKill = killAtSec < 0 ? -1 : sec - killAtSec;
    const isAway = sinceKill >= 0 && sinceKill < AWAY_SEC;
    if (sec > 0) advance(state, { sec, sinceKill, rate: options.ratePerSec ?? 50_000, random });
    samples.push({ atMs: startMs + sec * 1000, roles: rolesAt(state, isAway, options, random) });
  }
  return {
    samples,
    publish: state.publish,
    delivery: state.delivery,
    distributions: [
      { name: "publish", tone: "produce", points: distributionOf(state.publish) },
      { name: "delivery", tone: "aggregate", points: distributionOf(state.delivery) },
      { name: "window visible", tone: "clickhouse", points: distributionOf(state.visible) },
    ],
  };
}

function advance(
  state: State,
  { sec, sinceKill, rate, random }: {
    sec: number;
    sinceKill: number;
    rate: number;
    random: Random;
  },
): void {
  const isAway = sinceKill >= 0 && sinceKill < AWAY_SEC;
  const isCatchingUp = sinceKill >= AWAY_SEC && sinceKill < AWAY_SEC + 3;
  const noise = 1 + (random.float() - 0.5) * 0.01;
  const sent = isAway ? 0 : Math.round(rate * noise * (isCatchingUp ? 1 + AWAY_SEC / 3 : 1));
  state.acked += sent;
  state.aggregated = Math.max(state.aggregated, state.acked - Math.round(rate * 0.012 * noise));
  const slowUs = isCatchingUp ? 1_900_000 / (sinceKill - AWAY_SEC + 1) : 0;
  for (let i = 0; i < 100 && sent > 0; i++) {
    const tail = random.below(200) === 0 ? 20_000 * random.float() : 0;
    const publishUs = 4_000 + 9_000 * random.float() + tail + slowUs * random.float();
    const deliveryUs = publishUs + 2_000 + 4_000 * random.float();
    for (const histogram of [state.publishBuckets, state.publish]) {
      histogram.record(publishUs, Math.round(sent / 100));
    }
    for (const histogram of [state.deliveryBuckets, state.delivery]) {
      histogram.record(deliveryUs, Math.round(sent / 100));
    }
  }
  if (sec % 60 === 6) closeWindow(state, random);
  const busy = sent / 50_000;
  for (const [role, cores] of Object.entries(CPU_CORES)) {
    state.cpuSec[role] = (state.cpuSec[role] ?? 0) + cores * busy * (0.9 + 0.2 * random.float()) +
      0.005;
  }
}

function closeWindow(state: State, random: Random): void {
  for (let partition = 0; partition < 4; partition++) {
    const visibleUs = 60_000 + 120_000 * random.float();
    state.visibleBuckets.record(visibleUs);
    state.visible.record(visibleUs);
    state.rows += 250;
    state.inserts += 1;
    state.insertSec += 0.012 + 0.02 * random.float();
    state.insertBytes += 98_000;
    state.checkpoints += 1;
    state.checkpointSec += 0.004 + 0.006 * random.float();
    state.checkpointBytes += 140_000;
  }
}

const CPU_CORES: Readonly<Record<string, number>> = {
  produce: 0.16,
  broker: 0.12,
  aggregate: 0.14,
  clickhouse: 0.03,
  runner: 0.01,
};

const RSS_MIB: Readonly<Record<string, number>> = {
  produce: 110,
  broker: 140,
  aggregate: 120,
  clickhouse: 310,
  runner: 80,
};

function rolesAt(
  state: State,
  isBrokerAway: boolean,
  { ratePerSec = 50_000 }: SyntheticOptions,
  random: Random,
): Record<string, Scrape> {
  const own: Record<string, Scrape> = {
    produce: {
      values: {
        [METRIC.messagesAcknowledged]: state.acked,
        [METRIC.targetRate]: ratePerSec,
      },
      buckets: { [METRIC.publishLatency]: state.publishBuckets.cumulative() },
    },
    broker: { values: {}, buckets: {} },
    aggregate: {
      values: {
        [METRIC.messagesAggregated]: state.aggregated,
        [METRIC.rowsInserted]: state.rows,
        [METRIC.inserts]: state.inserts,
        [METRIC.insertSeconds]: state.insertSec,
        [METRIC.checkpoints]: state.checkpoints,
        [METRIC.checkpointSeconds]: state.checkpointSec,
        [METRIC.checkpointBytes]: state.checkpointBytes,
      },
      buckets: {
        [METRIC.deliveryLatency]: state.deliveryBuckets.cumulative(),
        [METRIC.windowVisibleLatency]: state.visibleBuckets.cumulative(),
      },
    },
    clickhouse: { values: {}, buckets: {} },
    runner: { values: {}, buckets: {} },
  };
  return Object.fromEntries(
    Object.entries(own).filter(([role]) => role !== "broker" || !isBrokerAway).map((
      [role, { values, buckets }],
    ) => [role, {
      values: {
        ...values,
        [METRIC.processCpu]: state.cpuSec[role] ?? 0,
        [METRIC.processRss]: RSS_MIB[role]! * 1024 ** 2 * (1 + 0.06 * random.float()),
      },
      buckets,
    }]),
  );
}
