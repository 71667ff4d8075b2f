import { systemDisk } from "../base/mod.ts";
import { readSamples, timelineOf } from "../metrics/mod.ts";
import { distributionOf, type Mark, type RunPicture } from "../report/mod.ts";
import { type HistogramJson, Latencies, type RunFolder } from "../run/mod.ts";
import type { Manifest } from "../scenarios/mod.ts";

const DISTRIBUTIONS = [
  { name: "publish", tone: "produce" },
  { name: "service", tone: "broker" },
  { name: "delivery", tone: "aggregate" },
  { name: "windowVisible", tone: "clickhouse" },
] as const;

function marksOf(manifest: Manifest, startMs: number): Mark[] {
  return manifest.restarts.map(({ name, atMs, recoveryMs }) => ({
    atSec: (atMs - startMs) / 1000,
    label: `${name} died`,
    kind: "fault",
    ...(recoveryMs === null ? {} : { untilSec: (atMs - startMs + recoveryMs) / 1000 }),
  }));
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
    marks: marksOf(manifest, startMs),
    distributions: DISTRIBUTIONS.map(({ name, tone }) => ({
      name,
      tone,
      points: distributionOf(latencies.of(name)),
    })),
  };
}
