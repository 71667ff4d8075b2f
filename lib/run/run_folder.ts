import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { formatBytes, messageOf } from "../base/mod.ts";
import { RunError } from "./errors.ts";

/** The folder of one run, the only truth about it. */
export interface RunFolder {
  readonly id: string;
  /** Absolute. */
  readonly path: string;
  /** The absolute path of something in it. */
  file(name: string): string;
}

/** A name for a run that sorts by time: `20261121-143005-bench50k-3f2a`. */
export function newRunId(name: string, atMs: number, random32: number): string {
  const at = new Date(atMs).toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return `${at}-${name}-${(random32 & 0xffff).toString(16).padStart(4, "0")}`;
}

function folderAt(path: string): RunFolder {
  const absolute = resolve(path);
  return {
    id: absolute.split(/[\\/]/).at(-1)!,
    path: absolute,
    file: (name) => `${absolute}/${name}`,
  };
}

/**
 * Makes the folder of a new run, with `logs/`, `ledger/` and `checkpoints/` in it.
 *
 * @param path where; its last part is the run's id
 * @throws {RunError} `folder_exists` or `not_writable`
 */
export async function createRunFolder(path: string): Promise<RunFolder> {
  const folder = folderAt(path);
  try {
    // Which of both exists tells a run by this name from a file in the way.
    await Deno.mkdir(dirname(folder.path), { recursive: true }).catch((error) => {
      throw new Error(messageOf(error), { cause: error });
    });
    await Deno.mkdir(folder.path);
    for (const name of ["logs", "ledger", "checkpoints", "charts"]) {
      await Deno.mkdir(folder.file(name));
    }
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) {
      throw new RunError(`Cannot start the run: folder ${JSON.stringify(path)} exists`, {
        code: "folder_exists",
        cure: "give another --out or --run-id",
        cause,
      });
    }
    throw new RunError(`Cannot write to ${JSON.stringify(path)}: ${messageOf(cause)}`, {
      code: "not_writable",
      cure: "give --out a folder that you may write to",
      cause,
    });
  }
  return folder;
}

/**
 * The folder of a run that exists.
 *
 * @param path of the folder, or its id under `runs/`
 * @throws {RunError} `folder_missing`
 */
export async function openRunFolder(path: string): Promise<RunFolder> {
  for (const candidate of [path, `runs/${path}`]) {
    const folder = folderAt(candidate);
    try {
      await Deno.stat(folder.file("manifest.json"));
      return folder;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
        throw error;
      }
    }
  }
  throw new RunError(`Cannot open run ${JSON.stringify(path)}: no manifest.json there`, {
    code: "folder_missing",
    cure: "name a folder under runs/, see `ls runs`",
  });
}

/** Free bytes for this user on the disk that holds `path`. */
export async function freeDiskBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

/**
 * Refuses a run for which the disk is too small.
 *
 * @throws {RunError} `disk_space`
 */
export async function assertDiskSpace(path: string, neededBytes: number): Promise<void> {
  const free = await freeDiskBytes(path);
  if (free >= neededBytes) return;
  throw new RunError(
    `Cannot start the run: ${formatBytes(free)} free, about ${formatBytes(neededBytes)} needed`,
    {
      code: "disk_space",
      cure: "free some space, give --out another disk or a shorter --duration",
    },
  );
}

/** Replaces a JSON file of the run so that a reader sees the old or the new one, whole. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(`${path}.tmp`, JSON.stringify(value, null, 2) + "\n");
  await Deno.rename(`${path}.tmp`, path);
}
