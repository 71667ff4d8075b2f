import type { Disk, WallTimeMs } from "../base/mod.ts";
import { appendJsonLine, readJsonLines } from "./_json_lines.ts";
import type { ControlCommand } from "./control_command.ts";
import type { Restart } from "./supervisor.ts";

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

/** The file of a run that holds its events and its deaths. */
export const EVENTS_FILE = "events.jsonl";

/** A role that died, as far as that is known: when it died, when it is ready again, and when it works again there is a line of it. */
interface DeathLine {
  readonly atMs: WallTimeMs;
  readonly by: "supervisor";
  readonly death: Restart;
}

type Line = RunEvent | DeathLine;

/** Adds an event to a run's file, at once. */
export function appendEvent(disk: Disk, path: string, event: RunEvent): void {
  appendJsonLine(disk, path, event);
}

/** Adds what is known of a death to a run's file, at once. */
export function appendDeath(disk: Disk, path: string, atMs: WallTimeMs, death: Restart): void {
  appendJsonLine(disk, path, { atMs, by: "supervisor", death } satisfies DeathLine);
}

/** What was done to a run, in order of time; nothing where the file is missing. A torn last line is left out. */
export function readEvents(disk: Disk, path: string): RunEvent[] {
  return readJsonLines<Line>(disk, path).filter((line) => "command" in line);
}

/** The deaths of a run so far, in order of time, each with the newest that is known of it. While a run goes on, its manifest does not tell them. */
export function readDeaths(disk: Disk, path: string): Restart[] {
  const deaths = new Map<string, Restart>();
  for (const line of readJsonLines<Line>(disk, path)) {
    if ("death" in line) deaths.set(`${line.death.name} ${line.death.atMs}`, line.death);
  }
  return [...deaths.values()];
}
