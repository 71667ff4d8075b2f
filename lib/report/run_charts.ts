import { sendTimeText } from "./text/mod.ts";
import type { DrawOptions } from "./_layout.ts";
import { type ChartSpec, drawChart, type Line, type Points } from "./chart.ts";
import { type ChartData, chartData, distributionData, panelsData } from "./chart_data.ts";
import { type Distribution, drawDistribution } from "./distribution.ts";
import type { Mark } from "./marks.ts";
import { drawPanels, type PanelsSpec } from "./panels.ts";
import { rolesInOrder, toneOfRole } from "./palette.ts";

/** CPU and memory of a role over time. */
export interface RoleTimeline {
  readonly cpuCores: Points;
  readonly rssBytes: Points;
}

/**
 * A run over time, as `timelineOf` of metrics makes it from the samples of a run. Declared here too, because a picture
 * takes data and does not know where they come from; a test holds the two together.
 */
export interface Timeline {
  readonly startMs: number;
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

/** What the charts of a run are drawn from. */
export interface RunPicture {
  readonly timeline: Timeline;
  /** Faults, restarts and notes. */
  readonly marks: readonly Mark[];
  /** Percentiles of the whole run; those without values are left out. */
  readonly distributions: readonly Distribution[];
  /** In a closed loop latency counts from the actual send; open unless told. */
  readonly loop?: "open" | "closed";
}

/** One chart of a run, ready to be drawn in any size and theme. */
export interface Chart {
  /** Letters, digits and dashes: names files. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  draw(options: DrawOptions): string;
  /** What the script of a page needs of it. */
  data(): ChartData;
}

/**
 * The charts of a run, in the order of a report: throughput, backlog, latency, percentiles, rows, checkpoints, CPU,
 * memory.
 */
export function runCharts({ timeline, marks, distributions, loop }: RunPicture): Chart[] {
  const overTime = [
    ...flowCharts(timeline),
    latencyChart(timeline, loop),
    ...storageCharts(timeline),
  ]
    .map(
      (chart): Chart => {
        const spec: ChartSpec = { ...chart, spanSec: timeline.durationSec, marks };
        return {
          ...describe(spec),
          draw: (options) => drawChart(spec, options),
          data: () => chartData(spec),
        };
      },
    );
  const perRole = resourceCharts(timeline).map((chart): Chart => {
    const spec: PanelsSpec = { ...chart, spanSec: timeline.durationSec, marks };
    return {
      ...describe(spec),
      draw: (options) => drawPanels(spec, options),
      data: () => panelsData(spec),
    };
  });
  return overTime.toSpliced(3, 0, percentileChart(distributions)).concat(perRole);
}

function percentileChart(distributions: readonly Distribution[]): Chart {
  const spec = {
    id: "percentiles",
    title: "Latency percentiles",
    description: "Latency of the whole run over its percentiles, both axes logarithmic.",
    lines: distributions.filter(({ points }) => points.length > 0),
  };
  return {
    ...describe(spec),
    draw: (options) => drawDistribution(spec, options),
    data: () => distributionData(spec),
  };
}

function describe(
  { id, title, description }: Pick<Chart, "id" | "title" | "description">,
): Pick<Chart, "id" | "title" | "description"> {
  return { id, title, description };
}

type Drawing = Omit<ChartSpec, "spanSec" | "marks">;

function flowCharts(timeline: Timeline): Drawing[] {
  return [{
    id: "throughput",
    title: "Throughput",
    description:
      "Messages per second over time: acknowledged to producers, aggregated into windows, and the target.",
    yName: "messages/s",
    yUnit: "count",
    lines: [
      { name: "target", tone: "ink", points: timeline.targetPerSec, look: "step" },
      { name: "acknowledged", tone: "produce", points: timeline.ackedPerSec, look: "area" },
      { name: "aggregated", tone: "aggregate", points: timeline.aggregatedPerSec },
    ],
  }, {
    id: "backlog",
    title: "Backlog",
    description: "Messages acknowledged to producers and not yet aggregated, over time.",
    yName: "messages",
    yUnit: "count",
    lines: [{ name: "backlog", tone: "broker", points: timeline.backlogMessages }],
  }];
}

function latencyChart(timeline: Timeline, loop: RunPicture["loop"]): Drawing {
  const lines: Line[] = [
    { name: "publish p50", tone: "produce", points: timeline.publishUsP50, look: "dotted" },
    { name: "publish p99", tone: "produce", points: timeline.publishUsP99 },
    { name: "delivery p50", tone: "aggregate", points: timeline.deliveryUsP50, look: "dotted" },
    { name: "delivery p99", tone: "aggregate", points: timeline.deliveryUsP99 },
    { name: "window visible p99", tone: "clickhouse", points: timeline.windowVisibleUsP99 },
  ];
  return {
    id: "latency",
    title: "Latency over time",
    description:
      `Latency of each second's messages over time, median and 99th percentile, counted from the ${
        sendTimeText(loop)
      }; logarithmic.`,
    yName: "latency",
    yUnit: "milliseconds",
    yScale: "log",
    lines: lines.map((line) => ({ ...line, points: scaled(line.points, 1 / 1000) })),
  };
}

function storageCharts(timeline: Timeline): Drawing[] {
  return [{
    id: "rows",
    title: "Rows out",
    description: "Rows stored in ClickHouse per second; they come as windows close.",
    yName: "rows/s",
    yUnit: "count",
    lines: [{ name: "rows stored", tone: "clickhouse", points: timeline.rowsPerSec, look: "bars" }],
  }, {
    id: "durable",
    title: "Inserts and checkpoints",
    description: "Mean time of the inserts and of the checkpoints of each second.",
    yName: "mean duration",
    yUnit: "milliseconds",
    lines: [
      { name: "insert", tone: "clickhouse", points: timeline.insertMs },
      { name: "checkpoint", tone: "aggregate", points: timeline.checkpointMs },
    ],
  }];
}

function resourceCharts(timeline: Timeline): Omit<PanelsSpec, "spanSec" | "marks">[] {
  const roles = rolesInOrder(Object.keys(timeline.roles));
  const lines = (pick: (role: RoleTimeline) => Points): Line[] =>
    roles.map((role) => ({
      name: role,
      tone: toneOfRole(role),
      points: pick(timeline.roles[role]!),
    })).filter(({ points }) => points.some(([, value]) => value !== null));
  return [{
    id: "cpu",
    title: "CPU per role",
    description: "Processor cores in use over time, one panel per role, all with the same axes.",
    yName: "cores",
    yUnit: "cores",
    lines: lines(({ cpuCores }) => cpuCores),
  }, {
    id: "memory",
    title: "Memory per role",
    description: "Resident memory over time, one panel per role, all with the same axes.",
    yName: "MiB",
    yUnit: "mebibytes",
    lines: lines(({ rssBytes }) => scaled(rssBytes, 1 / 1024 ** 2)),
  }];
}

function scaled(points: Points, factor: number): Points {
  return points.map(([atSec, value]) => [atSec, value === null ? null : value * factor]);
}
