import { LatencyHistogram } from "../latency/mod.ts";
import type { HistogramJson } from "./protocol.ts";

/** The latencies of a run by name, merged from what each process said each second. */
export class Latencies {
  readonly #byName = new Map<string, LatencyHistogram>();

  /** Merges the histograms of one interval line. */
  add(histograms: Readonly<Record<string, HistogramJson>>): void {
    for (const [name, json] of Object.entries(histograms)) {
      this.of(name).add(LatencyHistogram.fromJSON(json));
    }
  }

  /** The histogram of a name, empty if nothing was said of it. */
  of(name: string): LatencyHistogram {
    const known = this.#byName.get(name) ?? new LatencyHistogram();
    this.#byName.set(name, known);
    return known;
  }

  /** All of them, as `histograms.json` holds them. */
  toJSON(): Record<string, HistogramJson> {
    return Object.fromEntries([...this.#byName].map(([name, one]) => [name, one.toJSON()]));
  }

  /** What {@link Latencies.toJSON} made. */
  static fromJSON(json: Readonly<Record<string, HistogramJson>>): Latencies {
    const latencies = new Latencies();
    latencies.add(json);
    return latencies;
  }
}

/**
 * The role's end of it: latencies since it last said so.
 *
 * @param names the histograms it keeps
 */
export function intervalLatencies<const Name extends string>(
  names: readonly Name[],
): {
  readonly of: Readonly<Record<Name, LatencyHistogram>>;
  take(): Record<string, HistogramJson>;
} {
  const of = Object.fromEntries(names.map((name) => [name, new LatencyHistogram()])) as Record<
    Name,
    LatencyHistogram
  >;
  return {
    of,
    take() {
      const taken: Record<string, HistogramJson> = {};
      for (const name of names) {
        if (of[name].count === 0 && of[name].negativeCount === 0) continue;
        taken[name] = of[name].toJSON();
        of[name].reset();
      }
      return taken;
    },
  };
}
