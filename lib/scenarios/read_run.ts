import { messageOf } from "../base/mod.ts";
import { type HistogramJson, RunError, type RunFolder, TextLineStream } from "../run/mod.ts";
import type { FoundRow } from "../verdict/mod.ts";
import type { Manifest } from "./manifest.ts";

function damaged(folder: RunFolder, name: string, why: string, cause?: unknown): RunError {
  return new RunError(`Cannot read run ${JSON.stringify(folder.path)}: ${name} ${why}`, {
    code: "folder_damaged",
    cure: "name the folder of a run as weir wrote it, see `ls runs`",
    cause,
  });
}

/** A JSON file of a run; undefined where there is none. */
async function readJson(folder: RunFolder, name: string): Promise<unknown> {
  let text: string;
  try {
    text = await Deno.readTextFile(folder.file(name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw damaged(folder, name, `cannot be read (${messageOf(error)})`, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(folder, name, `is no JSON (${messageOf(error)})`, error);
  }
}

/**
 * The manifest of a run.
 *
 * @throws {RunError} `folder_damaged`
 */
export async function readManifest(folder: RunFolder): Promise<Manifest> {
  const found = await readJson(folder, "manifest.json") as Partial<Manifest> | null | undefined;
  const isManifest = found?.schemaVersion === 1 && typeof found.runId === "string" &&
    typeof found.config?.load === "object" && Array.isArray(found.restarts);
  if (!isManifest) throw damaged(folder, "manifest.json", "is not the manifest of a run");
  return found as Manifest;
}

/**
 * The latencies of a run; none where its runner was killed before it could write them.
 *
 * @throws {RunError} `folder_damaged`
 */
export async function readHistograms(folder: RunFolder): Promise<Record<string, HistogramJson>> {
  return (await readJson(folder, "histograms.json") ?? {}) as Record<string, HistogramJson>;
}

/**
 * The rows of a run as ClickHouse gave them.
 *
 * @throws {RunError} `folder_damaged`
 */
export async function* readRows(folder: RunFolder): AsyncGenerator<FoundRow> {
  const name = "rows.jsonl";
  using file = await Deno.open(folder.file(name)).catch((error) => {
    throw damaged(folder, name, `cannot be read (${messageOf(error)})`, error);
  });
  const lines = file.readable.pipeThrough(new TextDecoderStream()).pipeThrough(
    new TextLineStream(),
  );
  let lineNumber = 0;
  for await (const line of lines) {
    lineNumber++;
    try {
      yield JSON.parse(line);
    } catch (error) {
      throw damaged(folder, name, `has a line ${lineNumber} that is no JSON`, error);
    }
  }
}
