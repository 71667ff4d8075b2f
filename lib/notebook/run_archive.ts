import { formatCount, systemDisk } from "../base/mod.ts";
import { readSamples, type Sample } from "../metrics/mod.ts";
import { packedIn, ReportError, type RunPicture } from "../report/mod.ts";
import {
  EVENTS_FILE,
  type HistogramJson,
  readEvents,
  type RunEvent,
  type RunFolder,
} from "../run/mod.ts";
import type { Manifest } from "../scenarios/mod.ts";
import { parseResult, type Result } from "../verdict/mod.ts";
import { pictureOf, readManifest, readResult } from "./run_picture.ts";

/** Everything that a run's report is drawn from, in one object that a page can carry. */
export interface RunArchive {
  readonly archiveVersion: 1;
  readonly manifest: Manifest;
  readonly result: Result;
  readonly events: readonly RunEvent[];
  /** By name, as `histograms.json` has them. */
  readonly histograms: Readonly<Record<string, HistogramJson>>;
  readonly samples: readonly Sample[];
  /** How many were taken; of more than are here, every n-th is, and the last. */
  readonly sampleCount: number;
  /** What was drawn from all samples, where not all are here. */
  readonly timeline: RunPicture["timeline"] | null;
}

/** An hour of samples each second: some 2 MB in a page. */
const SAMPLES_MAX = 3600;

function thinned(samples: readonly Sample[]): Sample[] {
  const every = Math.ceil(samples.length / SAMPLES_MAX);
  return samples.filter((_, i) => i % every === 0 || i === samples.length - 1);
}

/** Reads a judged run, as its report will carry it. */
export async function readRunArchive(folder: RunFolder): Promise<RunArchive> {
  const manifest = await readManifest(folder);
  const samples = readSamples(systemDisk, folder.file("samples.jsonl"));
  const text = await Deno.readTextFile(folder.file("histograms.json")).catch(() => "{}");
  const archive: RunArchive = {
    archiveVersion: 1,
    manifest,
    result: await readResult(folder),
    events: readEvents(systemDisk, folder.file(EVENTS_FILE)),
    histograms: JSON.parse(text),
    samples,
    sampleCount: samples.length,
    timeline: null,
  };
  return samples.length <= SAMPLES_MAX ? archive : {
    ...archive,
    samples: thinned(samples),
    timeline: pictureOf(archive).timeline,
  };
}

/**
 * The run that a report carries.
 *
 * @param page the text of a `report.html`
 * @throws {ReportError} `no_data` for a page without, `damaged_data`
 */
export function archiveIn(page: string): RunArchive {
  const data = packedIn(page) as RunArchive;
  try {
    const isWhole = data.archiveVersion === 1 && Array.isArray(data.samples) &&
      typeof data.manifest.startedAtMs === "number" && Array.isArray(data.events);
    if (!isWhole) throw new TypeError("not a run of this version");
    return { ...data, result: parseResult(data.result) };
  } catch (cause) {
    throw new ReportError("Cannot read the report: its data are no run of this version", {
      code: "damaged_data",
      cure: "draw it again with the version that made it",
      cause,
    });
  }
}

/** What an archive holds, for a person. */
export function archiveText({ samples, sampleCount }: RunArchive): string {
  const kept = samples.length === sampleCount
    ? `all ${formatCount(sampleCount)} samples of its processes`
    : `${formatCount(samples.length)} of ${
      formatCount(sampleCount)
    } samples of its processes (the charts are drawn from all)`;
  return `This page carries the run's manifest and result, its events, the latency histograms, and ${kept}, packed with gzip in the element weir-run.`;
}
