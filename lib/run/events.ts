import type { Disk, WallTimeMs } from "../base/mod.ts";
import { appendJsonLine, readJsonLines } from "./_json_lines.ts";
import type { ControlCommand } from "./control_command.ts";

/** Something that was done to a run while it went on: a line of `events.jsonl`. */
export interface RunEvent {
  readonly atMs: WallTimeMs;
  /** When it was over, for what lasts. */
  readonly untilMs?: WallTimeMs;
  /** Who asked for it. */
  readonly by: "control" | "scenario";
  readonly command: ControlCommand;
  /** For a person, short: it stands on the charts. */
  readonly text: string;
  /** Why it was not done; null when it was. */
  readonly refusal: string | null;
}

/** The file of a run that holds its events. */
export const EVENTS_FILE = "events.jsonl";

/** Adds an event to a run's file, at once. */
export function appendEvent(disk: Disk, path: string, event: RunEvent): void {
  appendJsonLine(disk, path, event);
}

/** The events of a run in order of time; none where the file is missing. A torn last line is left out. */
export function readEvents(disk: Disk, path: string): RunEvent[] {
  return readJsonLines(disk, path);
}
