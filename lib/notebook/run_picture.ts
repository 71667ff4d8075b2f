import { systemDisk } from "../base/mod.ts";
import { readSamples, type Sample, timelineOf } from "../metrics/mod.ts";
import { distributionOf, type Mark, type RunPicture } from "../report/mod.ts";
import {
  EVENTS_FILE,
  type HistogramJson,
  Latencies,
  readDeaths,
  readEvents,
  RunError,
  type RunEvent,
  type RunFolder,
} from "../run/mod.ts";
import { type Manifest, readManifest } from "../scenarios/mod.ts";
import { parseResult, type Result } from "../verdict/mod.ts";

const DISTRIBUTIONS = [
  { key: "publish", name: "publish", tone: "produce" },
  { key: "service", name: "service", tone: "broker" },
  { key: "delivery", name: "delivery", tone: "aggregate" },
  { key: "windowVisible", name: "window visible", tone: "clickhouse" },
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

/**
 * Reads `verdict.json`.
 *
 * @throws {RunError} `folder_damaged` where the run was not judged
 */
export async function readResult(folder: RunFolder): Promise<Result> {
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(folder.file("verdict.json")));
  } catch (cause) {
    throw new RunError(`Cannot read run ${JSON.stringify(folder.path)}: it holds no verdict`, {
      code: "folder_damaged",
      cure: "judge it first: deno task verify RUN",
      cause,
    });
  }
  return parseResult(json);
}

/** What {@link pictureOf} draws from. */
export interface PictureSource {
  readonly manifest: Manifest;
  readonly samples: readonly Sample[];
  readonly events: readonly RunEvent[];
  readonly histograms: Readonly<Record<string, HistogramJson>>;
  /** Where it is known already, because not all samples are here. */
  readonly timeline: RunPicture["timeline"] | null;
}

/** What the charts of a run are drawn from. */
export function pictureOf(source: PictureSource): RunPicture {
  const { manifest, samples, events } = source;
  const { generator, measuredFromMs, startedAtMs } = manifest;
  const startMs = generator?.startWallMs ?? measuredFromMs ?? startedAtMs;
  const endMs = generator?.lastReceiptWallMs ?? Infinity;
  const latencies = Latencies.fromJSON(source.histograms);
  return {
    loop: manifest.config.loop,
    timeline: source.timeline ?? timelineOf(samples, { startMs, endMs }),
    marks: marksOf(manifest.restarts, events, startMs),
    distributions: DISTRIBUTIONS.map(({ key, name, tone }) => ({
      name,
      tone,
      points: distributionOf(latencies.of(key)),
    })),
  };
}

/** What the charts of a run are drawn from, read from its folder; also while it runs. */
export async function readPicture(folder: RunFolder): Promise<RunPicture> {
  const text = await Deno.readTextFile(folder.file("histograms.json")).catch(() => "{}");
  const manifest = await readManifest(folder);
  // Until it has ended, a run tells its deaths among the events.
  const restarts = manifest.endedAtMs === null
    ? readDeaths(systemDisk, folder.file(EVENTS_FILE))
    : manifest.restarts;
  return pictureOf({
    manifest: { ...manifest, restarts },
    samples: readSamples(systemDisk, folder.file("samples.jsonl")),
    events: readEvents(systemDisk, folder.file(EVENTS_FILE)),
    histograms: JSON.parse(text),
    timeline: null,
  });
}
