import { formatCount, messageOf, systemDisk } from "../base/mod.ts";
import { readSamples, type Sample } from "../metrics/mod.ts";
import { packedIn, ReportError, type RunPicture } from "../report/mod.ts";
import {
  EVENTS_FILE,
  type HistogramJson,
  openRunFolder,
  readEvents,
  RunError,
  type RunEvent,
  type RunFolder,
} from "../run/mod.ts";
import { type Manifest, readManifest } from "../scenarios/mod.ts";
import { parseResult, type Result } from "../verdict/mod.ts";
import { NotebookError } from "./errors.ts";
import { pictureOf, readResult } from "./run_picture.ts";

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

/**
 * The result of a run that has ended.
 *
 * @param path its folder, its id under `runs/`, or its `report.html`
 * @throws {RunError} `folder_missing`, or `folder_damaged` where its verdict is none of this version
 * @throws {NotebookError} `not_ended` for a folder without verdict
 * @throws {ReportError} `no_data`, `damaged_data`
 */
export async function readResultAt(path: string): Promise<Result> {
  if (path.endsWith(".html")) return archiveIn(await readPage(path)).result;
  const folder = await openRunFolder(path);
  try {
    return await readResult(folder);
  } catch (cause) {
    if (cause instanceof TypeError || cause instanceof SyntaxError) {
      throw new RunError(`Cannot read run ${JSON.stringify(path)}: ${cause.message}`, {
        code: "folder_damaged",
        cure: "judge it again with `deno task verify`",
        cause,
      });
    }
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new NotebookError(`Cannot read run ${JSON.stringify(path)}: it has no verdict`, {
      code: "not_ended",
      cure: "wait for its end, or judge it with `deno task verify`",
      cause,
    });
  }
}

/**
 * The text of a report.
 *
 * @throws {ReportError} `no_data` where there is no such file
 */
export async function readPage(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw new ReportError(`Cannot read ${JSON.stringify(path)}: ${messageOf(cause)}`, {
      code: "no_data",
      cure: "name the report.html of a run",
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
