import { systemDisk } from "../base/mod.ts";
import { readSamples, timelineOf } from "../metrics/mod.ts";
import { distributionOf, type Mark, type RunPicture } from "../report/mod.ts";
import {
  EVENTS_FILE,
  type HistogramJson,
  Latencies,
  readEvents,
  type RunEvent,
  type RunFolder,
} from "../run/mod.ts";
import type { Manifest } from "../scenarios/mod.ts";

const DISTRIBUTIONS = [
  { name: "publish", tone: "produce" },
  { name: "service", tone: "broker" },
  { name: "delivery", tone: "aggregate" },
  { name: "windowVisible", tone: "clickhouse" },
] as const;

/** A death so soon after a kill is its work. */
const KILLED_WITHIN_MS = 5000;

type Death = Manifest["restarts"][number];

function isKillOf({ command, refusal, atMs }: RunEvent, death: Death): boolean {
  if (command.command !== "inject" || command.kind !== "kill" || refusal !== null) return false;
  if (death.name !== command.role && death.role !== command.role) return false;
  // One that waits for its place strikes when it gets there.
  const withinMs = command.at === undefined ? KILLED_WITHIN_MS : Infinity;
  return death.atMs >= atMs && death.atMs <= atMs + withinMs;
}

/**
 * What happened to a run, as marks. A kill and the death that it brought are one mark.
 *
 * @param startMs wall ms at which the axis begins
 */
export function marksOf(
  deaths: readonly Death[],
  events: readonly RunEvent[],
  startMs: number,
): Mark[] {
  const atSec = (ms: number) => Math.max(0, (ms - startMs) / 1000);
  const died = deaths.map((death): Mark => ({
    atSec: atSec(death.atMs),
    label: events.some((event) => isKillOf(event, death))
      ? `${death.name} killed`
      : `${death.name} died`,
    kind: "fault",
    ...(death.recoveryMs === null ? {} : { untilSec: atSec(death.atMs + death.recoveryMs) }),
  }));
  const done = events.filter((event) =>
    event.refusal === null && !deaths.some((death) => isKillOf(event, death))
  );
  return [
    ...died,
    ...done.map(({ atMs, untilMs, text, command }): Mark => ({
      atSec: atSec(atMs),
      label: text,
      kind: command.command === "inject" ? "fault" : "note",
      ...(untilMs === undefined ? {} : { untilSec: atSec(untilMs) }),
    })),
  ];
}

/** Reads `manifest.json`. */
export async function readManifest(folder: RunFolder): Promise<Manifest> {
  return JSON.parse(await Deno.readTextFile(folder.file("manifest.json")));
}

/** What the charts of a run are drawn from, read from its folder; also while it runs. */
export async function readPicture(folder: RunFolder): Promise<RunPicture> {
  const manifest = await readManifest(folder);
  const startMs = manifest.generator?.startWallMs ?? manifest.measuredFromMs ??
    manifest.startedAtMs;
  const samples = readSamples(systemDisk, folder.file("samples.jsonl"));
  const text = await Deno.readTextFile(folder.file("histograms.json")).catch(() => "{}");
  const latencies = Latencies.fromJSON(JSON.parse(text) as Record<string, HistogramJson>);
  return {
    timeline: timelineOf(samples, { startMs }),
    marks: marksOf(
      manifest.restarts,
      readEvents(systemDisk, folder.file(EVENTS_FILE)),
      startMs,
    ),
    distributions: DISTRIBUTIONS.map(({ name, tone }) => ({
      name,
      tone,
      points: distributionOf(latencies.of(name)),
    })),
  };
}
