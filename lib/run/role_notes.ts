import type { Disk, WallTimeMs } from "../base/mod.ts";
import { appendJsonLine, readJsonLines } from "./_json_lines.ts";

/** Something that a role said of its own work: a line of `notes.jsonl`. */
export interface RoleNote {
  readonly atMs: WallTimeMs;
  /** Of the process, e.g. `aggregate-1`; the one that is started again has the same. */
  readonly name: string;
  readonly kind: string;
  readonly data: unknown;
}

/** The file of a run that holds what its roles said. */
export const NOTES_FILE = "notes.jsonl";

/** Adds a note to a run's file, at once. */
export function appendRoleNote(disk: Disk, path: string, note: RoleNote): void {
  appendJsonLine(disk, path, note);
}

/** The notes of a run in the order in which they came; none where the file is missing. */
export function readRoleNotes(disk: Disk, path: string): RoleNote[] {
  return readJsonLines(disk, path);
}
