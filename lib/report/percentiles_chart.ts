import type { LatencyHistogram } from "../latency/mod.ts";
import { chartPicture, type Picture } from "./display.ts";
import { distributionOf, drawDistribution } from "./distribution.ts";
import type { Tone } from "./palette.ts";
import { pngOf } from "./png.ts";

/** What a chart of percentiles is told. */
export interface PercentilesOptions {
  readonly title?: string;
  readonly subtitle?: string;
}

/** The colours of latencies that stand for no role, in their order; those of histograms. */
const TONES: readonly Tone[] = ["produce", "aggregate", "clickhouse", "broker", "runner"];

/**
 * Latencies over their percentiles: 1/(1−p) along the bottom, so that 99 %, 99.9 % and 99.99 % have the same room.
 *
 * @param latencies by name
 *
 * @example
 * ```ts ignore
 * await weir.show(weir.percentilesOf({ open: await a.latency("publish"), closed: await b.latency("publish") }));
 * ```
 */
export async function percentilesOf(
  latencies: Readonly<Record<string, LatencyHistogram>>,
  { title = "Latency percentiles", subtitle = "" }: PercentilesOptions = {},
): Promise<Picture> {
  const named = Object.entries(latencies);
  const description = `${named.map(([name]) => name).join(", ")} over percentiles.`;
  const svg = drawDistribution({
    id: `percentiles-${crypto.randomUUID().slice(0, 8)}`,
    title,
    description,
    lines: named.map(([name, histogram], i) => ({
      name,
      tone: TONES[i % TONES.length]!,
      points: distributionOf(histogram),
    })),
  }, { theme: "light", withTitle: true, subtitle });
  return chartPicture(
    svg,
    `${title}: ${description}`,
    await pngOf(svg) as Uint8Array<ArrayBuffer>,
  );
}
