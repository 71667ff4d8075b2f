import type { LatencyBuckets } from "./buckets.ts";
import { MetricsError } from "./error.ts";

/** Label names and values of one time series. */
export type Labels = Readonly<Record<string, string>>;

/** What a metric is called and which of its series this is. */
export interface MetricOptions {
  /** Letters, digits and underscores; counters end in `_total`. */
  readonly name: string;
  /** One sentence, with the unit. */
  readonly help: string;
  readonly labels?: Labels;
}

interface Family {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly series: Map<string, () => string[]>;
}

/**
 * The figures of one process, in Prometheus's text exposition format 0.0.4.
 *
 * It holds functions, not values: counters stay plain numbers where they are counted, and are read and formatted at
 * scrape. (prom-client counts in objects of its own and its histogram takes one value a call, where here a tick
 * records one latency for a thousand messages; it also has no parser, which the runner needs.)
 *
 * @example
 * ```ts
 * import { MetricRegistry } from "./registry.ts";
 * import assert from "node:assert/strict";
 * const registry = new MetricRegistry();
 * let sent = 0;
 * registry.counter({ name: "sent_total", help: "Messages sent." }, () => sent);
 * sent = 3;
 * assert.equal(registry.expose(), "# HELP sent_total Messages sent.\n# TYPE sent_total counter\nsent_total 3\n");
 * ```
 */
export class MetricRegistry {
  readonly #families = new Map<string, Family>();

  /**
   * A figure that only grows while the process lives.
   *
   * @throws {MetricsError} `bad_name` or `duplicate`
   */
  counter(options: MetricOptions, read: () => number): void {
    this.#add("counter", options, () => [sampleLine(options.name, options.labels, read())]);
  }

  /**
   * A figure that goes up and down.
   *
   * @throws {MetricsError} `bad_name` or `duplicate`
   */
  gauge(options: MetricOptions, read: () => number): void {
    this.#add("gauge", options, () => [sampleLine(options.name, options.labels, read())]);
  }

  /**
   * Latencies in buckets.
   *
   * @throws {MetricsError} `bad_name` or `duplicate`
   */
  histogram(options: MetricOptions, buckets: LatencyBuckets): void {
    const { name, labels } = options;
    this.#add("histogram", options, () => [
      ...buckets.cumulative().map(([boundSec, count]) =>
        sampleLine(`${name}_bucket`, { ...labels, le: numberText(boundSec) }, count)
      ),
      sampleLine(`${name}_sum`, labels, buckets.sumSec),
      sampleLine(`${name}_count`, labels, buckets.count),
    ]);
  }

  /** Everything, as text. */
  expose(): string {
    let text = "";
    for (const [name, family] of this.#families) {
      text += `# HELP ${name} ${escapeHelp(family.help)}\n# TYPE ${name} ${family.type}\n`;
      for (const lines of family.series.values()) text += lines().join("\n") + "\n";
    }
    return text;
  }

  #add(type: Family["type"], options: MetricOptions, lines: () => string[]): void {
    const { name, help, labels = {} } = options;
    const names = [name, ...Object.keys(labels)];
    const bad = names.find((text) => !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(text));
    if (bad !== undefined) {
      throw new MetricsError(`Cannot register metric: bad name ${JSON.stringify(bad)}`, {
        code: "bad_name",
      });
    }
    const family = this.#families.get(name) ?? { type, help, series: new Map() };
    const key = labelText(labels);
    if (family.series.has(key) || family.type !== type) {
      throw new MetricsError(`Cannot register metric: ${name}${key} is there already`, {
        code: "duplicate",
      });
    }
    family.series.set(key, lines);
    this.#families.set(name, family);
  }
}

function sampleLine(name: string, labels: Labels | undefined, value: number): string {
  return `${name}${labelText(labels ?? {})} ${numberText(value)}`;
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
